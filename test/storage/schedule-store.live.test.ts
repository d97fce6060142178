import { jest } from '@jest/globals';
import type { ValidationReport } from '../../src/notices/notice.ts';
import type { Schedule, ScheduleStore } from '../../src/schedules/schedule.ts';
import { createReportStore } from '../../src/storage/report-store.ts';
import { createScheduleStore } from '../../src/storage/schedule-store.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let store: ScheduleStore;

beforeAll(async () => {
  bot = await createBotDatabase();
  store = createScheduleStore(bot.database);
});
afterAll(() => bot.drop());
beforeEach(() => bot.sql('truncate tas.schedule cascade'));

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 3, minute));
const alice = { id: 'UALICE', name: 'alice' };
const nightly = (id: string, over: Partial<Schedule> = {}): Schedule => ({
  id,
  environment: 'staging',
  action: 'validate',
  cron: '0 3 * * *',
  zone: 'Europe/Berlin',
  quiet: true,
  paused: false,
  pausedBy: null,
  editor: alice,
  editors: [alice.id],
  configured: null,
  nextAt: at(0).toISOString(),
  ...over,
});

describe('schedules in the database', () => {
  it('are read as they were written, and are due from their time on, unless paused', async () => {
    await store.add(nightly('sch-1'), at(0));
    await store.add(nightly('sch-2', { environment: 'production', paused: true }), at(0));
    expect(await store.find('sch-1')).toEqual(nightly('sch-1'));
    expect((await store.list(null)).map(({ id, last }) => [id, last])).toEqual([
      ['sch-1', null],
      ['sch-2', null],
    ]);
    expect((await store.list('production')).map(({ id }) => id)).toEqual(['sch-2']);
    expect(await store.due(new Date(at(0).getTime() - 1))).toEqual([]);
    expect((await store.due(at(0))).map(({ id }) => id)).toEqual(['sch-1']);
    expect(await store.remove('sch-1')).toBe(true);
    expect(await store.remove('sch-1')).toBe(false);
  });

  it('are taken by one of many replicas for each time, and a claim that was left by a dead one after two minutes', async () => {
    await store.add(nightly('sch-1'), at(0));
    const others = Array.from({ length: 8 }, () => createScheduleStore(bot.database));
    const taken = await Promise.all(others.map((one) => one.claim('sch-1', at(0), at(60), at(0))));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect((await store.find('sch-1'))?.nextAt).toBe(at(60).toISOString());
    expect(await store.unsettled(at(1))).toEqual([]);
    expect(await store.unsettled(at(3))).toMatchObject([{ schedule: { id: 'sch-1' }, dueAt: at(0) }]);
    const again = await Promise.all(others.map((one) => one.claim('sch-1', at(0), at(0), at(3))));
    expect(again.filter(Boolean)).toHaveLength(1);
    // Whoever takes up what a dead one left does not set the next time back.
    expect((await store.find('sch-1'))?.nextAt).toBe(at(60).toISOString());
    const run = newRun();
    await bot.records.create(run);
    await store.settle('sch-1', at(0), 'asked', run.id);
    expect(await store.claim('sch-1', at(0), at(60), at(30))).toBe(false);
    expect(await store.lastRun('sch-1')).toBe(run.id);
    expect(await store.unreported()).toMatchObject([{ runId: run.id, dueAt: at(0) }]);
    const reported = await Promise.all(others.map((one) => one.markReported('sch-1', at(0))));
    expect(reported.filter(Boolean)).toHaveLength(1);
    expect(await store.unreported()).toEqual([]);
    expect((await store.list(null))[0]?.last).toEqual({ dueAt: at(0).toISOString(), outcome: 'asked', runId: run.id });
  });
});

