import { runCheck } from '../checks/run-check.ts';
import { recordVersion } from '../migrations/kinds.ts';
import {
  judgeOrder,
  judgeRehearsal,
  type RecordedVersion,
  refuseEditedFile,
  systemsToRecord,
} from '../migrations/ledger.ts';
import { type Migration, type MigrationStep, type StepSection, sectionsOf } from '../migrations/migration.ts';
import { Failure } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import { assemblePlan, type StageRequest } from './build-plan.ts';
import { narrowMigration } from './canary.ts';
import type { Environment } from './environment.ts';
import type { Plan } from './plan.ts';
import { backupStage, checkStage, healthStep, isFailed, planStages } from './plan-actions.ts';
import type { StepRequest } from './plan-step.ts';
import { judgeBackupRoom, preflightSystems } from './preflight.ts';

/**
 * A migration: whether its turn has come and what it requires are looked at now; then its backup, its phases in their fixed
 * order, its checks, and the record of the new data-model version; around them what stops services and starts them again. `canary`
 * narrows it to one tenant or user; null = all. `standsStill` = looked at again when `before` has been carried out: without it.
 * Throws `content-changed` where it was applied with another content.
 */
export async function planMigration(
  environment: Environment,
  migrationId: string,
  backupId: string,
  canary: string | null,
  standsStill = false,
): Promise<Plan> {
  const migration = await findMigration(environment, migrationId);
  const narrowed = canary === null ? null : narrowMigration(environment, migration, canary);
  const applied = await environment.ledger.applied(migration.id);
  refuseEditedFile(migration, applied);
  const versions = await readVersions(environment, migration);
  const before = [
    ...judgeOrder(migration, versions, applied),
    ...(await checkRequirements(environment, migration)),
    judgeBackupRoom(await environment.backupRoom()),
    ...judgeRehearsal(await environment.ledger.rehearsal(migration.contentHash), environment.production),
    ...(narrowed?.findings ?? []),
  ];
  const sections = sectionsOf({ ...migration, ...narrowed });
  const phases = sections.filter(({ id }) => id !== 'before' && id !== 'after');
  const requests = [
    ...(standsStill ? [] : sections.filter(({ id }) => id === 'before').map(asStage)),
    backupStage(environment, backupId, 'Back up first'),
    ...phases.map((section) => withHealth(environment, section, phases.length > 1)),
    ...(migration.verify.length > 0 ? [checkStage('validate', 'Validate', migration.verify)] : []),
    // One canary makes no new data model.
    ...(canary === null ? versionStage(migration, versions) : []),
    ...sections.filter(({ id }) => id === 'after').map(asStage),
  ];
  // A plan whose requirements fail is refused: looking at each step would only delay the answer.
  const stages = before.some(isFailed) ? [] : await planStages(environment, requests);
  const preflight = await preflightSystems(
    environment,
    stages.map(({ stage }) => stage),
  );
  return assemblePlan(
    environment,
    {
      action: 'migrate',
      subject: migration.id,
      title: canary === null ? migration.title : `${migration.title}, canary ${canary}`,
      contentHash: migration.contentHash,
      references: migration.references,
      coupled: migration.coupled,
      findings: [...before, ...preflight],
      ...(migration.before && environment.undoAfterMinutes !== undefined
        ? { undoAfterMinutes: environment.undoAfterMinutes }
        : {}),
      about: { ...migration.version, flag: migration.flag ?? null, contact: migration.contact },
      ...(migration.authors?.length ? { alsoAskedBy: migration.authors } : {}),
      canary,
    },
    stages,
  );
}

/** Throws `unknown-migration`, or the migration's problem where this environment cannot carry it out. */
export async function findMigration(environment: Environment, migrationId: string): Promise<Migration> {
  const migrations = await environment.migrations();
  const migration = migrations.get(migrationId);
  if (migration?.problem) throw migration.problem;
  if (migration) return migration;
  throw new Failure({
    code: 'unknown-migration',
    message: `There is no migration ${migrationId}.`,
    advice: `Known are: ${[...migrations.keys()].join(', ') || 'none'}. Nothing was changed.`,
  });
}

const titles = {
  before: 'Stop what writes',
  infrastructure: 'Infrastructure',
  data: 'Data',
  storage: 'Storage',
  services: 'Services',
  frontend: 'Frontend',
  after: 'Start again',
} as const;

function asStage({ id, steps }: StepSection): StageRequest {
  return { id, title: titles[id], steps: steps.map(asRequest) };
}

function asRequest({ with: input, approval, ...step }: MigrationStep): StepRequest {
  return { ...step, input, ownApproval: approval === 'own' };
}

/** Between phases everything that the next one may need must be well: the stores, and what this phase has touched. */
function withHealth(environment: Environment, section: StepSection, gated: boolean): StageRequest {
  const stage = asStage(section);
  if (!gated) return stage;
  const touched = new Set(section.steps.map(({ system }) => system));
  const asked = [...environment.systems.values()].filter(({ name, backup }) => backup || touched.has(name));
  return { ...stage, steps: [...stage.steps, healthStep(asked.map(({ name }) => name))] };
}

/** Every system that can record a version, with what it holds; others have none. */
async function readVersions(environment: Environment, migration: Migration): Promise<RecordedVersion[]> {
  const steps = sectionsOf(migration).flatMap((section) => section.steps);
  const versions: RecordedVersion[] = [];
  for (const [system, { dataModel }] of environment.systems) {
    if (!dataModel) continue;
    const touched = steps.some((step) => step.system === system);
    versions.push({ system, recorded: await dataModel.read(), touched });
  }
  return versions;
}

/** All systems go to the new version together, those without a step too: it is the version of the data as a whole. */
function versionStage(migration: Migration, versions: readonly RecordedVersion[]): StageRequest[] {
  const version = migration.version.to;
  const steps = systemsToRecord(migration, versions).map(({ system, recorded }) => ({
    id: system,
    title: `Record ${version} in ${system}`,
    system: null,
    use: recordVersion,
    input: { system, version, from: recorded as unknown as Json },
  }));
  return steps.length === 0 ? [] : [{ id: 'version', title: 'Record the data-model version', steps }];
}

async function checkRequirements(environment: Environment, migration: Migration): Promise<Finding[]> {
  const checks = await environment.checks();
  const findings: Finding[] = [];
  for (const id of migration.requires) {
    const check = checks.get(id);
    if (!check) {
      throw new Failure({
        code: 'invalid-file',
        message: `${migration.id} requires the check ${id}, which does not exist.`,
        advice: `Known are: ${[...checks.keys()].join(', ')}. Nothing was changed.`,
      });
    }
    const finding = await runCheck(check, environment.systems);
    // A requirement that could not be checked is not met.
    findings.push(finding.status === 'skipped' ? { ...finding, status: 'failed' } : finding);
  }
  return findings;
}
