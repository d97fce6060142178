import { askEnvironment, submit, takeNames, unknown } from './ask.ts';
import { type Command, operators } from './command.ts';

export const migrate: Command = {
  word: 'migrate',
  usage: 'migrate <migration> env:<environment> [reason:"…"]',
  summary: 'Shows in numbers what a migration would do, and does it once another person has approved exactly that',
  examples: ['migrate space-isolation env:sandbox', 'migrate space-isolation env:sandbox reason:"tenant rollout"'],
  roles: operators,
  async run(words, context) {
    const [id = ''] = takeNames(migrate, words, 1, 1);
    const migrations = await context.door.migrations();
    if (!migrations.some((known) => known.id === id)) {
      throw unknown(
        'unknown-migration',
        'migration',
        id,
        migrations.map((known) => known.id),
      );
    }
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    return submit('migrate', id, environment, words, context);
  },
};
