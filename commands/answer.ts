import type { Person, Refusal } from '../src/runs/door.ts';
import { Failure } from '../src/shared/failure.ts';
import { unknown } from './ask.ts';
import type { Command, CommandContext, Reply } from './command.ts';
import { commands } from './index.ts';
import type { ParsedWords } from './parse-words.ts';

/** Finds the command, checks the right to ask, and carries it out. Throws a `Failure` on wrong use. */
export async function answer(words: ParsedWords, context: CommandContext): Promise<Reply> {
  const command = commands.find((known) => known.word === words.word);
  const refusal = refusalFor(words.word, context.person);
  if (refusal !== null) return refusal;
  if (command === undefined) {
    throw unknown(
      'unknown-command',
      'command',
      words.word,
      commands.map((known) => known.word),
    );
  }
  refuseExtras(command, words);
  return command.run(words, context);
}

/** Why this person may not ask for this at all, before anything is asked; null = he may. Unknown words are for `answer`. */
export function refusalFor(word: string, person: Person): Refusal | null {
  if (person.roles.length === 0) return notAllowed(person, 'use this bot', 'any of its groups');
  const command = commands.find((known) => known.word === word);
  if (command === undefined || mayAsk(command, person)) return null;
  return notAllowed(person, `ask for \`${word}\``, `the ${command.roles.join(' or ')} group`);
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

function notAllowed(person: Person, what: string, group: string): Refusal {
  const has = person.roles.length === 0 ? 'You have no role here.' : `You are: ${person.roles.join(', ')}.`;
  return {
    kind: 'refused',
    code: 'not-allowed',
    message: `${person.name} may not ${what}.`,
    advice: `Nothing was done. ${has} Whoever runs this bot can add you to ${group}.`,
    findings: [],
  };
}
