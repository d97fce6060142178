import type { MigrationStep } from '../../src/migrations/migration.ts';
import { planMigration } from '../../src/plans/plan-migration.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from '../runs/small-world.ts';
import { failureOf } from '../systems/contract-subject.ts';
import { type BotDatabase, createBotDatabase } from './fresh-bot-database.ts';

const failing: MigrationStep = {
  id: 'fail',
  title: 'Fail',
  system: 'people',
  use: 'memory.fail-at',
  with: { batch: 0, code: 'step-failed' },
};

let bot: BotDatabase;
let worlds: SmallWorld[] = [];

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterEach(async () => {
  await Promise.all(worlds.map((world) => world.close()));
  worlds = [];
});
afterAll(() => bot.drop());

async function openWorld(name: string, steps: readonly MigrationStep[] = [fillTenants]): Promise<SmallWorld> {
  const world = await createSmallWorld({ records: bot.records, name, users: users(5), steps });
  worlds.push(world);
  return world;
}

async function carryOut(world: SmallWorld, action: 'migrate' | 'rollback', subject?: string): Promise<StoredRun> {
  const run = await world.ask(action, subject);
  await world.carryOut(run);
  return world.run(run.id);
}

const appliedIn = async (name: string): Promise<string[]> =>
  (await bot.records.ledger(name, []).applied('fill')).map(({ runId }) => runId);
const versionIn = async ({ people }: SmallWorld) => people.dataModel.read();

describe('the ledger of applied migrations', () => {
  it('has a run from its first change until it is undone, and again when the undo is undone', async () => {
    const world = await openWorld('ledger-life');
    const waiting = await world.ask('migrate');
    expect(await appliedIn('ledger-life')).toEqual([]);
    await world.carryOut(waiting);
    expect(await world.run(waiting.id)).toMatchObject({ status: 'done', failure: null });
    expect(await bot.records.ledger('ledger-life', []).applied('fill')).toEqual([
      {
        runId: waiting.id,
        contentHash: waiting.plan.contentHash,
        at: (await world.run(waiting.id)).startedAt,
        canary: null,
      },
    ]);
    expect(await versionIn(world)).toMatchObject({ version: '2', runId: waiting.id });
    const undo = await carryOut(world, 'rollback', waiting.id);
    expect(undo).toMatchObject({ status: 'done' });
    expect(await appliedIn('ledger-life')).toEqual([]);
    expect(await versionIn(world)).toBeNull();
    const redo = await carryOut(world, 'rollback', undo.id);
    expect(redo).toMatchObject({ status: 'done' });
    expect(await appliedIn('ledger-life')).toEqual([waiting.id]);
    expect(await versionIn(world)).toMatchObject({ version: '2', runId: waiting.id });
    const ledger = bot.records.ledger('ledger-life', []);
    expect(await ledger.lineage(waiting.id)).toEqual({ origin: waiting.id, undone: false });
    expect(await ledger.lineage(undo.id)).toEqual({ origin: waiting.id, undone: true });
    expect(await ledger.lineage(redo.id)).toEqual({ origin: waiting.id, undone: false });
    expect(await appliedIn('another')).toEqual([]);
  });

  it('has a run that stopped halfway, also when it was given up: its changes stand', async () => {
    const world = await openWorld('ledger-parked', [fillTenants, failing]);
    const run = await carryOut(world, 'migrate');
    expect(run.status).toBe('parked');
    expect(await versionIn(world)).toBeNull();
    expect(await appliedIn('ledger-parked')).toEqual([run.id]);
    await bot.records.move(run.id, 'closed', { type: 'closed', text: null });
    expect(await appliedIn('ledger-parked')).toEqual([run.id]);
  });

  it('has no run that stopped before its first change', async () => {
    const world = await openWorld('ledger-unbegun');
    const run = await world.ask('migrate', undefined, (plan) => ({ ...plan, contentHash: 'another' }));
    await world.carryOut(run);
    expect((await world.run(run.id)).status).toBe('voided');
    expect(await appliedIn('ledger-unbegun')).toEqual([]);
  });

  it('refuses the edited file of a run that stands, and takes it once that is undone', async () => {
    const world = await openWorld('ledger-edited');
    const run = await carryOut(world, 'migrate');
    const { environment } = world;
    const edited = async () => {
      const file = (await environment.migrations()).get('fill');
      return new Map([['fill', { ...(file as NonNullable<typeof file>), contentHash: 'edited' }]]);
    };
    const plan = () => planMigration({ ...environment, migrations: edited }, 'fill', 'bak-1', null);
    expect(await failureOf(plan)).toMatchObject({ code: 'content-changed', message: expect.stringContaining(run.id) });
    await carryOut(world, 'rollback', run.id);
    expect((await plan()).contentHash).toBe('edited');
  });
});

describe('a rehearsal', () => {
  it('is a whole run of the same content that was undone elsewhere, and nothing less', async () => {
    const staging = await openWorld('rehearse-staging');
    const production = bot.records.ledger('rehearse-production', ['rehearse-staging']);
    const run = await carryOut(staging, 'migrate');
    const { contentHash } = run.plan;
    expect(await production.rehearsal(contentHash)).toBeNull();
    const undo = await carryOut(staging, 'rollback', run.id);
    expect(await production.rehearsal(contentHash)).toMatchObject({
      environment: 'rehearse-staging',
      runId: run.id,
      undoneBy: undo.id,
      at: (await staging.run(run.id)).endedAt,
      seconds: expect.any(Number),
      undoSeconds: expect.any(Number),
    });
    expect(await production.rehearsal('another')).toBeNull();
    expect(await bot.records.ledger('rehearse-production', ['other']).rehearsal(contentHash)).toBeNull();
    expect(await bot.records.ledger('rehearse-staging', ['rehearse-staging']).rehearsal(contentHash)).toBeNull();
    await bot.sql(`update tas.run set plan = jsonb_set(plan, '{canary}', '"x"') where id = $1`, [run.id]);
    expect(await production.rehearsal(contentHash)).toBeNull();
  });
});
