import { runCheck } from '../checks/run-check.ts';
import { type Migration, phases } from '../migrations/migration.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import { assemblePlan, type PlanFrame, type PlannedStage, planStage, type StageRequest } from './build-plan.ts';
import type { Environment } from './environment.ts';
import type { Plan } from './plan.ts';

const frame: PlanFrame = {
  action: 'validate',
  subject: '',
  title: '',
  contentHash: '',
  references: [],
  coupled: [],
  findings: [],
};

/** `bak-20261122-231500-4f2a`: sorts by time. */
export function newBackupId(clock: Clock): string {
  const [day, time] = clock.now().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T') as [string, string];
  const suffix = crypto.randomUUID().slice(0, 4);
  return `bak-${day}-${time}-${suffix}`;
}

/** A backup of every system of the environment that can be backed up, as one set. */
export async function planBackup(environment: Environment, backupId: string): Promise<Plan> {
  const stages = await planStages(environment, [backupStage(environment, backupId, 'Back up')]);
  return assemblePlan(environment, { ...frame, action: 'backup', title: 'Back up all stores' }, stages);
}

/** All standing checks. */
export async function planValidation(environment: Environment): Promise<Plan> {
  const checks = [...(await environment.checks()).values()].filter((check) => check.standing).map((check) => check.id);
  const stages = await planStages(environment, [checkStage('validate', 'Validate', checks)]);
  return assemblePlan(environment, { ...frame, action: 'validate', title: 'Validate the data' }, stages);
}

/** A migration: what it requires is checked now, its backup, its phases in their fixed order, its checks. */
export async function planMigration(environment: Environment, migrationId: string, backupId: string): Promise<Plan> {
  const migration = await findMigration(environment, migrationId);
  const requests = [backupStage(environment, backupId, 'Back up first')];
  for (const phase of phases) {
    const steps = migration.phases[phase];
    if (steps)
      requests.push({
        id: phase,
        title: phaseTitles[phase],
        steps: steps.map(({ with: input, approval, ...step }) => ({ ...step, input, ownApproval: approval === 'own' })),
      });
  }
  if (migration.verify.length > 0) requests.push(checkStage('validate', 'Validate', migration.verify));
  const findings = await checkRequirements(environment, migration);
  // A plan whose requirements fail is refused: looking at each step would only delay the answer.
  const stages = findings.some(isFailed) ? [] : await planStages(environment, requests);
  return assemblePlan(
    environment,
    {
      action: 'migrate',
      subject: migration.id,
      title: migration.title,
      contentHash: migration.contentHash,
      references: migration.references,
      coupled: migration.coupled,
      findings,
      about: { ...migration.version, flag: migration.flag ?? null, contact: migration.contact },
    },
    stages,
  );
}

/** Back to a backup set. What is there now is backed up first, as the safety set. */
export async function planRestore(
  environment: Environment,
  set: { readonly id: string; readonly systems: readonly string[] },
  safetyId: string,
): Promise<Plan> {
  // Stores that are referred to come before stores that refer; the configuration lists them in that order.
  const order = [...environment.systems.keys()].filter((name) => set.systems.includes(name));
  const stages = await planStages(environment, [
    backupStage(environment, safetyId, 'Back up what is there now (safety set)'),
    {
      id: 'restore',
      title: 'Restore',
      steps: order.map((system) => ({
        id: system,
        title: `Restore ${system} from ${set.id}`,
        system: null,
        use: 'backup.restore-part',
        input: { setId: set.id, system },
      })),
    },
  ]);
  return assemblePlan(
    environment,
    { ...frame, action: 'restore', subject: set.id, title: `Restore ${set.id}` },
    stages,
  );
}

export async function findMigration(environment: Environment, migrationId: string): Promise<Migration> {
  const migrations = await environment.migrations();
  const migration = migrations.get(migrationId);
  if (migration) return migration;
  throw new Failure({
    code: 'unknown-migration',
    message: `There is no migration ${migrationId}.`,
    advice: `Known are: ${[...migrations.keys()].join(', ') || 'none'}. Nothing was changed.`,
  });
}

const phaseTitles = {
  infrastructure: 'Infrastructure',
  data: 'Data',
  storage: 'Storage',
  services: 'Services',
  frontend: 'Frontend',
} as const;

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

async function planStages(environment: Environment, requests: readonly StageRequest[]): Promise<PlannedStage[]> {
  const stages: PlannedStage[] = [];
  for (const request of requests) stages.push(await planStage(environment, request));
  return stages;
}

export function backupStage(environment: Environment, setId: string, title: string): StageRequest {
  const systems = [...environment.systems.values()].filter((system) => system.backup).map((system) => system.name);
  return {
    id: 'backup',
    title,
    steps: [
      ...systems.map((system) => ({
        id: system,
        title: `Back up ${system}`,
        system: null,
        use: 'backup.take-part',
        input: { setId, system },
      })),
      { id: 'seal', title: 'Sign the backup set', system: null, use: 'backup.seal-set', input: { setId, systems } },
    ],
  };
}

function checkStage(id: string, title: string, checks: readonly string[]): StageRequest {
  const step = {
    id: 'checks',
    title: `Run ${checks.length} checks`,
    system: null,
    use: 'checks.run',
    input: { checks },
  };
  return { id, title, steps: [step] };
}

export function isFailed(finding: Finding): boolean {
  return finding.status === 'failed';
}
