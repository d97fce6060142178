import type { Estimate, Plan, PlanStep } from '../src/plans/plan.ts';
import type { Run, StepState } from '../src/runs/run.ts';
import type { RunStatus } from '../src/runs/run-status.ts';
import { sayDuration } from '../src/shared/duration.ts';
import type { Json } from '../src/shared/json.ts';
import type { FindingStatus } from '../src/systems/finding.ts';
import type { Conflict, Sample, UndoClass } from '../src/systems/system.ts';

/** Words and numbers as people read them, the same in Slack and in a terminal. Nothing here is escaped. */
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const findingMarks: Readonly<Record<FindingStatus, string>> = {
  passed: '✓',
  failed: '✗',
  warning: '⚠',
  skipped: '∅',
};

export const stepMarks: Readonly<Record<StepState, string>> = {
  waiting: '·',
  running: '▶',
  done: '✓',
  failed: '✗',
  skipped: '∅',
};

export const statusWords: Readonly<Record<RunStatus, string>> = {
  planned: 'waits for approval',
  queued: 'about to start',
  running: 'running',
  paused: 'paused, holds the environment',
  done: 'done',
  parked: 'stopped, holds the environment',
  rejected: 'rejected',
  expired: 'expired',
  voided: 'voided: the data had moved',
  closed: 'closed',
};

export const undoWords: Readonly<Record<UndoClass, string>> = {
  reversible: 'undo any time',
  'reversible-until': 'undo for a limited time',
  'one-way': 'NO UNDO',
};

export const conflictWords: Readonly<Record<Conflict['reason'], string>> = {
  'changed-since': 'somebody changed it since',
  'referred-to': 'newer records refer to it',
  'value-taken': 'another record has the value now',
  missing: 'the record is gone',
  coupled: 'kept together with a field that belongs to it',
};

export function sayCount(count: number): string {
  return grouped.format(count);
}

/** `1 vote`, `2 votes`. */
export function sayMany(count: number, what: string): string {
  return `${sayCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `2026-11-20 10:00 UTC`, or the text itself when it is no time. */
export function sayUtc(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Paused before anything of it was begun: then it does not hold its environment. */
export function standsBeforeStart({ status, steps, control }: Pick<Run, 'status' | 'steps' | 'control'>): boolean {
  return status === 'paused' && control.ballot === null && steps.every(({ state }) => state === 'waiting');
}

/** What a run is about, in one or two words. */
export function sayAbout(plan: Pick<Plan, 'action' | 'subject'>): string {
  if (plan.action === 'migrate') return plan.subject;
  if (plan.action === 'rollback') return `rollback of ${plan.subject}`;
  if (plan.action === 'maintenance') return `maintenance mode ${plan.subject}`;
  if (plan.action === 'drill') return `drill of ${plan.subject}`;
  return plan.action === 'release' ? `end of hold of ${plan.subject}` : `${plan.action} ${plan.subject}`.trim();
}

/** `changes 41,203 · destroys 0`, of an undo `restores 17,387 · removes 1,354`; empty for what only reads. */
export function sayTotals(plan: Pick<Plan, 'totals' | 'stages'>): string {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  if (steps.every((step) => step.effect === 'reads')) return '';
  const undone = steps.filter((step) => step.mode === 'undo');
  if (undone.length > 0) return sayUndone(undone);
  return sayCounts(plan.totals, steps);
}

/** `adds 500 · changes 41,203 · destroys 0`, with `≥` where a step was not counted to the end. */
export function sayCounts(totals: Plan['totals'], steps: readonly Pick<PlanStep, 'exact'>[]): string {
  const least = steps.some((step) => !step.exact) ? '≥ ' : '';
  const { adds, changes, destroys } = totals;
  return [
    ...(adds > 0 ? [`adds ${least}${sayCount(adds)}`] : []),
    `changes ${least}${sayCount(changes)}`,
    `destroys ${least}${sayCount(destroys)}`,
  ].join(' · ');
}

/** The undo of an addition removes it; the undo of such an undo brings it back. */
function sayUndone(steps: readonly PlanStep[]): string {
  const removes = (step: PlanStep): boolean => step.effect === 'adds' && !step.undoes?.stepId.startsWith('undo.');
  const sum = (some: readonly PlanStep[]): string => sayCount(some.reduce((total, step) => total + step.count, 0));
  return `restores ${sum(steps.filter((step) => !removes(step)))} · removes ${sum(steps.filter(removes))}`;
}

/** All of it on a phone: `SANDBOX · space-isolation · changes 41,203 · destroys 0 · undo any time · alice`. */
export function sayHeadline(run: Pick<Run, 'environment' | 'plan' | 'requester'>): string {
  const totals = sayTotals(run.plan);
  const undo = totals === '' ? [] : [totals, undoWords[run.plan.undoClass]];
  return [run.environment.toUpperCase(), sayAbout(run.plan), ...undo, run.requester.name].join(' · ');
}

/** `changes 40,000`, `adds ≥ 500`, `reads`. */
export function sayEffect(step: Pick<PlanStep, 'effect' | 'count' | 'exact' | 'mode'>): string {
  const count = `${step.exact ? '' : '≥ '}${sayCount(step.count)}`;
  if (step.effect === 'reads') return 'reads';
  if (step.mode === 'release') return `gives up ${count}`;
  return step.mode === 'undo' ? `undoes ${count}` : `${step.effect} ${count}`;
}

/** `undo any time`, `undo for 14 days`, `NO UNDO`. */
export function sayUndo(undoClass: UndoClass, holdDays: number | undefined): string {
  if (undoClass !== 'reversible-until' || holdDays === undefined) return undoWords[undoClass];
  return `undo for ${holdDays} ${holdDays === 1 ? 'day' : 'days'}`;
}

/** `about 4 min, measured`. */
export function sayEstimate({ seconds, from }: Estimate): string {
  return `about ${sayDuration(Math.max(1, seconds) * 1000)}, ${from}`;
}

/** A value on one line. */
export function sayValue(value: Json | undefined, limit = 40): string {
  if (value === null || value === undefined) return '∅';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** The fields that a sample's step would write, as [field, before, after]. */
export function changedFields(sample: Pick<Sample, 'before' | 'after'>): [string, string, string][] {
  const fields = [...new Set([...Object.keys(sample.before), ...Object.keys(sample.after)])];
  return fields
    .filter((field) => JSON.stringify(sample.before[field] ?? null) !== JSON.stringify(sample.after[field] ?? null))
    .map((field) => [field, sayValue(sample.before[field]), sayValue(sample.after[field])]);
}
