import {
  createMaintenanceDesk,
  type ScheduleRequest,
  type WindowReply,
} from '../../src/maintenance/maintenance-desk.ts';
import type { MaintenanceSettings } from '../../src/maintenance/settings.ts';
import type { Window } from '../../src/maintenance/window.ts';
import { alice, bob, carol, mallory } from '../fake-door.ts';
import { memoryWindowStore } from './memory-window-store.ts';

function world() {
  let now = new Date('2026-10-20T10:00:00.000Z');
  let holder: object | null = null;
  const store = memoryWindowStore();
  const desk = createMaintenanceDesk({
    store,
    settings: new Map([
      ['sandbox', { zone: 'Europe/Berlin', channels: ['users'], statusPage: null } as unknown as MaintenanceSettings],
    ]),
    records: { leaseHolder: async () => holder as never },
    clock: { now: () => now },
  });
  const request: ScheduleRequest = {
    environment: 'sandbox',
    from: '2026-11-24 02:00',
    length: '2h',
    zone: null,
    migration: null,
    reason: 'A new data model',
    person: alice,
  };
  return {
    store,
    desk,
    schedule: (over: Partial<ScheduleRequest> = {}) => desk.schedule({ ...request, ...over }),
    at: (time: string) => {
      now = new Date(time);
    },
    hold: (by: object | null) => {
      holder = by;
    },
  };
}

const which = { id: null, environment: 'sandbox', reason: null, person: alice };

describe('a window', () => {
  it('is asked for in the zone of its environment, or in a named one', async () => {
    const { schedule } = world();
    expect(await schedule()).toMatchObject({
      window: {
        from: '2026-11-24T01:00:00.000Z',
        to: '2026-11-24T03:00:00.000Z',
        zone: 'Europe/Berlin',
        state: 'scheduled',
      },
      note: null,
    });
    expect(await schedule({ zone: 'UTC', from: '2026-11-25 02:00' })).toMatchObject({
      window: { from: '2026-11-25T02:00:00.000Z', zone: 'UTC' },
    });
  });

  it('of 02:00 to 04:00 in the night in which clocks go back lasts as long as it was asked for, and says which 02:00', async () => {
    const { schedule } = world();
    const made = (await schedule({ from: '2026-10-25 02:00' })) as WindowReply;
    expect(made.window).toMatchObject({ from: '2026-10-25T00:00:00.000Z', to: '2026-10-25T02:00:00.000Z' });
    expect(made.note).toMatch(/comes twice.*first is meant, 2026-10-25 00:00 UTC/);
    const second = await schedule({ environment: 'production', zone: 'Europe/Berlin', from: '2026-10-25T02:00+01:00' });
    expect(second).toMatchObject({
      window: { from: '2026-10-25T01:00:00.000Z' },
      note: expect.stringMatching(/^No user is told of it/),
    });
  });

  it('is refused where the clock leaves its beginning out', async () => {
    expect(await world().schedule({ from: '2027-03-28 02:00' })).toMatchObject({
      kind: 'refused',
      code: 'wrong-use',
      message: expect.stringMatching(/no 2027-03-28 02:00 in Europe\/Berlin/),
    });
  });

  it.each([
    ['no time', { from: 'tomorrow' }, /is no time/],
    ['a time that is over', { from: '2026-10-20 11:00' }, /is over/],
    ['a time too far away', { from: '2028-01-01 02:00' }, /more than a year/],
    ['no zone', { zone: 'Mars/Olympus' }, /no time zone/],
    ['no length', { length: 'long' }, /no length of time/],
    ['nothing', { length: '500ms' }, /between a minute and seven days/],
    ['a month', { length: '30d' }, /between a minute and seven days/],
  ])('is refused for %s', async (_what, over, message) => {
    expect(await world().schedule(over)).toMatchObject({
      kind: 'refused',
      code: 'wrong-use',
      message: expect.stringMatching(message),
    });
  });

  it('is refused where it overlaps another one of its environment', async () => {
    const { schedule } = world();
    await schedule();
    expect(await schedule({ from: '2026-11-24 03:59' })).toMatchObject({ kind: 'refused', code: 'conflict' });
    expect(await schedule({ from: '2026-11-24 04:00' })).toMatchObject({ window: {} });
    expect(await schedule({ environment: 'production', zone: 'Europe/Berlin' })).toMatchObject({ window: {} });
  });

  it('is for operators to plan, begin, end and cancel; every role may look', async () => {
    const { desk, schedule } = world();
    for (const person of [bob, carol, mallory]) {
      expect(await schedule({ person })).toMatchObject({ kind: 'refused', code: 'not-allowed' });
      for (const verb of ['start', 'end', 'cancel'] as const) {
        expect(await desk[verb]({ ...which, person })).toMatchObject({ kind: 'refused', code: 'not-allowed' });
      }
    }
    expect(await desk.list(null, carol)).toEqual([]);
    expect(await desk.list(null, mallory)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
  });

  it('that nobody has planned begins at once', async () => {
    const { schedule } = world();
    expect(await schedule({ from: null, length: '30m' })).toMatchObject({
      window: { state: 'active', from: '2026-10-20T10:00:00.000Z', to: '2026-10-20T10:30:00.000Z' },
    });
  });

  it('begins early when somebody says so, ends, and does neither twice', async () => {
    const { desk, schedule } = world();
    await schedule();
    expect(await desk.start(which)).toMatchObject({ window: { state: 'active', from: '2026-10-20T10:00:00.000Z' } });
    const [window] = (await desk.list('sandbox', alice)) as readonly Window[];
    const named = { ...which, id: window?.id ?? '' };
    expect(await desk.start(named)).toMatchObject({ kind: 'refused', code: 'stale' });
    expect(await desk.cancel(named)).toMatchObject({ kind: 'refused', code: 'stale' });
    expect(await desk.end(which)).toMatchObject({ window: { state: 'ended' } });
    expect(await desk.end(named)).toMatchObject({ kind: 'refused', code: 'stale' });
  });

  it('does not end while a run holds the environment: users would come back too early', async () => {
    const { desk, schedule, hold } = world();
    await schedule({ from: null });
    hold({ runId: 'run-1', status: 'parked' });
    expect(await desk.end(which)).toMatchObject({
      kind: 'refused',
      code: 'environment-busy',
      advice: expect.stringMatching(/rollback run-1/),
    });
    hold(null);
    expect(await desk.end(which)).toMatchObject({ window: { state: 'ended' } });
  });

  it('is asked for by name where several fit, and is not found in another environment', async () => {
    const { desk, schedule } = world();
    const made = (await schedule()) as WindowReply;
    await schedule({ from: '2026-11-25 02:00' });
    expect(await desk.cancel(which)).toMatchObject({ kind: 'refused', advice: expect.stringMatching(made.window.id) });
    const wrong = { ...which, id: made.window.id, environment: 'production' };
    expect(await desk.cancel(wrong)).toMatchObject({ kind: 'refused', code: 'wrong-use' });
    expect(await desk.cancel({ ...which, id: made.window.id, reason: 'not needed' })).toMatchObject({
      window: { state: 'cancelled', remark: 'not needed' },
    });
  });
});
