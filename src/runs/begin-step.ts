import { votesNeeded } from '../approvals/policy.ts';
import { capOf, compareSteps } from '../plans/compare-plans.ts';
import type { PlanStep } from '../plans/plan.ts';
import { type PlannedStep, planReleaseStep, planStep } from '../plans/plan-step.ts';
import { Failure, type FailureReport } from '../shared/failure.ts';
import { digestOf, type Json } from '../shared/json.ts';
import { type Halt, readControl } from './before-batch.ts';
import type { Execution } from './execution.ts';
import { patiently } from './patiently.ts';
import type { StepGate } from './run.ts';
import { progressOf, type StepTotals, totalsFrom } from './step-totals.ts';

/** A step that may go on: from where, and how many records it may write at most. */
export interface Begun {
  readonly startedAt: string;
  readonly cap: number | null;
  readonly from: StepTotals;
}

/** What was remembered: older versions remembered the time alone. */
type Remembered = string | Omit<Begun, 'from'> | { readonly halt: Halt };

/**
 * Begins a step, or says why not: somebody asked for a pause, what it would destroy is no longer what was signed, or it waits
 * for a vote of its own. `resumes` = it goes on from where an earlier attempt left it.
 */
export async function beginStep(
  execution: Execution,
  step: PlanStep,
  resumes: boolean,
): Promise<Begun | { readonly halt: Halt }> {
  const { durable, deps, run } = execution;
  const point = execution.points?.get(step.id) ?? null;
  const from = totalsFrom(resumes ? point : null);
  const begun = await durable.step(`${step.id}:begin`, async (): Promise<Remembered> => {
    const { halt } = await readControl(execution);
    if (halt !== null) return { halt };
    const may = await patiently(execution, () => mayBegin(execution, step));
    if ('failed' in may) return { halt: { failed: may.failed } };
    if ('halt' in may.ok) return may.ok;
    const startedAt = point?.startedAt ?? deps.clock.now().toISOString();
    await deps.records.saveStep(run.id, progressOf(step, 'running', from, startedAt, null), from.place);
    await deps.records.event(run.id, 'step-started', step.title, `${run.attempt}:${step.id}:begin`);
    return { startedAt, cap: may.ok.cap };
  });
  const usualCap = capOf(step, execution.environment.tolerancePercent);
  if (typeof begun === 'string') return { startedAt: begun, cap: usualCap, from };
  return 'halt' in begun ? begun : { ...begun, from };
}

type May = { readonly cap: number | null } | { readonly halt: Halt };

/**
 * A step that was begun before is not looked at again: what it has done so far is missing from what it would do now. Its cap
 * still holds over all of its batches.
 */
async function mayBegin(execution: Execution, step: PlanStep): Promise<May> {
  const { deps, environment, run, points } = execution;
  const tolerance = environment.tolerancePercent;
  const own = step.ownApproval && step.effect !== 'reads';
  const wasBegun = points === null ? run.attempt > 1 : points.has(step.id);
  if (wasBegun) {
    const gate = own ? await deps.records.newestGate(run.id, step.id) : null;
    return { cap: capOf(gate?.state === 'approved' ? gate.step : step, tolerance) };
  }
  if (!own && (step.effect !== 'destroys' || step.mode === 'undo')) return { cap: capOf(step, tolerance) };
  const now = await planAgain(execution, step);
  if (own) return mayBeginWithOwnVote(execution, now.step);
  const changes = compareSteps(step, now.step, tolerance);
  return changes.length === 0 ? { cap: capOf(step, tolerance) } : { halt: { failed: moved(step, changes) } };
}

async function planAgain({ environment, run }: Execution, step: PlanStep): Promise<PlannedStep> {
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

async function mayBeginWithOwnVote(execution: Execution, now: PlanStep): Promise<May> {
  const { deps, environment, run } = execution;
  const { tolerancePercent } = environment;
  if (now.effect === 'destroys' && !now.exact) {
    throw new Failure({
      code: 'precondition-failed',
      message: `“${now.title}” destroys, and could not be counted to the end: nobody can sign that.`,
      advice: 'Undo the run, narrow the step down, and ask again. This step has changed nothing.',
    });
  }
  // Nobody needs to sign nothing; the cap keeps it at nothing.
  if (now.count === 0 && now.exact) return { cap: capOf(now, 0) };
  const gate = await deps.records.newestGate(run.id, now.id);
  if (gate !== null && isSigned(execution, gate) && compareSteps(gate.step, now, tolerancePercent).length === 0) {
    return { cap: capOf(gate.step, tolerancePercent) };
  }
  await deps.records.openGate({
    runId: run.id,
    step: now,
    digest: gateDigest(run.id, now),
    votesNeeded: Math.max(1, votesNeeded(now.effect, environment)),
    expiresAt: new Date(deps.clock.now().getTime() + environment.expiresMinutes * 60_000),
  });
  const again = gate?.state === 'approved' ? ', which is no longer what was approved' : '';
  return { halt: { paused: `“${now.title}” needs a vote of its own${again}` } };
}

/** Approved, in time, and as it was stored. */
function isSigned({ deps, run }: Execution, gate: StepGate): boolean {
  return (
    gate.state === 'approved' &&
    deps.clock.now().getTime() < Date.parse(gate.expiresAt) &&
    gateDigest(run.id, gate.step) === gate.digest
  );
}

function gateDigest(runId: string, step: PlanStep): string {
  return digestOf({ run: runId, step: step.id, preview: step } as unknown as Json);
}

function moved(step: PlanStep, changes: readonly string[]): FailureReport {
  return {
    code: 'plan-changed',
    message: `It would no longer destroy what was signed: ${changes.slice(0, 3).join('; ')}.`,
    advice: `“${step.title}” has changed nothing. Undo the run, or keep it as it is, and ask again; or give that step \`approval: own\`.`,
    retryable: true,
  };
}
