import type { PlanStep } from '../plans/plan.ts';
import type { StepPlace, StepPoint } from './control-records.ts';
import type { StepProgress, StepState } from './run.ts';

/** How far a step is, over all attempts. */
export interface StepTotals {
  done: number;
  kept: number;
  missing: number;
  batches: number;
  /** Where the next batch begins; null before the first one. */
  place: StepPlace | null;
}

/** From the start, or from where an earlier attempt stood when that is known. */
export function totalsFrom(point: StepPoint | null): StepTotals {
  if (point === null || point.place === null) return { done: 0, kept: 0, missing: 0, batches: 0, place: null };
  const { done, kept, missing, batches, place } = point;
  return { done, kept, missing, batches, place };
}

export function progressOf(
  step: PlanStep,
  state: StepState,
  totals: StepTotals,
  startedAt: string,
  endedAt: string | null,
): StepProgress {
  const { done, kept, missing, batches } = totals;
  return { stepId: step.id, state, done, kept, missing, batches, startedAt, endedAt };
}
