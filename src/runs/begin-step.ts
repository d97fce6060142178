import { votesNeeded } from '../approvals/policy.ts';
import { capOf, compareSteps } from '../plans/compare-plans.ts';
import type { PlanStep } from '../plans/plan.ts';
import { Failure, type FailureReport } from '../shared/failure.ts';
import { digestOf, type Json } from '../shared/json.ts';
import { attempt } from './attempt.ts';
import { type Halt, readControl } from './before-batch.ts';
import type { StepPoint } from './control-records.ts';
import type { Execution } from './execution.ts';
import { patiently } from './patiently.ts';
import { bindsKeys, planAgain } from './plan-again.ts';
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
    const place = from.place === null ? null : { cursor: from.place.cursor, cap: may.ok.cap };
    await deps.records.saveStep(run.id, progressOf(step, 'running', from, startedAt, null), place);
    await deps.records.event(run.id, 'step-started', step.title, `${run.attempt}:${step.id}:begin`);
    return { startedAt, cap: may.ok.cap };
  });
  const usualCap = capOf(step, execution.environment.tolerancePercent);
  if (typeof begun === 'string') return { startedAt: begun, cap: usualCap, from };
  return 'halt' in begun ? begun : { ...begun, from };
}

type May = { readonly cap: number | null } | { readonly halt: Halt };

async function mayBegin(execution: Execution, step: PlanStep): Promise<May> {
  const { environment, run, points } = execution;
  const own = step.ownApproval && step.effect !== 'reads';
  const usual = { cap: capOf(step, environment.tolerancePercent) };
  // Older versions did not remember how far earlier attempts had come.
  if (points === null && run.attempt > 1) return usual;
  const point = points?.get(step.id);
  if (point !== undefined) return mayGoOn(execution, step, point, own);
  if (!own && !bindsKeys(step)) return usual;
  const now = await planAgain(execution, step);
  if (own) return mayBeginWithOwnVote(execution, now.step, 0);
  const changes = compareSteps(step, now.step, environment.tolerancePercent);
  return changes.length === 0 ? usual : { halt: { failed: moved(changes) } };
}

/**
 * A step that was begun before: what it has done so far is missing from what it would do now. One that destroys goes on with
 * the records that were left, as far as they are known; else with no more of them than were signed.
 */
async function mayGoOn(execution: Execution, step: PlanStep, point: StepPoint, own: boolean): Promise<May> {
  const { deps, environment, run } = execution;
  const gate = own ? await deps.records.newestGate(run.id, step.id) : null;
  const signed = gate?.state === 'approved' ? gate.step : step;
  // Nothing is known to be done: either that is so, or its first batch answers from the journal.
  if (point.place === null) return { cap: capOf(signed, environment.tolerancePercent) };
  const { cap, cursor, left } = point.place;
  if (cursor === null || !bindsKeys(step)) return { cap };
  const planned = await attempt(deps.logger, () => planAgain(execution, step));
  // What was begun may be why it cannot be looked at any more; its own batches know.
  if ('failed' in planned) {
    if (planned.failed.code === 'unreachable') throw new Failure(planned.failed);
    return { cap };
  }
  const now = planned.ok.step;
  const same = left === undefined ? cap === null || now.count + point.done <= cap : left === now.keysHash;
  if (same || now.count === 0) return { cap };
  if (own) return mayBeginWithOwnVote(execution, now, point.done);
  return {
    halt: { failed: moved([`“${step.title}” would go on with other records than those that were left`]) },
  };
}

/** `done` = records that earlier attempts did. */
async function mayBeginWithOwnVote(execution: Execution, now: PlanStep, done: number): Promise<May> {
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
  if (now.count === 0 && now.exact) return { cap: done };
  const gate = await deps.records.newestGate(run.id, now.id);
  if (gate !== null && isSigned(execution, gate) && compareSteps(gate.step, now, tolerancePercent).length === 0) {
    const cap = capOf(gate.step, tolerancePercent);
    return { cap: cap === null ? null : done + cap };
  }
  await deps.records.openGate({
    runId: run.id,
    step: now,
    digest: gateDigest(run.id, now),
    votesNeeded: Math.max(1, votesNeeded(now, environment)),
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

function moved(changes: readonly string[]): FailureReport {
  return {
    code: 'plan-changed',
    message: `It would no longer destroy what was signed: ${changes.slice(0, 3).join('; ')}.`,
    advice: `Nothing more was changed. Undo the run, or keep it as it is, and ask again; or give that step \`approval: own\`.`,
    retryable: true,
  };
}
