import type { Plan, PlanStep } from '../src/plans/plan.ts';
import { sayBytes } from '../src/shared/bytes-text.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { code, plain } from './escape.ts';
import { openFindingLines } from './findings.ts';
import { planFacts } from './horizon.ts';
import { type Measure, measureRun } from './measure.ts';
import { type Block, divider, section, sections } from './message.ts';
import {
  changedFields,
  conflictWords,
  sayCount,
  sayCounts,
  sayEffect,
  sayEstimate,
  sayUndo,
  stepMarks,
} from './say.ts';

/** How much of a plan is shown. `card`: compact, all steps on one message; `pages`: a few messages; `all`: everything. */
export type Scope = 'card' | 'pages' | 'all';

/** Samples over all steps, and at most by step; above `manySteps` titles are cut. */
const samplesOf: Readonly<Record<Scope, { readonly total: number; readonly each: number }>> = {
  card: { total: 8, each: 3 },
  pages: { total: 48, each: 5 },
  all: { total: Number.POSITIVE_INFINITY, each: 5 },
};
const findingsOf: Readonly<Record<Scope, number>> = { card: 7, pages: 40, all: Number.POSITIVE_INFINITY };
const manySteps = 12;

/** What a plan would do, system by system: totals, exact counts, samples before → after, undo, time, locks. */
export function evidence(plan: Plan, scope: Scope): Block[] {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const systems = [...new Set(steps.map((step) => step.system))];
  const { total, each } = samplesOf[scope];
  const sampled = Math.max(1, steps.filter((step) => step.samples.length > 0).length);
  const samples = Math.min(each, Math.floor(total / sampled));
  const short = scope !== 'all' && steps.length > manySteps;
  return systems.flatMap((system) => {
    const mine = steps.filter((step) => step.system === system);
    const name = system === null ? '*the bot itself*' : `*${plain(system, 60)}*`;
    const totals = totalsOf(mine);
    return sections([
      `${name}${totals === '' ? '' : ` · ${totals}`}`,
      ...mine.flatMap((step) => [stepLine(step, plan.holdDays, short), ...sampleLines(step, samples)]),
    ]);
  });
}

/** One step alone: what it would do now, with samples. */
export function stepEvidence(step: PlanStep, samples: number): Block[] {
  return sections([stepLine(step, undefined, false), ...sampleLines(step, samples)]);
}

/** What cannot be undone, and what was found beforehand. */
export function warnings(plan: Plan, scope: Scope): Block[] {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const oneWay = steps.filter((step) => step.effect !== 'reads' && step.undoClass === 'one-way');
  const named = oneWay.slice(0, scope === 'card' ? 5 : oneWay.length);
  const more = oneWay.length > named.length ? [`… and ${oneWay.length - named.length} more`] : [];
  const findings = openFindingLines(plan.findings, findingsOf[scope], scope === 'card');
  return sections([
    ...(named.length === 0
      ? []
      : ['⚠ *Cannot be undone:*', ...named.map((step) => `• ${plain(step.title, 120)}`), ...more]),
    ...(findings.length === 0 ? [] : ['*Looked at before:*', ...findings]),
  ]);
}

/** The plan as a whole: what it means, what was found, what it does where. */
export function planEvidence(plan: Plan, scope: Scope): Block[] {
  return [...sections(planFacts(plan)), ...warnings(plan, scope), ...evidence(plan, scope)];
}

/** Everything, for the thread and the Details window: also where each step stands. */
export function fullEvidence(run: Parameters<typeof measureRun>[0], now: Date, scope: Scope): Block[] {
  const measure = measureRun(run, now);
  return [
    ...sections([`*Steps* · plan ${code(run.digest.slice(0, 12))}`, ...measure.steps.map(progressLine)]),
    divider,
    ...planEvidence(run.plan, scope),
    section(`journal and logs need about ${sayBytes(bytesOf(run.plan))}`),
  ];
}

export function progressLine({ step, progress }: Measure['steps'][number]): string {
  const mark = stepMarks[progress.state];
  const of = step.effect === 'reads' ? '' : ` ${sayCount(progress.done)} of ${sayCount(step.count)}`;
  const left = [
    ...(progress.kept > 0 ? [`kept ${sayCount(progress.kept)}`] : []),
    ...(progress.missing > 0 ? [`missing ${sayCount(progress.missing)}`] : []),
    ...(progress.startedAt !== null && progress.endedAt !== null ? [tookOf(progress.startedAt, progress.endedAt)] : []),
  ];
  return `${mark} ${plain(step.title, 120)}${progress.state === 'waiting' ? '' : of}${left.map((each) => ` · ${each}`).join('')}`;
}

function totalsOf(steps: readonly PlanStep[]): string {
  if (steps.every((step) => step.effect === 'reads') || steps.some((step) => step.mode !== 'perform')) return '';
  const total = (effect: PlanStep['effect']): number =>
    steps.filter((step) => step.effect === effect).reduce((sum, step) => sum + step.count, 0);
  return sayCounts({ adds: total('adds'), changes: total('changes'), destroys: total('destroys') }, steps);
}

function stepLine(step: PlanStep, holdDays: number | undefined, short: boolean): string {
  const parts = [
    `*${sayEffect(step)}*`,
    plain(step.title, short ? 70 : 160),
    ...(step.effect === 'reads' ? [] : [sayUndo(step.undoClass, holdDays)]),
    ...(step.estimate === null ? [] : [sayEstimate(step.estimate)]),
    ...(step.ownApproval ? ['vote of its own'] : []),
  ];
  const kept = Object.entries(step.kept?.counts ?? {}) as [keyof typeof conflictWords, number][];
  const keeps = kept.map(([reason, count]) => `${sayCount(count)}: ${conflictWords[reason]}`);
  return [
    `• ${parts.join(' · ')}`,
    ...(keeps.length === 0 ? [] : [`    keeps ${keeps.join(', ')}`]),
    ...step.locks.slice(0, short ? 1 : step.locks.length).map((lock) => `    locks ${plain(lock, short ? 80 : 160)}`),
  ].join('\n');
}

/** Records before → after, a line each. */
export function sampleLines(step: PlanStep, limit: number): string[] {
  return step.samples.slice(0, limit).map((sample) => {
    const fields = changedFields(sample).slice(0, 4);
    const changes = fields.map(
      ([field, before, after]) => `${code(field, 60)} ${code(before, 48)} → ${code(after, 48)}`,
    );
    // What a step takes over from an earlier one is not there yet when the plan is made.
    const what = changes.length === 0 ? 'its values come from the steps before' : changes.join(', ');
    return `    ${plain(sample.collection, 60)} ${code(sample.key, 60)}: ${what}`;
  });
}

function bytesOf(plan: Plan): number {
  return plan.stages.flatMap((stage) => stage.steps).reduce((total, step) => total + step.bytes, 0);
}

function tookOf(from: string, to: string): string {
  return sayDuration(Math.max(0, new Date(to).getTime() - new Date(from).getTime()));
}
