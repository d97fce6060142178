import { parseTake } from '../src/plans/take-conflicts.ts';
import { Failure } from '../src/shared/failure.ts';
import { findRun, isRefusal, submit, takeNames } from './ask.ts';
import { type Command, type CommandContext, operators, type Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

/** The environment is the run's own, so that `env:` is only a check here. */
export const rollback: Command = {
  word: 'rollback',
  usage:
    'rollback <run> [way:undo|restore] [take:<system>:<Collection>.<field>:<key>] [env:<environment>] [reason:"…"]',
  summary: 'Shows each way back from a run, with what it takes and what it loses; with `way:` it asks for that one',
  examples: [
    'rollback run-01jd0a4ycz',
    'rollback run-01jd0a4ycz way:undo reason:"wrong tenant ids"',
    'rollback run-01jd0a4ycz way:restore',
    'rollback run-01jd0a4ycz take:graph:User.tenant_id:u-17',
  ],
  roles: operators,
  looks: true,
  options: ['way', 'take'],
  async run(words, context) {
    const [id = ''] = takeNames(rollback, words, 1, 1);
    const way = words.extras.way?.[0] ?? null;
    const takes = words.extras.take?.map(parseTake) ?? [];
    if ((way !== null && way !== 'undo' && way !== 'restore') || (takes.length > 0 && way === 'restore')) {
      throw new Failure({
        code: 'wrong-use',
        message: takes.length > 0 ? '`take:` is an undo.' : '`way:` is `undo` or `restore`.',
        advice: `Write \`${rollback.usage}\`. Nothing was done.`,
      });
    }
    const run = await findRun(id, words, context);
    if (takes.length > 0) return submit('rollback', run.id, run.environment, words, context, { takes });
    if (way === 'undo') return submit('rollback', run.id, run.environment, words, context);
    const advice = await context.door.advise(run.id, context.person);
    if (isRefusal(advice)) return advice;
    return way === 'restore' ? restoreBest(advice, words, context) : { kind: 'advice', advice };
  },
};

/** The set that the advice names first. */
async function restoreBest(
  { run, restores, recommended }: Extract<Reply, { kind: 'advice' }>['advice'],
  words: ParsedWords,
  context: CommandContext,
): Promise<Reply> {
  const setId = recommended.setId ?? restores[0]?.set.id;
  if (setId !== undefined) return submit('restore', setId, run.environment, words, context);
  throw new Failure({
    code: 'unknown-backup',
    message: `There is no backup set from before ${run.id} that holds all that it changed.`,
    advice: `\`backup list env:${run.environment}\` shows the sets. Nothing was done.`,
  });
}
