import { askEnvironment, findMigration, isRefusal, takeNames } from './ask.ts';
import { type Command, everyone } from './command.ts';

/** Shows and stores nothing: to have it done, ask for `migrate`. */
export const plan: Command = {
  word: 'plan',
  usage: 'plan <migration> env:<environment> [canary:<value>] [window:<window>]',
  summary: 'Shows in numbers and samples what a migration would do here and now, and changes nothing',
  examples: ['plan space-isolation env:sandbox', 'plan space-isolation env:sandbox canary:tenant_1700000000'],
  roles: everyone,
  looks: true,
  options: ['canary', 'window'],
  async run(words, context) {
    const [id = ''] = takeNames(plan, words, 1, 1);
    await findMigration(id, context);
    const environment = askEnvironment(words, context);
    if (typeof environment !== 'string') return environment;
    const { canary: [canary = null] = [], window: [window = null] = [] } = words.extras;
    const preview = await context.door.plan({ environment, subject: id, canary, window, person: context.person });
    return isRefusal(preview) ? preview : { kind: 'preview', preview };
  },
};
