import { jest } from '@jest/globals';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import type { Person } from '../../src/runs/door.ts';
import type { StepGate } from '../../src/runs/run.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { afterStep, Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, deleteGone as deleting, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(60_000);

const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator', 'approver'], approverSince: null };
const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };
const dana: Person = { id: 'UDANA', name: 'dana', roles: ['approver'], approverSince: null };
const erin: Person = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const deleteGone: MigrationStep = { ...deleting, approval: 'own' };

let bot: BotDatabase;
let world: SmallWorld;
const worlds: SmallWorld[] = [];
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});
afterAll(() => bot.drop());

/** 20 users to fill, then two to delete, which needs a vote of its own; carried out until it stands still. */
async function open(votesRequired = 1): Promise<StoredRun> {
  const gone = ['z-1', 'z-2'].map((id) => ({ id, name: 'gone' }));
  world = await createSmallWorld({
    records: bot.records,
    name: `gate-${nextWorld++}`,
    users: [...users(20), ...gone],
    steps: [fillTenants, deleteGone],
  });
  worlds.push(world);
  Object.assign(world.environment, { votesRequired });
  const run = await world.ask('migrate');
  expect(await world.carryOut(run)).toBe('paused');
  return world.run(run.id);
}

function ballotOf(run: StoredRun): StepGate {
  if (run.control.ballot === null) throw new Error('no vote is open');
  return run.control.ballot;
}

const vote = (
  run: StoredRun,
  person: Person,
  choice: 'approve' | 'reject' = 'approve',
  digest: string | null = ballotOf(run).digest,
) => world.door.vote({ runId: run.id, digest, person, choice, reason: choice === 'reject' ? 'not those' : null });
const gone = (): (string | undefined)[] =>
  ['z-1', 'z-2', 'z-3'].map((id) => (world.people.read('User', id) === null ? undefined : id));
const attempt = async (run: StoredRun, number: number) => world.carryOut(run, undefined, number);

