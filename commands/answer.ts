import type { Person } from '../src/runs/door.ts';
import { Failure } from '../src/shared/failure.ts';
import { unknown } from './ask.ts';
import type { Command, CommandContext, Reply } from './command.ts';
import { commands } from './index.ts';
import type { ParsedWords } from './parse-words.ts';

/** Finds the command, checks the right to ask, and carries it out. Throws a `Failure` on wrong use. */
export async function answer(words: ParsedWords, context: CommandContext): Promise<Reply> {
  const command = commands.find((known) => known.word === words.word);
  if (context.person.roles.length === 0) return notAllowed(context.person, 'use this bot', 'any of its groups');
  if (command === undefined) {
    throw unknown(
      'unknown-command',
      'command',
      words.word,
      commands.map((known) => known.word),
    );
  }
  if (!mayAsk(command, context.person)) {
    return notAllowed(context.person, `ask for \`${command.word}\``, `the ${command.roles.join(' or ')} group`);
  }
  refuseExtras(command, words);
  return command.run(words, context);
}

/** Whether the command asks every store before it answers, which may take many seconds. */
export function looksAtStores(words: ParsedWords): boolean {
  return commands.some(({ word, looks }) => word === words.word && looks === true);
}

/** An option that is not heeded must not be taken silently: `canary:` behind the wrong word would mean everything. */
function refuseExtras(command: Command, words: ParsedWords): void {
  const strange = Object.keys(words.extras).find((name) => !command.options?.some((known) => known === name));
  if (strange === undefined) return;
  throw new Failure({
    code: 'wrong-use',
    message: `\`${command.word}\` takes no \`${strange}:\`.`,
    advice: `Write \`${command.usage}\`. Nothing was done.`,
  });
}

function mayAsk(command: Pick<Command, 'roles'>, person: Person): boolean {
  return command.roles.some((role) => person.roles.includes(role));
}

function notAllowed(person: Person, what: string, group: string): Reply {
  const has = person.roles.length === 0 ? 'You have no role here.' : `You are: ${person.roles.join(', ')}.`;
  return {
    kind: 'refused',
    code: 'not-allowed',
    message: `${person.name} may not ${what}.`,
    advice: `Nothing was done. ${has} Whoever runs this bot can add you to ${group}.`,
    findings: [],
  };
}
