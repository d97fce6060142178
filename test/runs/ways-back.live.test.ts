import { jest } from '@jest/globals';
import type { Check } from '../../src/checks/check.ts';
import type { MigrationStep } from '../../src/migrations/migration.ts';
import type { Action } from '../../src/plans/plan.ts';
import { holdEnd } from '../../src/plans/plan-release.ts';
import type { Advice } from '../../src/runs/advice.ts';
import type { Person, Refusal, RunRequest } from '../../src/runs/door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { alice, bob, carol, mallory } from '../fake-door.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users, type WorldOptions } from './small-world.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let world: SmallWorld;
let nextWorld = 1;
const worlds: SmallWorld[] = [];
const now = { time: new Date('2026-11-20T10:00:00.000Z') };

beforeAll(async () => {
  // Each look at the clock is a moment later, so that a run's end comes after the set that it took.
  bot = await createBotDatabase({
    now: () => {
      now.time = new Date(now.time.getTime() + 1);
      return now.time;
    },
  });
});
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});
afterAll(() => bot.drop());

const books = Array.from({ length: 10 }, (_, i) => ({ id: `b-${i}`, shelf: 'old', tenant: `tenant_old_${i}` }));
const moveBooks: MigrationStep = {
  id: 'move',
  title: 'Move the books',
  system: 'library',
  use: 'memory.set-fields',
  with: { collection: 'Book', where: { field: 'shelf', equals: 'old' }, set: { shelf: 'new' } },
};
const dropNames: MigrationStep = {
  id: 'drop',
  title: 'Drop the names',
  system: 'people',
  use: 'memory.drop-field',
  with: { collection: 'User', field: 'name' },
};

async function open(steps: readonly MigrationStep[], over: Partial<WorldOptions> = {}): Promise<SmallWorld> {
  later(0);
  world = await createSmallWorld({
    records: bot.records,
    name: `ways-${nextWorld++}`,
    users: users(20),
    also: { library: { Book: books } },
    steps,
    ...over,
  });
  worlds.push(world);
  later(1);
  return world;
}

/** Time goes on: runs, sets and holds are told apart by it. */
function later(minutes: number): void {
  now.time = new Date((minutes === 0 ? Date.parse('2026-11-20T10:00:00Z') : now.time.getTime()) + minutes * 60_000);
  if (world) world.now = now.time;
}

/** Asks, votes and carries it out, by the real door. */
async function run(action: Action, subject = 'fill', more: Partial<RunRequest> = {}): Promise<StoredRun> {
  const id = await submitted(action, subject, more);
  const vote = await world.door.vote({ runId: id, digest: null, person: bob, choice: 'approve', reason: null });
  expect(vote).toMatchObject({ kind: 'counted', decision: 'approved' });
  await world.carryOut(await world.run(id));
  later(1);
  return world.run(id);
}

async function submitted(action: Action, subject: string, more: Partial<RunRequest> = {}): Promise<string> {
  const environment = world.environment.name;
  const answer = await world.door.submit({ action, subject, environment, person: alice, reason: null, ...more });
  if (answer.kind !== 'accepted') throw new Error(`${answer.kind}: ${'message' in answer ? answer.message : ''}`);
  return answer.run.id;
}

async function refusal(action: Action, subject: string, more: Partial<RunRequest> = {}): Promise<Refusal> {
  const environment = world.environment.name;
  const answer = await world.door.submit({ action, subject, environment, person: alice, reason: null, ...more });
  if (answer.kind !== 'refused') throw new Error(`it was ${answer.kind}`);
  return answer;
}

async function advise(runId: string): Promise<Advice> {
  const advice = await world.door.advise(runId, alice);
  if ('kind' in advice) throw new Error(advice.message);
  return advice;
}

const system = (name: string) => world.systems.get(name) ?? world.people;
const tables = ['run', 'vote', 'run_event', 'run_step', 'environment_lease', 'undo_hold', 'system_seen', 'button'];

/** Everything that the bot and the stores hold, as hashes. */
async function everything(): Promise<unknown> {
  const rows = await Promise.all(
    tables.map((table) =>
      bot.sql(`select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as h from tas.${table} t`),
    ),
  );
  const stores = [...world.systems.values()].map(async (each) => ({
    fingerprint: await each.fingerprint(),
    dataModel: await each.dataModel.read(),
  }));
  return { rows, stores: await Promise.all(stores) };
}

