import { findRun, submit, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

/** The environment is the run's own, so that `env:` is only a check here. */
export const rollback: Command = {
  word: 'rollback',
  usage: 'rollback <run> [env:<environment>] [reason:"…"]',
  summary: 'Shows what undoing a run would restore and keep, and does it once another person has approved exactly that',
  examples: ['rollback run-01jd0a4ycz', 'rollback run-01jd0a4ycz reason:"wrong tenant ids"'],
  roles: operators,
  async run(words, context) {
    const [id = ''] = takeNames(rollback, words, 1, 1);
    const run = await findRun(id, words, context);
    return submit('rollback', run.id, run.environment, words, context);
  },
};
