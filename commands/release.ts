import { findRun, submit, takeNames } from './ask.ts';
import { type Command, operators } from './command.ts';

/** Ends a hold: afterwards the run can be restored from a backup set only. */
export const release: Command = {
  word: 'release',
  usage: 'release <run> [env:<environment>] [reason:"…"]',
  summary: 'Gives up for good what a run kept aside, once its hold is over and another person has approved it',
  examples: ['release run-01jd0a4ycz', 'release run-01jd0a4ycz reason:"two weeks without a complaint"'],
  roles: operators,
  looks: true,
  async run(words, context) {
    const [id = ''] = takeNames(release, words, 1, 1);
    const run = await findRun(id, words, context);
    return submit('release', run.id, run.environment, words, context);
  },
};
