import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackupFolder, createBackupFolder } from '../../src/backups/backup-folder.ts';
import { createBackupKinds } from '../../src/backups/kinds.ts';
import { createProveKind } from '../../src/backups/prove-kind.ts';
import { createRemoveKind } from '../../src/backups/remove-kind.ts';
import type { Retention } from '../../src/backups/retention.ts';
import { createCheckKinds } from '../../src/checks/kinds.ts';
import { createMigrationKinds } from '../../src/migrations/kinds.ts';
import type { Migration, MigrationStep } from '../../src/migrations/migration.ts';
import type { Environment } from '../../src/plans/environment.ts';
import type { Action, Plan } from '../../src/plans/plan.ts';
import { newBackupId } from '../../src/plans/plan-actions.ts';
import { carryOut, type Outcome } from '../../src/runs/carry-out.ts';
import type { Door } from '../../src/runs/door.ts';
import type { CarryOutDeps, Durable } from '../../src/runs/execution.ts';
import { createMakePlan, type MakePlan } from '../../src/runs/make-plan.ts';
import { openDoor } from '../../src/runs/open-door.ts';
import type { RunRecords, StoredRun } from '../../src/runs/run-records.ts';
import { settle } from '../../src/runs/settle.ts';
import { createUndoKinds } from '../../src/runs/undo-kinds.ts';
import { digestOf } from '../../src/shared/json.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createMemorySystem, type MemoryRecord, type MemorySystem } from '../../src/systems/memory/memory-system.ts';
import type { Fence } from '../../src/systems/system.ts';
import { newRun } from '../storage/fresh-bot-database.ts';
import { RememberedSteps } from './remembered-steps.ts';

/** One environment with systems in memory, planned and carried out by the real code on real run records. */
export interface SmallWorld {
  readonly environment: Environment;
  readonly people: MemorySystem;
  /** By name, `people` among them. */
  readonly systems: ReadonlyMap<string, MemorySystem>;
  readonly folder: BackupFolder;
  readonly deps: CarryOutDeps;
  readonly door: Door;
  readonly makePlan: MakePlan;
  /** Milliseconds that runs waited or rested, in order; the clock went on by as much. Called at each. */
  readonly slept: number[];
  onSleep: () => Promise<void> | void;
  /** Tokens that the system was told, in order. */
  readonly tokens: number[];
  /** What `advanceFence` fails with, until it is null again. */
  fenceFailure: Error | null;
  now: Date;
  /** Plans and stores a run that waits for a worker. */
  ask(action: Action, subject?: string, change?: (plan: Plan) => Plan): Promise<StoredRun>;
  /** Carries an attempt out over these steps; without them in one go. */
  carryOut(run: StoredRun, durable?: Durable, attempt?: number): Promise<Outcome>;
  run(id: string): Promise<StoredRun>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly records: RunRecords;
  readonly name: string;
  readonly users: readonly MemoryRecord[];
  /** The steps of the one migration, `fill`. */
  readonly steps: readonly MigrationStep[];
  /** Systems beside `people`: records by collection. */
  readonly also?: { readonly [system: string]: { readonly [collection: string]: readonly MemoryRecord[] } };
  readonly migration?: Partial<Pick<Migration, 'references' | 'coupled' | 'flag' | 'before' | 'phases' | 'after'>>;
  readonly shown?: readonly string[];
  readonly undoAfterMinutes?: number;
  /** Which backup sets are kept; absent = there is no rule. */
  readonly keep?: Retention;
}

/** Of the users whose name says so. */
export const deleteGone: MigrationStep = {
  id: 'delete-gone',
  title: 'Delete who is gone',
  system: 'people',
  use: 'memory.delete-records',
  with: { collection: 'User', where: { field: 'name', equals: 'gone' } },
};

export const fillTenants: MigrationStep = {
  id: 'fill',
  title: 'Give users a tenant',
  system: 'people',
  use: 'memory.set-fields',
  with: { collection: 'User', where: { field: 'tenant', equals: null }, set: { tenant: 'tenant_{sequence}' } },
};

/** `u-00001` and so on, without a tenant. */
export function users(count: number): MemoryRecord[] {
  return Array.from({ length: count }, (_, i) => ({ id: `u-${String(i + 1).padStart(5, '0')}`, name: `user ${i}` }));
}

