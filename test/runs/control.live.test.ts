import { jest } from '@jest/globals';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import type { ControlWord, Person } from '../../src/runs/door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { watchRuns } from '../../src/runs/watch-runs.ts';
import { type BotDatabase, createBotDatabase, newRun } from '../storage/fresh-bot-database.ts';
import { afterStep, type Death, Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, deleteGone, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(120_000);

const count = 2_500;
const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator'] };
const erin: Person = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const carol: Person = { id: 'UCAROL', name: 'carol', roles: ['viewer'] };
const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };

let bot: BotDatabase;
let world: SmallWorld;
const worlds: SmallWorld[] = [];
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase({ now: () => new Date('2026-11-22T10:00:00Z') });
});
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});
afterAll(() => bot.drop());

/** 2,500 users to fill in two batches, two of them to delete afterwards. */
async function open(steps: MigrationStep[] = [fillTenants, deleteGone], size = count): Promise<StoredRun> {
  const gone = ['z-1', 'z-2'].map((id) => ({ id, name: 'gone' }));
  world = await createSmallWorld({
    records: bot.records,
    name: `control-${nextWorld++}`,
    users: [...users(size), ...gone],
    steps,
  });
  worlds.push(world);
  return world.ask('migrate');
}

const control = (run: { id: string }, what: ControlWord, person = alice, seen: number | null = null) =>
  world.door.control({ runId: run.id, what, person, seen });

const leaseOf = async (): Promise<unknown> =>
  (
    await bot.sql('select run_id, state from tas.environment_lease where environment = $1', [world.environment.name])
  )[0];
const eventsOf = async (run: { id: string }): Promise<string[]> =>
  (await bot.sql('select type, text from tas.run_event where run_id = $1 order by id', [run.id])).map(
    ({ type, text }) => `${type} ${text}`,
  );

/** Everything that must be the same whether the run was paused, broken, or neither. */
async function endState(run: { id: string }): Promise<object> {
  const { status, failure, steps } = await world.run(run.id);
  const written: string[] = [];
  for await (const values of world.people.journal.writtenValues(run.id, 'data.fill', 'tenant')) written.push(...values);
  return {
    status,
    failure,
    steps: steps.map(({ stepId, state, done, batches }) => ({ stepId, state, done, batches })),
    tenants: users(count).map(({ id }) => world.people.read('User', id)?.tenant),
    gone: world.people.read('User', 'z-1'),
    written,
    counts: (await world.people.fingerprint()).counts,
    holder: await bot.records.leaseHolder(world.environment.name),
  };
}

let unbroken: object;

beforeAll(async () => {
  const run = await open();
  expect(await world.carryOut(run)).toBe('done');
  unbroken = await endState(run);
  expect(unbroken).toMatchObject({ status: 'done', gone: null, holder: null });
});