describe('who stands behind a schedule', () => {
  it('is who said what it does, whoever pauses it; who asks for it now counts for that time only', async () => {
    await store.add(nightly('sch-1', { editors: ['UCAROL', alice.id] }), at(0));
    const bob = { id: 'UBOB', name: 'bob' };
    expect(await store.pause('sch-1', bob, null)).toBe(true);
    expect(await store.find('sch-1')).toMatchObject({ paused: true, pausedBy: bob, editor: alice });
    expect((await store.find('sch-1'))?.editors.toSorted()).toEqual([alice.id, 'UCAROL']);
    expect(await store.runNow('sch-1', bob, at(1))).toBe(false);
    await store.pause('sch-1', null, at(60));
    expect(await store.find('sch-1')).toMatchObject({ paused: false, pausedBy: null });
    expect(await store.runNow('sch-1', bob, at(1))).toBe(true);
    await Promise.all([store.claim('sch-1', at(1), at(60), at(1)), store.claim('sch-1', at(1), at(60), at(1))]);
    await store.claim('sch-1', at(60), at(61), at(60));
    expect([await store.runBy('sch-1', at(1)), await store.runBy('sch-1', at(60))]).toEqual([bob, null]);
  });

  it('may be the configuration: any number of bots start at once, pauses stay, what it names no more goes', async () => {
    const one = nightly('sch-c1', { configured: 'one' });
    const two = nightly('sch-c2', { configured: 'two', action: 'self-check' });
    await store.add(nightly('sch-1'), at(0));
    const others = Array.from({ length: 4 }, () => createScheduleStore(bot.database));
    await Promise.all(others.map((other) => other.configure([one, two], at(0))));
    await store.pause('sch-c1', alice, null);
    await store.configure(
      [
        { ...one, cron: '0 4 * * *', nextAt: at(9).toISOString() },
        { ...two, quiet: false },
      ],
      at(5),
    );
    expect(await store.find('sch-c1')).toMatchObject({
      paused: true,
      pausedBy: alice,
      cron: '0 4 * * *',
      nextAt: null,
    });
    expect(await store.find('sch-c2')).toMatchObject({ quiet: false, nextAt: at(0).toISOString() });
    await store.configure([], at(6));
    expect((await store.list(null)).map(({ id }) => id)).toEqual(['sch-1']);
  });
});

describe('reports in the database', () => {
  it('are kept once a run, found by schedule and time, and know what was fixed later', async () => {
    await store.add(nightly('sch-1'), at(0));
    const reports = createReportStore(bot.database);
    const made: ValidationReport[] = [];
    for (let minute = 0; minute < 3; minute += 1) {
      const run = newRun();
      await bot.records.create(run);
      const open = { key: 'a', title: 'Rule', status: 'failed', count: 2, since: run.id } as const;
      made.push({
        kind: 'validation-report',
        schedule: 'sch-1',
        environment: 'staging',
        runId: run.id,
        at: at(minute).toISOString(),
        totals: { passed: 1, warning: 0, failed: 1, skipped: 0 },
        fresh: [open],
        still: [],
        fixed: [],
        fixedLater: {},
      });
      expect(await reports.add(made[minute] as ValidationReport, minute === 1)).toBe(true);
    }
    const [first, second, third] = made as [ValidationReport, ValidationReport, ValidationReport];
    expect(await reports.add(third, true)).toBe(false);
    expect(await reports.find(second.runId)).toEqual(second);
    expect(await reports.lastBefore('sch-1', third.at)).toEqual(second);
    expect(await reports.lastBefore('sch-1', first.at)).toBeNull();
    expect(await reports.lastTold('sch-1')).toBe(second.at);
    expect(await reports.history('sch-1', second.at, 5)).toEqual([first, second]);
    expect(await reports.history('sch-1', third.at, 2)).toEqual([second, third]);
    expect((await reports.markFixed(first.runId, ['a'], at(9).toISOString()))?.fixedLater).toEqual({
      a: at(9).toISOString(),
    });
    expect((await reports.markFixed(first.runId, ['a'], at(20).toISOString()))?.fixedLater).toEqual({
      a: at(9).toISOString(),
    });
    expect(await reports.markFixed('run-none', ['a'], at(9).toISOString())).toBeNull();
    // What was found stays when the schedule goes.
    await store.remove('sch-1');
    expect((await reports.history('sch-1', third.at, 5)).map(({ runId }) => runId)).toHaveLength(3);
  });
});