export async function createSmallWorld(options: WorldOptions): Promise<SmallWorld> {
  const { records, name } = options;
  const root = await mkdtemp(join(tmpdir(), 'tas-world-'));
  const seal = createSeal(Buffer.alloc(32, 7));
  const people = createMemorySystem({ name: 'people', seal, records: { User: options.users } });
  const tokens: number[] = [];
  const fenced: MemorySystem = {
    ...people,
    async advanceFence(fence: Fence) {
      if (world.fenceFailure) throw world.fenceFailure;
      tokens.push(fence.token);
      await people.advanceFence(fence);
    },
  };
  const clock = { now: () => world.now };
  const systems = new Map([['people', fenced]]);
  for (const [system, collections] of Object.entries(options.also ?? {}))
    systems.set(system, createMemorySystem({ name: system, seal, records: collections }));
  const folder = createBackupFolder(root, new Secret(Buffer.alloc(32, 9).toString('base64')));
  const checks = async () => new Map();
  const rule = options.keep ?? null;
  const environment: Environment = {
    name,
    production: false,
    channel: 'tas-platform',
    systems,
    ownKinds: [
      ...createBackupKinds({ systems, folder, clock, environment: name, engine: 'test' }),
      createProveKind({ systems, folder, clock, environment: name, look: async () => [] }),
      createRemoveKind({ folder, clock, environment: name, rule: async () => rule }),
      ...createCheckKinds({ systems, checks }),
      ...createUndoKinds({ systems, records }),
      ...createMigrationKinds({ systems, ledger: records.ledger(name, []), clock }),
    ],
    votesRequired: 1,
    expiresMinutes: 60,
    tolerancePercent: 3,
    holdDays: 14,
    ...(options.undoAfterMinutes === undefined ? {} : { undoAfterMinutes: options.undoAfterMinutes }),
    shown: new Set(options.shown),
    rates: () => records.rates(),
    configHash: 'config',
    migrations: async () => new Map([['fill', { ...migrationOf(options.steps), ...options.migration }]]),
    checks,
    ledger: records.ledger(name, []),
    removableSets: async () =>
      rule === null ? null : (await folder.removable(name, rule, clock.now())).map(({ id }) => id),
    backupRoom: async () => ({ free: Number.MAX_SAFE_INTEGER, lastSet: null }),
  };
  const listBackups = (of: string) => folder.listSets(of);
  const makePlan = createMakePlan(records, listBackups, clock);
  const find = async (id: string): Promise<StoredRun> => {
    const run = await records.find(id);
    if (!run) throw new Error(`${id} is not there`);
    return run;
  };
  const world: SmallWorld = {
    folder,
    environment,
    people,
    systems,
    tokens,
    fenceFailure: null,
    slept: [],
    makePlan,
    onSleep: () => undefined,
    door: openDoor({
      environments: new Map([[name, environment]]),
      records,
      makePlan,
      clock,
      listBackups,
      readBackup: (of, id) => folder.readSet(of, id),
    }),
    now: new Date('2026-11-20T10:00:00.000Z'),
    deps: {
      records,
      environments: new Map([[name, environment]]),
      replan: (run, standsStill) => makePlan(environment, { ...run.plan, standsStill }, run.backupId ?? ''),
      settle: (run) => settle(records, listBackups, run),
      clock,
      logger: createLogger('silent'),
      pacing: {
        async sleep(milliseconds) {
          world.slept.push(milliseconds);
          world.now = new Date(world.now.getTime() + milliseconds);
          await world.onSleep();
        },
      },
    },
    async ask(action, subject = action === 'migrate' ? 'fill' : '', change = (plan) => plan) {
      const backupId = newBackupId(clock);
      const plan = change(await makePlan(environment, { action, subject }, backupId));
      const run = newRun({ plan, backupId, queued: true });
      await records.create(run);
      return find(run.id);
    },
    carryOut: (run, durable = new RememberedSteps().execution(), attempt = 1) =>
      carryOut(world.deps, run.id, attempt, durable),
    run: find,
    close: () => rm(root, { recursive: true, force: true }),
  };
  return world;
}

function migrationOf(steps: readonly MigrationStep[]): Migration {
  return {
    id: 'fill',
    title: 'Give users a tenant',
    description: '',
    version: { from: '1', to: '2' },
    contact: '#x',
    requires: [],
    phases: { data: steps },
    verify: [],
    references: [],
    coupled: [],
    contentHash: digestOf(steps.map(({ with: input, ...step }) => ({ ...step, input }))),
  };
}
