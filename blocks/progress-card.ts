import type { Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { voteLines, withdrawDialog } from './approval-card.ts';
import { button, confirm, type Tokens } from './button.ts';
import { bare, code, plain } from './escape.ts';
import { progressLine } from './evidence.ts';
import { fitCard } from './fit.ts';
import { type Measure, measureRun } from './measure.ts';
import { actions, type Block, context, type Message, section, sections } from './message.ts';
import { nextOfStart } from './next.ts';
import { sayCount, sayHeadline, standsBeforeStart, statusWords } from './say.ts';
import { sayTimeLeft } from './time-left.ts';
import { timelineLine } from './timeline.ts';

const barLength = 20;

/** The one message of a run while it goes on: phase, bar, counts, rate, time left, and each step's state. */
export function progressCard(run: Run, tokens: Tokens, now: Date): Message {
  const headline = plain(sayHeadline(run));
  const measure = measureRun(run, now);
  const timeline = timelineLine(run);
  const percent = `${Math.floor(measure.fraction * 100)} %`;
  const head = [
    section(
      `*${headline}*\n${phase(run, measure)}\n${code(bar(measure.fraction))} ${percent}${counts(measure)}${timeline === '' ? '' : `\n${timeline}`}${standing(run)}`,
    ),
  ];
  const tail = [...voteLines(run.votes), context(footnote(run, measure)), ...controls(run, tokens)];
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
  if (standsBeforeStart(run)) return 'paused before its start';
  if (run.status === 'queued') return nextOfStart(run);
  if (measure.current === null || run.status === 'paused') return statusWords[run.status];
  return `▶ ${plain(measure.current.stage, 80)}: ${plain(measure.current.step.title, 160)}`;
}

/** Why it does not go on, or soon will not. */
function standing({ status, control }: Run): string {
  const { pause, asked, waits } = control;
  if (status === 'paused') return `\n⏸ *paused:* ${plain(pause ?? 'the reason was not recorded', 400)}`;
  if (status !== 'running') return '';
  const soon = asked === null ? '' : `\n⏸ ${plain(asked.by, 60)} asked to ${asked.what}: at the next batch`;
  return `${soon}${waits === null ? '' : `\n⏳ ${plain(waits, 400)}`}`;
}

/** What people may do with it now; a button without a token is left out. */
function controls(run: Run, tokens: Tokens): Block[] {
  const details = button('details', tokens);
  if (run.status === 'queued') return actions([button('cancel', tokens, { confirm: withdrawDialog(run) }), details]);
  const environment = bare(run.environment, 40).toUpperCase();
  const text = 'It stops at the next batch and keeps the environment. Then it is retried, undone, or kept as it is.';
  const stop = button('stop', tokens, {
    style: 'danger',
    confirm: confirm(`Stop it in ${environment}?`, text, 'Stop', 'danger'),
  });
  if (run.status === 'paused') {
    const resume = run.control.ballot === null ? button('resume', tokens, { style: 'primary' }) : null;
    return actions([resume, stop, button('undo', tokens), details]);
  }
  return actions([button('pause', tokens), button('slower', tokens), button('faster', tokens), stop, details]);
}

function counts(measure: Measure): string {
  const said = sayTimeLeft(measure.left);
  const left = said === '' ? '' : ` · ${said}`;
  if (measure.total === 0) return left;
  const speed = measure.perSecond === null ? '' : ` · ${sayCount(measure.perSecond)}/s`;
  return ` · ${sayCount(measure.done)} of ${sayCount(measure.total)}${speed}${left}`;
}

function footnote(run: Run, measure: Measure): string {
  const time = measure.milliseconds === null ? '' : ` · ${sayDuration(measure.milliseconds)} so far`;
  const { pace } = run.control;
  const speed = pace === 1 ? '' : ` · pace ${pace}`;
  return `${code(run.id)} · ${statusWords[run.status]}${time}${speed} · details in the thread`;
}
