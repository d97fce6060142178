import type { Run } from '../src/runs/run.ts';
import { button, confirm, type Tokens } from './button.ts';
import { bare, code, mentionUser, plain, ticked } from './escape.ts';
import { findingLines } from './findings.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { actions, context, type Message, section, sections } from './message.ts';
import { sayCount, sayHeadline } from './say.ts';
import { clockTime } from './when.ts';

/** A run that stopped: what happened, what is safe, what to do. Without buttons once it is no longer parked. */
export function failureCard(run: Run, tokens: Tokens, now: Date): Message {
  const headline = plain(sayHeadline(run));
  const parked = run.status === 'parked';
  const measure = measureRun(run, now);
  const failed = measure.steps.find(({ progress }) => progress.state === 'failed');
  const where = failed === undefined ? '' : ` at _${plain(failed.step.title, 160)}_`;
  const what = run.failure === null ? 'The reason was not recorded.' : ticked(run.failure.message);
  const advice = run.failure === null ? '' : ticked(run.failure.advice);
  const safe = `${sayCount(measure.done)} of ${sayCount(measure.total)} records are written and journaled; nothing else was begun.`;
  const held = parked
    ? `*${plain(run.environment, 60)}* stays held by this run until it is retried, undone or kept as it is.`
    : 'It is no longer stopped: the run has moved on since.';
  const due =
    parked && run.undoDue !== null
      ? `\n*Unless somebody decides:* services are down, so it undoes itself at ${clockTime(run.undoDue)}; the vote on it covers that.`
      : '';
  const environment = bare(run.environment, 40).toUpperCase();
  return fitCard({
    text: `Stopped: ${headline} — ${run.failure === null ? 'a step failed' : plain(run.failure.message, 200)}`,
    head: [
      section(`✗ *Stopped: ${headline}*\n${mentionUser(run.requester.id)}: it stopped${where}.`),
      section(
        `*What happened:* ${what}\n*What is safe:* ${safe} ${held}${advice === '' ? '' : `\n*What to do:* ${advice}`}${due}`,
      ),
    ],
    body: sections(run.findings.filter((finding) => finding.status === 'failed').flatMap(findingLines)),
    tail: [
      ...(parked ? failureButtons(tokens, environment) : []),
      context(`${code(run.id)}${run.failure === null ? '' : ` · ${code(run.failure.code)}`}`),
    ],
  });
}

function failureButtons(tokens: Tokens, environment: string) {
  const keepText = `The data in ${environment} stays half migrated as it is now, and the environment is free for other runs.`;
  return actions([
    button('retry', tokens, { style: 'primary' }),
    button('undo', tokens),
    button('keep', tokens, {
      style: 'danger',
      confirm: confirm(`Keep ${environment} as it is?`, keepText, 'Keep and stop', 'danger'),
    }),
    button('details', tokens),
  ]);
}
