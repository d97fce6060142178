import { jest } from '@jest/globals';
import { bindPlans } from '../../src/maintenance/bind-plan.ts';
import { createMaintenanceDesk, type WindowReply } from '../../src/maintenance/maintenance-desk.ts';
import { windowNow } from '../../src/maintenance/open-maintenance.ts';
import type { Window, WindowStore } from '../../src/maintenance/window.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createMaintenanceStore } from '../../src/storage/maintenance-store.ts';
import { alice } from '../fake-door.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let store: WindowStore;
let world: SmallWorld;
let nextWorld = 1;
let window: Window;
let run: StoredRun;

beforeAll(async () => {
  bot = await createBotDatabase({ now: () => world?.now ?? new Date('2026-11-20T10:00:00Z') });
  store = createMaintenanceStore(bot.database);
});
afterAll(() => bot.drop());

/** A window in an hour, and a run of the migration that is bound to it: voted on and queued. */
beforeEach(async () => {
  const name = `windowed-${nextWorld++}`;
  world = await createSmallWorld({ records: bot.records, name, users: users(3), steps: [fillTenants] });
  const clock = { now: () => world.now };
  const desk = createMaintenanceDesk({ store, settings: new Map(), records: bot.records, clock });
  const made = await desk.schedule({
    environment: name,
    from: '2026-11-20 11:00',
    length: '1h',
    zone: 'UTC',
    migration: 'fill',
    reason: 'a new data model',
    person: alice,
  });
  window = (made as WindowReply).window;
  const bound = bindPlans(world.makePlan, store, clock);
  const plan = await bound(world.environment, { action: 'migrate', subject: 'fill' }, 'bak-1');
  run = await world.ask('migrate', 'fill', ({ stages }) => ({ ...plan, stages }));
});
afterEach(() => world.close());

const carryOut = () => {
  const deps = { ...world.deps, windowNow: (id: string) => windowNow(store, id) };
  Object.assign(world.deps, deps);
  return world.carryOut(run);
};
const filled = (): number => users(3).filter(({ id }) => world.people.read('User', id)?.tenant).length;
const status = async () => (await world.run(run.id)).status;

describe('a run that is bound to a window', () => {
  it('says so in its plan, with whether it will end in time', () => {
    expect(run.plan.window).toEqual({ id: window.id, from: window.from, until: window.to });
    expect(run.plan.findings).toContainEqual(
      expect.objectContaining({ check: 'ends-in-window', status: 'passed', title: expect.stringContaining(window.id) }),
    );
  });

  it('starts when the window opens, even where a worker got it a little too early', async () => {
    world.now = new Date('2026-11-20T10:59:57Z');
    expect(await carryOut()).toBe('done');
    expect(filled()).toBe(3);
    expect(Date.parse((await world.run(run.id)).startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(window.from));
  });

  it('starts when somebody has begun the window early', async () => {
    expect(await store.start(window.id, world.now)).toBe(true);
    expect(await carryOut()).toBe('done');
    expect(world.slept).toEqual([]);
  });

  it('does not start after the window, and changes nothing', async () => {
    world.now = new Date('2026-11-20T12:00:00Z');
    expect(await carryOut()).toBe('over');
    expect([await status(), filled()]).toEqual(['expired', 0]);
    const [event] = await bot.sql(`select text from tas.run_event where run_id = $1 and type = 'expired'`, [run.id]);
    expect(event?.text).toMatch(new RegExp(`${window.id} ended at 2026-11-20T12:00`));
  });

  it('does not start where the window was cancelled, also while it waits for it', async () => {
    world.now = new Date('2026-11-20T10:59:30Z');
    world.onSleep = async () => {
      await store.finish(window.id, 'cancelled', world.now, 'not needed');
    };
    expect(await carryOut()).toBe('over');
    expect([await status(), filled(), world.slept.length]).toEqual(['expired', 0, 1]);
  });

  it('starts later than its votes would last without a window', async () => {
    await bot.sql(`update tas.run set expires_at = '2026-11-20T10:05:00Z', votes_needed = 1 where id = $1`, [run.id]);
    run = await world.run(run.id);
    world.now = new Date('2026-11-20T11:30:00Z');
    expect(await carryOut()).toBe('done');
  });
});
