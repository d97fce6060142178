import { resolve } from 'node:path';
import { configuredApprovers } from './approvals/seniority.ts';
import { type BackupFolder, createBackupFolder } from './backups/backup-folder.ts';
import { createBackupKinds } from './backups/kinds.ts';
import { readChecks } from './checks/check.ts';
import { createCheckKinds } from './checks/kinds.ts';
import type { Config, EnvironmentConfig, RevealSecret } from './config/config.ts';
import { loadSecrets } from './config/load-config.ts';
import { bindPlans } from './maintenance/bind-plan.ts';
import { windowNow } from './maintenance/open-maintenance.ts';
import { createMigrationKinds } from './migrations/kinds.ts';
import { readMigrations } from './migrations/migration-files.ts';
import type { NoticeRecords } from './notices/notice.ts';
import { type OpenDesks, openDesks } from './open-desks.ts';
import { openUpkeep } from './open-upkeep.ts';
import { engineVersion } from './plans/build-plan.ts';
import type { Environment } from './plans/environment.ts';
import type { BackupView, Door, Person } from './runs/door.ts';
import type { CarryOutDeps } from './runs/execution.ts';
import { createMakePlan, type MakePlan } from './runs/make-plan.ts';
import { openDoor as openRunsDoor } from './runs/open-door.ts';
import type { RunRecords } from './runs/run-records.ts';
import { settle } from './runs/settle.ts';
import { undoOverdue } from './runs/undo-by-itself.ts';
import { createUndoKinds } from './runs/undo-kinds.ts';
import { type Clock, systemClock } from './shared/clock.ts';
import { Failure } from './shared/failure.ts';
import { digestOf, type Json } from './shared/json.ts';
import { createLogger, type Logger } from './shared/logger.ts';
import { createSeal } from './shared/sealed.ts';
import type { Outbox } from './slack/outbox.ts';
import { type OpenStepUp, openStepUp } from './step-up/open-step-up.ts';
import { createConfirmationStore } from './storage/confirmation-store.ts';
import { type Database, openDatabase } from './storage/database.ts';
import { createMaintenanceStore } from './storage/maintenance-store.ts';
import { createNoticeStore } from './storage/notice-store.ts';
import { createOutboxStore } from './storage/outbox-store.ts';
import { openRunQueue } from './storage/run-queue-client.ts';
import { createRunStore } from './storage/run-store.ts';
import { createSystem } from './systems/index.ts';
import type { System } from './systems/system.ts';
import { identifyTerminal, recallPerson } from './terminal/identify.ts';

/** Everything that is built once: the only place that puts folders together. */
export interface App extends OpenDesks {
  readonly door: Door;
  readonly outbox: Outbox;
  readonly notices: NoticeRecords;
  readonly reveal: RevealSecret;
  readonly logger: Logger;
  /** For the worker that carries runs out. */
  readonly engine: CarryOutDeps;
  /** Undoes runs that stopped with services down, when their time is over. */
  undoOverdue(): Promise<void>;
  /** Throws `same-server` where the bot's own database lies on a server that it manages: a restore would rewind its memory. */
  refuseSharedServer(): Promise<void>;
  /** Who acts at the terminal: by token, or by name where the configuration trusts names. */
  terminalPerson(name: string | null, token: string | null): Promise<Person>;
  /** A voter as he was last seen, for when Slack is down; null = he may not use the terminal either. */
  recallPerson(voter: Pick<Person, 'id' | 'name'>): Promise<Person | null>;
  /** Null = no approval has to be confirmed. */
  readonly stepUp: OpenStepUp | null;
  close(): Promise<void>;
}

/** Opens the bot's database and describes every environment; stores are connected to when they are first used. */
export async function openApp(config: Config): Promise<App> {
  const logger = createLogger(config.bot.logLevel);
  const reveal = await loadSecrets(config);
  const url = reveal(config.bot.database);
  const database = await openDatabase(url, logger);
  const queue = await openRunQueue(url);
  const clock = systemClock;
  const records = createRunStore({ database, url, queue, clock });
  const outbox = createOutboxStore(database);
  await outbox.saveMembers(configuredApprovers, config.people.approvers.users, clock.now());
  const folder = createBackupFolder(resolve(config.bot.backups), reveal(config.bot.key));
  const environments = createEnvironments({ config, reveal, logger, records, folder, database });
  const listBackups = (environment: string): Promise<readonly BackupView[]> => folder.listSets(environment);
  const windows = createMaintenanceStore(database);
  const plan = bindPlans(createMakePlan(records, listBackups), windows, clock);
  // A store that was down at the start could not say who it is: so every plan asks again.
  const makePlan: MakePlan = async (...asked) => {
    await refuseSharedServer(database, environments);
    return plan(...asked);
  };
  const notices = createNoticeStore({ database, url, clock });
  const shared = { environments, records, makePlan, notices, clock, logger };
  const stepUp = openConfirmations({ config, reveal, database, notices, clock, logger });
  const beside = await openDesks({
    ...shared,
    config,
    queue,
    listBackups,
    reveal,
    database,
    windows,
    stepUp: stepUp?.gate ?? null,
    submit: (request) => door.submit(request),
  });
  const door: Door = openRunsDoor({
    ...shared,
    ...(stepUp === null ? {} : { stepUp: stepUp.gate }),
    listBackups,
    readBackup: (environment, setId) => folder.readSet(environment, setId),
    checklist: beside.checklists.items,
  });
  return {
    door,
    ...beside,
    outbox,
    notices,
    reveal,
    logger,
    engine: {
      ...shared,
      replan: createReplan(environments, makePlan),
      settle: (run) => settle(records, listBackups, run),
      checklists: beside.checklists.gates,
      windowNow: (id) => windowNow(windows, id),
    },
    undoOverdue: () => undoOverdue(shared),
    refuseSharedServer: () => refuseSharedServer(database, environments),
    recallPerson: (voter) => recallPerson(config.people, outbox.members, voter),
    stepUp,
    terminalPerson: (name, token) => identifyTerminal(config.people, outbox.members, name, token),
    async close() {
      const systems = [...environments.values()].flatMap((environment) => [...environment.systems.values()]);
      await Promise.allSettled(systems.map((system) => system.close()));
      await queue.close();
      await database.close();
    },
  };
}

