import type { PlanStep } from '../src/plans/plan.ts';
import type { Run, StepProgress } from '../src/runs/run.ts';
import { plain } from './escape.ts';
import { sayCount } from './say.ts';
import { when } from './when.ts';

interface Walked {
  readonly step: PlanStep;
  readonly progress: StepProgress | undefined;
}

const most = 6;

/** How far the data of a run that stopped is, by stage: complete, half done, not begun. */
export function dataLines(run: Run): readonly string[] {
  const complete: string[] = [];
  const half: string[] = [];
  const untouched: string[] = [];
  for (const stage of run.plan.stages) {
    const steps = stage.steps.filter(({ effect }) => effect !== 'reads').map((step) => walk(run, step));
    if (steps.length === 0) continue;
    const begun = steps.filter(({ progress }) => progress !== undefined && progress.state !== 'waiting');
    const done = steps.filter(({ progress }) => progress?.state === 'done' || progress?.state === 'skipped');
    const title = plain(stage.title, 60);
    if (done.length === steps.length) complete.push(title);
    else if (begun.length === 0) untouched.push(title);
    else
      half.push(
        `${title} (${
          steps
            .filter((one) => !done.includes(one) && begun.includes(one))
            .slice(0, 3)
            .map(sayHalf)
            .join('; ') || 'between two steps'
        })`,
      );
  }
  return [
    ...(complete.length === 0 ? [] : [`complete: ${list(complete)}`]),
    ...(half.length === 0 ? [] : [`half done: ${list(half)}`]),
    ...(untouched.length === 0 ? [] : [`not begun: ${list(untouched)}`]),
  ];
}

function sayHalf({ step, progress }: Walked): string {
  const far = `${sayCount(progress?.done ?? 0)} of ${step.exact ? '' : '≥ '}${sayCount(step.count)}`;
  const way = step.undoClass === 'one-way' ? '*cannot be undone*' : 'journaled, so undoable';
  return `${plain(step.title, 80)}: ${far}, ${way}`;
}

function list(names: readonly string[]): string {
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return `${names.slice(0, most).join(', ')}${more}`;
}

/** How maintenance mode stands by the run's own steps and by what was seen; null = the run has to do with none. */
export function sayMaintenance(run: Run, seenOn: boolean | null): string | null {
  const set = run.plan.stages
    .flatMap((stage) => stage.steps.map((step) => walk(run, step)))
    .filter(({ step, progress }) => step.use === 'kubernetes.set-maintenance' && progress?.state === 'done')
    .at(-1);
  if (set === undefined) return seenOn === true ? 'on' : null;
  const { input, mode } = set.step;
  const asked = typeof input === 'object' && input !== null && 'on' in input && input.on === true;
  const on = mode === 'undo' ? !asked : asked;
  const at = set.progress?.endedAt ?? null;
  const said = `${on ? 'on' : 'off'}${at === null ? '' : ` since ${when(at)}`}`;
  if (seenOn === null || seenOn === on) return said;
  return `${said}; by now it ${seenOn ? 'is on' : 'is not seen on'}`;
}

function walk(run: Run, step: PlanStep): Walked {
  return { step, progress: run.steps.find(({ stepId }) => stepId === step.id) };
}
