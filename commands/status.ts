import { askEnvironment, isRefusal, takeNames } from './ask.ts';
import { type Command, everyone } from './command.ts';

export const status: Command = {
  word: 'status',
  usage: 'status env:<environment>',
  summary:
    'Shows whether the systems are up and at which data model, who holds the environment, its open runs and its last backup',
  examples: ['status env:sandbox'],
  roles: everyone,
  looks: true,
  async run(words, context) {
    takeNames(status, words, 0, 0);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    const answer = await context.door.status(environment, context.person);
    return isRefusal(answer) ? answer : { kind: 'status', status: answer };
  },
};
