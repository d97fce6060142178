import type { Plan, PlanStep } from '../src/plans/plan.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { code, plain } from './escape.ts';
import { findingLines } from './findings.ts';
import { type Measure, measureRun } from './measure.ts';
import { type Block, divider, section, sections } from './message.ts';
import { changedFields, sayBytes, sayCount, sayEffect, stepMarks, undoWords } from './say.ts';

const cardSamples = 3;

/** What a plan would do, system by system: exact counts, samples before → after, undo, locks. */
export function evidence(plan: Plan, samples = cardSamples): Block[] {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const systems = [...new Set(steps.map((step) => step.system))];
  return systems.flatMap((system) => {
    const mine = steps.filter((step) => step.system === system);
    const name = system === null ? '*the bot itself*' : `*${plain(system, 60)}*`;
    return sections([name, ...mine.map(stepLine), ...sampleLines(mine, samples)]);
  });
}

/** What cannot be undone, what is locked, and what was found beforehand. */
export function warnings(plan: Plan): Block[] {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const oneWay = steps.filter((step) => step.effect !== 'reads' && step.undoClass === 'one-way');
  const findings = plan.findings.filter((finding) => finding.status !== 'passed');
  return sections([
    ...(oneWay.length === 0 ? [] : ['⚠ *Cannot be undone:*', ...oneWay.map((step) => `• ${plain(step.title)}`)]),
    ...(findings.length === 0 ? [] : ['*Looked at before:*', ...findings.flatMap((finding) => findingLines(finding))]),
  ]);
}

/** Everything, for the thread and the Details window: also where each step stands. */
export function fullEvidence(run: Parameters<typeof measureRun>[0], now: Date): Block[] {
  const measure = measureRun(run, now);
  return [
    ...sections([`*Steps* · plan ${code(run.digest.slice(0, 12))}`, ...measure.steps.map(progressLine)]),
    divider,
    ...evidence(run.plan, 5),
    ...warnings(run.plan),
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

function stepLine(step: PlanStep): string {
  const undo = step.effect === 'reads' ? '' : ` · ${undoWords[step.undoClass]}`;
  const locks = step.locks.map((lock) => `\n    locks ${plain(lock, 160)}`).join('');
  return `• *${sayEffect(step)}* · ${plain(step.title, 160)}${undo}${locks}`;
}

function sampleLines(steps: readonly PlanStep[], limit: number): string[] {
  const samples = steps.flatMap((step) => step.samples).slice(0, limit);
  return samples.map((sample) => {
    const fields = changedFields(sample).slice(0, 4);
    const changes = fields.map(
      ([field, before, after]) => `${code(field, 60)} ${code(before, 48)} → ${code(after, 48)}`,
    );
    return `    ${plain(sample.collection, 60)} ${code(sample.key, 60)}: ${changes.join(', ')}`;
  });
}

function bytesOf(plan: Plan): number {
  return plan.stages.flatMap((stage) => stage.steps).reduce((total, step) => total + step.bytes, 0);
}

function tookOf(from: string, to: string): string {
  return sayDuration(Math.max(0, new Date(to).getTime() - new Date(from).getTime()));
}
