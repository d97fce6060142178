import { type ScheduledAction, scheduledActions } from '../src/schedules/schedule.ts';
import type { ScheduleChange } from '../src/schedules/schedule-desk.ts';
import { Failure } from '../src/shared/failure.ts';
import { suggest } from '../src/shared/suggest.ts';
import { askEnvironment, isRefusal, takeNames } from './ask.ts';
import { type Command, type CommandContext, everyone, type Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

const changes = ['pause', 'resume', 'run', 'remove'] as const satisfies readonly ScheduleChange[];
const verbs = ['list', 'add', ...changes] as const;

/** What the bot asks for at set times. Everybody may look; the desk asks for an operator for the rest. */
export const schedule: Command = {
  word: 'schedule',
  usage:
    'schedule list|add|pause|resume|run|remove [validate|backup|drill|retention|self-check] [<schedule>] [env:<environment>] [cron:"0 3 * * *"] [tz:Europe/Berlin] [quiet:yes]',
  summary:
    'Shows and edits what the bot asks for at set times: validations and checks of itself with a report, backups, drills that prove them, and the removal of old ones',
  examples: [
    'schedule list',
    'schedule add validate env:sandbox cron:"0 3 * * *" tz:Europe/Berlin',
    'schedule add backup env:sandbox cron:"30 1 * * 0"',
    'schedule add drill env:sandbox cron:"0 5 * * 0"',
    'schedule pause sch-1a2b3c4d',
  ],
  roles: everyone,
  options: ['cron', 'tz', 'quiet'],
  async run(words, context) {
    const [typed = '', what = ''] = takeNames(schedule, words, 1, 2);
    const verb = verbs.find((known) => known === typed.toLowerCase());
    if (verb === undefined) throw unknown(typed, verbs, 'what to do with a schedule');
    if (verb !== 'add' && Object.keys(words.extras).length > 0)
      throw wrongUse(`\`${verb}\` takes none of these options.`);
    if (verb === 'list') return list(words, context);
    if (verb === 'add') return add(what, words, context);
    if (what === '') throw wrongUse(`Say which schedule: \`schedule ${verb} <schedule>\`.`);
    const view = await context.desks.schedules.change(verb, what, context.person);
    return isRefusal(view) ? view : { kind: 'schedule', view, done: verb };
  },
};

async function list(words: ParsedWords, context: CommandContext): Promise<Reply> {
  const environment = words.environment === null ? null : askEnvironment(words, context);
  if (environment !== null && typeof environment !== 'string') return environment;
  const schedules = await context.desks.schedules.list(environment, context.person);
  return isRefusal(schedules) ? schedules : { kind: 'schedules', schedules };
}

async function add(what: string, words: ParsedWords, context: CommandContext): Promise<Reply> {
  const action = scheduledActions.find((known) => known === what.toLowerCase());
  if (action === undefined) throw unknown(what, scheduledActions, 'what can be asked for at set times');
  const cron = words.extras.cron?.[0];
  if (cron === undefined) throw wrongUse('Say when: `cron:"0 3 * * *"` is every night at three.');
  const environment = askEnvironment(words, context);
  if (typeof environment !== 'string') return environment;
  const quiet = words.extras.quiet?.[0] ?? 'no';
  if (quiet !== 'yes' && quiet !== 'no') throw wrongUse('Write `quiet:yes` or `quiet:no`.');
  const zone = words.extras.tz?.[0] ?? null;
  const request = { environment, action: action as ScheduledAction, cron, zone, quiet: quiet === 'yes' };
  const view = await context.desks.schedules.add({ ...request, person: context.person });
  return isRefusal(view) ? view : { kind: 'schedule', view, done: 'add' };
}

function unknown(typed: string, known: readonly string[], what: string): Failure {
  const near = suggest(typed, known);
  return wrongUse(
    `\`${typed}\` is not ${what}: ${known.join(', ')}.${near === null ? '' : ` Did you mean \`${near}\`?`}`,
  );
}

function wrongUse(message: string): Failure {
  return new Failure({
    code: 'wrong-use',
    message,
    advice: `Write \`/tas ${schedule.examples[1]}\`, for example. Nothing was changed.`,
  });
}
