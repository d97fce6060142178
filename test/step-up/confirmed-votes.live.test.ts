import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import type { Door, Person } from '../../src/runs/door.ts';
import { openDoor } from '../../src/runs/open-door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createStepUp } from '../../src/step-up/ask-confirmation.ts';
import type { ConfirmationStore } from '../../src/step-up/confirmation.ts';
import { hashOf } from '../../src/step-up/secrets.ts';
import { createConfirmationStore } from '../../src/storage/confirmation-store.ts';
import { createSmallWorld, deleteGone as deleting, fillTenants, type SmallWorld, users } from '../runs/small-world.ts';
import { type BotDatabase, createBotDatabase, newRun } from '../storage/fresh-bot-database.ts';

jest.setTimeout(60_000);

const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator', 'approver'], approverSince: null };
const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };
const dana: Person = { id: 'UDANA', name: 'dana', roles: ['approver'], approverSince: null };
const carol: Person = { id: 'UCAROL', name: 'carol', roles: ['viewer'] };
const deleteGone: MigrationStep = { ...deleting, approval: 'own' };

let bot: BotDatabase;
let store: ConfirmationStore;
let world: SmallWorld;
let door: Door;
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase();
  store = createConfirmationStore(bot.database);
});
beforeEach(async () => {
  world = await createSmallWorld({
    records: bot.records,
    name: `step-up-${nextWorld++}`,
    users: [...users(5), { id: 'z-1', name: 'gone' }],
    steps: [fillTenants, deleteGone],
  });
  const clock = { now: () => world.now };
  door = openDoor({
    ...world.deps,
    makePlan: world.makePlan,
    listBackups: async () => [],
    readBackup: async () => {
      throw new Error('there is none');
    },
    stepUp: createStepUp({ settings: { for: 'changes', publicUrl: 'https://bot.example.com' }, store, clock }),
  });
});
afterEach(() => world.close());
afterAll(() => bot.drop());

async function planned(votesNeeded = 1): Promise<StoredRun> {
  const plan = await world.makePlan(world.environment, { action: 'migrate', subject: 'fill' }, 'backup-1');
  const run = newRun({ plan, votesNeeded });
  await bot.records.create(run);
  return world.run(run.id);
}

const approve = (run: StoredRun, person: Person, confirmation?: string, digest = run.digest) =>
  door.vote({
    runId: run.id,
    digest,
    person,
    choice: 'approve',
    reason: null,
    ...(confirmation === undefined ? {} : { confirmation }),
  });

/** Approves without a confirmation, and answers the secret of the link. */
async function askedLink(run: StoredRun, person: Person, digest = run.digest): Promise<string> {
  const outcome = await approve(run, person, undefined, digest);
  if (outcome.kind !== 'to-confirm') throw new Error(JSON.stringify(outcome));
  expect(outcome.link).toMatch(/^https:\/\/bot\.example\.com\/step-up\/[\w-]{43}$/);
  return outcome.link.split('/').at(-1) ?? '';
}

/** As the pages do it once the provider has said who it was. */
async function proven(run: StoredRun, person: Person, digest = run.digest): Promise<string> {
  const found = await store.find(hashOf(await askedLink(run, person, digest)));
  if (found === null || !(await store.prove(found.id, world.now))) throw new Error('it was not open');
  return found.id;
}

const rows = (run: StoredRun) =>
  bot.sql('select id, state, person_id from tas.confirmation where run_id = $1 order by asked_at, state', [run.id]);
const later = (seconds: number): Date => new Date(world.now.getTime() + seconds * 1000);
const notConfirmed = { kind: 'refused', code: 'not-confirmed' };

