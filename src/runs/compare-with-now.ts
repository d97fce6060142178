import { comparePlans } from '../plans/compare-plans.ts';
import type { PlanStage } from '../plans/plan.ts';
import type { FailureReport } from '../shared/failure.ts';
import { type Attempt, attempt, attemptPatiently } from './attempt.ts';
import type { Execution } from './execution.ts';

/** What has changed since the plan was signed; empty = it may start. */
export function compareWithNow({ deps, run, environment }: Execution): Promise<Attempt<readonly string[]>> {
  return attempt(deps.logger, async () =>
    comparePlans(run.plan, await deps.replan(run, false), environment.tolerancePercent),
  );
}

const stops = ({ id }: PlanStage): boolean => id === 'before';

/** Whether the run stops services first and has not come further: then it is compared once more when all of them stand still. */
export function comparesAgain({ run, points }: Execution): boolean {
  if (run.plan.action !== 'migrate' || !run.plan.stages.some(stops)) return false;
  const later = run.plan.stages.filter((stage) => !stops(stage)).flatMap((stage) => stage.steps);
  return !later.some((step) => step.effect !== 'reads' && points?.has(step.id));
}

/** What was written until everything stood still is in the plan that is made now. Null = it may go on. */
export async function compareStandingStill(execution: Execution): Promise<{ failed: FailureReport } | null> {
  const { deps, run, environment } = execution;
  const left = { ...run.plan, stages: run.plan.stages.filter((stage) => !stops(stage)) };
  const changes = await attemptPatiently(deps.logger, async () =>
    comparePlans(left, await deps.replan(run, true), environment.tolerancePercent),
  );
  if ('failed' in changes) return changes;
  return changes.ok.length === 0 ? null : { failed: movedMeanwhile(changes.ok) };
}

export function changedSince(changes: readonly string[]): FailureReport {
  return {
    code: 'plan-changed',
    message: `It would no longer do what was approved: ${changes.slice(0, 3).join('; ')}.`,
    advice: 'Nothing was changed. Ask for it again: the new plan shows the new numbers and needs a new vote.',
    retryable: false,
  };
}

function movedMeanwhile(changes: readonly string[]): FailureReport {
  return {
    code: 'plan-changed',
    message: `Until everything stood still, the data moved away from what was approved: ${changes.slice(0, 3).join('; ')}.`,
    advice:
      'No data was changed. Undo the run: services start again as they were. Then ask for it again; the new plan shows the new numbers.',
    retryable: true,
  };
}
