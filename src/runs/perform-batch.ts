import { findKind } from '../plans/environment.ts';
import type { PlanStep } from '../plans/plan.ts';
import { parseInput } from '../plans/plan-step.ts';
import { forceOf, isHeldBack } from '../plans/take-conflicts.ts';
import { Failure } from '../shared/failure.ts';
import type {
  BatchRequest,
  BatchResult,
  StepContext,
  StepKind,
  UndoBatchResult,
  UndoContext,
} from '../systems/system.ts';
import { type Execution, stepContext } from './execution.ts';

/** Carries one batch of a step out: performs it, undoes it, or gives up what it kept. `cap` = the hard cap of its records. */
export async function performBatch(
  execution: Execution,
  step: PlanStep,
  batch: BatchRequest,
  cap: number | null,
): Promise<BatchResult | UndoBatchResult> {
  const kind = findKind(execution.environment, step.system, step.use);
  const input = parseInput(kind, step);
  if (step.mode === 'undo') return undoBatch(execution, kind, step, input, batch);
  const context = stepContext(execution, step.id, cap);
  if (step.mode === 'release') return releaseBatch(context, kind, step, input, batch);
  return kind.performBatch(input, batch, context);
}

function undoBatch(
  execution: Execution,
  kind: StepKind,
  step: PlanStep,
  input: unknown,
  batch: BatchRequest,
): Promise<UndoBatchResult> {
  if (!kind.undoBatch || step.undoes === null) {
    throw new Failure({
      code: 'precondition-failed',
      message: `“${step.title}” cannot be undone.`,
      advice: 'Restore the backup set that was taken before it.',
    });
  }
  const { records } = execution.deps;
  const { takes } = execution.run.plan;
  const looksForHolds = !takes || isHeldBack(step);
  const context: UndoContext = {
    ...stepContext(execution, step.id, null),
    undoes: step.undoes,
    coupled: execution.run.plan.coupled,
    held: async (field, values) => (looksForHolds ? records.held(execution.run.id, field, values) : new Set<string>()),
    ...forceOf(takes, step.system),
  };
  return kind.undoBatch(input, batch, context);
}

function releaseBatch(
  context: StepContext,
  kind: StepKind,
  step: PlanStep,
  input: unknown,
  batch: BatchRequest,
): Promise<BatchResult> {
  if (!kind.releaseBatch || step.undoes === null) {
    throw new Failure({
      code: 'precondition-failed',
      message: `“${step.title}” keeps nothing aside.`,
      advice: 'There is nothing to give up; close the run.',
    });
  }
  return kind.releaseBatch(input, batch, { ...context, releases: step.undoes });
}
