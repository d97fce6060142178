import type { VoteReceipt, VoteWanted } from '../src/notices/notice.ts';
import { runLink } from './beside.ts';
import { button, confirm, type Tokens } from './button.ts';
import { type Called, mentionAll } from './called.ts';
import { bare, code, plain } from './escape.ts';
import { actions, context, type Message, section } from './message.ts';
import { sayCount, sayMany } from './say.ts';
import { clockTime, when } from './when.ts';

/** For the one in whose name a vote was given: what it was for, and what to do if it was somebody else. */
export function receiptMessage(receipt: VoteReceipt, tokens: Tokens, link: string | null = null): Message {
  const { choice, environment, about, destroys, oneWay, digest, at, runId } = receipt;
  const word = choice === 'approve' ? 'approved' : 'rejected';
  const what = `${plain(about, 120)} in ${plain(environment.toUpperCase(), 60)}`;
  const undo = oneWay ? ' · *cannot be undone*' : '';
  const dialog = confirm(
    `Was it not you, ${bare(environment, 40).toUpperCase()}?`,
    'The run is brought to a stand, the channel is told, and whoever is on call is called.',
    'It was not me',
    'danger',
  );
  return {
    text: `You ${word} ${what}`,
    blocks: [
      section(`*You ${word} ${what}*\ndestroys ${sayCount(destroys)}${undo} · ${when(at)}`),
      ...actions([button('dispute', tokens, { style: 'danger', confirm: dialog })]),
      context(`${runLink(runId, link)} · plan ${code(digest.slice(0, 12))}`),
    ],
  };
}

/** Half of the time for votes is over. */
export function voteWantedMessage(wanted: VoteWanted, called: Called, link: string | null = null): Message {
  const { about, environment, votes, votesNeeded, expiresAt, runId } = wanted;
  const calls = mentionAll(called);
  const text = `${plain(about, 120)} in ${plain(environment.toUpperCase(), 60)} still waits: ${sayVotesSoFar(votes, votesNeeded)}`;
  return {
    text,
    blocks: [
      section(
        `⏳ *${text}*, until ${clockTime(expiresAt)}${calls === '' ? '' : `\n${calls}`}\n${code(`/tas approve ${runId}`)} · ${runLink(runId, link)}`,
      ),
    ],
  };
}

/** `nobody has voted yet; 1 vote is wanted`, `1 of 2 votes is there`. */
function sayVotesSoFar(votes: number, votesNeeded: number): string {
  if (votes === 0)
    return `nobody has voted yet; ${sayMany(votesNeeded, 'vote')} ${votesNeeded === 1 ? 'is' : 'are'} wanted`;
  return `${votes} of ${sayMany(votesNeeded, 'vote')} ${votes === 1 ? 'is' : 'are'} there`;
}
