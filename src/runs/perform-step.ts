import { findKind } from '../plans/environment.ts';
import { looking, type PlanStep } from '../plans/plan.ts';
import { parseInput } from '../plans/plan-step.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { BatchRequest } from '../systems/system.ts';
import type { Attempt } from './attempt.ts';
import { beforeBatch, type Halt } from './before-batch.ts';
import { type Begun, beginStep } from './begin-step.ts';
import type { StepPlace } from './control-records.ts';
import { type Execution, stepContext } from './execution.ts';
import { patiently } from './patiently.ts';
import { performBatch } from './perform-batch.ts';
import { hashLeft } from './plan-again.ts';
import { progressOf, type StepTotals } from './step-totals.ts';
import { targetMs } from './throttle.ts';

const firstSize = 2_000;
const leastSize = 100;
/** More are not faster, but hold locks for longer, and stop this process for longer while they are taken in. */
const mostSize = 5_000;
/** Milliseconds between progress events of a process: more often than this nobody looks. */
const progressPause = 1_000;

interface BatchOutcome {
  readonly cursor: Json;
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  readonly note?: string;
  readonly ms: number;
  /** Absent in what older versions remembered. */
  readonly pace?: number;
}

/**
 * Carries one step of a plan out, batch by batch, each a durable step, from where an earlier attempt left it. Answers why it
 * did not come to its end, or null.
 */
export async function performStep(execution: Execution, step: PlanStep, resumes: boolean): Promise<Halt | null> {
  const { durable, deps, run } = execution;
  const begun = await beginStep(execution, step, resumes);
  if ('halt' in begun) return begun.halt;
  const totals: StepTotals = { ...begun.from };
  const halt = (await performBatches(execution, step, begun, totals)) ?? (await verifyStep(execution, step));
  if (halt !== null && !('failed' in halt)) return halt;
  await durable.step(`${step.id}:${halt === null ? 'done' : 'failed'}`, async () => {
    const state = halt === null ? 'done' : 'failed';
    const now = deps.clock.now().toISOString();
    await deps.records.saveStep(run.id, progressOf(step, state, totals, begun.startedAt, now), totals.place);
    await deps.records.event(
      run.id,
      halt === null ? 'step-done' : 'step-failed',
      halt?.failed.message ?? step.title,
      `${run.attempt}:${step.id}:end`,
    );
  });
  return halt;
}

async function performBatches(
  execution: Execution,
  step: PlanStep,
  begun: Begun,
  totals: StepTotals,
): Promise<Halt | null> {
  // After the last batch of an earlier attempt: only what follows the batches is left.
  if (totals.batches > 0 && totals.place?.cursor === null) return null;
  let size = firstSize;
  let lastMs = 0;
  for (let index = totals.batches; ; index += 1) {
    const batch: BatchRequest = { index, cursor: totals.place?.cursor ?? null, done: totals.done, size };
    const result = await execution.durable.step(
      `${step.id}#${index}`,
      async (): Promise<Attempt<BatchOutcome> | Halted> => {
        const { halt, pace } = await beforeBatch(execution, step, lastMs);
        if (halt !== null) return halted(execution, step, begun, totals, halt);
        return patiently(execution, () => oneBatch(execution, step, begun, batch, { ...totals }, pace));
      },
    );
    if ('halt' in result) {
      totals.place = result.place;
      return result.halt;
    }
    if ('failed' in result) return { failed: result.failed };
    addBatch(totals, result.ok, begun.cap);
    execution.note = result.ok.note ?? null;
    lastMs = result.ok.ms;
    size = nextSize(size, lastMs, targetMs(result.ok.pace ?? 1));
    if (result.ok.cursor === null) return null;
  }
}

interface Halted {
  readonly halt: Halt;
  readonly place: StepPlace | null;
}

/** A step that destroys, halted between two batches, remembers what it had left. */
async function halted(
  execution: Execution,
  step: PlanStep,
  begun: Begun,
  totals: StepTotals,
  halt: Halt,
): Promise<Halted> {
  const { deps, run } = execution;
  const left = totals.place === null || 'gone' in halt ? undefined : await hashLeft(execution, step);
  if (totals.place === null || left === undefined) return { halt, place: totals.place };
  const place = { ...totals.place, left };
  await deps.records.saveStep(run.id, progressOf(step, 'running', totals, begun.startedAt, null), place);
  return { halt, place };
}

async function oneBatch(
  execution: Execution,
  step: PlanStep,
  begun: Begun,
  batch: BatchRequest,
  totals: StepTotals,
  pace: number,
): Promise<BatchOutcome> {
  const started = performance.now();
  const result = await performBatch(execution, step, batch, begun.cap);
  const outcome = { kept: 0, missing: 0, ...result, ms: performance.now() - started, pace };
  addBatch(totals, outcome, begun.cap);
  await reportProgress(execution, step, totals, begun.startedAt);
  return outcome;
}

function addBatch(totals: StepTotals, outcome: BatchOutcome, cap: number | null): void {
  totals.done += outcome.done;
  totals.kept += outcome.kept;
  totals.missing += outcome.missing;
  totals.batches += 1;
  totals.place = { cursor: outcome.cursor, cap };
}

let lastProgress = 0;

async function reportProgress(
  { deps, run }: Execution,
  step: PlanStep,
  totals: StepTotals,
  startedAt: string,
): Promise<void> {
  try {
    await deps.records.saveStep(run.id, progressOf(step, 'running', totals, startedAt, null), totals.place);
    if (performance.now() - lastProgress < progressPause) return;
    lastProgress = performance.now();
    await deps.records.event(run.id, 'progress', null, null);
  } catch (error) {
    // The batch is kept and counted all the same: the next one, or the step's end, tells how far it is.
    deps.logger.warn({ err: error, run: run.id }, 'progress was not told');
  }
}

/** Checks what the step left behind. A validation run reports failed findings, and so does a canary's check; everywhere else they stop the run. */
async function verifyStep(execution: Execution, step: PlanStep): Promise<{ readonly failed: FailureReport } | null> {
  const { deps, durable, run, environment } = execution;
  const kind = findKind(environment, step.system, step.use);
  if (!kind.verify || step.mode !== 'perform') return null;
  const result = await durable.step(`${step.id}:verify`, () =>
    patiently(execution, async () => {
      const findings = (await kind.verify?.(parseInput(kind, step), stepContext(execution, step.id, null))) ?? [];
      await deps.records.addFindings(run.id, findings);
      return findings
        .filter((finding) => finding.status === 'failed')
        .map((finding) => `${finding.title} (${finding.count ?? '?'})`);
    }),
  );
  if ('failed' in result) return { failed: result.failed };
  // Checks look at all records: beside a canary they find what still waits for its turn.
  const beside = (run.plan.canary ?? null) !== null && step.use === 'checks.run';
  if (result.ok.length === 0 || looking.includes(run.plan.action) || beside) return null;
  return {
    failed: {
      code: 'step-failed',
      message: `“${step.title}” left findings: ${result.ok.slice(0, 3).join('; ')}.`,
      advice:
        'The data is as the steps before left it, all of it journaled. Look at the findings; then retry, or undo the run.',
      retryable: true,
    },
  };
}

/** Aims at a second a batch, or at what the pace says. */
export function nextSize(size: number, ms: number, target = 1_000): number {
  if (ms > 2 * target) return Math.max(leastSize, Math.floor(size / 2));
  if (ms < target / 2) return Math.min(mostSize, size * 2);
  return size;
}
