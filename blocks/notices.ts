import type { ControlWord, EnvironmentView } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import type { Finding } from '../src/systems/finding.ts';
import { runLink } from './beside.ts';
import { environmentButton } from './button.ts';
import { code, mentionUser, plain, ticked } from './escape.ts';
import { findingLines } from './findings.ts';
import { actions, type Message, section, sections } from './message.ts';
import { nextOfVote } from './next.ts';
import { sayHeadline, standsBeforeStart } from './say.ts';

/** Short answers to the person who asked, seen by nobody else. */
export function submittedMessage(run: Run, votesNeeded: number, channel: string): Message {
  const votes =
    votesNeeded === 0
      ? `It needs no vote and starts ${run.plan.window ? 'in its maintenance window' : 'at once'}.`
      : `It needs ${votesNeeded} ${votesNeeded === 1 ? 'vote' : 'votes'} of others.`;
  const headline = plain(sayHeadline(run));
  return notice(
    `Asked for: ${headline}`,
    `*${headline}*\n${votes} The card is in #${plain(channel, 80)} · ${code(run.id)}`,
  );
}

export function nothingToDoMessage(title: string, findings: readonly Finding[]): Message {
  const text = `Nothing to do: ${plain(title, 200)}`;
  return {
    text,
    blocks: [
      section(`✓ ${text}. The data is already as it would make it.`),
      ...sections(findings.flatMap(findingLines)),
    ],
  };
}

export function votedMessage(
  run: Run,
  choice: 'approve' | 'reject',
  decision: 'wait' | 'approved' | 'rejected',
  link: string | null = null,
): Message {
  const headline = plain(sayHeadline(run));
  const started = run.startedAt !== null;
  const next = {
    wait: `${nextOfVote(run)}.`,
    approved: started ? 'It goes on.' : run.plan.window ? 'It starts in its maintenance window.' : 'It starts now.',
    rejected: started ? 'It stopped there.' : 'It will not start.',
  }[decision];
  const word = choice === 'approve' ? 'You approved' : 'You rejected';
  return notice(`${word}: ${headline}`, `✓ ${word} *${headline}* (${runLink(run.id, link)}). ${next}`);
}

export function retriedMessage(run: Run, link: string | null = null): Message {
  return notice(`Goes on: ${plain(sayHeadline(run))}`, `▶ ${runLink(run.id, link)} goes on from where it stopped.`);
}

/** What was asked of a run while it goes on. */
export function controlledMessage(run: Run, what: ControlWord, link: string | null = null): Message {
  const id = runLink(run.id, link);
  const line = {
    pause: run.status === 'paused' ? `⏸ ${id} stands still.` : `⏸ ${id} pauses at the next batch.`,
    resume: `▶ ${id} goes on.`,
    stop: run.status === 'running' ? `✗ ${id} stops at the next batch.` : `✗ ${id} has stopped.`,
    cancel: `∅ ${id} is withdrawn. Nothing was changed.`,
    slower: `▶ ${id} goes at pace ${run.control.pace} now.`,
    faster: `▶ ${id} goes at pace ${run.control.pace} now.`,
    dispute: `🚨 The channel is told that the vote on ${id} was not yours, and whoever is on call is called. ${standsNow(run)}`,
  }[what];
  return notice(`${what}: ${plain(sayHeadline(run))}`, line);
}

function standsNow({ status }: Run): string {
  if (status === 'closed') return 'The run is withdrawn, nothing was changed.';
  return status === 'running' ? 'The run pauses at the next batch.' : `The run is ${status}.`;
}

/** The post when somebody says that a vote was not theirs. */
export function disputedMessage(run: Run, text: string, link: string | null = null): Message {
  const headline = plain(sayHeadline(run));
  const undo = code(`/tas rollback ${run.id}`);
  return notice(
    `A vote is disputed: ${headline}`,
    `🚨 *A vote is disputed: ${headline}*\n${plain(text, 600)}. Find out who voted before anything goes on; ${undo} shows the ways back. Somebody is called until an operator who had no part in it writes ${code(`/tas oncall settled ${run.id}`)} · ${runLink(run.id, link)}`,
  );
}

