import { jest } from '@jest/globals';
import type { ButtonMeaning, Outbox } from '../../src/slack/outbox.ts';
import { createOutboxStore } from '../../src/storage/outbox-store.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let outbox: Outbox;

beforeAll(async () => {
  bot = await createBotDatabase();
  outbox = createOutboxStore(bot.database);
});
afterAll(() => bot.drop());

const meaning: ButtonMeaning = { action: 'approve', runId: 'run-1', digest: 'd', words: null };

describe('what was told to Slack', () => {
  it('begins at nothing and only goes forward', async () => {
    expect(await outbox.cursor('channel')).toBe(0);
    await outbox.moveCursor('channel', 7);
    await outbox.moveCursor('channel', 12);
    await outbox.moveCursor('channel', 9);
    expect(await outbox.cursor('channel')).toBe(12);
    await Promise.all([14, 20, 17].map((id) => outbox.moveCursor('channel', id)));
    expect(await outbox.cursor('channel')).toBe(20);
    expect(await outbox.cursor('thread')).toBe(0);
    await outbox.moveCursor('thread', 5);
    expect([await outbox.cursor('channel'), await outbox.cursor('thread')]).toEqual([20, 5]);
  });

  it('tells a post that was never begun from one of which nobody knows whether it arrived', async () => {
    const run = newRun();
    await bot.records.create(run);
    expect(await outbox.post(run.id, 'card')).toBeNull();
    await outbox.beginPost(run.id, 'card', 'C1');
    expect(await outbox.post(run.id, 'card')).toEqual({ channel: 'C1', ts: null });
    await outbox.finishPost(run.id, 'card', '1700000000.000100');
    await outbox.beginPost(run.id, 'card', 'C2');
    expect(await outbox.post(run.id, 'card')).toEqual({ channel: 'C1', ts: '1700000000.000100' });
    expect(await outbox.post(run.id, 'thread-done')).toBeNull();
  });
});

describe('a button', () => {
  it('means what was saved first under its token, and nothing when nothing was', async () => {
    expect(await outbox.button('unknown')).toBeNull();
    await outbox.saveButton('token-1', meaning);
    await outbox.saveButton('token-1', { ...meaning, action: 'reject' });
    expect(await outbox.button('token-1')).toEqual(meaning);
  });

  it('whose stored meaning is not what this bot knows is refused, not guessed', async () => {
    await bot.sql(`insert into tas.button (token, meaning) values ('strange', '{"action":"drop","runId":null}')`);
    await expect(outbox.button('strange')).rejects.toThrow();
  });
});

describe('members of a group', () => {
  const monday = new Date('2026-11-16T08:00:00.000Z');
  const tuesday = new Date('2026-11-17T08:00:00.000Z');
  const wednesday = new Date('2026-11-18T08:00:00.000Z');
  const ids = async (group: string) => (await outbox.members(group)).map(({ id }) => id).toSorted();

  it('are those last seen, the earlier ones gone', async () => {
    expect(await ids('S1')).toEqual([]);
    await outbox.saveMembers('S1', ['UALICE', 'UBOB', 'UBOB'], monday);
    await outbox.saveMembers('S2', ['UCAROL'], monday);
    expect(await ids('S1')).toEqual(['UALICE', 'UBOB']);
    await outbox.saveMembers('S1', ['UBOB', 'UDANA'], monday);
    expect(await ids('S1')).toEqual(['UBOB', 'UDANA']);
    await outbox.saveMembers('S1', [], monday);
    expect(await ids('S1')).toEqual([]);
    expect(await ids('S2')).toEqual(['UCAROL']);
  });

  it('are known from the beginning when the group is first listed, and from then on since they were first seen', async () => {
    const sinceOf = async (id: string) => (await outbox.members('S3')).find((member) => member.id === id)?.since;
    await outbox.saveMembers('S3', ['UALICE'], monday);
    await outbox.saveMembers('S3', ['UALICE', 'UMALLORY'], tuesday);
    await outbox.saveMembers('S3', ['UALICE', 'UMALLORY'], wednesday);
    expect(await sinceOf('UALICE')).toBeNull();
    expect(await sinceOf('UMALLORY')).toBe(tuesday.toISOString());
    await outbox.saveMembers('S3', ['UMALLORY'], wednesday);
    await outbox.saveMembers('S3', ['UALICE', 'UMALLORY'], wednesday);
    expect(await sinceOf('UALICE')).toBe(wednesday.toISOString());
    await outbox.saveMembers('S4', [], monday);
    await outbox.saveMembers('S4', ['UMALLORY'], tuesday);
    expect(await outbox.members('S4')).toEqual([{ id: 'UMALLORY', since: tuesday.toISOString() }]);
  });

  it('listed for the first time by ten at once are all there from the beginning, whoever was first', async () => {
    await Promise.all(Array.from({ length: 10 }, () => outbox.saveMembers('S5', ['UALICE', 'UBOB'], monday)));
    expect((await outbox.members('S5')).map(({ since }) => since)).toEqual([null, null]);
  });
});
