import { findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

export const keep: Command = {
  word: 'keep',
  usage: 'keep <run> [env:<environment>]',
  summary: 'Gives a parked run up: the data stays as it is and the environment is free again',
  examples: ['keep run-01jd0a4ycz'],
  roles: operators,
  async run(words, context) {
    const [id = ''] = takeNames(keep, words, 1, 1);
    const run = await findRun(id, words, context);
    const answer = await context.door.keep(run.id, context.person);
    return isRefusal(answer) ? answer : { kind: 'kept', run: answer };
  },
};