describe('a run that is paused in the middle of a step', () => {
  it('stands still with its environment, says who asked, and ends as if nobody had', async () => {
    const run = await open();
    const steps = afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'pause', erin));
    expect(await world.carryOut(run, steps)).toBe('paused');
    expect(await world.run(run.id)).toMatchObject({
      status: 'paused',
      endedAt: null,
      control: { pause: 'erin asked for it', asked: null },
    });
    expect(await leaseOf()).toEqual({ run_id: run.id, state: 'parked' });
    expect(world.people.read('User', 'u-02500')?.tenant).toBeUndefined();
    expect((await eventsOf(run)).slice(-2)).toEqual([
      'asked erin asked to pause at the next batch',
      'paused erin asked for it',
    ]);
    const other = await world.door.submit({
      action: 'migrate',
      environment: world.environment.name,
      subject: 'fill',
      person: alice,
      reason: null,
    });
    expect(other).toMatchObject({ code: 'environment-busy', message: expect.stringContaining('is paused there') });

    expect(await control(run, 'resume')).toMatchObject({ status: 'running', control: { pause: null } });
    const second = new RememberedSteps();
    expect(await world.carryOut(run, second.execution(), 2)).toBe('done');
    expect(await endState(run)).toEqual(unbroken);
    // What was done is not walked again: neither the backup nor the batch before the pause.
    expect(second.names).not.toContain('backup:stage');
    expect(second.names.filter((name) => name.startsWith('data.fill'))).toEqual([
      'data.fill:begin',
      'data.fill#1',
      'data.fill:done',
    ]);
  });

  it('and killed anywhere on the way there or afterwards ends the same', async () => {
    let at = 0;
    for (let more = true; more; at += 1) {
      for (const remembered of [false, true]) more = await pauseKillResume([{ at, remembered }]);
    }
    expect(at).toBeGreaterThan(8);
    at = 0;
    for (let more = true; more; at += 1) {
      for (const remembered of [false, true]) more = await pauseKillResume([], [{ at, remembered }]);
    }
    expect(at).toBeGreaterThan(6);
  });

  it('answers from the journal where storage does not know how far it was', async () => {
    const run = await open();
    await world.carryOut(
      run,
      afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'pause')),
    );
    await bot.sql('update tas.run_step set place = null where run_id = $1', [run.id]);
    await control(run, 'resume');
    const second = new RememberedSteps();
    expect(await world.carryOut(run, second.execution(), 2)).toBe('done');
    expect(second.names).toContain('data.fill#0');
    expect(await endState(run)).toEqual(unbroken);
  });

  it('is undone from where it stands, and cannot be resumed afterwards', async () => {
    const run = await open();
    await world.carryOut(
      run,
      afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'pause')),
    );
    const rollback = await world.ask('rollback', run.id);
    expect(await world.carryOut(rollback)).toBe('done');
    expect(users(count).filter(({ id }) => world.people.read('User', id)?.tenant !== undefined)).toEqual([]);
    expect(await world.run(run.id)).toMatchObject({ status: 'closed', undoneBy: rollback.id });
    expect(await control(run, 'resume')).toMatchObject({ kind: 'refused', code: 'stale' });
    expect(await bot.records.leaseHolder(world.environment.name)).toBeNull();
  });
});

/** False when there is nothing left to be killed at: the run came to its end before. */
async function pauseKillResume(first: readonly Death[], second: readonly Death[] = []): Promise<boolean> {
  const run = await open();
  const steps = new RememberedSteps();
  const asking = (death: Death | null = null) =>
    afterStep(steps.execution(death), 'data.fill#0', () => control(run, 'pause'));
  let killed = false;
  for (const death of first) killed = (await world.carryOut(run, asking(death)).catch(expectKilled)) === 'killed';
  // Killed just after that batch was remembered, nobody had asked yet.
  if (killed && steps.names.at(-1) === 'data.fill#0') await control(run, 'pause');
  expect(await world.carryOut(run, asking())).toBe('paused');
  expect(await leaseOf()).toEqual({ run_id: run.id, state: 'parked' });
  await control(run, 'resume');
  const resumed = new RememberedSteps();
  for (const death of second)
    killed = (await world.carryOut(run, resumed.execution(death), 2).catch(expectKilled)) === 'killed';
  expect(await world.carryOut(run, resumed.execution(), 2)).toBe('done');
  expect(await endState(run)).toEqual(unbroken);
  return killed;
}

function expectKilled(error: unknown): 'killed' {
  expect(error).toBeInstanceOf(Killed);
  return 'killed';
}

describe('a run that is stopped', () => {
  it('parks at the next batch, says who stopped it, and is undone from there', async () => {
    const run = await open();
    const steps = afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'stop', erin));
    expect(await world.carryOut(run, steps)).toBe('parked');
    const parked = await world.run(run.id);
    expect(parked).toMatchObject({ status: 'parked', failure: { code: 'cancelled', message: 'erin stopped it.' } });
    expect(parked.steps.find(({ stepId }) => stepId === 'data.fill')).toMatchObject({ state: 'failed', done: 2_000 });
    expect(await leaseOf()).toEqual({ run_id: run.id, state: 'parked' });
    const rollback = await world.ask('rollback', run.id);
    expect(await world.carryOut(rollback)).toBe('done');
    expect(users(count).filter(({ id }) => world.people.read('User', id)?.tenant !== undefined)).toEqual([]);
  });

  it('goes on from there when it is retried, and is not stopped by what was asked before', async () => {
    const run = await open();
    await world.carryOut(
      run,
      afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'stop')),
    );
    expect(await world.door.retry(run.id, erin)).toMatchObject({ status: 'running' });
    expect((await eventsOf(run)).at(-1)).toBe('resumed retried by erin from where it stopped');
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(await endState(run)).toEqual(unbroken);
  });

  it('while it is paused parks at once, and once', async () => {
    const run = await open();
    await world.carryOut(
      run,
      afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'pause')),
    );
    expect(await control(run, 'stop', erin)).toMatchObject({ status: 'parked', failure: { code: 'cancelled' } });
    expect(await control(run, 'stop', alice)).toMatchObject({ kind: 'refused', code: 'stale' });
    expect((await eventsOf(run)).filter((event) => event.startsWith('failed'))).toEqual(['failed erin stopped it.']);
  });

  it('goes before a pause that was asked for as well', async () => {
    const run = await open();
    const both = async () => {
      await control(run, 'pause');
      await control(run, 'stop');
    };
    expect(await world.carryOut(run, afterStep(new RememberedSteps().execution(), 'data.fill#0', both))).toBe('parked');
  });
});

