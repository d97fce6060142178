import { askEnvironment, submit, takeNames } from './ask.ts';
import { type Command, everyone } from './command.ts';

/** Needs no vote: it only reads. */
export const validate: Command = {
  word: 'validate',
  usage: 'validate env:<environment>',
  summary: 'Runs every check over the systems of an environment and says what it found',
  examples: ['validate env:sandbox'],
  roles: everyone,
  looks: true,
  async run(words, context) {
    takeNames(validate, words, 0, 0);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    return submit('validate', '', environment, words, context);
  },
};
