import { jest } from '@jest/globals';
import { countBrokenGlass } from '../../src/runs/cast-vote.ts';
import type { Door, Person } from '../../src/runs/door.ts';
import { openDoor } from '../../src/runs/open-door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createStepUp } from '../../src/step-up/ask-confirmation.ts';
import { hashOf } from '../../src/step-up/secrets.ts';
import { createConfirmationStore } from '../../src/storage/confirmation-store.ts';
import { bob, carol } from '../fake-door.ts';
import { type BotDatabase, createBotDatabase, newRun } from '../storage/fresh-bot-database.ts';
import { createSmallWorld, deleteGone, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(60_000);

const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator'] };
const erin: Person = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const why = 'logins fail, and no approver answers';
const minutes = 60_000;

let bot: BotDatabase;
let world: SmallWorld;
let door: Door;
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase({ now: () => world.now });
});
beforeEach(async () => {
  world = await createSmallWorld({
    records: bot.records,
    name: `glass-${nextWorld++}`,
    users: [...users(5), { id: 'z-1', name: 'gone' }],
    steps: [fillTenants, deleteGone],
  });
  door = openDoor(doorDeps());
});
afterEach(() => world.close());
afterAll(() => bot.drop());

function doorDeps() {
  return {
    ...world.deps,
    makePlan: world.makePlan,
    listBackups: async () => [],
    readBackup: async () => {
      throw new Error('there is none');
    },
  };
}

async function planned(over: Partial<Parameters<typeof newRun>[0]> = {}): Promise<StoredRun> {
  const plan = await world.makePlan(world.environment, { action: 'migrate', subject: 'fill' }, 'backup-1');
  const run = newRun({ plan, expiresAt: inMinutes(30), ...over });
  await bot.records.create(run);
  return world.run(run.id);
}

const inMinutes = (count: number): Date => new Date(world.now.getTime() + count * minutes);
const breakGlass = (run: StoredRun, person: Person, more: { confirmation?: string } = {}) =>
  door.vote({
    runId: run.id,
    digest: run.digest,
    person,
    choice: 'approve',
    reason: why,
    breaksGlass: true,
    ...more,
  });
const count = () => countBrokenGlass({ records: bot.records, clock: { now: () => world.now } });
const eventsOf = async ({ id }: StoredRun) =>
  (await bot.sql('select type, text from tas.run_event where run_id = $1 order by id', [id])).map(
    ({ type, text }) => `${type} ${text}`,
  );
const workflowsOf = ({ id }: StoredRun) =>
  bot.sql('select workflow_uuid from dbos.workflow_status where workflow_uuid = $1', [id]);

