import { askEnvironment, isRefusal, submit, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

/** Needs no vote: it only reads. `backup list` shows the sets that there are. */
export const backup: Command = {
  word: 'backup',
  usage: 'backup [list] env:<environment>',
  summary: 'Makes a backup set of all systems of an environment, or lists the sets',
  examples: ['backup env:sandbox', 'backup list env:sandbox'],
  roles: operators,
  looks: true,
  async run(words, context) {
    const [list] = takeNames(backup, words, 0, 1);
    if (list !== undefined && list !== 'list') takeNames(backup, words, 0, 0);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    if (list === undefined) return submit('backup', '', environment, words, context);
    const backups = await context.door.backups(environment, context.person);
    return isRefusal(backups) ? backups : { kind: 'backups', environment, backups };
  },
};