describe('a plan that is only looked at', () => {
  it('says all that a request would do, and writes nothing anywhere', async () => {
    await open([fillTenants, moveBooks, dropNames], { migration: { flag: 'new-shelves' } });
    const before = await everything();
    const environment = world.environment.name;
    const preview = await world.door.plan({ environment, subject: 'fill', person: carol });
    if ('kind' in preview) throw new Error(preview.message);
    expect(preview).toMatchObject({ votesNeeded: 1, refused: false });
    expect(preview.plan).toMatchObject({
      about: { from: '1', to: '2', flag: 'new-shelves', contact: '#x' },
      holdDays: 14,
      canary: null,
      undoClass: 'reversible-until',
    });
    const steps = preview.plan.stages.flatMap((stage) => stage.steps).filter((step) => step.system !== null);
    expect(steps.map(({ id, count, exact, undoClass }) => [id, count, exact, undoClass])).toEqual([
      ['data.fill', 20, true, 'reversible'],
      ['data.move', 10, true, 'reversible'],
      ['data.drop', 20, true, 'reversible-until'],
    ]);
    expect(steps.every((step) => step.samples.length === 5 && step.estimate !== null)).toBe(true);
    expect(JSON.stringify(steps.map((step) => step.samples))).not.toContain('user 1');
    expect(await everything()).toEqual(before);
  });

  it('is shown with its findings where asking would be refused, and refused to people without a role', async () => {
    await open([fillTenants]);
    const environment = world.environment.name;
    const checked = { ...(await world.environment.migrations()).get('fill'), requires: ['none-old'] };
    const noOldBooks: Check = {
      id: 'none-old',
      title: 'No old books',
      advice: 'Move them.',
      severity: 'failed',
      standing: false,
      system: 'library',
      violations: 'Book where shelf = "old"',
    };
    Object.assign(world.environment, {
      migrations: async () => new Map([['fill', checked]]),
      checks: async () => new Map([[noOldBooks.id, noOldBooks]]),
    });
    const before = await everything();
    const preview = await world.door.plan({ environment, subject: 'fill', person: carol });
    expect(preview).toMatchObject({ refused: true });
    expect('kind' in preview ? [] : preview.plan.findings).toContainEqual(
      expect.objectContaining({ check: 'none-old', status: 'failed', count: 10 }),
    );
    expect(await world.door.plan({ environment, subject: 'fill', person: mallory })).toMatchObject({
      kind: 'refused',
      code: 'not-allowed',
    });
    expect(await world.door.plan({ environment, subject: 'nothing', person: carol })).toMatchObject({
      kind: 'refused',
      code: 'unknown-migration',
    });
    expect(await everything()).toEqual(before);
  });

  it('is estimated from what earlier runs here took', async () => {
    await open([fillTenants]);
    await run('migrate');
    await bot.sql(
      `update tas.run_step set done = 1000, started_at = $2, ended_at = $3 where step_id = 'data.fill' and run_id in
         (select id from tas.run where environment = $1)`,
      [world.environment.name, '2026-11-20T10:00:00Z', '2026-11-20T10:01:40Z'],
    );
    for (const { id } of users(20)) world.people.put('User', { id });
    const preview = await world.door.plan({ environment: world.environment.name, subject: 'fill', person: carol });
    if ('kind' in preview) throw new Error(preview.message);
    const [fill] = preview.plan.stages.flatMap((stage) => stage.steps).filter(({ id }) => id === 'data.fill');
    // 1,000 records took 100 s, so 20 take 2.
    expect(fill?.estimate).toEqual({ seconds: 2, from: 'measured' });
  });
});

