import { findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

export const retry: Command = {
  word: 'retry',
  usage: 'retry <run> [env:<environment>]',
  summary: 'Takes a parked run up again from where it stopped',
  examples: ['retry run-01jd0a4ycz'],
  roles: operators,
  async run(words, context) {
    const [id = ''] = takeNames(retry, words, 1, 1);
    const run = await findRun(id, words, context);
    const answer = await context.door.retry(run.id, context.person);
    return isRefusal(answer) ? answer : { kind: 'retried', run: answer };
  },
};
