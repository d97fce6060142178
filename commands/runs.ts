import { askEnvironment, findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, everyone } from './command.ts';

const shownRuns = 10;
const shownConflicts = 200;

/** Reads only, so that without `env:` it lists the runs of all environments. */
export const runs: Command = {
  word: 'runs',
  usage: 'runs [<run>] [env:<environment>]',
  summary: 'Lists the newest runs, or shows one with its steps, findings and conflicts',
  examples: ['runs', 'runs env:sandbox', 'runs run-01jd0a4ycz'],
  roles: everyone,
  async run(words, context) {
    const [id] = takeNames(runs, words, 0, 1);
    if (id !== undefined) {
      const run = await findRun(id, words, context);
      return { kind: 'run', run, conflicts: await context.door.conflicts(run.id, shownConflicts) };
    }
    const environment = words.environment === null ? null : askEnvironment(words, context);
    if (environment !== null && typeof environment !== 'string') return environment;
    const filter = environment === null ? { limit: shownRuns } : { environment, limit: shownRuns };
    const found = await context.door.runs(filter, context.person);
    return isRefusal(found) ? found : { kind: 'runs', runs: found, waiting: false };
  },
};
