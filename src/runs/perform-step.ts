import { capOf } from '../plans/compare-plans.ts';
import { findKind } from '../plans/environment.ts';
import type { PlanStep } from '../plans/plan.ts';
import { parseInput } from '../plans/plan-step.ts';
import { forceOf } from '../plans/take-conflicts.ts';
import { Failure, type FailureReport } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { BatchRequest, BatchResult, StepKind, UndoBatchResult, UndoContext } from '../systems/system.ts';
import { attemptPatiently } from './attempt.ts';
import { type Execution, stepContext } from './execution.ts';
import type { StepProgress, StepState } from './run.ts';

const firstSize = 2_000;
const leastSize = 100;
const mostSize = 20_000;
/** Milliseconds between progress events of a process: more often than this nobody looks. */
const progressPause = 1_000;

interface BatchOutcome {
  readonly cursor: Json;
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  readonly ms: number;
}

interface Totals {
  done: number;
  kept: number;
  missing: number;
  batches: number;
}

/** Carries one step of a plan out, batch by batch, each a durable step. Answers why it failed, or null. */
export async function performStep(execution: Execution, step: PlanStep): Promise<FailureReport | null> {
  const { durable, deps, run } = execution;
  const startedAt = await durable.step(`${step.id}:begin`, async () => {
    const now = deps.clock.now().toISOString();
    await deps.records.saveStep(
      run.id,
      progressOf(step, 'running', { done: 0, kept: 0, missing: 0, batches: 0 }, now, null),
    );
    await deps.records.event(run.id, 'step-started', step.title, `${run.attempt}:${step.id}:begin`);
    return now;
  });
  const totals: Totals = { done: 0, kept: 0, missing: 0, batches: 0 };
  const failure = (await performBatches(execution, step, totals, startedAt)) ?? (await verifyStep(execution, step));
  await durable.step(`${step.id}:${failure === null ? 'done' : 'failed'}`, async () => {
    const state = failure === null ? 'done' : 'failed';
    await deps.records.saveStep(run.id, progressOf(step, state, totals, startedAt, deps.clock.now().toISOString()));
    await deps.records.event(
      run.id,
      failure === null ? 'step-done' : 'step-failed',
      failure?.message ?? step.title,
      `${run.attempt}:${step.id}:end`,
    );
  });
  return failure;
}

async function performBatches(
  execution: Execution,
  step: PlanStep,
  totals: Totals,
  startedAt: string,
): Promise<FailureReport | null> {
  let cursor: Json = null;
  let size = firstSize;
  for (let index = 0; ; index += 1) {
    const batch: BatchRequest = { index, cursor, done: totals.done, size };
    const result = await execution.durable.step(`${step.id}#${index}`, () =>
      attemptPatiently(execution.deps.logger, () => performBatch(execution, step, batch, { ...totals }, startedAt)),
    );
    if ('failed' in result) return result.failed;
    totals.done += result.ok.done;
    totals.kept += result.ok.kept;
    totals.missing += result.ok.missing;
    totals.batches += 1;
    size = nextSize(size, result.ok.ms);
    cursor = result.ok.cursor;
    if (cursor === null) return null;
  }
}

async function performBatch(
  execution: Execution,
  step: PlanStep,
  batch: BatchRequest,
  before: Totals,
  startedAt: string,
): Promise<BatchOutcome> {
  const kind = findKind(execution.environment, step.system, step.use);
  const input = parseInput(kind, step);
  const started = performance.now();
  const result =
    step.mode === 'undo'
      ? await undoBatch(execution, kind, step, input, batch)
      : step.mode === 'release'
        ? await releaseBatch(execution, kind, step, input, batch)
        : await kind.performBatch(
            input,
            batch,
            stepContext(execution, step.id, capOf(step, execution.environment.tolerancePercent)),
          );
  const outcome = { kept: 0, missing: 0, ...result, ms: performance.now() - started };
  await reportProgress(
    execution,
    step,
    {
      done: before.done + outcome.done,
      kept: before.kept + outcome.kept,
      missing: before.missing + outcome.missing,
      batches: before.batches + 1,
    },
    startedAt,
  );
  return outcome;
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
  const context: UndoContext = {
    ...stepContext(execution, step.id, null),
    undoes: step.undoes,
    coupled: execution.run.plan.coupled,
    held: (field, values) => records.held(execution.run.id, field, values),
    ...forceOf(execution.run.plan.takes, step.system),
  };
  return kind.undoBatch(input, batch, context);
}

function releaseBatch(
  execution: Execution,
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
  const cap = capOf(step, execution.environment.tolerancePercent);
  return kind.releaseBatch(input, batch, { ...stepContext(execution, step.id, cap), releases: step.undoes });
}

let lastProgress = 0;

async function reportProgress(
  { deps, run }: Execution,
  step: PlanStep,
  totals: Totals,
  startedAt: string,
): Promise<void> {
  try {
    await deps.records.saveStep(run.id, progressOf(step, 'running', totals, startedAt, null));
    if (performance.now() - lastProgress < progressPause) return;
    lastProgress = performance.now();
    await deps.records.event(run.id, 'progress', null, null);
  } catch (error) {
    // The batch is kept and counted all the same: the next one, or the step's end, tells how far it is.
    deps.logger.warn({ err: error, run: run.id }, 'progress was not told');
  }
}

/** Checks what the step left behind. A validation run reports failed findings; everywhere else they stop the run. */
async function verifyStep(execution: Execution, step: PlanStep): Promise<FailureReport | null> {
  const { deps, durable, run, environment } = execution;
  const kind = findKind(environment, step.system, step.use);
  if (!kind.verify || step.mode !== 'perform') return null;
  const result = await durable.step(`${step.id}:verify`, () =>
    attemptPatiently(deps.logger, async () => {
      const findings = (await kind.verify?.(parseInput(kind, step), stepContext(execution, step.id, null))) ?? [];
      await deps.records.addFindings(run.id, findings);
      return findings
        .filter((finding) => finding.status === 'failed')
        .map((finding) => `${finding.title} (${finding.count ?? '?'})`);
    }),
  );
  if ('failed' in result) return result.failed;
  if (result.ok.length === 0 || run.plan.action === 'validate') return null;
  return {
    code: 'step-failed',
    message: `“${step.title}” left findings: ${result.ok.slice(0, 3).join('; ')}.`,
    advice:
      'The data is as the steps before left it, all of it journaled. Look at the findings; then retry, or undo the run.',
    retryable: true,
  };
}

/** Aims at one second a batch. */
export function nextSize(size: number, ms: number): number {
  if (ms > 2_000) return Math.max(leastSize, Math.floor(size / 2));
  if (ms < 500) return Math.min(mostSize, size * 2);
  return size;
}

function progressOf(
  step: PlanStep,
  state: StepState,
  totals: Totals,
  startedAt: string,
  endedAt: string | null,
): StepProgress {
  return { stepId: step.id, state, ...totals, startedAt, endedAt };
}