describe('a vote that has to be confirmed', () => {
  it('does not count by itself: its voter gets a link, and the run waits as before', async () => {
    const run = await planned();
    await askedLink(run, bob);
    expect(await world.run(run.id)).toMatchObject({ status: 'planned', votes: [] });
    expect(await rows(run)).toMatchObject([{ state: 'open', person_id: 'UBOB' }]);
  });

  it('counts with its confirmation, which is used up with it', async () => {
    const run = await planned();
    const id = await proven(run, bob);
    expect(await approve(run, bob, id)).toMatchObject({ kind: 'counted', decision: 'approved' });
    expect((await world.run(run.id)).votes).toMatchObject([{ voter: { id: 'UBOB' }, digest: run.digest }]);
    expect(await rows(run)).toMatchObject([{ id, state: 'counted' }]);
    const told = await bot.sql(`select text from tas.run_event where run_id = $1 and type = 'voted'`, [run.id]);
    expect(told).toEqual([{ text: 'bob: approve, confirmed by a login' }]);
  });

  it('is taken back with a confirmation that is made up, not yet given, replaced or used', async () => {
    const run = await planned(2);
    const open = await store.find(hashOf(await askedLink(run, bob)));
    for (const id of ['', randomUUID(), open?.id ?? ''])
      expect(await approve(run, bob, id)).toMatchObject(notConfirmed);
    const id = await proven(run, bob);
    expect(await approve(run, bob, open?.id)).toMatchObject(notConfirmed);
    expect((await world.run(run.id)).votes).toEqual([]);
    expect(await approve(run, bob, id)).toMatchObject({ kind: 'counted', decision: 'wait' });
    expect(await approve(run, bob, id)).toMatchObject({ kind: 'refused', code: 'stale' });
    expect(await approve(run, dana, id)).toMatchObject(notConfirmed);
    expect((await world.run(run.id)).votes).toHaveLength(1);
  });

  it('is taken back with what another person, for another run, or a minute ago, confirmed', async () => {
    const [run, other] = [await planned(), await planned()];
    const ofDana = await proven(run, dana);
    expect(await approve(run, bob, ofDana)).toMatchObject(notConfirmed);
    expect(await approve(run, bob, await proven(other, bob))).toMatchObject(notConfirmed);
    const ofBob = await proven(run, bob);
    world.now = later(61);
    expect(await approve(run, bob, ofBob)).toMatchObject(notConfirmed);
    expect((await world.run(run.id)).votes).toEqual([]);
    expect((await world.run(run.id)).status).toBe('planned');
  });

  it('counts once where two processes cast it at once', async () => {
    const run = await planned(2);
    const id = await proven(run, bob);
    const outcomes = await Promise.all([approve(run, bob, id), approve(run, bob, id)]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['counted', 'refused']);
    expect((await world.run(run.id)).votes).toHaveLength(1);
  });

  it('passes every gate before there is a link, and again when it is cast', async () => {
    const run = await planned();
    expect(await approve(run, alice)).toMatchObject({
      code: 'not-allowed',
      message: expect.stringContaining('asked for'),
    });
    expect(await approve(run, carol)).toMatchObject({ code: 'not-allowed' });
    expect(await approve(run, bob, undefined, 'f'.repeat(64))).toMatchObject({ code: 'stale' });
    expect(await rows(run)).toEqual([]);
    const id = await proven(run, bob);
    expect(await approve(run, { ...bob, roles: [] }, id)).toMatchObject({ code: 'not-allowed' });
    expect(await approve(run, bob, id, 'f'.repeat(64))).toMatchObject({ code: 'stale' });
    expect((await world.run(run.id)).votes).toEqual([]);
  });

  it('says no without any of that', async () => {
    const run = await planned();
    const no = { runId: run.id, digest: run.digest, person: bob, choice: 'reject', reason: 'not today' } as const;
    expect(await door.vote(no)).toMatchObject({ kind: 'counted', decision: 'rejected' });
    expect(await rows(run)).toEqual([]);
  });

  it('is asked of a step with a vote of its own, for that step and not for the plan', async () => {
    const run = await world.ask('migrate');
    expect(await world.carryOut(run)).toBe('paused');
    const paused = await world.run(run.id);
    const digest = paused.control.ballot?.digest ?? '';
    const id = await proven(paused, bob, digest);
    expect(await approve(paused, bob, randomUUID(), digest)).toMatchObject(notConfirmed);
    expect((await world.run(run.id)).control.ballot?.votes).toEqual([]);
    expect(await approve(paused, bob, id, digest)).toMatchObject({ kind: 'counted', decision: 'approved' });
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(await rows(run)).toMatchObject([{ state: 'counted' }]);
  });
});

describe('the confirmations of several replicas', () => {
  const login = (name: string) => ({ loginHash: hashOf(name), browserHash: hashOf(`browser of ${name}`) });

  it('leave one open link to a person and plan, however many ask at once', async () => {
    const run = await planned();
    await Promise.all(Array.from({ length: 5 }, () => askedLink(run, bob)));
    const states = (await rows(run)).map(({ state }) => state);
    expect(states.filter((state) => state === 'open')).toHaveLength(1);
    expect(states.filter((state) => state === 'replaced')).toHaveLength(4);
  });

  it('give the answer of a login to one of them, and only with the browser that began', async () => {
    const run = await planned();
    const token = hashOf(await askedLink(run, bob));
    expect(await store.begin(token, login('one'), world.now)).toMatchObject({ person: { id: 'UBOB' } });
    const elsewhere = { ...login('one'), browserHash: hashOf('another') };
    expect(await store.claim(elsewhere, world.now)).toBeNull();
    const both = await Promise.all([store.claim(login('one'), world.now), store.claim(login('one'), world.now)]);
    expect(both.filter((claimed) => claimed !== null)).toHaveLength(1);
    await store.begin(token, login('two'), world.now);
    await store.begin(token, login('three'), world.now);
    expect(await store.claim(login('two'), world.now)).toBeNull();
    expect(await store.claim(login('three'), later(601))).toBeNull();
    expect(await store.claim(login('three'), world.now)).toMatchObject({ begunAt: world.now });
  });

  it('keep what counted, and lose after a week what came to nothing', async () => {
    const run = await planned(2);
    await approve(run, bob, await proven(run, bob));
    await askedLink(run, dana);
    world.now = later(8 * 24 * 3600);
    await askedLink(await planned(), dana);
    expect(await rows(run)).toMatchObject([{ state: 'counted', person_id: 'UBOB' }]);
  });

  it('hold no secret', async () => {
    const run = await planned();
    const token = await askedLink(run, bob);
    expect(JSON.stringify(await bot.sql('select * from tas.confirmation where run_id = $1', [run.id]))).not.toContain(
      token,
    );
  });
});
