import type { PlanStep } from '../src/plans/plan.ts';
import type { Run, StepProgress } from '../src/runs/run.ts';

/** How long something still takes, in milliseconds. */
export interface TimeLeft {
  readonly least: number;
  /** Null = part of it takes nobody knows how long. */
  readonly most: number | null;
}

/** How far from a figure the truth may be, as parts and multiples of it, by where the figure comes from. */
const spreads = {
  /** This run's own rate, over a good part of the step. */
  seen: { least: 0.8, most: 1.3 },
  measured: { least: 0.6, most: 1.6 },
  guessed: { least: 0.25, most: 3 },
} as const;

type Source = keyof typeof spreads;

/** Less says nothing of a rate; a tenth of a step says something of its rest. */
const leastTime = 500;
const goodPart = 0.1;

/**
 * What a run that goes on still takes: its step at the rate that it has shown, the steps to come by their estimates, each as
 * wide as its figure is doubtful. Null = it stands still, is over, or nothing is known.
 */
export function timeLeft(run: Pick<Run, 'status' | 'plan' | 'steps' | 'control'>, now: Date): TimeLeft | null {
  if (run.status !== 'running') return null;
  const progress = new Map(run.steps.map((step) => [step.stepId, step]));
  const all = run.plan.stages
    .flatMap(({ steps }) => steps)
    .map((step) => stepLeft(step, progress.get(step.id) ?? null, now, run.control.pace));
  const sum = all.reduce(add, { least: 0, most: 0 });
  return sum.least === 0 && !sum.most ? null : sum;
}

function add(one: TimeLeft, other: TimeLeft): TimeLeft {
  const most = one.most === null || other.most === null ? null : one.most + other.most;
  return { least: one.least + other.least, most };
}

/** One step's. Slower than usual makes only the late end later, faster only the early end earlier: what a pace does is not measured. */
export function stepLeft(
  step: Pick<PlanStep, 'count' | 'exact' | 'estimate'>,
  progress: Pick<StepProgress, 'state' | 'done' | 'kept' | 'missing' | 'startedAt'> | null,
  now: Date,
  pace: number,
): TimeLeft {
  const state = progress?.state ?? 'waiting';
  if (state === 'done' || state === 'skipped') return { least: 0, most: 0 };
  const began = progress?.startedAt ? Date.parse(progress.startedAt) : Number.NaN;
  const gone = Number.isNaN(began) ? 0 : Math.max(0, now.getTime() - began);
  const handled = progress === null ? 0 : progress.done + progress.kept + progress.missing;
  if (handled > 0 && gone >= leastTime) return bySeen(step, handled, gone);
  if (step.estimate === null) return { least: 0, most: null };
  const { least, most } = spreads[step.exact ? step.estimate.from : 'guessed'];
  const usual = step.estimate.seconds * 1000;
  const latest = (usual * most) / Math.min(1, pace) - gone;
  // It takes longer than anybody thought: then nobody knows.
  return { least: Math.max(0, (usual * least) / Math.max(1, pace) - gone), most: latest > 0 ? latest : null };
}

function bySeen({ count, exact }: Pick<PlanStep, 'count' | 'exact'>, handled: number, gone: number): TimeLeft {
  const rest = (gone * Math.max(0, count - handled)) / handled;
  const source: Source = handled >= count * goodPart ? 'seen' : 'measured';
  const { least, most } = spreads[exact ? source : 'guessed'];
  // What was counted as a lower bound may go on behind it.
  return { least: rest * least, most: !exact && rest === 0 ? null : rest * most };
}

const minute = 60_000;
const hour = 60 * minute;

/** `3–5 min left`, no finer than it is known; empty where nothing can be said. */
export function sayTimeLeft(left: TimeLeft | null): string {
  if (left === null) return '';
  const { size, unit, word } = grainOf(left.most ?? left.least);
  const low = (Math.floor(left.least / size) * size) / unit;
  if (left.most === null) return low === 0 ? '' : `at least ${low} ${word} left`;
  const high = (Math.ceil(left.most / size) * size) / unit;
  if (low === 0) return `under ${high} ${word} left`;
  return low === high ? `about ${high} ${word} left` : `${low}–${high} ${word} left`;
}

/** The longer it is, the coarser. */
function grainOf(milliseconds: number): { readonly size: number; readonly unit: number; readonly word: string } {
  if (milliseconds <= 10 * minute) return { size: minute, unit: minute, word: 'min' };
  if (milliseconds <= hour) return { size: 5 * minute, unit: minute, word: 'min' };
  if (milliseconds <= 3 * hour) return { size: 15 * minute, unit: minute, word: 'min' };
  return { size: hour, unit: hour, word: 'h' };
}
