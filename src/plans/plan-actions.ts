import { checkHealthKind } from '../checks/health-kind.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import type { System } from '../systems/system.ts';
import { assemblePlan, type PlanFrame, type PlannedStage, planStage, type StageRequest } from './build-plan.ts';
import type { Environment } from './environment.ts';
import type { Plan } from './plan.ts';
import type { StepRequest } from './plan-step.ts';

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

/** Tries a backup set beside the live data. */
export async function planDrill(environment: Environment, setId: string): Promise<Plan> {
  const step = {
    id: 'prove',
    title: `Try ${setId} beside the live data`,
    system: null,
    use: 'backup.prove-set',
    input: { setId },
  };
  const stages = await planStages(environment, [{ id: 'drill', title: 'Try the backup', steps: [step] }]);
  return assemblePlan(environment, { ...frame, action: 'drill', subject: setId, title: `Try ${setId}` }, stages);
}

/** Removes sets that the rule does not keep; nothing is planned where it keeps them all. */
export async function planRetention(environment: Environment): Promise<Plan> {
  const setIds = (await environment.removableSets?.()) ?? null;
  if (setIds === null) {
    throw new Failure({
      code: 'precondition-failed',
      message: `The configuration says not how long backup sets of ${environment.name} are kept.`,
      advice: `Name it: schedules.${environment.name}.keep. Nothing was removed.`,
    });
  }
  const step = {
    id: 'sets',
    title: 'Remove backup sets that are not kept',
    system: null,
    use: 'backup.remove-sets',
    input: { setIds },
  };
  const stages = await planStages(environment, [{ id: 'remove', title: 'Remove old backups', steps: [step] }]);
  return assemblePlan(environment, { ...frame, action: 'retention', title: 'Remove old backup sets' }, stages);
}

/** Looks at the bot itself, as far as it works for this environment. */
export async function planSelfCheck(environment: Environment): Promise<Plan> {
  const step = { id: 'look', title: 'Look at the bot itself', system: null, use: 'bot.self-check', input: {} };
  const stages = await planStages(environment, [{ id: 'self-check', title: 'Self-check', steps: [step] }]);
  return assemblePlan(environment, { ...frame, action: 'self-check', title: 'Check the bot itself' }, stages);
}

/** Back to a backup set. What is there now is backed up first, as the safety set. */
export async function planRestore(
  environment: Environment,
  set: { readonly id: string; readonly systems: readonly string[] },
  safetyId: string,
): Promise<Plan> {
  // Stores that are referred to come before stores that refer; the configuration lists them in that order.
  const inSet = [...environment.systems.values()].filter(({ name }) => set.systems.includes(name));
  const order = inSet.filter((system) => system.restore).map(({ name }) => name);
  const left = inSet.filter((system) => !system.restore);
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
    { ...frame, action: 'restore', subject: set.id, title: `Restore ${set.id}`, findings: left.map(notRestored) },
    stages,
  );
}

/** Something is in the set that cannot be brought back from it. */
function notRestored({ name }: System): Finding {
  return {
    check: `${name}-not-restored`,
    title: `${name} stays as it is: what the set has of it is for comparison`,
    status: 'skipped',
    count: null,
    samples: [],
    advice: 'what holds its data (its database) is restored with the system that it lies in',
  };
}

export async function planStages(environment: Environment, requests: readonly StageRequest[]): Promise<PlannedStage[]> {
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

export function checkStage(id: string, title: string, checks: readonly string[]): StageRequest {
  const step = {
    id: 'checks',
    title: `Run ${checks.length} checks`,
    system: null,
    use: 'checks.run',
    input: { checks },
  };
  return { id, title, steps: [step] };
}

/** Waits until these systems are up. */
export function healthStep(systems: readonly string[]): StepRequest {
  const title = `See that ${systems.length} systems are up`;
  return { id: 'health', title, system: null, use: checkHealthKind, input: { systems, within: '2m' } };
}

export function isFailed(finding: Finding): boolean {
  return finding.status === 'failed';
}
