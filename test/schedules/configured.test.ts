import { applyConfigured, type ConfiguredSchedule, configuredId } from '../../src/schedules/configured.ts';
import type { ScheduleStore } from '../../src/schedules/schedule.ts';
import { failureOf } from '../systems/contract-subject.ts';
import { memoryScheduleStore } from './memory-schedule-store.ts';

const nightly: ConfiguredSchedule = { id: 'nightly', action: 'validate', cron: '0 3 * * *', zone: 'UTC', quiet: true };
const id = configuredId('staging', 'nightly');

let store: ScheduleStore;
let now: Date;
beforeEach(() => {
  store = memoryScheduleStore();
  now = new Date('2026-11-22T12:00:00Z');
});

const start = (...schedules: ConfiguredSchedule[]): Promise<void> =>
  applyConfigured(store, new Map([['staging', schedules]]), ['staging'], { now: () => now });

it('stands under the same id at every start, and goes when it is not configured any more', async () => {
  await start(nightly);
  await start(nightly, { ...nightly, id: 'weekly', action: 'backup', cron: '0 5 * * 0' });
  expect(await store.list('staging')).toMatchObject([
    { id, action: 'validate', configured: 'nightly', quiet: true, nextAt: '2026-11-23T03:00:00.000Z' },
    { action: 'backup', configured: 'weekly' },
  ]);
  await start();
  expect(await store.list(null)).toEqual([]);
});

it('stays paused over restarts, and is due when it was while its times are the same', async () => {
  await start(nightly);
  // Down over its time: it is caught up.
  now = new Date('2026-11-23T04:00:00Z');
  await start({ ...nightly, quiet: false });
  expect(await store.find(id)).toMatchObject({ quiet: false, nextAt: '2026-11-23T03:00:00.000Z' });
  await start({ ...nightly, cron: '0 6 * * *' });
  expect(await store.find(id)).toMatchObject({ nextAt: '2026-11-23T06:00:00.000Z' });
  await store.pause(id, { id: 'UBOB', name: 'bob' }, null);
  await start({ ...nightly, cron: '0 7 * * *' });
  expect(await store.find(id)).toMatchObject({
    paused: true,
    pausedBy: { id: 'UBOB' },
    cron: '0 7 * * *',
    nextAt: null,
  });
});

it('leaves alone what people made', async () => {
  await start(nightly);
  const made = await store.find(id);
  if (made === null) throw new Error('it is not there');
  await store.add({ ...made, id: 'sch-00000001', configured: null }, now);
  await start();
  expect((await store.list(null)).map((one) => one.id)).toEqual(['sch-00000001']);
});

it('is refused where it names an environment that there is not, and nothing is changed', async () => {
  await start(nightly);
  const wrong = new Map([['stagin', [nightly]]]);
  const failure = await failureOf(() => applyConfigured(store, wrong, ['staging'], { now: () => now }));
  expect(failure).toMatchObject({ code: 'invalid-config', message: expect.stringContaining('stagin') });
  expect(await store.find(id)).not.toBeNull();
});