describe('the advice on a way back', () => {
  it('recommends the undo, with what it restores and keeps by reason and system, and changes nothing', async () => {
    await open([fillTenants, moveBooks], { shown: ['User.tenant'] });
    const done = await run('migrate');
    world.people.put('User', { id: 'u-00001', name: 'renamed', tenant: 'mine' });
    world.people.remove('User', 'u-00002');
    system('library').put('Book', { id: 'b-0', shelf: 'window', tenant: 'x' });
    const before = await everything();
    const advice = await advise(done.id);
    expect(await everything()).toEqual(before);
    if (!advice.undo.open) throw new Error('the undo is not open');
    expect(advice.undo).toMatchObject({ restored: 27, kept: 3, heldUntil: null });
    expect(advice.undo.systems).toMatchObject([
      { system: 'library', restored: 9, kept: { counts: { 'changed-since': 1 } } },
      { system: 'people', restored: 18, kept: { counts: { 'changed-since': 1, missing: 1 } } },
    ]);
    expect(advice.undo.systems[1]?.kept.samples).toEqual([
      'User u-00001 tenant: changed-since',
      'User u-00002 tenant: missing',
    ]);
    expect(advice.recommended).toMatchObject({ way: 'undo' });
    const [own] = advice.restores;
    expect(own).toMatchObject({ own: true, loses: 'yes', rewinds: [], set: { id: done.backupId, proven: null } });
    expect(own?.systems).toMatchObject([
      { system: 'people', loses: 'yes', collections: [{ collection: 'User', inSet: 20, now: 19 }], changedSince: 2 },
      { system: 'library', loses: 'yes', collections: [], changedSince: 1, unknown: expect.stringMatching(/in place/) },
    ]);
  });

  it('says that a restore loses nothing only where every store proves it', async () => {
    await open([fillTenants]);
    const done = await run('migrate');
    const [untouched] = (await advise(done.id)).restores;
    expect(untouched?.systems).toMatchObject([
      { system: 'people', loses: 'cannot-tell' },
      { system: 'library', loses: 'no' },
    ]);
    expect(untouched?.loses).toBe('cannot-tell');
    system('library').put('Book', { id: 'b-new' });
    const [written] = (await advise(done.id)).restores;
    expect(written?.systems[1]).toMatchObject({
      loses: 'yes',
      collections: [{ collection: 'Book', inSet: 10, now: 11 }],
      unknown: null,
    });
  });

  it('names later runs that a restore would rewind, and closes the undo that another has to come before', async () => {
    await open([fillTenants]);
    const first = await run('migrate');
    world.people.put('User', { id: 'u-late', name: 'late' });
    const second = await run('migrate');
    const advice = await advise(first.id);
    expect(advice.undo).toMatchObject({ open: false, code: 'conflict' });
    expect(advice.restores[0]).toMatchObject({ rewinds: [second.id], loses: 'yes' });
    expect(advice.recommended).toMatchObject({
      way: 'none',
      reason: expect.stringContaining(`Undo ${second.id} first`),
    });
    const sets = (await advise(second.id)).restores.map(({ set, own }) => [set.id, own]);
    expect(sets).toEqual([
      [second.backupId, true],
      [first.backupId, false],
    ]);
  });

  it('lists what newer records refer to, hidden where the field may not be shown', async () => {
    const references = [
      {
        from: { system: 'library', collection: 'Book', field: 'tenant' },
        to: { system: 'people', collection: 'User', field: 'tenant' },
      },
    ];
    await open([fillTenants], { migration: { references } });
    const done = await run('migrate');
    const tenant = world.people.read('User', 'u-00003')?.tenant as string;
    system('library').put('Book', { id: 'b-new', tenant });
    const advice = await advise(done.id);
    expect(advice.references).toEqual([{ field: references[0]?.to, count: 1, samples: ['•••'] }]);
    expect(advice.undo).toMatchObject({ open: true, systems: [{ kept: { counts: { 'referred-to': 1 } } }] });
  });

  it('looks for newer records once, and reads every record only of stores that the run left alone', async () => {
    const to = { system: 'people', collection: 'User', field: 'tenant' };
    const references = ['tenant', 'shelf'].map((field) => ({
      from: { system: 'library', collection: 'Book', field },
      to,
    }));
    await open([fillTenants], { migration: { references } });
    const done = await run('migrate');
    const read = ['people', 'library'].map((name) => jest.spyOn(system(name), 'fingerprint'));
    const written = jest.spyOn(world.people.journal, 'writtenValues');
    const asked = jest.spyOn(system('library').journal, 'foreignReferences');
    const [own] = (await advise(done.id)).restores;
    expect(own?.systems).toMatchObject([
      { system: 'people', loses: 'cannot-tell' },
      { system: 'library', loses: 'no' },
    ]);
    expect(read.map((each) => each.mock.calls.length)).toEqual([0, 1]);
    expect(written.mock.calls).toEqual([[done.id, 'data.fill', 'tenant']]);
    expect(asked.mock.calls.map(([, , field]) => field)).toEqual(['tenant', 'shelf']);
  });

  it('recommends the restore for what cannot be undone, and says what it loses', async () => {
    await open([{ ...fillTenants, id: 'break', title: 'Forget', use: 'memory.set-fields' }]);
    const done = await run('migrate');
    const plan = JSON.parse(JSON.stringify(done.plan).replaceAll('"undoClass":"reversible"', '"undoClass":"one-way"'));
    await bot.sql('update tas.run set plan = $2 where id = $1', [done.id, JSON.stringify(plan)]);
    const advice = await advise(done.id);
    expect(advice.undo).toMatchObject({ open: false, message: expect.stringContaining('one-way') });
    expect(advice.recommended).toMatchObject({
      way: 'restore',
      setId: done.backupId,
      reason: expect.stringMatching(/loses whatever others wrote since/),
    });
  });

  it('is refused for runs that were undone, that never ran, or that are not there', async () => {
    await open([fillTenants]);
    const id = await submitted('migrate', 'fill');
    expect(await world.door.advise(id, alice)).toMatchObject({ kind: 'refused', code: 'precondition-failed' });
    expect(await world.door.advise('run-0000000000', alice)).toMatchObject({ kind: 'refused' });
    expect(await world.door.advise(id, mallory)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
  });
});

describe('a conflict that is taken all the same', () => {
  const take = (key: string) => ({ takes: [{ system: 'people', collection: 'User', field: 'tenant', key }] });

  it('is undone alone, under a vote of its own, and the undo of that brings the other value back', async () => {
    await open([fillTenants]);
    const done = await run('migrate');
    for (const id of ['u-00001', 'u-00002']) world.people.put('User', { id, name: 'n', tenant: 'mine' });
    expect(await refusal('rollback', done.id, take('u-00001'))).toMatchObject({ code: 'precondition-failed' });
    const undo = await run('rollback', done.id);
    expect(undo).toMatchObject({ status: 'done' });
    expect(world.people.read('User', 'u-00001')?.tenant).toBe('mine');
    const taken = await run('rollback', done.id, take('u-00001'));
    expect(taken).toMatchObject({ status: 'done', failure: null, plan: { takes: take('u-00001').takes } });
    expect(taken.plan.stages.flatMap((stage) => stage.steps)).toMatchObject([{ count: 1, mode: 'undo' }]);
    expect(world.people.read('User', 'u-00001')).toEqual({ id: 'u-00001', name: 'n' });
    expect(world.people.read('User', 'u-00002')?.tenant).toBe('mine');
    expect((await world.run(done.id)).undoneBy).toBe(undo.id);
    expect(await refusal('rollback', done.id, take('u-00001'))).toMatchObject({ code: 'conflict' });
    const back = await run('rollback', taken.id);
    expect(back.status).toBe('done');
    expect(world.people.read('User', 'u-00001')?.tenant).toBe('mine');
    expect((await world.run(done.id)).undoneBy).toBe(undo.id);
  });

  it('is refused where the run wrote no such field of such a record', async () => {
    await open([fillTenants]);
    const done = await run('migrate');
    await run('rollback', done.id);
    expect(await refusal('rollback', done.id, take('u-99999'))).toMatchObject({ code: 'precondition-failed' });
    const other = { takes: [{ system: 'people', collection: 'User', field: 'name', key: 'u-00001' }] };
    expect(await refusal('rollback', done.id, other)).toMatchObject({ code: 'precondition-failed' });
  });
});

describe('the end of a hold', () => {
  it('is refused before its time, needs a vote, gives up what was aside, and ends the undo', async () => {
    await open([dropNames]);
    const done = await run('migrate');
    expect((await advise(done.id)).undo).toMatchObject({ open: true, heldUntil: holdEnd(done.endedAt ?? '', 14) });
    later(13 * 24 * 60);
    expect(await refusal('release', done.id)).toMatchObject({
      code: 'precondition-failed',
      message: expect.stringMatching(/is held until 2026-12-04/),
    });
    const holdsOver = async () => {
      const status = await world.door.status(world.environment.name, carol);
      return 'endedHolds' in status ? status.endedHolds : status;
    };
    expect(await holdsOver()).toEqual([]);
    later(24 * 60);
    expect(await holdsOver()).toMatchObject([{ runId: done.id, since: holdEnd(done.endedAt ?? '', 14) }]);
    const release = await run('release', done.id);
    expect(await holdsOver()).toEqual([]);
    expect(release).toMatchObject({
      status: 'done',
      votesNeeded: 1,
      plan: { action: 'release', undoClass: 'one-way', totals: { destroys: 20 } },
    });
    expect(release.backupId).not.toBeNull();
    expect(world.people.read('User', 'u-00001')).toEqual({ id: 'u-00001' });
    expect(await refusal('rollback', done.id)).toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining(release.id),
      advice: expect.stringMatching(/Restore a backup set/),
    });
    expect(await refusal('release', done.id)).toMatchObject({ code: 'stale' });
    expect((await advise(done.id)).recommended).toMatchObject({ way: 'restore', setId: done.backupId });
  });

  it('can be rewound by a restore, after which the run is superseded', async () => {
    await open([dropNames]);
    const done = await run('migrate');
    later(15 * 24 * 60);
    const release = await run('release', done.id);
    await run('restore', done.backupId ?? '');
    expect(world.people.read('User', 'u-00001')).toMatchObject({ name: 'user 0' });
    expect((await world.run(release.id)).undoneBy).not.toBeNull();
    expect(await refusal('rollback', done.id)).toMatchObject({ code: 'stale' });
  });

  it('has nothing to end for a run that kept nothing aside, or that was undone', async () => {
    await open([fillTenants]);
    const plain = await run('migrate');
    expect(await refusal('release', plain.id)).toMatchObject({ message: expect.stringMatching(/keeps nothing aside/) });
    await open([dropNames]);
    const done = await run('migrate');
    await run('rollback', done.id);
    expect(world.people.read('User', 'u-00001')).toEqual({ id: 'u-00001', name: 'user 0' });
    later(20 * 24 * 60);
    expect(await refusal('release', done.id)).toMatchObject({ code: 'stale' });
  });
});