describe('asking', () => {
  it('twice is asking once, by the first who asked', async () => {
    const run = await open();
    const twice = async () => {
      await Promise.all([control(run, 'pause', erin), control(run, 'pause', erin), control(run, 'pause', erin)]);
      expect(await control(run, 'pause', alice)).toMatchObject({ control: { asked: { what: 'pause', by: 'erin' } } });
    };
    await world.carryOut(run, afterStep(new RememberedSteps().execution(), 'data.fill#0', twice));
    const rows = await bot.sql('select what, by_name from tas.run_request where run_id = $1', [run.id]);
    expect(rows).toEqual([{ what: 'pause', by_name: 'erin' }]);
    const answers = await Promise.all([control(run, 'resume'), control(run, 'resume'), control(run, 'resume')]);
    expect(answers.filter((answer) => !('kind' in answer))).toHaveLength(1);
    expect((await world.run(run.id)).attempt).toBe(2);
  });

  it.each([
    ['planned', ['pause', 'resume', 'stop', 'slower', 'faster']],
    ['queued', ['pause', 'resume', 'stop', 'slower', 'faster']],
    ['running', ['resume', 'cancel']],
    ['paused', ['pause', 'cancel']],
    ['parked', ['pause', 'resume', 'stop', 'cancel', 'slower', 'faster']],
    ['done', ['pause', 'resume', 'stop', 'cancel', 'slower', 'faster']],
    ['closed', ['pause', 'resume', 'stop', 'cancel', 'slower', 'faster']],
  ] as const)('of a %s run refuses %j as stale and changes nothing', async (status, words) => {
    const run = await open([fillTenants], 3);
    await bot.sql('update tas.run set status = $2 where id = $1', [run.id, status]);
    const before = await eventsOf(run);
    for (const word of words) {
      const answer = await control(run, word);
      expect(answer).toMatchObject({
        kind: 'refused',
        code: 'stale',
        message: expect.stringContaining(`is ${status}`),
      });
    }
    expect((await world.run(run.id)).status).toBe(status);
    expect(await eventsOf(run)).toEqual(before);
  });

  it('is for operators; whoever asked for a run may withdraw it', async () => {
    const run = await open([fillTenants], 3);
    for (const word of ['pause', 'resume', 'stop', 'cancel', 'slower', 'faster'] as const) {
      expect(await control(run, word, carol)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
    }
    expect(await control(run, 'cancel', { ...alice, roles: [] })).toMatchObject({ status: 'closed' });
    expect((await eventsOf(run)).at(-1)).toBe('closed withdrawn by alice, nothing was changed');
    expect(await world.carryOut(run)).toBe('over');
    expect(world.tokens).toEqual([]);
    expect(world.people.read('User', 'u-00001')?.tenant).toBeUndefined();
  });

  it('to withdraw what has begun says to stop it', async () => {
    const run = await open([fillTenants], 3);
    await bot.sql(`update tas.run set status = 'running' where id = $1`, [run.id]);
    expect(await control(run, 'cancel')).toMatchObject({ advice: expect.stringContaining(`stop ${run.id}`) });
  });
});

describe('the pace', () => {
  it('is halved and doubled within bounds, and two taps on one button are one', async () => {
    const run = await open([fillTenants], 3);
    await bot.sql(`update tas.run set status = 'running' where id = $1`, [run.id]);
    expect(await control(run, 'slower', alice, 1)).toMatchObject({ control: { pace: 0.5 } });
    expect(await control(run, 'slower', alice, 1)).toMatchObject({ control: { pace: 0.5 } });
    expect(await control(run, 'faster', alice, 1)).toMatchObject({ kind: 'refused', code: 'stale' });
    await control(run, 'slower');
    expect(await control(run, 'slower')).toMatchObject({ control: { pace: 0.125 } });
    expect(await control(run, 'slower')).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('as slow'),
    });
    for (let i = 0; i < 5; i += 1) await control(run, 'faster');
    expect(await control(run, 'faster')).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('as fast'),
    });
    expect((await world.run(run.id)).control.pace).toBe(4);
  });

  it('below one lets the run rest between its batches', async () => {
    const run = await open();
    const slower = async () => {
      await control(run, 'slower');
      await control(run, 'slower');
    };
    expect(await world.carryOut(run, afterStep(new RememberedSteps().execution(), 'data.fill#0', slower))).toBe('done');
    expect(world.slept.length).toBeGreaterThan(0);
    expect(await endState(run)).toEqual(unbroken);
  });
});