function openConfirmations(deps: {
  readonly config: Config;
  readonly reveal: RevealSecret;
  readonly database: Database;
  readonly notices: NoticeRecords;
  readonly clock: Clock;
  readonly logger: Logger;
}): OpenStepUp | null {
  const settings = deps.config.stepUp;
  if (settings === undefined) return null;
  const store = createConfirmationStore(deps.database);
  return openStepUp({ ...deps, settings, clientSecret: deps.reveal(settings.clientSecret), store });
}

function createReplan(environments: ReadonlyMap<string, Environment>, makePlan: MakePlan): CarryOutDeps['replan'] {
  return (run, standsStill) => {
    const environment = environments.get(run.environment);
    if (!environment) throw new Error(`${run.environment} is gone`);
    return makePlan(environment, { ...run.plan, standsStill }, run.backupId ?? '');
  };
}

async function refuseSharedServer(database: Database, environments: ReadonlyMap<string, Environment>): Promise<void> {
  const own = await database.identity();
  for (const environment of environments.values()) {
    for (const system of environment.systems.values()) {
      if (system.type !== 'postgres' || (await system.identity().catch(() => '')) !== own) continue;
      throw new Failure({
        code: 'same-server',
        message: `The bot's own database is on the server that ${environment.name}/${system.name} manages.`,
        advice: 'Give the bot a PostgreSQL cluster of its own: a restore rewinds whole clusters. Nothing was started.',
      });
    }
  }
}

interface EnvironmentDeps {
  readonly config: Config;
  readonly reveal: RevealSecret;
  readonly logger: Logger;
  readonly records: RunRecords;
  readonly folder: BackupFolder;
  readonly database: Database;
}

function createEnvironments(deps: EnvironmentDeps): ReadonlyMap<string, Environment> {
  const configured = Object.entries(deps.config.environments);
  return new Map(configured.map(([name, settings]) => [name, createEnvironment(name, settings, deps)]));
}

function createEnvironment(name: string, settings: EnvironmentConfig, deps: EnvironmentDeps): Environment {
  const seal = createSeal(Buffer.from(deps.reveal(deps.config.bot.key).reveal(), 'base64'));
  const systems = new Map<string, System>();
  for (const [systemName, config] of Object.entries(settings.systems)) {
    systems.set(systemName, createSystem(systemName, config, { seal, reveal: deps.reveal, logger: deps.logger }));
  }
  const checks = () => readChecks(deps.config.bot.packs, settings.variables);
  const rehearsedIn = Object.entries(deps.config.environments).filter(([, other]) => !other.production);
  const ledger = deps.records.ledger(
    name,
    rehearsedIn.map(([other]) => other),
  );
  const upkeep = openUpkeep({
    ...deps,
    name,
    holdDays: settings.holdDays,
    systems,
    checks,
    environment: () => environment,
  });
  const environment: Environment = {
    name,
    production: settings.production,
    channel: settings.channel,
    systems,
    ownKinds: [
      ...createBackupKinds({
        systems,
        folder: deps.folder,
        clock: systemClock,
        environment: name,
        engine: engineVersion,
      }),
      ...upkeep.kinds,
      ...createCheckKinds({ systems, checks }),
      ...createUndoKinds({ systems, records: deps.records }),
      ...createMigrationKinds({ systems, ledger, clock: systemClock }),
    ],
    votesRequired: settings.approvals.required,
    expiresMinutes: settings.approvals.expiresMinutes,
    tolerancePercent: settings.tolerancePercent,
    holdDays: settings.holdDays,
    stopAfterErrors: settings.stopAfterErrors,
    ...(settings.undoAfterMinutes === undefined ? {} : { undoAfterMinutes: settings.undoAfterMinutes }),
    rates: () => deps.records.rates(),
    shown: new Set(settings.show),
    configHash: digestOf(settings as unknown as Json),
    migrations: () =>
      readMigrations(deps.config.bot.packs, settings.variables, {
        environment: name,
        systems,
        checks: async () => (await checks()).keys(),
      }),
    checks,
    ledger,
    removableSets: upkeep.removableSets,
    backupRoom: upkeep.backupRoom,
  };
  return environment;
}
