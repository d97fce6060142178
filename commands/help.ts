import { unknown } from './ask.ts';
import { type Command, type CommandText, everyone } from './command.ts';

/** `help` needs the other commands' texts, so the list makes it. */
export function createHelp(others: readonly CommandText[]): Command {
  const help: Command = {
    word: 'help',
    usage: 'help [<command>]',
    summary: 'Shows what can be asked, and the migrations there are',
    examples: ['help', 'help migrate'],
    roles: everyone,
    async run(words, { door }) {
      const all: readonly CommandText[] = [help, ...others];
      const wanted = words.names[0];
      if (wanted === undefined) return { kind: 'help', commands: all, migrations: await door.migrations() };
      const one = all.find((command) => command.word === wanted.toLowerCase());
      if (one === undefined) {
        throw unknown(
          'unknown-command',
          'command',
          wanted,
          all.map((command) => command.word),
        );
      }
      const migrations = one.word === 'migrate' ? await door.migrations() : [];
      return { kind: 'help', commands: [one], migrations };
    },
  };
  return help;
}
