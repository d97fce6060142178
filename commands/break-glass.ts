import { vetoMinutes } from '../src/runs/cast-vote.ts';
import { Failure } from '../src/shared/failure.ts';
import { findRun, takeNames } from './ask.ts';
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
    if (words.reason === null) {
      throw new Failure({
        code: 'wrong-use',
        message: 'Break-glass needs a reason.',
        advice: `Write \`${breakGlass.usage}\`. No vote was counted.`,
      });
    }
    const { door, person, show } = context;
    const run = await findRun(id, words, context);
    if (show === null && run.status === 'planned')
      return { kind: 'to-break-glass', run, reason: words.reason, vetoMinutes };
    show?.(run);
    const { digest } = run;
    const outcome = await door.vote({
      runId: run.id,
      digest,
      person,
      choice: 'approve',
      reason: words.reason,
      breaksGlass: true,
    });
    if (outcome.kind !== 'counted') return outcome;
    return { kind: 'voted', run: outcome.run, choice: 'approve', decision: outcome.decision };
  },
};