describe('the way back over several systems', () => {
  const failing: MigrationStep = {
    id: 'break',
    title: 'Break',
    system: 'library',
    use: 'memory.fail-at',
    with: { batch: 0, code: 'disk-full' },
  };

  it('undoes a run that stopped from where it stopped, newest step first, and its undo again', async () => {
    await open([fillTenants, moveBooks, dropNames, failing]);
    const start = await Promise.all([...world.systems.values()].map((each) => each.fingerprint()));
    const parked = await run('migrate');
    expect(parked.status).toBe('parked');
    const stopped = await Promise.all([...world.systems.values()].map((each) => each.fingerprint()));
    const advice = await advise(parked.id);
    expect(advice.recommended.way).toBe('undo');
    const undo = await run('rollback', parked.id);
    expect(undo.status).toBe('done');
    expect(undo.plan.stages.at(-1)?.steps.map(({ undoes }) => undoes?.stepId)).toEqual([
      'data.break',
      'data.drop',
      'data.move',
      'data.fill',
    ]);
    expect(await Promise.all([...world.systems.values()].map((each) => each.fingerprint()))).toEqual(start);
    expect(await world.run(parked.id)).toMatchObject({ status: 'closed', undoneBy: undo.id });
    const again = await run('rollback', undo.id);
    expect(again.status).toBe('done');
    expect(await Promise.all([...world.systems.values()].map((each) => each.fingerprint()))).toEqual(stopped);
    expect((await world.run(parked.id)).undoneBy).toBeNull();
  });

  it('is approved by nobody who wrote the migration, and neither is the undo of that', async () => {
    await open([fillTenants]);
    const done = await run('migrate', 'fill', { alsoAskedBy: ['UDORA'] });
    const dora: Person = { ...bob, id: 'UDORA', name: 'dora' };
    const undo = await submitted('rollback', done.id, {});
    expect((await world.run(undo)).plan.alsoAskedBy).toEqual(['UDORA']);
    const vote = { runId: undo, digest: null, choice: 'approve', reason: null } as const;
    expect(await world.door.vote({ ...vote, person: dora })).toMatchObject({ kind: 'refused', code: 'not-allowed' });
    expect(await world.door.vote({ ...vote, person: bob })).toMatchObject({ kind: 'counted', decision: 'approved' });
    expect(await world.carryOut(await world.run(undo))).toBe('done');
    later(1);
    const again = await world.run(await submitted('rollback', undo, {}));
    expect(again.plan.alsoAskedBy).toEqual(['UDORA']);
  });

  it('is open for a run that was kept as it is', async () => {
    await open([fillTenants, failing]);
    const parked = await run('migrate');
    expect(await world.door.keep(parked.id, alice)).toMatchObject({ status: 'closed' });
    expect((await run('rollback', parked.id)).status).toBe('done');
    expect(world.people.read('User', 'u-00001')).toEqual({ id: 'u-00001', name: 'user 0' });
  });

  it('undoes a run that stands still before a vote of its own, from where it stands', async () => {
    await open([fillTenants, { ...moveBooks, approval: 'own' }]);
    const paused = await run('migrate');
    expect(paused.status).toBe('paused');
    expect((await advise(paused.id)).undo).toMatchObject({ open: true, restored: 20 });
    expect((await run('rollback', paused.id)).status).toBe('done');
    expect(world.people.read('User', 'u-00001')).toEqual({ id: 'u-00001', name: 'user 0' });
    expect(system('library').read('Book', 'b-1')?.shelf).toBe('old');
    expect((await world.run(paused.id)).status).toBe('closed');
  });
});