describe('a strained store', () => {
  it('lets the run wait, which says why, and go on when it is well again', async () => {
    const run = await open();
    const said: (string | null)[] = [];
    world.onSleep = async () => {
      said.push((await world.run(run.id)).control.waits);
      if (world.slept.length === 4) world.people.setLoad({ strain: 0.2, why: null });
    };
    const strain = async () => {
      world.people.setLoad({ strain: 1.5, why: '3 sessions wait for locks' });
      world.now = new Date(world.now.getTime() + 5_000);
    };
    expect(await world.carryOut(run, afterStep(new RememberedSteps().execution(), 'data.fill#0', strain))).toBe('done');
    expect(world.slept).toEqual([5_000, 5_000, 5_000, 5_000]);
    expect(new Set(said)).toEqual(new Set(['waits: 3 sessions wait for locks in people']));
    expect((await world.run(run.id)).control.waits).toBeNull();
    expect(await endState(run)).toEqual(unbroken);
  });

  it('that stays so pauses the run after ten minutes, and a person resumes it', async () => {
    const run = await open();
    world.people.setLoad({ strain: 3, why: 'the disk is full of work' });
    expect(await world.carryOut(run)).toBe('paused');
    expect(world.slept.reduce((sum, each) => sum + each, 0)).toBe(600_000);
    expect((await world.run(run.id)).control).toMatchObject({
      pause: 'it waited 10 minutes: the disk is full of work in people',
      waits: null,
    });
    world.people.setLoad({ strain: 0, why: null });
    world.now = new Date(world.now.getTime() + 5_000);
    await control(run, 'resume');
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(await endState(run)).toEqual(unbroken);
  });

  it('below its limit makes the run rest in proportion', async () => {
    const run = await open();
    world.people.setLoad({ strain: 0.9, why: 'busy' });
    expect(await world.carryOut(run)).toBe('done');
    expect(world.slept.length).toBeGreaterThan(0);
    expect(Math.max(...world.slept)).toBeLessThanOrEqual(1_000);
  });

  it('lets itself be paused and stopped while the run waits', async () => {
    const run = await open();
    world.people.setLoad({ strain: 2, why: 'busy' });
    world.onSleep = async () => void (await control(run, 'stop', erin));
    expect(await world.carryOut(run)).toBe('parked');
    expect(world.slept).toHaveLength(1);
  });

  it('that does not say how it is throttles nothing', async () => {
    const run = await open();
    const system = world.environment.systems.get('people') as unknown as { load: () => Promise<never> };
    system.load = async () => {
      throw new Error('no rights');
    };
    expect(await world.carryOut(run)).toBe('done');
    expect(world.slept).toEqual([]);
  });
});