/** The post when a run stands still: edits of its card notify nobody. */
export function pausedMessage(run: Run, link: string | null = null): Message {
  const headline = plain(sayHeadline(run));
  const why = plain(run.control.pause ?? 'it goes on by now', 400);
  const environment = plain(run.environment, 60);
  const undo = standsBeforeStart(run) ? '' : `, or ${code(`/tas rollback ${run.id}`)} for the ways back`;
  const held = standsBeforeStart(run) ? `*${environment}* is free meanwhile.` : `*${environment}* stays held.`;
  return notice(
    `Paused: ${headline}`,
    `⏸ *Paused: ${headline}*\n${mentionUser(run.requester.id)}: ${why}. ${held} ${code(`/tas resume ${run.id}`)} or ${code(`/tas stop ${run.id}`)}${undo} · ${runLink(run.id, link)}`,
  );
}

/** The post when nobody is known to carry a run out. */
export function lostMessage(run: Run, text: string, link: string | null = null): Message {
  const headline = plain(sayHeadline(run));
  return notice(
    `Not heard of: ${headline}`,
    `⚠ *Not heard of: ${headline}*\n${plain(text, 1_200)} · ${runLink(run.id, link)}`,
  );
}

export function keptMessage(run: Run, link: string | null = null): Message {
  return notice(
    `Given up: ${plain(sayHeadline(run))}`,
    `∅ ${runLink(run.id, link)} is closed: the data stays as it is, and *${plain(run.environment, 60)}* is free again.`,
  );
}

/** Buttons, one an environment; none is ever chosen for a person. `tokens` in the order of the environments. */
export function chooseEnvironmentMessage(
  words: string,
  environments: readonly EnvironmentView[],
  tokens: readonly string[],
): Message {
  const buttons = environments.map((environment, index) =>
    environmentButton(
      index,
      environment.production ? `${environment.name} (production)` : environment.name,
      tokens[index] ?? '',
    ),
  );
  return {
    text: 'In which environment?',
    blocks: [section(`In which environment? ${code(`/tas ${words} env:…`, 300)}`), ...actions(buttons)],
  };
}

/** In place of the buttons of which one was chosen. */
export function askedMessage(words: string, looks: boolean): Message {
  return notice('Asked', `▶ ${code(`/tas ${words}`, 300)}${looks ? `\n${looksAround}; this writes nothing.` : ''}`);
}

const looksAround = 'Looking at every store';

/** What people are told while an answer takes long; the answer itself comes after it. */
export function lookingMessage(word: string, names: readonly string[]): Message {
  return notice(looksAround, `▶ ${looksAround} for ${code([word, ...names].join(' '), 120)}; this writes nothing.`);
}

/** Whether a message says no more than that the answer takes a while. */
export function isLooking(message: { readonly text: string }): boolean {
  return message.text === looksAround;
}

/** In place of a button's message when the button no longer means anything. */
export function staleMessage(why: string): Message {
  return notice(
    'This button is out of date',
    `∅ ${plain(why, 400)} Nothing was done. \`/tas runs\` shows how things stand.`,
  );
}

/** One line in a run's thread. */
export function threadLine(mark: string, text: string): Message {
  const line = `${mark} ${plain(text, 600)}`;
  return notice(line, line);
}

/** One line that the bot says by itself: names between backticks are shown as such, the rest is plain words. */
export function lineMessage(text: string, runId: string | null = null, link: string | null = null): Message {
  const run = runId === null || link === null ? '' : ` · ${runLink(runId, link)}`;
  return notice(plain(text, 300), `${ticked(text)}${run}`);
}

function notice(text: string, line: string): Message {
  return { text, blocks: [section(line)] };
}
