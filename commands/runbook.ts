import { findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, everyone } from './command.ts';

/** Reads the plan and the configuration: it answers whatever store is down. */
export const runbook: Command = {
  word: 'runbook',
  usage: 'runbook <run>',
  summary: 'Shows what a person types to recover from a run when the bot is dead',
  examples: ['runbook run-01jd0a4ycz'],
  roles: everyone,
  async run(words, context) {
    const [id = ''] = takeNames(runbook, words, 1, 1);
    const run = await findRun(id, words, context);
    const read = context.desks.runbooks.read(run, context.person);
    if (isRefusal(read)) return read;
    const called = await context.desks.oncall.view(run.environment, context.person);
    return { kind: 'runbook', runbook: read, called: isRefusal(called) ? null : called };
  },
};
