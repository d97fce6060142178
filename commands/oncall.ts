import { askEnvironment, isRefusal, takeNames } from './ask.ts';
import { type Command, everyone } from './command.ts';

export const oncall: Command = {
  word: 'oncall',
  usage: 'oncall [env:<environment>]',
  summary: 'Shows who is on call now and next, the contacts, and what somebody was called for and is not settled',
  examples: ['oncall', 'oncall env:sandbox'],
  roles: everyone,
  async run(words, context) {
    takeNames(oncall, words, 0, 0);
    const environment = words.environment === null ? null : askEnvironment(words, context);
    if (environment !== null && typeof environment !== 'string') return environment;
    const view = await context.desks.oncall.view(environment, context.person);
    return isRefusal(view) ? view : { kind: 'on-call', view };
  },
};
