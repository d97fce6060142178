import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { jest } from '@jest/globals';
import type { Person, RunRequest, Submission } from '../../src/runs/door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users, type WorldOptions } from './small-world.ts';

jest.setTimeout(60_000);

const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator', 'approver'], approverSince: null };
const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };
const day = 86_400_000;
/** In days. */
const minute = 1 / 1440;

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

async function open(over: Partial<WorldOptions> = {}): Promise<void> {
  const name = `upkeep-${nextWorld++}`;
  world = await createSmallWorld({ records: bot.records, name, users: users(20), steps: [fillTenants], ...over });
  worlds.push(world);
}

async function backUp(daysLater = 0): Promise<string> {
  world.now = new Date(world.now.getTime() + daysLater * day);
  const run = await world.ask('backup');
  expect(await world.carryOut(run)).toBe('done');
  return run.backupId ?? '';
}

const submit = (action: RunRequest['action'], person = alice): Promise<Submission> =>
  world.door.submit({ action, environment: world.environment.name, subject: '', person, reason: null });
async function accepted(action: RunRequest['action']): Promise<StoredRun> {
  const answer = await submit(action);
  if (answer.kind !== 'accepted') throw new Error(JSON.stringify(answer));
  return world.run(answer.run.id);
}
const sets = async () => (await world.folder.listSets(world.environment.name)).map(({ id }) => id);

/** Kills whoever carries it out at each of its durable steps, one after the other. */
async function carryOutKilled(run: StoredRun): Promise<number> {
  const steps = new RememberedSteps();
  for (let at = 0; ; at += 1) {
    for (const remembered of [false, true]) {
      try {
        expect(await world.carryOut(run, steps.execution({ at, remembered }))).toBe('done');
        return at;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    }
  }
}

describe('a drill', () => {
  it('needs no vote, holds no environment, and tries the newest set', async () => {
    await open();
    await backUp();
    const newest = await backUp(1);
    const run = await accepted('drill');
    expect(run).toMatchObject({ votesNeeded: 0, plan: { subject: newest } });
    expect(await world.carryOut(run)).toBe('done');
    expect((await world.run(run.id)).findings).toMatchObject([{ check: 'drill-people', status: 'passed' }]);
    expect((await world.folder.listSets(world.environment.name)).map(({ proven }) => proven !== null)).toEqual([
      true,
      false,
    ]);
    expect(await bot.records.leaseHolder(world.environment.name)).toBeNull();
  });

  it('ends with what is wrong where the set is spoilt: nothing is parked, and nothing is held', async () => {
    await open();
    const set = await backUp();
    const root = await rootOf(set);
    await writeFile(`${root}/records.ndjson`, '{}\n');
    const run = await accepted('drill');
    expect(await world.carryOut(run)).toBe('done');
    expect((await world.run(run.id)).findings).toMatchObject([{ check: 'drill-people', status: 'failed' }]);
    expect(await bot.records.leaseHolder(world.environment.name)).toBeNull();
  });

  it('is done again by whoever takes up after a crash, wherever that comes', async () => {
    await open();
    await backUp();
    const run = await accepted('drill');
    expect(await carryOutKilled(run)).toBeGreaterThan(4);
    expect((await world.run(run.id)).findings).toHaveLength(1);
    expect((await world.folder.listSets(world.environment.name))[0]?.proven).not.toBeNull();
  });

  it('is not begun while a run goes on, but may be while one stands still; without a set it is refused', async () => {
    await open();
    expect(await submit('drill')).toMatchObject({ kind: 'refused', code: 'unknown-backup' });
    await backUp();
    const run = await world.ask('migrate');
    await bot.records.move(run.id, 'running', { type: 'started', text: null });
    await bot.records.acquireLease(world.environment.name, run.id, null);
    expect(await submit('drill')).toMatchObject({ kind: 'refused', code: 'environment-busy' });
    await bot.records.parkLease(world.environment.name, run.id);
    await bot.records.move(run.id, 'parked', { type: 'failed', text: null });
    expect(await world.carryOut(await accepted('drill'))).toBe('done');
    expect((await bot.records.leaseHolder(world.environment.name))?.runId).toBe(run.id);
  });

  it('takes an operator', async () => {
    await open();
    expect(await submit('drill', bob)).toMatchObject({ code: 'not-allowed' });
    expect(await submit('retention', bob)).toMatchObject({ code: 'not-allowed' });
  });
});

describe('the removal of old sets', () => {
  async function approved(): Promise<StoredRun> {
    const { id, digest } = await accepted('retention');
    await world.door.vote({ runId: id, digest, person: bob, choice: 'approve', reason: null });
    return world.run(id);
  }

  it('is refused without a rule, and is no run where everything is kept', async () => {
    await open();
    expect(await submit('retention')).toMatchObject({ kind: 'refused', code: 'precondition-failed' });
    await open({ keep: { newest: 1, days: 7 } });
    await backUp();
    expect(await submit('retention')).toMatchObject({ kind: 'nothing-to-do' });
  });

  it('says what goes, waits for a second person, and removes just that', async () => {
    await open({ keep: { newest: 1, days: 7 } });
    const [old, newest] = [await backUp(), await backUp(10)];
    const run = await accepted('retention');
    expect(run).toMatchObject({
      status: 'planned',
      votesNeeded: 1,
      plan: { undoClass: 'one-way', totals: { destroys: 1 } },
    });
    expect(run.plan.findings).toMatchObject([{ samples: [expect.stringContaining(old)] }]);
    const vote = (person: Person) =>
      world.door.vote({ runId: run.id, digest: run.digest, person, choice: 'approve', reason: null });
    expect(await vote(alice)).toMatchObject({ code: 'not-allowed' });
    expect(await sets()).toEqual([newest, old]);
    expect(await vote(bob)).toMatchObject({ kind: 'counted', decision: 'approved' });
    expect(await world.carryOut(await world.run(run.id))).toBe('done');
    expect(await sets()).toEqual([newest]);
    expect(world.people.read('User', 'u-00001')).not.toBeNull();
  });

  it('is voided where other sets would go than were signed', async () => {
    await open({ keep: { newest: 1, days: 7 } });
    const [old, between, newest] = [await backUp(), await backUp(9), await backUp(7 - 10 * minute)];
    const run = await approved();
    // One more has become old enough since.
    world.now = new Date(world.now.getTime() + 20 * minute * day);
    expect(await world.carryOut(run)).toBe('voided');
    expect(await sets()).toEqual([newest, between, old]);
  });

  it('goes on after a crash, wherever that comes, and removes nothing else', async () => {
    await open({ keep: { newest: 1, days: 7 } });
    await backUp();
    const newest = await backUp(10);
    expect(await carryOutKilled(await approved())).toBeGreaterThan(4);
    expect(await sets()).toEqual([newest]);
  });
});

/** The folder of the part of `people` in a set. */
async function rootOf(set: string): Promise<string> {
  for (const name of (await readdir(tmpdir())).filter((one) => one.startsWith('tas-world-'))) {
    const folder = `${tmpdir()}/${name}/${world.environment.name}/${set}/people`;
    if ((await readdir(folder).catch(() => [])).length > 0) return folder;
  }
  throw new Error('the set is not there');
}
