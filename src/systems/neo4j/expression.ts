import { Failure } from '../../shared/failure.ts';
import { namespacedCalls, type Token, tokenize } from './cypher-text.ts';
import { isInternalName } from './name.ts';

/** A checked piece of Cypher from a migration file: one expression over `n`. */
export interface Expression {
  /** Where it stands in the file, e.g. `set.tenant_id`; leads the messages about it. */
  readonly place: string;
  /** Ready to stand on lines of its own in a statement. `$sequence` has become the variable `_tas_seqn`. */
  readonly cypher: string;
  /** Whether it asks for `$sequence`. */
  readonly sequenced: boolean;
}

/** The variable that carries a record's number; as long as `$sequence`, so that columns in messages stay true. */
export const SEQUENCE = '_tas_seqn';

/** Functions with a namespace that only compute. Others may read files, the network, or run text as Cypher. */
const FUNCTIONS =
  /^(date|datetime|localdatetime|time|localtime|duration|point|vector\.similarity|apoc\.(text|coll|map|math|number|date|temporal|convert|label|any|bitwise|hashing|node|rel))\./;

/** Line and column of an offset, both from 1. */
function positionOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The failure of a statement that cannot be used, with its place and position. */
export function invalidStatement(place: string, text: string, at: number, problem: string): Failure {
  const { line, column } = positionOf(text, at);
  return new Failure({
    code: 'invalid-statement',
    message: `${place}, line ${line}, column ${column}: ${problem}.`,
    advice: 'Correct the statement; nothing was changed.',
  });
}

function findLoadCsv(tokens: readonly Token[]): Token | undefined {
  const solid = tokens.filter(({ kind, text }) => kind !== 'comment' && text.trim() !== '');
  return solid.find(({ text }, i) => /^load$/i.test(text) && /^csv$/i.test(solid[i + 1]?.text ?? ''));
}

/** What no statement from outside may contain, be it an expression or a whole query. */
export function refuseUnsafe(place: string, text: string): Token[] {
  const escaped = text.search(/\\u/i);
  if (escaped >= 0) throw invalidStatement(place, text, escaped, 'write the character itself instead of a \\u escape');
  const tokens = tokenize(text);
  for (const token of tokens) {
    if (token.kind === 'unfinished')
      throw invalidStatement(place, text, token.at, 'a quotation or comment does not end');
    if (token.kind === 'name' && isInternalName(token.name)) {
      throw invalidStatement(place, text, token.at, `${token.name} belongs to the bot and cannot be used`);
    }
  }
  // Asked for here and not only of the server: its plan does not show what a subquery within an expression does.
  const load = findLoadCsv(tokens);
  if (load) throw invalidStatement(place, text, load.at, 'LOAD CSV is not allowed');
  const unknown = namespacedCalls(tokens).find((call) => !FUNCTIONS.test(call.name));
  if (unknown) throw invalidStatement(place, text, unknown.at, `${unknown.name} is not on the list of safe ones`);
  return tokens;
}

const CLOSES: { readonly [open: string]: string } = { '(': ')', '[': ']', '{': '}' };

function refuseUnbalanced(place: string, text: string, tokens: readonly Token[]): void {
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.kind !== 'other') continue;
    if (token.text === ';')
      throw invalidStatement(place, text, token.at, 'one expression is wanted, without semicolon');
    if (CLOSES[token.text]) open.push(token);
    const closes = token.text === ')' || token.text === ']' || token.text === '}';
    if (closes && CLOSES[open.pop()?.text ?? ''] !== token.text) {
      throw invalidStatement(place, text, token.at, `${token.text} closes nothing`);
    }
  }
  const left = open.at(-1);
  if (left) throw invalidStatement(place, text, left.at, `${left.text} is not closed`);
}

/**
 * Checks that `text` cannot leave the brackets it will be put in: balanced, without comments, semicolons, parameters
 * other than `$sequence`, the bot's own names. Whether it only reads is asked of the server (`reading.ts`).
 */
export function checkExpression(place: string, text: string): Expression {
  if (text.trim() === '') throw invalidStatement(place, text, 0, 'the expression is empty');
  const tokens = refuseUnsafe(place, text);
  refuseUnbalanced(place, text, tokens);
  let sequenced = false;
  const parts = tokens.map((token) => {
    if (token.kind === 'comment') throw invalidStatement(place, text, token.at, 'comments are not possible here');
    if (token.kind !== 'parameter') return token.text;
    if (token.text !== '$sequence')
      throw invalidStatement(place, text, token.at, `${token.text} is unknown; only $sequence is given`);
    sequenced = true;
    return SEQUENCE;
  });
  return { place, cypher: parts.join(''), sequenced };
}
