import { jest } from '@jest/globals';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { undoOverdue } from '../../src/runs/undo-by-itself.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { afterStep, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(120_000);

const alice = { id: 'UALICE', name: 'alice', roles: ['operator'] as const };
const stopped = { what: 'aether-backend is stopped', closes: true };

const setService = (id: string, where: string, state: string): MigrationStep => ({
  id,
  title: `${state} the backend`,
  system: 'cluster',
  use: 'memory.set-fields',
  with: { collection: 'Service', where: { field: 'state', equals: where }, set: { state } },
});

let bot: BotDatabase;
let world: SmallWorld;
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase({ now: () => new Date('2026-11-22T10:00:00Z') });
});
afterEach(() => world.close());
afterAll(() => bot.drop());

const breaks: MigrationStep = {
  id: 'break',
  title: 'Break',
  system: 'people',
  use: 'memory.fail-at',
  with: { batch: 0, code: 'step-failed', times: 1 },
};

/** Services are stopped, 100 users filled in, services started. */
async function open(steps = [fillTenants], undoAfterMinutes?: number): Promise<StoredRun> {
  world = await createSmallWorld({
    records: bot.records,
    name: `still-${nextWorld++}`,
    users: users(100),
    steps,
    ...(undoAfterMinutes === undefined ? {} : { undoAfterMinutes }),
    also: { cluster: { Service: [{ id: 'backend', state: 'up' }] } },
    migration: { before: [setService('stop', 'up', 'down')], after: [setService('start', 'down', 'up')] },
  });
  return world.ask('migrate');
}

const cluster = () => world.systems.get('cluster') as SmallWorld['people'];
const filled = (): number => users(200).filter(({ id }) => world.people.read('User', id)?.tenant).length;

/** Runs work when the services were stopped, as the cluster would see it. */
function whenStopped(work: () => void) {
  return afterStep(new RememberedSteps().execution(), 'before.stop:done', async () => {
    cluster().setStanding([stopped]);
    work();
  });
}

describe('a migration that stops services first', () => {
  it('stops them before the backup, and starts them when everything was verified', async () => {
    const run = await open();
    expect(run.plan.stages.map(({ id }) => id)).toEqual(['before', 'backup', 'data', 'version', 'after']);
    expect(await world.carryOut(run)).toBe('done');
    expect(filled()).toBe(100);
    expect(cluster().read('Service', 'backend')).toMatchObject({ state: 'up' });
  });

  it('parks, with no data changed, when the data moved too far until they stood still; a retry does not slip by', async () => {
    const run = await open();
    const more = users(120).slice(100);
    const steps = whenStopped(() => {
      for (const user of more) world.people.put('User', user);
    });
    expect(await world.carryOut(run, steps)).toBe('parked');
    const { failure } = await world.run(run.id);
    expect(failure).toMatchObject({ code: 'plan-changed' });
    expect(failure?.message).toMatch(
      /signed for 100 records, now it would be 120.* Still so: aether-backend is stopped\./,
    );
    expect(filled()).toBe(0);
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 2)).toBe('parked');
    expect(filled()).toBe(0);
    for (const { id } of more) world.people.remove('User', id);
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 3)).toBe('done');
    expect(filled()).toBe(100);
  });

  it('is undone in the other order: services stop again before the data goes back', async () => {
    const run = await open();
    await world.carryOut(run);
    const undo = await world.ask('rollback', run.id);
    const order = undo.plan.stages.flatMap(({ steps }) => steps.map(({ id }) => id));
    expect(order.filter((id) => /start|fill|stop/.test(id))).toEqual([
      'undo.after-start',
      'undo.data-fill',
      'undo.before-stop',
    ]);
    expect(await world.carryOut(undo)).toBe('done');
    expect(filled()).toBe(0);
    expect(cluster().read('Service', 'backend')).toMatchObject({ state: 'up' });
  });
});

