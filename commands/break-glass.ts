import { vetoMinutes } from '../src/approvals/vote.ts';
import { castVote } from './approve.ts';
import { findRun, takeNames, takeReason } from './ask.ts';
import type { Command } from './command.ts';

/** The rights are asked of the door, which looks them up at the vote. Nobody signs what was not shown: in Slack a button follows. */
export const breakGlass: Command = {
  word: 'break-glass',
  usage: 'break-glass <run> reason:"…" [env:<environment>]',
  summary: 'In an emergency without an approver: approves a run all the same, loudly, after a time for a veto',
  examples: ['break-glass run-01jd0a4ycz reason:"logins fail since the release, and no approver answers"'],
  roles: ['operator', 'approver'],
  async run(words, context) {
    const [id = ''] = takeNames(breakGlass, words, 1, 1);
    const reason = takeReason(breakGlass, words, 'Break-glass needs a reason.');
    const run = await findRun(id, words, context);
    if (context.show === null && run.status === 'planned') return { kind: 'to-break-glass', run, reason, vetoMinutes };
    return castVote(run, { choice: 'approve', reason, breaksGlass: true }, context);
  },
};
