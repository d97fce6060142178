import { askEnvironment, isRefusal, submit, takeNames, unknown } from './ask.ts';
import { type Command, operators } from './command.ts';

/** The door takes a safety set first and asks for votes: restoring destroys what is there now. */
export const restore: Command = {
  word: 'restore',
  usage: 'restore <backup> env:<environment> [reason:"…"]',
  summary: 'Brings an environment back to a backup set, once another person has approved it',
  examples: ['restore backup-01jd0a4y env:sandbox', 'restore backup-01jd0a4y env:sandbox reason:"bad import"'],
  roles: operators,
  looks: true,
  async run(words, context) {
    const [id = ''] = takeNames(restore, words, 1, 1);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    const backups = await context.door.backups(environment, context.person);
    if (isRefusal(backups)) return backups;
    if (!backups.some((known) => known.id === id)) {
      throw unknown(
        'unknown-backup',
        `backup set of ${environment}`,
        id,
        backups.map((known) => known.id),
      );
    }
    return submit('restore', id, environment, words, context);
  },
};