describe('an approval by break-glass', () => {
  it('counts ten minutes later, once, however many look, and the run is handed to the workers', async () => {
    const run = await planned({ expiresAt: inMinutes(5) });
    expect(await breakGlass(run, erin)).toMatchObject({ kind: 'counted', decision: 'wait' });
    expect(await eventsOf(run)).toEqual([
      'requested null',
      'voted erin: approve by break-glass',
      `glass-broken erin: ${why}`,
    ]);
    const counts = inMinutes(10);
    expect((await world.run(run.id)).votes).toMatchObject([
      { voter: { id: 'UERIN' }, reason: why, countsFrom: counts.toISOString() },
    ]);
    world.now = new Date(counts.getTime() - 1);
    expect(await bot.records.expireOverdue(world.now)).toBe(0);
    await count();
    expect(await world.run(run.id)).toMatchObject({ status: 'planned' });
    expect(await workflowsOf(run)).toEqual([]);
    world.now = counts;
    await Promise.all(Array.from({ length: 5 }, count));
    expect(await world.run(run.id)).toMatchObject({ status: 'queued' });
    expect(await workflowsOf(run)).toHaveLength(1);
    expect((await eventsOf(run)).filter((event) => event.startsWith('approved'))).toEqual([
      'approved by break-glass, and nobody has said no',
    ]);
  });

  it('comes to nothing when an approver says no meanwhile, be it in the last second', async () => {
    const run = await planned();
    await breakGlass(run, erin);
    world.now = inMinutes(10);
    const no = { runId: run.id, digest: null, person: bob, choice: 'reject', reason: 'not that' } as const;
    expect(await door.vote(no)).toMatchObject({ kind: 'counted', decision: 'rejected' });
    await count();
    expect(await world.run(run.id)).toMatchObject({ status: 'rejected' });
    expect(await workflowsOf(run)).toEqual([]);
  });

  it('comes to nothing when an operator withdraws the run meanwhile', async () => {
    const run = await planned();
    await breakGlass(run, erin);
    await door.control({ runId: run.id, what: 'cancel', person: alice, seen: null });
    world.now = inMinutes(11);
    await count();
    expect(await world.run(run.id)).toMatchObject({ status: 'closed' });
  });

  it('is one vote: where two are needed it starts nothing by itself, and an approver makes up the other', async () => {
    const run = await planned({ votesNeeded: 2 });
    await breakGlass(run, erin);
    world.now = inMinutes(11);
    await count();
    expect(await world.run(run.id)).toMatchObject({ status: 'planned' });
    const yes = { runId: run.id, digest: null, person: bob, choice: 'approve', reason: null } as const;
    expect(await door.vote(yes)).toMatchObject({ kind: 'counted', decision: 'approved' });
  });

  it('is refused to who asked, to a viewer, and to whoever may approve without it', async () => {
    const run = await planned();
    expect(await breakGlass(run, alice)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
    expect(await breakGlass(run, carol)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
    expect(await breakGlass(run, bob)).toMatchObject({ kind: 'refused', code: 'wrong-use' });
    expect(await world.run(run.id)).toMatchObject({ status: 'planned', votes: [] });
  });

  it('is confirmed by a login like any other where that is asked for, and only then begins to count', async () => {
    const store = createConfirmationStore(bot.database);
    const clock = { now: () => world.now };
    const settings = { for: 'changes', publicUrl: 'https://bot.example.com' } as const;
    door = openDoor({ ...doorDeps(), stepUp: createStepUp({ settings, store, clock }) });
    const run = await planned();
    const asked = await breakGlass(run, erin);
    if (asked.kind !== 'to-confirm') throw new Error(JSON.stringify(asked));
    const found = await store.find(hashOf(asked.link.split('/').at(-1) ?? ''));
    expect(found).toMatchObject({ breaksGlass: true, reason: why });
    world.now = inMinutes(3);
    await store.prove(found?.id ?? '', world.now);
    expect(await breakGlass(run, erin, { confirmation: found?.id ?? '' })).toMatchObject({ kind: 'counted' });
    expect((await world.run(run.id)).votes).toMatchObject([{ countsFrom: inMinutes(10).toISOString() }]);
  });
});

describe('who became an approver today', () => {
  const since = (hours: number): Person => ({
    ...bob,
    approverSince: new Date(world.now.getTime() - hours * 60 * minutes).toISOString(),
  });
  const approve = (run: StoredRun, person: Person) =>
    door.vote({ runId: run.id, digest: null, person, choice: 'approve', reason: null });

  it('approves nothing that destroys, says no to it all the same, and approves it the day after', async () => {
    const run = await planned();
    expect(await approve(run, since(23))).toMatchObject({ kind: 'refused', code: 'not-allowed' });
    expect(await world.run(run.id)).toMatchObject({ status: 'planned', votes: [] });
    expect(await approve(run, since(24))).toMatchObject({ kind: 'counted', decision: 'approved' });
    const other = await planned();
    const no = { runId: other.id, digest: null, person: since(1), choice: 'reject', reason: 'wait' } as const;
    expect(await door.vote(no)).toMatchObject({ kind: 'counted', decision: 'rejected' });
  });
});