describe('failures that are tried again', () => {
  it('are counted over the whole run, and too many park it with the last one named', async () => {
    const run = await open();
    Object.assign(world.environment, { stopAfterErrors: 2 });
    const lose = afterStep(
      afterStep(
        afterStep(new RememberedSteps().execution(), 'data.fill:begin', async () => world.people.loseNextAnswer()),
        'data.fill#0',
        async () => world.people.loseNextAnswer(),
      ),
      'data.fill#1',
      async () => world.people.loseNextAnswer(),
    );
    expect(await world.carryOut(run, lose)).toBe('parked');
    const { failure } = await world.run(run.id);
    expect(failure).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/^3 failures.*people broke/) });
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(await endState(run)).toEqual(unbroken);
  });
});

describe('a step that destroys', () => {
  it('parks the run when it would destroy other records than those that were signed', async () => {
    const run = await open();
    const swap = async () => {
      world.people.remove('User', 'z-1');
      world.people.put('User', { id: 'z-3', name: 'gone' });
    };
    expect(await world.carryOut(run, afterStep(new RememberedSteps().execution(), 'data.fill:done', swap))).toBe(
      'parked',
    );
    const parked = await world.run(run.id);
    expect(parked.failure).toMatchObject({ code: 'plan-changed', message: expect.stringContaining('other records') });
    expect(parked.steps.find(({ stepId }) => stepId === 'data.delete-gone')?.state).toBe('waiting');
    expect(world.people.read('User', 'z-3')).not.toBeNull();
    // Asked again while it is still so: still no.
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 2)).toBe('parked');
    world.people.put('User', { id: 'z-1', name: 'gone' });
    world.people.remove('User', 'z-3');
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 3)).toBe('done');
    expect(world.people.read('User', 'z-1')).toBeNull();
  });
});

describe('a step that destroys and is paused in the middle', () => {
  const leave: MigrationStep = {
    ...deleteGone,
    with: { collection: 'User', where: { field: 'team', equals: null } },
  };

  async function pausedInside(): Promise<StoredRun> {
    const run = await open([leave], 2_200);
    await world.carryOut(
      run,
      afterStep(new RememberedSteps().execution(), 'data.delete-gone#0', () => control(run, 'pause')),
    );
    expect((await world.run(run.id)).steps.find(({ stepId }) => stepId === 'data.delete-gone')?.done).toBe(2_000);
    return run;
  }

  it('goes on with what was left', async () => {
    const run = await pausedInside();
    world.people.put('User', { id: 'new', name: 'new', team: 'a' });
    await control(run, 'resume');
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect((await world.people.fingerprint()).counts).toEqual({ User: 1 });
  });

  it('does not go on with as many others', async () => {
    const run = await pausedInside();
    world.people.remove('User', 'z-1');
    world.people.put('User', { id: 'z-3', name: 'new' });
    await control(run, 'resume');
    expect(await world.carryOut(run, undefined, 2)).toBe('parked');
    expect((await world.run(run.id)).failure).toMatchObject({
      code: 'plan-changed',
      message: expect.stringContaining('other records than those that were left'),
    });
    expect(world.people.read('User', 'z-3')).not.toBeNull();
    expect(world.people.read('User', 'z-2')).not.toBeNull();
    // What it did is undone all the same.
    const rollback = await world.ask('rollback', run.id);
    expect(await world.carryOut(rollback)).toBe('done');
    expect(world.people.read('User', 'u-00001')).not.toBeNull();
  });
});

