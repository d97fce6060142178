import { jest } from '@jest/globals';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import type { Plan } from '../../src/plans/plan.ts';
import { carryOut } from '../../src/runs/carry-out.ts';
import { Failure } from '../../src/shared/failure.ts';
import { sampleStep } from '../sample-run.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let world: SmallWorld;
let nextWorld = 1;
const worlds: SmallWorld[] = [];

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});
afterAll(() => bot.drop());

/** A step that fails once it is reached; `times` = how often, else always. */
const failing = (times?: number): MigrationStep => ({
  id: 'break',
  title: 'Break',
  system: 'people',
  use: 'memory.fail-at',
  with: { batch: 0, code: 'disk-full', ...(times === undefined ? {} : { times }) },
});

async function open(...steps: MigrationStep[]): Promise<SmallWorld> {
  world = await createSmallWorld({ records: bot.records, name: `park-${nextWorld++}`, users: users(20), steps });
  worlds.push(world);
  return world;
}

const leaseState = async (): Promise<unknown> =>
  (await bot.sql('select state from tas.environment_lease where environment = $1', [world.environment.name]))[0]?.state;
const holder = async (): Promise<string | null> =>
  (await bot.records.leaseHolder(world.environment.name))?.runId ?? null;
const tenants = (): unknown[] => users(20).map(({ id }) => world.people.read('User', id)?.tenant);
const eventsOf = async (id: string): Promise<unknown[]> =>
  (await bot.sql('select type from tas.run_event where run_id = $1 order by id', [id])).map(({ type }) => type);

/** Puts a stage behind the others that only reads, carried out always or not. */
const withLast =
  (always: boolean) =>
  (plan: Plan): Plan => ({
    ...plan,
    stages: [
      ...plan.stages,
      {
        id: 'last',
        title: 'Last',
        always,
        steps: [
          sampleStep({ id: 'last.checks', system: null, use: 'checks.run', effect: 'reads', input: { checks: [] } }),
        ],
      },
    ],
  });

describe('a step that fails', () => {
  it('parks the run, which keeps the environment and says why', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    expect(await world.carryOut(run)).toBe('parked');
    const parked = await world.run(run.id);
    expect(parked).toMatchObject({ status: 'parked', failure: { code: 'disk-full' } });
    expect(parked.steps.map(({ stepId, state }) => `${stepId} ${state}`)).toEqual([
      'backup.people done',
      'backup.seal done',
      'data.fill done',
      'data.break failed',
      'version.people waiting',
    ]);
    expect(await leaseState()).toBe('parked');
    expect(await holder()).toBe(run.id);
    expect(new Set(tenants()).size).toBe(20);
    expect((await eventsOf(run.id)).slice(-2)).toEqual(['step-failed', 'failed']);
  });

  it('leaves out the stages after it, but for those that are always carried out', async () => {
    for (const always of [true, false]) {
      await open(failing());
      const run = await world.ask('migrate', 'fill', withLast(always));
      expect(await world.carryOut(run)).toBe('parked');
      const last = (await world.run(run.id)).steps.find(({ stepId }) => stepId === 'last.checks');
      expect(last?.state).toBe(always ? 'done' : 'waiting');
      expect((await world.run(run.id)).failure?.code).toBe('disk-full');
    }
  });

  it('is taken up again by a retry, from where it stopped, and nothing is done twice', async () => {
    await open(fillTenants, failing(1));
    const run = await world.ask('migrate');
    expect(await world.carryOut(run)).toBe('parked');
    const before = tenants();
    expect(await bot.records.enqueueRetry(run.id)).toBe(true);
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(tenants()).toEqual(before);
    const done = await world.run(run.id);
    expect(done).toMatchObject({ status: 'done', failure: null, attempt: 2 });
    expect(done.steps.find(({ stepId }) => stepId === 'data.fill')).toMatchObject({ state: 'done', done: 20 });
    expect(await holder()).toBeNull();
  });

  it('of an attempt that a retry has followed is not taken up a second time', async () => {
    await open(fillTenants, failing(1));
    const run = await world.ask('migrate');
    const first = new RememberedSteps();
    expect(await world.carryOut(run, first.execution())).toBe('parked');
    await bot.records.enqueueRetry(run.id);
    const tokens = [...world.tokens];
    expect(await world.carryOut(run, first.execution())).toBe('over');
    expect(world.tokens).toEqual(tokens);
    expect((await world.run(run.id)).status).toBe('running');
  });
});

