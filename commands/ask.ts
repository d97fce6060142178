import type { Action } from '../src/plans/plan.ts';
import type { Refusal, RunRequest } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import { Failure, type FailureCode } from '../src/shared/failure.ts';
import { suggest } from '../src/shared/suggest.ts';
import type { Command, CommandContext, Reply } from './command.ts';
import type { ParsedWords } from './parse-words.ts';

/** The environment that was named, or the question which one. There is no default, even where there is only one. */
export function askEnvironment(words: ParsedWords, context: CommandContext): string | Reply {
  const { environments } = context.door;
  if (words.environment === null) return { kind: 'choose-environment', words: words.again, environments };
  const named = environments.find((environment) => environment.name === words.environment);
  if (named !== undefined) return named.name;
  throw unknown(
    'unknown-environment',
    'environment',
    words.environment,
    environments.map((environment) => environment.name),
  );
}

/** At most `most` names may follow the word; throws `wrong-use` otherwise. */
export function takeNames(
  command: Pick<Command, 'word' | 'usage'>,
  words: ParsedWords,
  least: number,
  most: number,
): string[] {
  if (words.names.length >= least && words.names.length <= most) return [...words.names];
  const message =
    words.names.length < least
      ? `\`${command.word}\` needs more words.`
      : `\`${command.word}\` takes ${most === 0 ? 'no names' : `at most ${most}`}; there is also \`${words.names[most]?.slice(0, 60)}\`.`;
  throw new Failure({ code: 'wrong-use', message, advice: `Write \`${command.usage}\`. Nothing was done.` });
}

/** A vote that needs a reason; throws `wrong-use` without one. */
export function takeReason({ usage }: Pick<Command, 'usage'>, { reason }: ParsedWords, message: string): string {
  if (reason !== null) return reason;
  throw new Failure({ code: 'wrong-use', message, advice: `Write \`${usage}\`. No vote was counted.` });
}

/** The run by its id; throws `unknown-run` with the nearest of the newest ones. */
export async function findRun(id: string, words: ParsedWords, context: CommandContext): Promise<Run> {
  const run = await context.door.run(id);
  if (run === null) {
    const newest = await context.door.runs({ limit: 50 }, context.person);
    throw unknown('unknown-run', 'run', id, Array.isArray(newest) ? newest.map((known: Run) => known.id) : []);
  }
  if (words.environment !== null && words.environment !== run.environment) {
    askEnvironment(words, context);
    throw new Failure({
      code: 'wrong-use',
      message: `Run ${run.id} belongs to ${run.environment}, not to ${words.environment}.`,
      advice: `Nothing was done. Write \`env:${run.environment}\`, or look at \`runs env:${words.environment}\`.`,
    });
  }
  return run;
}

/** Throws `unknown-migration` with the nearest one. */
export async function findMigration(id: string, context: CommandContext): Promise<void> {
  const known = (await context.door.migrations()).map((migration) => migration.id);
  if (!known.includes(id)) throw unknown('unknown-migration', 'migration', id, known);
}

/** A failure for a name that is not there, with the nearest one that is. */
export function unknown(code: FailureCode, what: string, typed: string, known: readonly string[]): Failure {
  const near = suggest(typed, known);
  const list = known
    .slice(0, 10)
    .map((name) => `\`${name}\``)
    .join(', ');
  const all = known.length === 0 ? `There is no ${what} yet.` : `Known: ${list}${known.length > 10 ? ' …' : ''}.`;
  return new Failure({
    code,
    message: `There is no ${what} \`${typed.slice(0, 80)}\`.${near === null ? '' : ` Did you mean \`${near}\`?`}`,
    advice: `Nothing was done. ${all}`,
  });
}

/** Asks through the one door. */
export async function submit(
  action: Action,
  subject: string,
  environment: string,
  words: ParsedWords,
  context: CommandContext,
  more: Pick<RunRequest, 'canary' | 'takes' | 'window'> = {},
): Promise<Reply> {
  const { door, person } = context;
  const answer = await door.submit({ action, environment, subject, person, reason: words.reason, ...more });
  if (answer.kind !== 'accepted') return answer;
  return { kind: 'submitted', run: answer.run, votesNeeded: answer.votesNeeded };
}

export function isRefusal(answer: object): answer is Refusal {
  return 'kind' in answer && answer.kind === 'refused';
}
