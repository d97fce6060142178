import type { PlanStep } from '../plans/plan.ts';
import { type PlannedStep, planReleaseStep, planStep } from '../plans/plan-step.ts';
import { Failure } from '../shared/failure.ts';
import { attempt } from './attempt.ts';
import type { Execution } from './execution.ts';

/** What a step would do here and now. Throws `precondition-failed` where something was found that keeps it from beginning. */
export async function planAgain({ environment, run }: Execution, step: PlanStep): Promise<PlannedStep> {
  const { id, title, system, use, input, ownApproval } = step;
  const request = { id, title, system, use, input, ownApproval };
  const planned =
    step.mode === 'release' && step.undoes !== null
      ? await planReleaseStep(environment, request, step.undoes)
      : await planStep(environment, request, run.id);
  const failed = planned.findings.find((finding) => finding.status === 'failed');
  if (failed === undefined) return planned;
  throw new Failure({
    code: 'precondition-failed',
    message: `“${step.title}” cannot begin: ${failed.title}${failed.count === null ? '' : ` (${failed.count})`}.`,
    advice: `${failed.advice ?? 'Mend what was found.'} Then retry; or undo the run.`,
  });
}

/**
 * The keys that a step in the middle of its batches has left to destroy, as a hash, so that it goes on with those and no
 * others. Undefined where that cannot be said, or where nothing is destroyed.
 */
export async function hashLeft(execution: Execution, step: PlanStep): Promise<string | undefined> {
  if (!bindsKeys(step)) return undefined;
  const planned = await attempt(execution.deps.logger, () => planAgain(execution, step));
  return 'ok' in planned && planned.ok.step.exact ? planned.ok.step.keysHash : undefined;
}

/** Whether people signed the very records of the step. */
export function bindsKeys(step: PlanStep): boolean {
  return step.effect === 'destroys' && step.mode !== 'undo';
}
