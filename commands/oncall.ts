import { askEnvironment, findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, type CommandContext, everyone, type Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

export const oncall: Command = {
  word: 'oncall',
  usage: 'oncall [settled <run>] [env:<environment>]',
  summary:
    'Shows who is on call now and next, the contacts, and what somebody was called for and is not settled; `settled` answers a disputed vote',
  examples: ['oncall', 'oncall env:sandbox', 'oncall settled run-01jd0a4ycz'],
  roles: everyone,
  async run(words, context) {
    if (words.names[0] === 'settled') return settle(words, context);
    takeNames(oncall, words, 0, 0);
    const environment = words.environment === null ? null : askEnvironment(words, context);
    if (environment !== null && typeof environment !== 'string') return environment;
    const view = await context.desks.oncall.view(environment, context.person);
    return isRefusal(view) ? view : { kind: 'on-call', view };
  },
};

/** The desk judges who may say so. */
async function settle(words: ParsedWords, context: CommandContext): Promise<Reply> {
  const [, id = ''] = takeNames(oncall, words, 2, 2);
  const run = await findRun(id, words, context);
  const { desks, person } = context;
  const refusal = await desks.oncall.settle(run, person);
  if (refusal !== null) return refusal;
  const view = await desks.oncall.view(run.environment, person);
  return isRefusal(view) ? view : { kind: 'on-call', view };
}
