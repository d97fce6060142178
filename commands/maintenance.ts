import type { WindowRequest } from '../src/maintenance/maintenance-desk.ts';
import { Failure } from '../src/shared/failure.ts';
import { suggest } from '../src/shared/suggest.ts';
import { askEnvironment, findMigration, isRefusal, takeNames } from './ask.ts';
import { type Command, type CommandContext, everyone, type Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

const verbs = ['schedule', 'start', 'end', 'cancel', 'list'] as const;
type Verb = (typeof verbs)[number];

/** Windows in which users are told to stay away. Everybody may look; the desk asks for an operator for the rest. */
export const maintenance: Command = {
  word: 'maintenance',
  usage:
    'maintenance schedule|start|end|cancel|list [<window>] [env:<environment>] [from:"2026-11-24 02:00"] [for:2h] [tz:Europe/Berlin] [migration:<migration>] [reason:"…"]',
  summary: 'Plans, begins, ends and shows maintenance windows; users are told before, at the beginning and at the end',
  examples: [
    'maintenance list',
    'maintenance schedule env:sandbox from:"2026-11-24 02:00" for:2h tz:Europe/Berlin reason:"a new data model"',
    'maintenance start env:sandbox for:30m reason:"the disk is full"',
    'maintenance end env:sandbox',
  ],
  roles: everyone,
  options: ['from', 'for', 'tz', 'migration'],
  async run(words, context) {
    const [typed = '', id = null] = takeNames(maintenance, words, 1, 2);
    const verb = verbs.find((known) => known === typed.toLowerCase());
    if (verb === undefined) throw unknownVerb(typed);
    if (id !== null && (verb === 'schedule' || verb === 'list')) throw wrongUse(`\`${verb}\` takes no window.`);
    refuseStrayOptions(verb, words);
    if (verb === 'list') return list(words, context);
    if (verb === 'schedule')
      return schedule(words, context, words.extras.from?.[0] ?? missing('from:"2026-11-24 02:00"'));
    // Without a window and with a length: one that nobody has planned.
    if (verb === 'start' && id === null && words.extras.for !== undefined) return schedule(words, context, null);
    return change(verb, id, words, context);
  },
};

async function list(words: ParsedWords, context: CommandContext): Promise<Reply> {
  const environment = words.environment === null ? null : askEnvironment(words, context);
  if (environment !== null && typeof environment !== 'string') return environment;
  const windows = await context.desks.maintenance.list(environment, context.person);
  return isRefusal(windows) ? windows : { kind: 'windows', windows };
}

async function schedule(words: ParsedWords, context: CommandContext, from: string | null): Promise<Reply> {
  const environment = askEnvironment(words, context);
  if (typeof environment !== 'string') return environment;
  const { extras, reason } = words;
  const migration = extras.migration?.[0] ?? null;
  if (migration !== null) await findMigration(migration, context);
  const answer = await context.desks.maintenance.schedule({
    environment,
    from,
    length: extras.for?.[0] ?? missing('for:2h'),
    zone: extras.tz?.[0] ?? null,
    migration,
    reason: reason ?? missing('reason:"…"'),
    person: context.person,
  });
  return isRefusal(answer) ? answer : { kind: 'window', ...answer };
}

async function change(
  verb: 'start' | 'end' | 'cancel',
  id: string | null,
  words: ParsedWords,
  context: CommandContext,
): Promise<Reply> {
  const environment = id !== null && words.environment === null ? null : askEnvironment(words, context);
  if (environment !== null && typeof environment !== 'string') return environment;
  const request: WindowRequest = { id, environment, reason: words.reason, person: context.person };
  const answer = await context.desks.maintenance[verb](request);
  return isRefusal(answer) ? answer : { kind: 'window', ...answer };
}

const taken: Readonly<Record<Verb, readonly string[]>> = {
  schedule: ['from', 'for', 'tz', 'migration'],
  start: ['for', 'migration'],
  end: [],
  cancel: [],
  list: [],
};

/** What is not heeded must not be taken silently. */
function refuseStrayOptions(verb: Verb, words: ParsedWords): void {
  const stray = Object.keys(words.extras).find((name) => !taken[verb].includes(name));
  if (stray !== undefined) throw wrongUse(`\`maintenance ${verb}\` takes no \`${stray}:\`.`);
}

function missing(what: string): never {
  throw wrongUse(`\`${what}\` is missing.`);
}

function unknownVerb(typed: string): Failure {
  const near = suggest(typed, verbs);
  const meant = near === null ? '' : ` Did you mean \`${near}\`?`;
  return wrongUse(`\`maintenance\` cannot ${typed.slice(0, 40)}.${meant}`);
}

function wrongUse(message: string): Failure {
  return new Failure({ code: 'wrong-use', message, advice: `Write \`${maintenance.usage}\`. Nothing was done.` });
}
