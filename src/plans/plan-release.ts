import { Failure } from '../shared/failure.ts';
import type { StepKind } from '../systems/system.ts';
import { assemblePlan, type PlannedStage, planStage, stageOf } from './build-plan.ts';
import type { Environment } from './environment.ts';
import { changedSteps, type PerformedRun } from './find-holds.ts';
import type { Plan, PlanStep } from './plan.ts';
import { backupStage } from './plan-actions.ts';
import { type PlannedStep, planReleaseStep } from './plan-step.ts';

const day = 86_400_000;

/** Until when what a run kept aside can be brought back: ISO 8601. A run that is retried or undone ends anew. */
export function holdEnd(endedAt: string, holdDays: number): string {
  return new Date(Date.parse(endedAt) + holdDays * day).toISOString();
}

/** Steps of a run that kept something aside, in the order of the plan. A system that is gone keeps nothing. */
export function stepsWithAside(environment: Environment, run: PerformedRun): PlanStep[] {
  return changedSteps(run).filter(
    (step) =>
      step.mode === 'perform' &&
      step.undoClass === 'reversible-until' &&
      kindsOf(environment, step).some((kind) => kind.name === step.use && kind.previewRelease !== undefined),
  );
}

function kindsOf(environment: Environment, { system }: PlanStep): readonly StepKind[] {
  return system === null ? environment.ownKinds : (environment.systems.get(system)?.kinds ?? []);
}

/**
 * Gives up for good what a run kept aside, after a backup. Throws `precondition-failed` before the hold is over, and where
 * nothing was kept.
 */
export async function planRelease(
  environment: Environment,
  run: PerformedRun & { readonly endedAt: string },
  backupId: string,
  now: Date,
): Promise<Plan> {
  const steps = stepsWithAside(environment, run);
  refuseEarly(environment, run, steps, now);
  const planned: PlannedStep[] = [];
  for (const step of steps) {
    const request = {
      id: `release.${step.id.replaceAll('.', '-')}`,
      title: `Give up what was kept aside: ${step.title}`.slice(0, 160),
      system: step.system,
      use: step.use,
      input: step.input,
    };
    planned.push(await planReleaseStep(environment, request, { runId: run.id, stepId: step.id }));
  }
  const stages: PlannedStage[] = [
    await planStage(environment, backupStage(environment, backupId, 'Back up first')),
    stageOf({ id: 'release', title: 'Give up what was kept aside' }, planned),
  ];
  return assemblePlan(
    environment,
    {
      action: 'release',
      subject: run.id,
      title: `End of the hold of ${run.plan.title} (${run.id})`,
      contentHash: run.plan.contentHash,
      references: [],
      coupled: [],
      findings: [],
    },
    stages,
  );
}

function refuseEarly(
  environment: Environment,
  run: PerformedRun & { readonly endedAt: string },
  steps: readonly PlanStep[],
  now: Date,
): void {
  const until = holdEnd(run.endedAt, environment.holdDays);
  if (steps.length === 0) {
    throw new Failure({
      code: 'precondition-failed',
      message: `${run.id} keeps nothing aside.`,
      advice: 'There is nothing to give up. Nothing was changed.',
    });
  }
  if (now.getTime() >= Date.parse(until)) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `What ${run.id} kept aside is held until ${until.slice(0, 16).replace('T', ' ')} UTC.`,
    advice: `${environment.name} holds it for ${environment.holdDays} days (\`holdDays\`): until then the run can be undone. Nothing was changed.`,
  });
}
