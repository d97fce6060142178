import type { PlanStep } from '../src/plans/plan.ts';
import type { Run, StepProgress } from '../src/runs/run.ts';
import { type TimeLeft, timeLeft } from './time-left.ts';

/** One step of a plan with how far it is. */
interface MeasuredStep {
  readonly stage: string;
  readonly step: PlanStep;
  readonly progress: StepProgress;
}

/** How far a run is. Derived from the run and the time, nothing else. */
export interface Measure {
  /** 0 to 1. */
  readonly fraction: number;
  /** Records written, and to be written, by the steps that write. */
  readonly done: number;
  readonly total: number;
  /** Records a second of the step that runs; null while unknown. */
  readonly perSecond: number | null;
  /** Null = nothing is known. */
  readonly left: TimeLeft | null;
  /** Null when no step runs. */
  readonly current: MeasuredStep | null;
  readonly steps: readonly MeasuredStep[];
  /** Left as they are, and gone, as undo found them. */
  readonly kept: number;
  readonly missing: number;
  /** From start to end, or to now; null when it has not started. */
  readonly milliseconds: number | null;
}

export function measureRun(run: Run, now: Date): Measure {
  const byId = new Map(run.steps.map((progress) => [progress.stepId, progress]));
  const steps = run.plan.stages.flatMap((stage) =>
    stage.steps.map((step) => ({ stage: stage.title, step, progress: byId.get(step.id) ?? unbegun(step.id) })),
  );
  const writing = steps.filter(({ step }) => step.effect !== 'reads');
  const total = sum(writing.map(({ step }) => step.count));
  const done = sum(writing.map(({ progress }) => progress.done));
  const weights = steps.map(({ step }) => Math.max(1, step.effect === 'reads' ? 0 : step.count));
  const shares = steps.map(({ step, progress }, index) => (weights[index] ?? 0) * share(step, progress));
  const current = steps.find(({ progress }) => progress.state === 'running') ?? null;
  const perSecond = current === null || run.status !== 'running' ? null : rate(current.progress, now);
  const over = run.status === 'done';
  return {
    fraction: over ? 1 : Math.min(1, sum(shares) / Math.max(1, sum(weights))),
    done,
    total,
    perSecond,
    left: timeLeft(run, now),
    current,
    steps,
    kept: sum(steps.map(({ progress }) => progress.kept)),
    missing: sum(steps.map(({ progress }) => progress.missing)),
    milliseconds: run.startedAt === null ? null : between(run.startedAt, run.endedAt ?? now.toISOString()),
  };
}

function share(step: PlanStep, progress: StepProgress): number {
  if (progress.state === 'done' || progress.state === 'skipped') return 1;
  if (step.effect === 'reads' || step.count === 0) return 0;
  return Math.min(1, (progress.done + progress.kept + progress.missing) / step.count);
}

/** Too short a time says nothing about a rate. */
function rate(progress: StepProgress, now: Date): number | null {
  if (progress.startedAt === null) return null;
  const seconds = between(progress.startedAt, now.toISOString()) / 1000;
  return seconds < 0.5 || progress.done === 0 ? null : progress.done / seconds;
}

function between(from: string, to: string): number {
  return Math.max(0, new Date(to).getTime() - new Date(from).getTime());
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function unbegun(stepId: string): StepProgress {
  return { stepId, state: 'waiting', done: 0, kept: 0, missing: 0, batches: 0, startedAt: null, endedAt: null };
}
