import type { VoteRequest } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import { askEnvironment, findRun, isRefusal, takeNames, takeReason } from './ask.ts';
import { approvers, type Command, type CommandContext, type Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

const searchedRuns = 200;

/** Without a run: what waits for votes. The rights are asked of the door, which looks them up at the vote. */
export const approve: Command = {
  word: 'approve',
  usage: 'approve [<run>] [env:<environment>]',
  summary: 'Approves exactly what a run, or the step it stands before, would do; or lists what waits for votes',
  examples: ['approve', 'approve run-01jd0a4ycz'],
  roles: approvers,
  async run(words, context) {
    const [id] = takeNames(approve, words, 0, 1);
    return id === undefined ? listWaiting(words, context) : vote('approve', id, words, context);
  },
};

export const reject: Command = {
  word: 'reject',
  usage: 'reject <run> reason:"…" [env:<environment>]',
  summary: 'Says no to a run, with the reason',
  examples: ['reject run-01jd0a4ycz reason:"not before the audit"'],
  roles: approvers,
  async run(words, context) {
    const [id = ''] = takeNames(reject, words, 1, 1);
    takeReason(reject, words, 'Saying no needs a reason.');
    return vote('reject', id, words, context);
  },
};

/** The digest is that of the plan, or of the step, just shown: were it planned again since, the door refuses the vote. */
async function vote(
  choice: 'approve' | 'reject',
  id: string,
  words: ParsedWords,
  context: CommandContext,
): Promise<Reply> {
  const run = await findRun(id, words, context);
  if (choice === 'approve' && context.show === null) {
    if (run.status === 'planned' || run.control.ballot !== null) return { kind: 'to-vote', run };
    return { kind: 'run', run, conflicts: { total: 0, conflicts: [] } };
  }
  return castVote(run, { choice, reason: words.reason }, context);
}

/** On what is shown now. */
export async function castVote(
  run: Run,
  vote: Pick<VoteRequest, 'choice' | 'reason' | 'breaksGlass'>,
  { door, person, show }: CommandContext,
): Promise<Reply> {
  show?.(run);
  const digest = run.control.ballot?.digest ?? run.digest;
  const outcome = await door.vote({ runId: run.id, digest, person, ...vote });
  if (outcome.kind !== 'counted') return outcome;
  return { kind: 'voted', run: outcome.run, choice: vote.choice, decision: outcome.decision };
}

async function listWaiting(words: ParsedWords, context: CommandContext): Promise<Reply> {
  const environment = words.environment === null ? null : askEnvironment(words, context);
  if (environment !== null && typeof environment !== 'string') return environment;
  const filter = environment === null ? { limit: searchedRuns } : { environment, limit: searchedRuns };
  const found = await context.door.runs(filter, context.person);
  if (isRefusal(found)) return found;
  return {
    kind: 'runs',
    runs: found.filter((run) => run.status === 'planned' || run.control.ballot !== null),
    waiting: true,
  };
}
