import type { Run } from '../src/runs/run.ts';
import { voteLines } from './approval-card.ts';
import { runLink } from './beside.ts';
import { button, type Tokens } from './button.ts';
import { code, mentionUser, plain, ticked } from './escape.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { actions, context, type Message, section } from './message.ts';
import { sayCount, sayHeadline, statusWords } from './say.ts';
import { timelineLine } from './timeline.ts';

const marks: Partial<Record<Run['status'], string>> = {
  done: '✓',
  parked: '✗',
  rejected: '✗',
  expired: '∅',
  voided: '⚠',
};

/** What stays of the run's message when nothing moves any more. */
export function endedCard(run: Run, tokens: Tokens, now: Date): Message {
  const headline = plain(sayHeadline(run));
  const measure = measureRun(run, now);
  const mark = marks[run.status] ?? '∅';
  const done = measure.done > 0 ? ` · ${sayCount(measure.done)} records written` : '';
  const undone = run.undoneBy === null ? '' : ` · undone by ${code(run.undoneBy)}`;
  const stages = run.startedAt === null ? '' : timelineLine(run);
  const timeline = stages === '' ? '' : `\n${stages}`;
  const why = run.failure === null ? '' : `\n${ticked(run.failure.message)} ${ticked(run.failure.advice)}`;
  return fitCard({
    text: `${headline}: ${statusWords[run.status]}`,
    head: [section(`${mark} *${headline}*\n${statusWords[run.status]}${done}${undone}${timeline}${why}`)],
    body: [],
    tail: [
      ...voteLines(run.votes),
      context(`${code(run.id)} · details in the thread`),
      ...actions([button('details', tokens)]),
    ],
  });
}

/** The post when a run ends before it began: it mentions the person who asked. */
export function notStarted(run: Run, link: string | null = null): Message {
  const headline = plain(sayHeadline(run));
  const no = run.votes.find((vote) => vote.choice === 'reject');
  const why =
    run.status === 'rejected' && no !== undefined
      ? `${mentionUser(no.voter.id)} said no${no.reason === null ? '.' : `: “${plain(no.reason, 400)}”`}`
      : run.failure === null
        ? `It is ${statusWords[run.status]}.`
        : `${ticked(run.failure.message)} ${ticked(run.failure.advice)}`;
  return fitCard({
    text: `Not started: ${headline}: ${statusWords[run.status]}`,
    head: [section(`∅ *Not started: ${headline}*\n${mentionUser(run.requester.id)}: ${why}`)],
    body: [],
    tail: [context(`${runLink(run.id, link)} · nothing was changed`)],
  });
}
