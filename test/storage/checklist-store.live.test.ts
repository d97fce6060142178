import { jest } from '@jest/globals';
import type { ChecklistRecords } from '../../src/checklists/checklist-records.ts';
import { decideGate, decideToggles, type Ticker, togglesOf } from '../../src/checklists/decide.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createChecklistStore } from '../../src/storage/checklist-store.ts';
import { item, reviewed, toldUsers } from '../checklists/sample-checklist.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

const erin: Ticker = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const bob: Ticker = { id: 'UBOB', name: 'bob', roles: ['approver'] };
const items = [toldUsers, reviewed, item({ id: 'standby' })];

let bot: BotDatabase;
let lists: ChecklistRecords;
/** Another process on the same database. */
let elsewhere: ChecklistRecords;

beforeAll(async () => {
  bot = await createBotDatabase();
  const clock = { now: () => new Date('2026-11-20T10:00:00.000Z') };
  [lists, elsewhere] = [createChecklistStore({ ...bot, clock }), createChecklistStore({ ...bot, clock })];
});
afterAll(() => bot.drop());

async function open(): Promise<StoredRun> {
  const run = newRun({ checklist: items });
  await bot.records.create(run);
  return (await bot.records.find(run.id)) as StoredRun;
}

function click(
  records: ChecklistRecords,
  run: StoredRun,
  person: Ticker,
  token: string,
  selected: string[],
  sentAt: string,
) {
  const boxes = items.map(({ id }) => id);
  return records.change(
    run.id,
    (now, baseline, late) =>
      decideToggles(now, late ? [] : togglesOf(boxes, baseline ?? [], selected), person, [run.requester.id]),
    { token, personId: person.id, selected, sentAt },
  );
}

const ticked = async (run: StoredRun): Promise<string[]> =>
  ((await lists.find(run.id))?.ticks ?? [])
    .filter((tick) => tick.ticked)
    .map(({ itemId }) => itemId)
    .toSorted();

describe('a checklist', () => {
  it('is opened with its run, and a run without one has none', async () => {
    const run = await open();
    expect(await lists.find(run.id)).toEqual({
      runId: run.id,
      items,
      ticks: [],
      passed: {},
      waitsAt: null,
      revision: 0,
    });
    const bare = newRun();
    await bot.records.create(bare);
    expect(await lists.find(bare.id)).toBeNull();
    expect(await lists.change(bare.id, () => ({ answer: 1 }))).toBeNull();
  });

  it('keeps each toggle as a row of one person and one item, with its event in the run', async () => {
    const run = await open();
    for (const on of [true, false, true]) {
      await lists.change(run.id, (now) => decideToggles(now, [{ itemId: 'standby', ticked: on }], erin, ['UALICE']));
    }
    const rows = await bot.sql('select item, ticked, by_name from tas.checklist_tick where run_id = $1 order by id', [
      run.id,
    ]);
    expect(rows).toEqual([true, false, true].map((on) => ({ item: 'standby', ticked: on, by_name: 'erin' })));
    const events = (await bot.records.events(0, 1_000)).filter(
      ({ runId, type }) => runId === run.id && type === 'asked',
    );
    expect(events.map(({ text }) => text)).toEqual([
      'erin ticked “The standby”',
      'erin took the tick from “The standby”',
      'erin ticked “The standby”',
    ]);
    expect(await lists.find(run.id)).toMatchObject({
      revision: 3,
      ticks: [{ itemId: 'standby', ticked: true, at: '2026-11-20T10:00:00.000Z' }],
    });
  });

  it('takes the clicks of two people at once, on two replicas, and loses none', async () => {
    for (let round = 0; round < 10; round += 1) {
      const run = await open();
      await Promise.all([
        click(lists, run, erin, `t-${run.id}`, ['users-told'], '100.1'),
        click(elsewhere, run, bob, `t-${run.id}`, ['reviewed'], '100.1'),
      ]);
      expect(await ticked(run)).toEqual(['reviewed', 'users-told']);
      await Promise.all([
        click(elsewhere, run, erin, `t-${run.id}`, ['users-told', 'standby'], '100.2'),
        click(lists, run, bob, `t-${run.id}`, [], '100.2'),
      ]);
      expect(await ticked(run)).toEqual(['standby', 'users-told']);
    }
  });

  it('knows what one person’s boxes show after each of his clicks, and lets a late one say nothing', async () => {
    const run = await open();
    const token = `t-${run.id}`;
    await click(lists, run, erin, token, ['users-told'], '100.000001');
    await click(elsewhere, run, erin, token, [], '100.000003');
    expect(await ticked(run)).toEqual([]);
    await click(lists, run, erin, token, ['users-told', 'standby'], '100.000002');
    expect(await ticked(run)).toEqual([]);
    await click(lists, run, erin, token, ['standby'], '100.000004');
    expect(await ticked(run)).toEqual(['standby']);
  });

  it('goes through a gate or takes a tick back, never both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const run = await open();
      await lists.change(run.id, (now) =>
        decideToggles(now, [{ itemId: 'users-told', ticked: true }], erin, ['UALICE']),
      );
      const [toggled, waits] = await Promise.all([
        elsewhere.change(run.id, (now) =>
          decideToggles(now, [{ itemId: 'users-told', ticked: false }], bob, ['UALICE']),
        ),
        lists.change(run.id, (now) => decideGate(now, run, [], 'start')),
      ]);
      const now = await lists.find(run.id);
      expect(now?.passed.start === undefined).toBe(waits?.length === 1);
      expect((await ticked(run)).includes('users-told')).toBe(waits?.length === 0);
      expect(toggled?.refused?.code).toBe(waits?.length === 0 ? 'stale' : undefined);
    }
  });

  it('rolls back what was to be changed when its event cannot be written', async () => {
    const run = await open();
    const nul = { ...erin, name: 'e\u0000' };
    await expect(
      lists.change(run.id, (now) => decideToggles(now, [{ itemId: 'standby', ticked: true }], nul, ['UALICE'])),
    ).rejects.toThrow();
    expect(await lists.find(run.id)).toMatchObject({ ticks: [], revision: 0 });
  });

  it('is restless until it was shown as its run stands', async () => {
    const run = await open();
    expect(await lists.restless()).toContain(run.id);
    await bot.records.move(run.id, 'expired', { type: 'expired', text: null });
    expect(await lists.restless()).toContain(run.id);
    const look = { number: 1, look: 'a' };
    expect(await lists.markShown(run.id, 0, look, { status: 'expired', undoneBy: null })).toBe(true);
    expect(await elsewhere.markShown(run.id, 0, { number: 1, look: 'b' }, { status: 'expired', undoneBy: null })).toBe(
      false,
    );
    expect(await lists.shown(run.id)).toEqual(look);
    expect(await lists.restless()).not.toContain(run.id);
    const other = await open();
    await bot.records.markUndone(run.id, other.id);
    expect(await lists.restless()).toContain(run.id);
  });

  it('whose stored items are not what this bot knows is refused, not guessed', async () => {
    const run = await open();
    await bot.sql(`update tas.checklist set items = '[{"id":"x","gates":"sometimes"}]' where run_id = $1`, [run.id]);
    await expect(lists.find(run.id)).rejects.toThrow();
  });
});
