import { askEnvironment, findMigration, submit, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

export const migrate: Command = {
  word: 'migrate',
  usage: 'migrate <migration> env:<environment> [canary:<value>] [window:<window>] [reason:"…"]',
  summary: 'Shows in numbers what a migration would do, and does it once another person has approved exactly that',
  examples: ['migrate space-isolation env:sandbox', 'migrate space-isolation env:sandbox reason:"tenant rollout"'],
  roles: operators,
  looks: true,
  options: ['canary', 'window'],
  async run(words, context) {
    const [id = ''] = takeNames(migrate, words, 1, 1);
    await findMigration(id, context);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    const { canary: [canary = null] = [], window: [window = null] = [] } = words.extras;
    return submit('migrate', id, environment, words, context, { canary, window });
  },
};
