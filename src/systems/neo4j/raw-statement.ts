import type { Effect } from '../system.ts';
import type { Connection } from './connection.ts';
import type { Token } from './cypher-text.ts';
import { invalidStatement, refuseUnsafe } from './expression.ts';
import { effectOf, readsAnyNode, strongerEffect } from './operator-effects.ts';
import { explainStatement, operatorsOf, whyForbidden } from './reading.ts';

/** What a whole statement of a file does. */
export interface JudgedStatement {
  readonly text: string;
  readonly effect: Effect;
  /** Operators that are on no list: what they do is not known, so it counts as destroying for good. */
  readonly unknown: readonly string[];
}

/** Words of Cypher itself, in capitals; names after a dot, a colon or in quotation are none. */
function wordsOf(tokens: readonly Token[]): Set<string> {
  const solid = tokens.filter(({ kind, text }) => kind !== 'comment' && text.trim() !== '');
  const words = solid.filter(
    ({ kind, text }, i) =>
      kind === 'name' && !text.startsWith('`') && solid[i - 1]?.text !== '.' && solid[i - 1]?.text !== ':',
  );
  return new Set(words.map(({ text }) => text.toUpperCase()));
}

/** What the text alone gives away. */
function refuseText(place: string, text: string, tokens: readonly Token[], parameters: readonly string[]): void {
  const first = tokens.find(({ kind, text: part }) => kind !== 'comment' && part.trim() !== '');
  if (!first) throw invalidStatement(place, text, 0, 'the statement is empty');
  if (/^(explain|profile|cypher|use)$/i.test(first.text))
    throw invalidStatement(place, text, first.at, `${first.text.toUpperCase()} is not possible here`);
  for (const token of tokens) {
    if (token.kind === 'parameter' && !parameters.includes(token.name)) {
      const given =
        parameters.length > 0 ? `only ${parameters.map((name) => `$${name}`).join(', ')} is given` : 'none is given';
      throw invalidStatement(place, text, token.at, `the parameter ${token.text} is unknown; ${given}`);
    }
    // Labels and properties may be made out of texts.
    if (token.kind === 'text' && /_tas/i.test(token.text))
      throw invalidStatement(place, text, token.at, 'names that begin with _tas belong to the bot');
  }
}

/** Where a word stands, for a message. */
function findWord(tokens: readonly Token[], word: string): number {
  return tokens.find(({ kind, text }) => kind === 'name' && text.toUpperCase() === word)?.at ?? 0;
}

/**
 * Asks the server what a whole statement would do. Throws `invalid-statement`, with line and column, for what does not
 * parse and for what no migration may do: files and other servers, procedures that are not on the list, transactions of
 * its own, schema and users, and all nodes whatever their label, since the bot's journal is among them.
 */
export async function judgeStatement(
  connection: Connection,
  place: string,
  text: string,
  parameters: readonly string[],
): Promise<JudgedStatement> {
  const tokens = refuseUnsafe(place, text);
  refuseText(place, text, tokens, parameters);
  const words = wordsOf(tokens);
  const refuse = (problem: string, word = '') => invalidStatement(place, text, findWord(tokens, word), problem);
  const statement = { text, placeOf: (line: number) => ({ place, line }) };
  const { queryType, plan } = await explainStatement(connection, statement);
  if (!['r', 'rw', 'w'].includes(queryType) || plan === false)
    throw refuse('schema, users and settings are not changed here; neo4j.create-index, drop-index and the like do it');
  const unknown = new Set<string>();
  let effect: Effect = words.has('DELETE') || words.has('REMOVE') ? 'destroys' : 'reads';
  const operators = [...operatorsOf(plan)];
  for (const { operator, details } of operators) {
    const why = whyForbidden(operator, details);
    if (why !== null) throw refuse(why, operator === 'LoadCSV' ? 'LOAD' : 'CALL');
    if (/^Transaction/.test(operator))
      throw refuse('CALL … IN TRANSACTIONS cannot be undone as a whole; use batchBy', 'CALL');
    if (/^(Terminate|Show)/.test(operator)) throw refuse(`${operator} is about the server, not about its records`);
    const does = effectOf(operator, details, words);
    if (does === undefined) unknown.add(operator);
    effect = strongerEffect(effect, does ?? 'destroys');
  }
  if (effect !== 'reads' && operators.some(({ operator }) => readsAnyNode(operator)))
    throw refuse("it goes through nodes of any label, the bot's journal among them: give each node a label", 'MATCH');
  if (operators[1]?.operator !== 'EmptyResult') throw refuse('leave RETURN away: nobody reads what it gives', 'RETURN');
  return { text, effect, unknown: [...unknown] };
}
