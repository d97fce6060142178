import type { Run, StepProgress, StepState } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { bare, plain } from './escape.ts';
import { stepMarks } from './say.ts';

/** Characters that stay on two or three lines of a phone. */
const room = 84;
const titleRoom = 22;
const arrow = ' → ';

/** A stage of a run's plan, as far as it is. */
export interface StageState {
  readonly title: string;
  readonly state: StepState;
  /** From its first start to its last end; null until it is done. */
  readonly milliseconds: number | null;
}

/** `✓ before 12 s → ▶ data → · verify`, those around the one that is next; empty where there is only one. */
export function timelineLine(run: Pick<Run, 'plan' | 'steps'>): string {
  const stages = stagesOf(run);
  if (stages.length < 2) return '';
  const { from, until } = fitAround(
    stages.map((stage) => sayStage(stage, bare).length + arrow.length),
    currentOf(stages),
    room,
  );
  return [
    ...(from === 0 ? [] : [`+${from} before`]),
    ...stages.slice(from, until).map((stage) => sayStage(stage, plain)),
    ...(until === stages.length ? [] : [`+${stages.length - until} after`]),
  ].join(arrow);
}

function sayStage({ title, state, milliseconds }: StageState, clean: typeof plain): string {
  const took = milliseconds === null ? '' : ` ${sayDuration(milliseconds)}`;
  return `${stepMarks[state]} ${clean(title, titleRoom)}${took}`;
}

export function stagesOf({ plan, steps }: Pick<Run, 'plan' | 'steps'>): readonly StageState[] {
  const byId = new Map(steps.map((step) => [step.stepId, step]));
  return plan.stages
    .filter((stage) => stage.steps.length > 0)
    .map((stage) => {
      const progress = stage.steps.flatMap(({ id }) => byId.get(id) ?? []);
      const state = stateOf(progress, stage.steps.length);
      return { title: stage.title, state, milliseconds: state === 'done' ? tookOf(progress) : null };
    });
}

function stateOf(progress: readonly StepProgress[], count: number): StepState {
  const many = (...states: readonly StepState[]): number =>
    progress.filter(({ state }) => states.includes(state)).length;
  if (many('failed') > 0) return 'failed';
  if (many('skipped') === count) return 'skipped';
  if (many('done', 'skipped') === count) return 'done';
  return many('running', 'done', 'skipped') > 0 ? 'running' : 'waiting';
}

/** Steps that were skipped have no times. */
function tookOf(progress: readonly StepProgress[]): number | null {
  const starts = progress.flatMap(({ startedAt }) => (startedAt === null ? [] : [Date.parse(startedAt)]));
  const ends = progress.flatMap(({ endedAt }) => (endedAt === null ? [] : [Date.parse(endedAt)]));
  const took = Math.max(...ends) - Math.min(...starts);
  return Number.isFinite(took) ? Math.max(0, took) : null;
}

/** The one that failed, else the first that is not over, else the last. */
function currentOf(stages: readonly StageState[]): number {
  const failed = stages.findIndex(({ state }) => state === 'failed');
  if (failed >= 0) return failed;
  const open = stages.findIndex(({ state }) => state === 'running' || state === 'waiting');
  return open >= 0 ? open : stages.length - 1;
}

/** As many neighbours of one as there is room for, what comes first: `from` is in, `until` is not. */
export function fitAround(
  sizes: readonly number[],
  current: number,
  most: number,
): { readonly from: number; readonly until: number } {
  let from = current;
  let until = current + 1;
  let used = sizes[current] ?? 0;
  const fits = (index: number): boolean => index >= 0 && index < sizes.length && used + (sizes[index] ?? 0) <= most;
  for (;;) {
    const after = fits(until);
    if (after) used += sizes[until++] ?? 0;
    const before = fits(from - 1);
    if (before) used += sizes[--from] ?? 0;
    if (!after && !before) return { from, until };
  }
}
