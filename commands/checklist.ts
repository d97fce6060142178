import type { ChecklistAsk } from '../src/checklists/desk.ts';
import { askEnvironment, findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, type CommandContext, everyone, type Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

/** What is looked at around a migration. Shown to everybody; the desk judges who may tick what. */
export const checklist: Command = {
  word: 'checklist',
  usage: 'checklist [tick|untick <item>] [<run>] [env:<environment>]',
  summary:
    'Shows what is looked at around a migration and what the bot has seen of it, or ticks what a person looked at',
  examples: ['checklist', 'checklist run-01jd0a4ycz', 'checklist tick users-told env:sandbox'],
  roles: everyone,
  async run(words, context) {
    const { checklists } = context.desks;
    const [first, itemId = '', run] = takeNames(checklist, words, 0, 3);
    if (first !== 'tick' && first !== 'untick') {
      takeNames(checklist, words, 0, 1);
      const ask = await whose(words, context, first, false);
      if ('kind' in ask) return ask;
      const view = await checklists.show(ask, context.person);
      return isRefusal(view) ? view : { kind: 'checklist', view, changed: null };
    }
    takeNames(checklist, words, 2, 3);
    const ask = await whose(words, context, run, true);
    if ('kind' in ask) return ask;
    const answer = await checklists.tick(ask, { itemId, ticked: first === 'tick' }, context.person);
    if (answer.kind === 'refused') return answer;
    return { kind: 'checklist', view: answer.view, changed: answer.changed };
  },
};

/** Of the run that is named, or of the newest open one; to tick there, its environment has to be named. */
async function whose(
  words: ParsedWords,
  context: CommandContext,
  id: string | undefined,
  ticks: boolean,
): Promise<ChecklistAsk | Reply> {
  if (id !== undefined) return { runId: (await findRun(id, words, context)).id, environment: null };
  if (words.environment === null && !ticks) return { runId: null, environment: null };
  const environment = askEnvironment(words, context);
  return typeof environment === 'string' ? { runId: null, environment } : environment;
}
