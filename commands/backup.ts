import { askEnvironment, isRefusal, submit, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

/** Needs no vote: it only reads. `backup list` shows the sets that there are, `backup prove` tries one beside the live data. */
export const backup: Command = {
  word: 'backup',
  usage: 'backup [list | prove [<backup set>]] env:<environment>',
  summary: 'Makes a backup set of all systems of an environment, lists the sets, or proves one (the newest)',
  examples: ['backup env:sandbox', 'backup list env:sandbox', 'backup prove env:sandbox'],
  roles: operators,
  looks: true,
  async run(words, context) {
    const [what, set = ''] = takeNames(backup, words, 0, 2);
    if (what !== undefined && what !== 'prove') takeNames(backup, words, 0, what === 'list' ? 1 : 0);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    if (what === 'prove') return submit('drill', set, environment, words, context);
    if (what === undefined) return submit('backup', '', environment, words, context);
    const backups = await context.door.backups(environment, context.person);
    return isRefusal(backups) ? backups : { kind: 'backups', environment, backups };
  },
};