describe('a step with a vote of its own', () => {
  it('lets the run stand still before it, with what it would do now, masked, and nothing done', async () => {
    const run = await open();
    const gate = ballotOf(run);
    expect(run.control.pause).toBe('“Delete who is gone” needs a vote of its own');
    expect(gate).toMatchObject({ state: 'open', votesNeeded: 1, votes: [], step: { count: 2, effect: 'destroys' } });
    expect(gate.step.samples.map(({ before }) => before)).toEqual([
      { id: '•••', name: '•••', tenant: '•••' },
      { id: '•••', name: '•••', tenant: '•••' },
    ]);
    expect(gone()).toEqual(['z-1', 'z-2', undefined]);
    expect(run.steps.find(({ stepId }) => stepId === 'data.delete-gone')?.state).toBe('waiting');
    expect((await bot.records.leaseHolder(world.environment.name))?.runId).toBe(run.id);
  });

  it('goes on by itself once another person approved exactly that, and does no more', async () => {
    const run = await open();
    expect(await vote(run, bob)).toMatchObject({ kind: 'counted', decision: 'approved', run: { status: 'running' } });
    world.people.put('User', { id: 'late', name: 'user', tenant: 't' });
    expect(await attempt(run, 2)).toBe('done');
    expect(gone()).toEqual([undefined, undefined, undefined]);
    expect((await world.run(run.id)).control.gates).toMatchObject(
      [{ state: 'approved', votes: [{ voter: bob }] }].map(({ votes, ...rest }) => ({
        ...rest,
        votes: votes.map(() => ({ voter: { id: 'UBOB', name: 'bob' } })),
      })),
    );
  });

  it('is not approved by who asked for the run, by who is no approver, on another digest, or too late', async () => {
    const run = await open();
    expect(await vote(run, alice)).toMatchObject({ code: 'not-allowed', message: expect.stringContaining('cannot') });
    expect(await vote(run, erin)).toMatchObject({ code: 'not-allowed' });
    expect(await vote(run, bob, 'approve', run.digest)).toMatchObject({ code: 'stale' });
    expect(await vote(run, bob, 'approve', 'f'.repeat(64))).toMatchObject({ code: 'stale' });
    world.now = new Date(ballotOf(run).expiresAt);
    expect(await vote(run, bob)).toMatchObject({ code: 'expired', advice: expect.stringContaining('Resume') });
    expect((await world.run(run.id)).control.ballot?.votes).toEqual([]);
    expect((await world.run(run.id)).status).toBe('paused');
    expect(gone()).toEqual(['z-1', 'z-2', undefined]);
  });

  it('takes as many people as the policy wants, each once, also at once', async () => {
    const run = await open(2);
    expect(ballotOf(run).votesNeeded).toBe(2);
    const answers = await Promise.all([vote(run, bob), vote(run, bob), vote(run, bob)]);
    expect(answers.filter(({ kind }) => kind === 'counted')).toHaveLength(1);
    expect(answers.filter((answer) => 'code' in answer && answer.code === 'stale')).toHaveLength(2);
    expect((await world.run(run.id)).status).toBe('paused');
    expect(await vote(run, dana)).toMatchObject({ decision: 'approved' });
    expect(await vote(run, dana)).toMatchObject({ kind: 'refused', code: 'stale' });
    expect((await world.run(run.id)).attempt).toBe(2);
  });

  it('that is said no to parks the run; a retry asks again', async () => {
    const run = await open();
    expect(await vote(run, bob, 'reject')).toMatchObject({ decision: 'rejected', run: { status: 'parked' } });
    expect((await world.run(run.id)).failure?.message).toBe('bob said no to “Delete who is gone”: not those.');
    expect((await world.run(run.id)).control.ballot).toBeNull();
    await world.door.retry(run.id, erin);
    expect(await attempt(run, 2)).toBe('paused');
    const again = await world.run(run.id);
    expect(again.control.gates.map(({ state }) => state)).toEqual(['rejected', 'open']);
    // One who voted on the first may vote on the second.
    expect(await vote(again, bob)).toMatchObject({ decision: 'approved' });
    expect(await attempt(run, 3)).toBe('done');
  });

  it('asks anew when other records than the approved ones would go, and the old vote counts for nothing', async () => {
    const run = await open();
    await vote(run, bob);
    world.people.remove('User', 'z-2');
    world.people.put('User', { id: 'z-3', name: 'gone' });
    expect(await attempt(run, 2)).toBe('paused');
    const again = await world.run(run.id);
    expect(again.control.pause).toContain('no longer what was approved');
    expect(ballotOf(again).digest).not.toBe(ballotOf(run).digest);
    expect(await vote(again, dana, 'approve', ballotOf(run).digest)).toMatchObject({ code: 'stale' });
    expect(gone()).toEqual(['z-1', undefined, 'z-3']);
    await vote(again, bob);
    expect(await attempt(run, 3)).toBe('done');
    expect(gone()).toEqual([undefined, undefined, undefined]);
  });

  it('stays paused when nobody votes in time, and is asked anew when somebody resumes it', async () => {
    const run = await open();
    const resume = () => world.door.control({ runId: run.id, what: 'resume', person: erin, seen: null });
    expect(await resume()).toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('waits for a vote'),
    });
    world.now = new Date(ballotOf(run).expiresAt);
    await bot.records.expireOverdue(world.now);
    expect((await world.run(run.id)).status).toBe('paused');
    expect(await resume()).toMatchObject({ status: 'running' });
    expect(await attempt(run, 2)).toBe('paused');
    const again = await world.run(run.id);
    expect(again.control.gates.map(({ state }) => state)).toEqual(['replaced', 'open']);
    expect(Date.parse(ballotOf(again).expiresAt)).toBeGreaterThan(world.now.getTime());
  });

  it('that would do nothing needs no vote', async () => {
    const run = await open();
    for (const id of ['z-1', 'z-2']) world.people.remove('User', id);
    world.now = new Date(ballotOf(run).expiresAt);
    await world.door.control({ runId: run.id, what: 'resume', person: erin, seen: null });
    expect(await attempt(run, 2)).toBe('done');
  });

  it('is not carried out on a vote that somebody wrote into the database', async () => {
    const run = await open();
    await bot.sql(`update tas.step_gate set state = 'approved', digest = repeat('0', 64) where run_id = $1`, [run.id]);
    await world.door.control({ runId: run.id, what: 'resume', person: erin, seen: null });
    expect(await attempt(run, 2)).toBe('paused');
    expect(gone()).toEqual(['z-1', 'z-2', undefined]);
  });

  it('stopped while it waits closes the vote', async () => {
    const run = await open();
    await world.door.control({ runId: run.id, what: 'stop', person: erin, seen: null });
    expect(await vote(run, bob)).toMatchObject({ kind: 'refused', code: 'stale' });
    expect((await world.run(run.id)).status).toBe('parked');
  });

  it('is asked about again when it was paused in the middle and others would go now', async () => {
    const many = Array.from({ length: 2_100 }, (_, i) => ({ id: `g-${String(i).padStart(4, '0')}`, name: 'gone' }));
    world = await createSmallWorld({
      records: bot.records,
      name: `gate-${nextWorld++}`,
      users: many,
      steps: [deleteGone],
    });
    worlds.push(world);
    const asked = await world.ask('migrate');
    expect(await world.carryOut(asked)).toBe('paused');
    const run = await world.run(asked.id);
    const ask = (what: 'pause' | 'resume') => world.door.control({ runId: run.id, what, person: erin, seen: null });
    await vote(run, bob);
    const steps = afterStep(new RememberedSteps().execution(), 'data.delete-gone#0', () => ask('pause'));
    expect(await world.carryOut(run, steps, 2)).toBe('paused');
    world.people.remove('User', 'g-2099');
    world.people.put('User', { id: 'other', name: 'gone' });
    await ask('resume');
    expect(await world.carryOut(run, undefined, 3)).toBe('paused');
    const again = await world.run(run.id);
    expect(ballotOf(again).step.count).toBe(100);
    await vote(again, dana);
    expect(await world.carryOut(run, undefined, 4)).toBe('done');
    const { steps: progress } = await world.run(run.id);
    expect(progress.find(({ stepId }) => stepId === 'data.delete-gone')).toMatchObject({ state: 'done', done: 2_100 });
    expect((await world.people.fingerprint()).counts).toEqual({ User: 0 });
  });

  it('killed at any step after the vote is carried out once, on that one vote', async () => {
    for (let at = 0, killed = true; killed; at += 1) {
      for (const remembered of [false, true]) {
        const run = await open();
        await vote(run, bob);
        const steps = new RememberedSteps();
        const first = await world.carryOut(run, steps.execution({ at, remembered }), 2).catch((error: unknown) => {
          expect(error).toBeInstanceOf(Killed);
          return 'killed';
        });
        killed = first === 'killed';
        expect(await world.carryOut(run, steps.execution(), 2)).toBe('done');
        const done = await world.run(run.id);
        expect(done.control.gates).toHaveLength(1);
        expect(done.steps.find(({ stepId }) => stepId === 'data.delete-gone')).toMatchObject({
          state: 'done',
          done: 2,
        });
        expect(gone()).toEqual([undefined, undefined, undefined]);
      }
    }
  });
});
