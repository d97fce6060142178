import type { Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { voteLines } from './approval-card.ts';
import { button, type Tokens } from './button.ts';
import { code, plain } from './escape.ts';
import { progressLine } from './evidence.ts';
import { fitCard } from './fit.ts';
import { type Measure, measureRun } from './measure.ts';
import { actions, context, type Message, section, sections } from './message.ts';
import { sayCount, sayHeadline, statusWords } from './say.ts';

const barLength = 20;

/** The one message of a run while it goes on: phase, bar, counts, rate, time left, and each step's state. */
export function progressCard(run: Run, tokens: Tokens, now: Date): Message {
  const headline = plain(sayHeadline(run));
  const measure = measureRun(run, now);
  const percent = `${Math.floor(measure.fraction * 100)} %`;
  const head = [
    section(`*${headline}*\n${phase(run, measure)}\n${code(bar(measure.fraction))} ${percent}${counts(measure)}`),
  ];
  const tail = [...voteLines(run), context(footnote(run, measure)), ...actions([button('details', tokens)])];
  return fitCard({
    text: `${headline}: ${statusWords[run.status]}, ${percent}`,
    head,
    body: sections(measure.steps.map(progressLine)),
    tail,
  });
}

function bar(fraction: number): string {
  const full = Math.floor(Math.max(0, Math.min(1, fraction)) * barLength);
  return '▓'.repeat(full) + '░'.repeat(barLength - full);
}

function phase(run: Run, measure: Measure): string {
  if (measure.current === null) return statusWords[run.status];
  return `▶ ${plain(measure.current.stage, 80)}: ${plain(measure.current.step.title, 160)}`;
}

function counts(measure: Measure): string {
  if (measure.total === 0) return '';
  const speed = measure.perSecond === null ? '' : ` · ${sayCount(measure.perSecond)}/s`;
  const left = measure.millisecondsLeft === null ? '' : ` · ${sayDuration(measure.millisecondsLeft)} left`;
  return ` · ${sayCount(measure.done)} of ${sayCount(measure.total)}${speed}${left}`;
}

function footnote(run: Run, measure: Measure): string {
  const time = measure.milliseconds === null ? '' : ` · ${sayDuration(measure.milliseconds)} so far`;
  return `${code(run.id)} · ${statusWords[run.status]}${time} · details in the thread`;
}
