import type { PerformedRun } from '../plans/find-holds.ts';
import type { Run } from './run.ts';

/** What of a run was carried out, wholly or in part. */
export function performedRun(run: Run): PerformedRun {
  const performed = new Set(run.steps.filter((step) => step.state !== 'waiting').map((step) => step.stepId));
  return { id: run.id, plan: run.plan, performed };
}
