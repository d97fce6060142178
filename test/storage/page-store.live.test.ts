import { jest } from '@jest/globals';
import type { PageDetail, PageStore } from '../../src/oncall/page.ts';
import { createPageStore } from '../../src/storage/page-store.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let store: PageStore;
let other: PageStore;

beforeAll(async () => {
  bot = await createBotDatabase();
  store = createPageStore(bot.database);
  other = createPageStore(bot.database);
});
afterAll(() => bot.drop());
beforeEach(() => bot.sql('truncate tas.page, tas.page_change, tas.page_cursor'));

const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 20, 10, 0, seconds));
const detail: PageDetail = {
  reason: 'run-failed',
  environment: 'sandbox',
  severity: 'error',
  summary: 'sandbox: migrate x stopped',
  advice: 'look',
  runId: null,
};
const row = async (key: string) => (await bot.sql('select * from tas.page where key = $1', [key]))[0];

describe('a page', () => {
  it('is raised once by its name, however many replicas tell of it, also after it was resolved', async () => {
    await Promise.all([store.raise('event:1', 'run:a', detail, at(1)), other.raise('event:1', 'run:a', detail, at(1))]);
    expect(await row('run:a')).toMatchObject({ state: 'raised', version: 1 });
    await store.resolve('run:a', at(2));
    await other.raise('event:1', 'run:a', detail, at(1));
    expect(await row('run:a')).toMatchObject({ state: 'resolved', version: 2 });
    await store.raise('event:3', 'run:a', detail, at(3));
    expect(await row('run:a')).toMatchObject({ state: 'raised', version: 3 });
  });

  it('that is raised stays as it is, unless it becomes worse', async () => {
    await store.raise('1', 'run:a', detail, at(1));
    await store.raise('2', 'run:a', { ...detail, severity: 'warning' }, at(2));
    expect(await row('run:a')).toMatchObject({ severity: 'error', version: 1 });
    await store.raise('3', 'run:a', { ...detail, severity: 'critical' }, at(3));
    expect(await row('run:a')).toMatchObject({ severity: 'critical', version: 2 });
  });

  it('is not resolved by what was before it', async () => {
    await store.raise('event:9', 'lost:a', detail, at(9));
    await store.raise('event:10', 'lost:b', detail, at(9));
    await other.resolve('lost:a', at(20), 8);
    expect(await row('lost:a')).toMatchObject({ state: 'raised' });
    // The clock of whoever wrote the event may be behind.
    await other.resolve('lost:a', at(8), 10);
    expect(await row('lost:a')).toMatchObject({ state: 'resolved', version: 2 });
    await other.resolve('lost:a', at(11));
    expect(await row('lost:a')).toMatchObject({ version: 2 });
  });

  it('is taken for delivery by one replica, and by another one when that is not heard of for a minute', async () => {
    await store.raise('1', 'run:a', detail, at(1));
    const taken = await Promise.all([store.claim(at(2)), other.claim(at(2))]);
    expect(taken.flat()).toMatchObject([{ key: 'run:a', tried: true, state: 'raised' }]);
    expect(await other.claim(at(30))).toEqual([]);
    expect(await other.claim(at(63))).toHaveLength(1);
  });

  it('is delivered again only when it has changed', async () => {
    await store.raise('1', 'run:a', detail, at(1));
    await store.claim(at(1));
    await store.postpone('run:a', 1, at(20));
    expect(await store.claim(at(19))).toEqual([]);
    expect(await store.claim(at(20))).toMatchObject([{ attempts: 1 }]);
    await store.delivered('run:a', 1);
    expect(await store.claim(at(500))).toEqual([]);
    await store.resolve('run:a', at(501));
    expect(await store.claim(at(502))).toMatchObject([{ state: 'resolved', tried: true, version: 2, attempts: 0 }]);
    await store.delivered('run:a', 2);
    await store.raise('5', 'run:a', detail, at(600));
    await store.resolve('run:a', at(601));
    expect(await store.claim(at(602))).toMatchObject([{ state: 'resolved', tried: false }]);
  });

  it('that is resolved while its raising is under way is resolved there too', async () => {
    await store.raise('1', 'run:a', detail, at(1));
    await store.claim(at(1));
    await other.resolve('run:a', at(2));
    await store.delivered('run:a', 1);
    expect(await other.claim(at(3))).toMatchObject([{ state: 'resolved', tried: true }]);
  });
});

it('begins to follow runs at the newest event, and never goes back', async () => {
  const run = newRun();
  await bot.records.create(run);
  const newest = Number((await bot.sql('select max(id) as id from tas.run_event'))[0]?.id);
  // Those that come first at the same moment see the same, each time.
  for (let round = 0; round < 20; round += 1) {
    await bot.sql('truncate tas.page_cursor');
    expect(await Promise.all([store.cursor(), other.cursor(), store.cursor()])).toEqual([newest, newest, newest]);
  }
  await store.moveCursor(newest + 5);
  await other.moveCursor(newest + 2);
  expect(await other.cursor()).toBe(newest + 5);
});

it('lists what is raised, by environment', async () => {
  await store.raise('1', 'run:a', detail, at(1));
  await store.raise('2', 'run:b', { ...detail, environment: 'production' }, at(2));
  await store.raise('3', 'run:c', detail, at(3));
  await store.resolve('run:c', at(4));
  expect((await store.open(null)).map(({ key }) => key)).toEqual(['run:b', 'run:a']);
  expect((await store.open('sandbox')).map(({ key }) => key)).toEqual(['run:a']);
});