describe('a parked run', () => {
  it('holds its environment against others, who are told by whom', async () => {
    await open(fillTenants, failing());
    const [first, second] = [await world.ask('migrate'), await world.ask('migrate')];
    await world.carryOut(first);
    const before = tenants();
    expect(await world.carryOut(second)).toBe('voided');
    const refused = await world.run(second.id);
    expect(refused.failure).toMatchObject({ code: 'environment-busy' });
    expect(refused.failure?.message).toContain(first.id);
    expect(tenants()).toEqual(before);
    expect(await holder()).toBe(first.id);
  });

  it('is undone by a rollback that inherits the environment, and is closed by it', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    await world.carryOut(run);
    world.people.put('User', { id: 'u-00003', name: 'user 2', tenant: 'mine' });
    const rollback = await world.ask('rollback', run.id);
    expect(await world.carryOut(rollback)).toBe('done');
    expect(tenants()).toEqual(users(20).map(({ id }) => (id === 'u-00003' ? 'mine' : undefined)));
    expect(await world.run(run.id)).toMatchObject({ status: 'closed', undoneBy: rollback.id });
    const undone = (await world.run(rollback.id)).steps.find(({ stepId }) => stepId === 'undo.data-fill');
    expect(undone).toMatchObject({ state: 'done', done: 19, kept: 1 });
    expect(await holder()).toBeNull();
    expect(world.tokens).toEqual([...new Set(world.tokens)].toSorted((a, b) => a - b));
  });

  it('whose environment a rollback has inherited stays parked when it is retried: it did change data', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    await world.carryOut(run);
    const rollback = await world.ask('rollback', run.id);
    expect(await bot.records.acquireLease(world.environment.name, rollback.id, run.id)).toHaveProperty('token');
    await bot.records.enqueueRetry(run.id);
    expect(await world.carryOut(run, undefined, 2)).toBe('parked');
    expect(await world.run(run.id)).toMatchObject({ status: 'parked', failure: { code: 'environment-busy' } });
    expect(await holder()).toBe(rollback.id);
  });

  it('stays parked when the crash came just after, though a rollback holds the environment by now', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    const steps = new RememberedSteps();
    await world.carryOut(run, steps.execution());
    const rollback = await world.ask('rollback', run.id);
    await bot.records.acquireLease(world.environment.name, rollback.id, run.id);
    expect(await world.carryOut(run, steps.execution())).toBe('parked');
    expect((await world.run(run.id)).failure?.code).toBe('disk-full');
    expect(await holder()).toBe(rollback.id);
  });
});