describe('a run whose services are stopped', () => {
  it('writes nothing while somebody else is there, says who, and goes on when they have gone', async () => {
    const run = await open();
    const said: (string | null)[] = [];
    world.onSleep = async () => {
      said.push((await world.run(run.id)).control.waits);
      expect(filled()).toBe(0);
      if (said.length === 3) cluster().setIntrusions([]);
    };
    const steps = whenStopped(() => cluster().setIntrusions(['2 sessions of audimodal in relational']));
    expect(await world.carryOut(run, steps)).toBe('done');
    expect(said[0]).toBe('waits: 2 sessions of audimodal in relational');
    expect(filled()).toBe(100);
  });

  it('pauses when they stay, with everything as it was, and goes on when it is resumed', async () => {
    const run = await open();
    const steps = whenStopped(() => cluster().setIntrusions(['aether-backend was scaled to 2']));
    expect(await world.carryOut(run, steps)).toBe('paused');
    const { control } = await world.run(run.id);
    expect(control.pause).toMatch(
      /^aether-backend was scaled to 2\. Nothing was written.* Still so: aether-backend is stopped\.$/,
    );
    expect(filled()).toBe(0);
    cluster().setIntrusions([]);
    await world.door.control({ runId: run.id, what: 'resume', person: alice, seen: null });
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(filled()).toBe(100);
  });

  it('is shown by the status of its environment with what stands', async () => {
    const run = await open();
    await world.carryOut(
      run,
      whenStopped(() => cluster().setIntrusions(['somebody writes'])),
    );
    const status = await world.door.status(world.environment.name, alice);
    expect(status).toMatchObject({ holder: { runId: run.id }, standing: [stopped.what] });
  });

  it('is not watched any more while its services come up one after the other', async () => {
    const run = await open();
    const steps = afterStep(
      whenStopped(() => undefined),
      'after:stage',
      async () => cluster().setIntrusions(['1 session of aether-backend in graph']),
    );
    expect(await world.carryOut(run, steps)).toBe('done');
  });

  it('is not watched where nothing closes the stores', async () => {
    const run = await open();
    cluster().setIntrusions(['somebody writes']);
    expect(await world.carryOut(run)).toBe('done');
  });
});

describe('a run that stops with services down', () => {
  const look = () => undoOverdue({ ...world.deps, makePlan: world.makePlan });
  const undos = async () =>
    (await bot.records.list({ environment: world.environment.name, limit: 10 })).filter(
      ({ plan }) => plan.action === 'rollback',
    );
  const pass = (minutes: number): void => {
    world.now = new Date(world.now.getTime() + minutes * 60_000);
  };
  const breakDown = async (undoAfterMinutes?: number): Promise<StoredRun> => {
    const run = await open([fillTenants, breaks], undoAfterMinutes);
    expect(
      await world.carryOut(
        run,
        whenStopped(() => undefined),
      ),
    ).toBe('parked');
    expect(filled()).toBe(100);
    return world.run(run.id);
  };

  it('undoes itself at the time that it said, once, without another vote', async () => {
    const run = await breakDown(20);
    expect(run.undoDue).toBe(new Date(world.now.getTime() + 20 * 60_000).toISOString());
    pass(19);
    await look();
    expect(await undos()).toEqual([]);
    pass(1);
    await Promise.all([look(), look(), look()]);
    const [undo, ...others] = await undos();
    expect(others).toEqual([]);
    expect(undo).toMatchObject({ status: 'queued', votesNeeded: 0, reason: expect.stringContaining(run.id) });
    expect(await world.carryOut(undo as StoredRun)).toBe('done');
    expect(filled()).toBe(0);
    expect(cluster().read('Service', 'backend')).toMatchObject({ state: 'up' });
    expect(await world.run(run.id)).toMatchObject({ status: 'closed', undoneBy: undo?.id, undoDue: null });
  });

  it('leaves it to people where the environment does not ask for it', async () => {
    expect((await breakDown()).undoDue).toBeNull();
  });

  it('does not when somebody has decided before', async () => {
    const run = await breakDown(20);
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    pass(30);
    await look();
    expect(await undos()).toEqual([]);
  });

  it('does not when services are up again: the vote covers that no longer', async () => {
    const run = await breakDown(20);
    cluster().setStanding([]);
    pass(30);
    await look();
    expect(await undos()).toEqual([]);
    expect(await world.run(run.id)).toMatchObject({ status: 'parked', undoDue: null });
  });

  it('says so when it cannot, for people must decide then', async () => {
    const run = await breakDown(20);
    world.people.setReachable(false);
    pass(30);
    await look();
    const events = await bot.sql(`select text from tas.run_event where run_id = $1 and type = 'lost'`, [run.id]);
    expect(events).toEqual([{ text: expect.stringMatching(/^It could not undo itself: .*Somebody must decide\.$/) }]);
    expect(await undos()).toEqual([]);
    world.people.setReachable(true);
  });
});
