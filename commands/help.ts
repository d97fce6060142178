import type { Door, MigrationView } from '../src/runs/door.ts';
import { Failure, type FailureReport } from '../src/shared/failure.ts';
import { unknown } from './ask.ts';
import { type Command, everyone } from './command.ts';
import { helpHere } from './help-here.ts';

/** `help` needs the other commands' texts, so the list makes it. */
export function createHelp(others: readonly Command[]): Command {
  const help: Command = {
    word: 'help',
    usage: 'help [<command>]',
    summary: 'Shows what can be asked, and the migrations there are',
    examples: ['help', 'help migrate'],
    roles: everyone,
    async run(words, context) {
      const { door } = context;
      const all: readonly Command[] = [help, ...others];
      const wanted = words.names[0];
      if (wanted === undefined) {
        const [listed, here] = await Promise.all([listMigrations(door), helpHere(all, context)]);
        return { kind: 'help', commands: all, ...listed, here };
      }
      const one = all.find((command) => command.word === wanted.toLowerCase());
      if (one === undefined) {
        throw unknown(
          'unknown-command',
          'command',
          wanted,
          all.map((command) => command.word),
        );
      }
      const listed = one.word === 'migrate' ? await listMigrations(door) : { migrations: [], problem: null };
      return { kind: 'help', commands: [one], ...listed };
    },
  };
  return help;
}

/** Help is what people ask for when something is broken: a broken migration file is named and hides nothing else. */
async function listMigrations(
  door: Pick<Door, 'migrations'>,
): Promise<{ migrations: readonly MigrationView[]; problem: FailureReport | null }> {
  try {
    return { migrations: await door.migrations(), problem: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { migrations: [], problem: error.report() };
  }
}