describe('before the first change', () => {
  it.each([
    ['more records than the tolerance came in', () => users(3).map(({ id }) => ({ id: `new-${id}` }))],
    [
      'more records than the tolerance went',
      () => [
        { id: 'u-00001', tenant: 't' },
        { id: 'u-00002', tenant: 't' },
      ],
    ],
  ])('a run is voided when %s', async (_what, records) => {
    await open(fillTenants);
    const run = await world.ask('migrate');
    for (const record of records()) world.people.put('User', record);
    const before = (await world.people.fingerprint()).hash;
    expect(await world.carryOut(run)).toBe('voided');
    expect(await world.run(run.id)).toMatchObject({ status: 'voided', failure: { code: 'plan-changed' } });
    expect((await world.run(run.id)).failure?.message).toContain('signed for 20 records');
    expect((await world.people.fingerprint()).hash).toBe(before);
    expect(await holder()).toBeNull();
  });

  it('a run goes on when what came in is within the tolerance', async () => {
    await open(fillTenants);
    const run = await world.ask('migrate');
    world.people.put('User', { id: 'new' });
    expect(await world.carryOut(run)).toBe('done');
  });

  it('an approval that ran out while the run was queued is worth nothing', async () => {
    await open(fillTenants);
    const run = await world.ask('migrate');
    world.now = new Date(run.expiresAt);
    expect(await world.carryOut(run)).toBe('over');
    expect((await world.run(run.id)).status).toBe('expired');
    expect(tenants()).toEqual(users(20).map(() => undefined));
    expect(await holder()).toBeNull();
    expect(world.tokens).toEqual([]);
  });

  it('a store that does not let itself be fenced voids the run', async () => {
    await open(fillTenants);
    const run = await world.ask('migrate');
    world.fenceFailure = new Failure({ code: 'missing-rights', message: 'No.', advice: 'Grant it.' });
    expect(await world.carryOut(run)).toBe('voided');
    expect((await world.run(run.id)).failure).toMatchObject({ code: 'missing-rights' });
    expect(await holder()).toBeNull();
  });
});

describe('a run that is taken up after a crash', () => {
  it('is parked, not voided, when a store is gone by then: what it changed must be undoable', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    const steps = new RememberedSteps();
    const after = { at: 14, remembered: true };
    await expect(world.carryOut(run, steps.execution(after))).rejects.toThrow(Killed);
    expect(steps.names.at(-1)).toMatch(/^data\./);
    world.fenceFailure = new Failure({ code: 'missing-rights', message: 'No.', advice: 'Grant it.' });
    expect(await world.carryOut(run, steps.execution())).toBe('parked');
    expect(await world.run(run.id)).toMatchObject({ status: 'parked', failure: { code: 'missing-rights' } });
    expect(await leaseState()).toBe('parked');
    world.fenceFailure = null;
    const rollback = await world.ask('rollback', run.id);
    expect(await world.carryOut(rollback)).toBe('done');
    expect(tenants()).toEqual(users(20).map(() => undefined));
  });

  it('is parked when its environment is no longer configured', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    const steps = new RememberedSteps();
    await expect(world.carryOut(run, steps.execution({ at: 14, remembered: true }))).rejects.toThrow(Killed);
    expect(await carryOut({ ...world.deps, environments: new Map() }, run.id, 1, steps.execution())).toBe('parked');
    expect((await world.run(run.id)).failure?.code).toBe('unknown-environment');
  });
});

describe('a run whose own database is away for a moment', () => {
  it.each(['find', 'acquireLease', 'move', 'releaseLease'] as const)(
    'at %s goes on and ends as it would',
    async (call) => {
      await open(fillTenants);
      const run = await world.ask('migrate');
      const steps = new RememberedSteps();
      const { records } = world.deps;
      let breaks = 1;
      const broken = (...given: never[]): Promise<never> => {
        const away = steps.names.length > 0 && breaks-- > 0;
        if (away) return Promise.reject(new Error('Connection terminated unexpectedly'));
        return (records[call] as (...args: never[]) => Promise<never>)(...given);
      };
      const flaky = { ...world.deps, records: { ...records, [call]: broken } };
      expect(await carryOut(flaky, run.id, 1, steps.execution())).toBe('done');
      expect(breaks).toBeLessThan(1);
      expect((await world.run(run.id)).status).toBe('done');
      expect(await holder()).toBeNull();
    },
  );
});

describe('validation', () => {
  it('holds no environment, also while another run does', async () => {
    await open(fillTenants, failing());
    const run = await world.ask('migrate');
    await world.carryOut(run);
    expect(await world.carryOut(await world.ask('validate'))).toBe('done');
    expect(await holder()).toBe(run.id);
  });
});
