import { jest } from '@jest/globals';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import { carryOut } from '../../src/runs/carry-out.ts';
import { type BotDatabase, createBotDatabase, until } from '../storage/fresh-bot-database.ts';
import { type Death, Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
const worlds: SmallWorld[] = [];
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase({ now: () => new Date('2026-11-22T10:00:00Z') });
});
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(() => bot.drop());

const deleteGone: MigrationStep = {
  id: 'delete-gone',
  title: 'Delete who is gone',
  system: 'people',
  use: 'memory.delete-records',
  with: { collection: 'User', where: { field: 'name', equals: 'gone' } },
};
const count = 2_500;

/** 2,500 users to fill in two batches, two of them to delete afterwards. */
async function freshWorld(): Promise<SmallWorld> {
  const gone = ['z-1', 'z-2'].map((id) => ({ id, name: 'gone' }));
  const world = await createSmallWorld({
    records: bot.records,
    name: `crash-${nextWorld++}`,
    users: [...users(count), ...gone],
    steps: [fillTenants, deleteGone],
  });
  worlds.push(world);
  return world;
}

/** Everything that must be the same whether the run was broken or not. */
async function endState(world: SmallWorld, runId: string): Promise<object> {
  const run = await world.run(runId);
  const ids = users(count).map(({ id }) => id);
  const written: string[] = [];
  for await (const values of world.people.journal.writtenValues(runId, 'data.fill', 'tenant')) written.push(...values);
  const events = await bot.sql('select type, text from tas.run_event where run_id = $1 order by id', [runId]);
  const steps = run.steps.map(({ stepId, state, done, kept, missing, batches }) => ({
    stepId,
    state,
    done,
    kept,
    missing,
    batches,
  }));
  return {
    status: run.status,
    failure: run.failure,
    steps,
    tenants: ids.map((id) => world.people.read('User', id)?.tenant),
    gone: world.people.read('User', 'z-1'),
    written,
    counts: (await world.people.fingerprint()).counts,
    events: events.filter(({ type }) => type !== 'progress').map(({ type, text }) => `${type} ${text}`),
    holder: await bot.records.leaseHolder(world.environment.name),
  };
}

let unbroken: object;
let names: readonly string[];

it('a run that nothing disturbs fills each record once and ends', async () => {
  const world = await freshWorld();
  const run = await world.ask('migrate');
  const steps = new RememberedSteps();
  expect(await world.carryOut(run, steps.execution())).toBe('done');
  unbroken = await endState(world, run.id);
  names = steps.names;
  expect(names).toEqual(
    expect.arrayContaining(['start', 'compare', 'data.fill#0', 'data.fill#1', 'data.delete-gone#0']),
  );
  const { tenants, written } = unbroken as { tenants: string[]; written: string[] };
  expect(new Set(tenants).size).toBe(count);
  expect(tenants).toEqual(users(count).map((_, i) => `tenant_${1_795_341_600_000_000 + i}`));
  expect(written.toSorted()).toEqual([...tenants, 'tenant_1795341600002500', 'tenant_1795341600002501'].toSorted());
  expect(unbroken).toMatchObject({ status: 'done', gone: null, holder: null, failure: null });
});

async function killAndResume(deaths: readonly Death[]): Promise<void> {
  const world = await freshWorld();
  const run = await world.ask('migrate');
  const steps = new RememberedSteps();
  for (const death of deaths) {
    await expect(world.carryOut(run, steps.execution(death))).rejects.toThrow(Killed);
  }
  const before = world.tokens.at(-1) ?? 0;
  expect(await world.carryOut(run, steps.execution())).toBe('done');
  expect(steps.names).toEqual(names);
  expect(await endState(world, run.id)).toEqual(unbroken);
  expect(world.tokens.at(-1)).toBeGreaterThan(before);
  expect(world.tokens).toEqual([...new Set(world.tokens)].toSorted((a, b) => a - b));
}

describe('a run whose worker is killed', () => {
  it('after any step but before its result is remembered comes to the same end', async () => {
    for (let at = 0; at < names.length; at += 1) await killAndResume([{ at, remembered: false }]);
  }, 180_000);

  it('after any result is remembered comes to the same end', async () => {
    for (let at = 0; at < names.length; at += 1) await killAndResume([{ at, remembered: true }]);
  }, 180_000);

  it('after every single step, again and again, comes to the same end', async () => {
    await killAndResume(
      names.flatMap((_, at) => [
        { at, remembered: false },
        { at, remembered: true },
      ]),
    );
  }, 180_000);

  it('at its very end, before anybody was told, is not carried out again', async () => {
    const world = await freshWorld();
    const run = await world.ask('migrate');
    const steps = new RememberedSteps();
    expect(await world.carryOut(run, steps.execution())).toBe('done');
    const tokens = [...world.tokens];
    expect(await world.carryOut(run, steps.execution())).toBe('done');
    expect(await endState(world, run.id)).toEqual(unbroken);
    expect(world.tokens).toEqual(tokens);
  });

  it('between its end and the release of the environment stays done, though another has taken that since', async () => {
    const world = await freshWorld();
    const run = await world.ask('migrate');
    const steps = new RememberedSteps();
    const { records } = world.deps;
    // A process that died there never comes back from the call.
    const dying = { ...world.deps, records: { ...records, releaseLease: () => new Promise<void>(() => undefined) } };
    void carryOut(dying, run.id, 1, steps.execution());
    await until('the end', async () => (await world.run(run.id)).status === 'done');
    const next = await world.ask('backup');
    expect(await records.acquireLease(world.environment.name, next.id, null)).toHaveProperty('token');
    expect(await world.carryOut(run, steps.execution())).toBe('done');
    expect((await records.leaseHolder(world.environment.name))?.runId).toBe(next.id);
    expect((await world.run(run.id)).status).toBe('done');
  });

  it('loses an answer: the batch that was kept is not done twice', async () => {
    const world = await freshWorld();
    const run = await world.ask('migrate');
    world.people.loseNextAnswer();
    expect(await world.carryOut(run)).toBe('done');
    expect(await endState(world, run.id)).toEqual(unbroken);
  });

  it('is refused by the stores when it was only slow and another worker has taken up', async () => {
    const world = await freshWorld();
    const run = await world.ask('migrate');
    const steps = new RememberedSteps();
    const at = names.indexOf('data.fill#0');
    await expect(world.carryOut(run, steps.execution({ at: at - 1, remembered: true }))).rejects.toThrow(Killed);
    const stale = world.tokens.at(-1) ?? 0;
    expect(await world.carryOut(run, steps.execution())).toBe('done');
    const kind = world.people.kinds.find(({ name }) => name === 'memory.set-fields');
    const late = kind?.performBatch(
      { collection: 'User', set: { tenant: 'stolen' } },
      { index: 9, cursor: null, done: 0, size: 100 },
      {
        runId: run.id,
        stepId: 'data.fill',
        sequenceBase: run.sequenceBase,
        fence: { environment: world.environment.name, token: stale },
        cap: null,
        signal: AbortSignal.timeout(10_000),
        lookup: async () => new Map(),
        async *scan() {},
      },
    );
    await expect(late).rejects.toMatchObject({ code: 'fenced' });
    expect(await endState(world, run.id)).toEqual(unbroken);
  });
});