describe('a worker that nobody hears of', () => {
  it('leaves a run that is parked, can be retried, and is no longer the silent one’s', async () => {
    const run = await open();
    const steps = new RememberedSteps();
    const giveUp = async () => {
      await bot.sql(`update dbos.workflow_status set status = 'ERROR' where workflow_uuid = $1`, [run.id]);
      await bot.sql(`update tas.environment_lease set expires_at = now() - interval '2 min' where run_id = $1`, [
        run.id,
      ]);
      await watchRuns({ records: bot.records, logger: world.deps.logger, environments: world.deps.environments });
    };
    // The worker is only silent: it finds out before its next batch, and writes nothing more.
    expect(await world.carryOut(run, afterStep(steps.execution(), 'data.fill#0', giveUp))).toBe('over');
    expect(await world.run(run.id)).toMatchObject({ status: 'parked', failure: { message: /gave up/ } });
    expect(await leaseOf()).toEqual({ run_id: run.id, state: 'parked' });
    expect(world.people.read('User', 'u-02500')?.tenant).toBeUndefined();
    await world.door.retry(run.id, alice);
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(await endState(run)).toEqual(unbroken);
  });

  it('is told of while its worker may come back, once, and a live one is left alone', async () => {
    const run = await open([fillTenants], 3);
    await bot.sql(`update tas.run set status = 'running' where id = $1`, [run.id]);
    await bot.sql(`update dbos.workflow_status set status = 'PENDING' where workflow_uuid = $1`, [run.id]);
    await bot.records.acquireLease(world.environment.name, run.id, null);
    const look = () =>
      watchRuns({ records: bot.records, logger: world.deps.logger, environments: world.deps.environments });
    await look();
    expect(await eventsOf(run)).not.toContainEqual(expect.stringMatching(/^lost/));
    await bot.sql(`update tas.environment_lease set expires_at = now() - interval '3 min' where run_id = $1`, [run.id]);
    await look();
    await look();
    expect((await eventsOf(run)).filter((event) => event.startsWith('lost'))).toHaveLength(1);
    expect((await world.run(run.id)).status).toBe('running');
    await bot.records.move(run.id, 'parked', { type: 'failed', text: null });
  });
});

it('what an older version of the bot has begun and remembered is carried on by this one', async () => {
  for (let cut = 1; cut < 12; cut += 1) {
    const run = await open();
    const steps = new RememberedSteps();
    const death = { at: cut, remembered: true };
    await expect(world.carryOut(run, steps.execution(death))).rejects.toThrow(Killed);
    // It remembered a word for the start, a time for a step's beginning, and no pace with a batch.
    for (const [at, { name, value }] of steps.results.entries()) {
      const old = JSON.parse(value ?? 'null');
      if (name === 'start') steps.results[at] = { name, value: '"fresh"' };
      if (name.endsWith(':begin')) steps.results[at] = { name, value: JSON.stringify(old.startedAt) };
      if (name.includes('#'))
        steps.results[at] = { name, value: JSON.stringify({ ok: { ...old.ok, pace: undefined } }) };
    }
    expect(await world.carryOut(run, steps.execution())).toBe('done');
    expect(await endState(run)).toEqual(unbroken);
  }
});

it('runs of other kinds are stored with what controls them', async () => {
  const run = newRun();
  await bot.records.create(run);
  expect((await bot.records.find(run.id))?.control).toEqual({
    pace: 1,
    asked: null,
    pause: null,
    waits: null,
    gates: [],
    ballot: null,
  });
});

describe('a vote that somebody says was not theirs', () => {
  /** In this small world runs wait for no votes: it is one that was given all the same. */
  async function approve({ id, digest }: StoredRun): Promise<void> {
    const voter = { id: bob.id, name: bob.name };
    const vote = { voter, choice: 'approve', digest, reason: null, at: '2026-11-22T10:00:00.000Z' } as const;
    expect(await bot.records.addVote(id, vote)).toBe(true);
  }

  it('withdraws a run that has not begun, and is told once', async () => {
    const run = await open();
    await approve(run);
    expect(await control(run, 'dispute', bob)).toMatchObject({ status: 'closed' });
    expect(await control(run, 'dispute', bob)).toMatchObject({ status: 'closed' });
    const told = (await eventsOf(run)).filter((event) => event.startsWith('disputed'));
    expect(told).toEqual([
      'disputed bob says that the vote in their name was not theirs: the run is withdrawn, nothing was changed',
    ]);
    expect(world.people.read('User', 'u-00001')?.tenant).toBeUndefined();
  });

  it('pauses a run that goes on', async () => {
    const run = await open();
    await approve(run);
    const steps = afterStep(new RememberedSteps().execution(), 'data.fill#0', () => control(run, 'dispute', bob));
    expect(await world.carryOut(run, steps)).toBe('paused');
    expect((await eventsOf(run)).filter((event) => event.startsWith('disputed'))).toHaveLength(1);
  });

  it('can be disputed by its voter alone', async () => {
    const run = await open();
    await approve(run);
    expect(await control(run, 'dispute', erin)).toMatchObject({
      kind: 'refused',
      code: 'not-allowed',
      message: `erin has not voted on ${run.id}: there is no vote to dispute.`,
    });
    expect((await world.run(run.id)).status).toBe('queued');
  });
});
