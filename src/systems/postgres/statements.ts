import { Failure } from '../../shared/failure.ts';
import type { Session } from './database.ts';
import { describeError, isServerError } from './errors.ts';
import { invalid, type Token, tokenize } from './tokens.ts';

/** Volatile, but without any effect on the database. */
export const harmless: ReadonlySet<string> = new Set([
  'random',
  'gen_random_uuid',
  'clock_timestamp',
  'timeofday',
  'statement_timestamp',
]);

/** Checks one reading statement before it is wrapped: no second statement, no parameters. Returns it without a last `;`. */
export function checkStatement(sql: string): string {
  const tokens = tokenize(sql);
  const last = tokens.at(-1);
  const trimmed = last?.text === ';' && last.kind === 'sign' ? sql.slice(0, last.at) : sql;
  const rest = trimmed === sql ? tokens : tokens.slice(0, -1);
  checkTokens(sql, rest);
  const first = rest[0]?.text.toLowerCase();
  if (!['select', 'with', 'values', 'table', '('].includes(first ?? '')) {
    throw invalid(
      sql,
      rest[0]?.at ?? 0,
      'only a reading statement may stand here',
      'Begin with SELECT, WITH, VALUES or TABLE.',
    );
  }
  return trimmed;
}

/** Checks an expression or a predicate, which is then composed into a statement in parentheses. */
export function checkExpression(sql: string): string {
  const tokens = tokenize(sql);
  checkTokens(sql, tokens);
  if (tokens.length === 0)
    throw invalid(sql, 0, 'it is empty', 'Write an SQL expression over the columns of the table.');
  return sql;
}

/**
 * Refuses functions that could do something: a READ ONLY transaction stops writes to tables, and nothing else
 * (`pg_terminate_backend`, `dblink_exec`). Unquoted names are compared in lower case, as the server does.
 */
export async function refuseVolatile(session: Session, sql: string): Promise<void> {
  const tokens = tokenize(sql);
  const called = new Map<string, Token>();
  tokens.forEach((token, index) => {
    if (tokens[index + 1]?.text !== '(') return;
    if (token.kind === 'name') called.set(token.text.toLowerCase(), token);
    if (token.kind === 'quoted') called.set(token.text.slice(1, -1).replaceAll('""', '"'), token);
  });
  const rows = await session.rows<{ name: string }>(
    `SELECT DISTINCT proname AS name FROM pg_catalog.pg_proc WHERE provolatile = 'v' AND proname = ANY($1::text[]) ORDER BY 1`,
    [[...called.keys()].filter((name) => !harmless.has(name))],
  );
  const found = rows[0] && called.get(rows[0].name);
  if (found) {
    throw invalid(
      sql,
      found.at,
      `the function ${rows[0]?.name} is volatile: what it does cannot be previewed`,
      'Use functions that are STABLE or IMMUTABLE; declare your own as such if they only read.',
    );
  }
}

/** Lets the server read and plan a statement made of checked parts, in a READ ONLY transaction of the caller. */
export async function prepareReading(session: Session, statement: string): Promise<void> {
  await asReading(() => session.rows(`EXPLAIN ${statement}`, []));
}

/** Runs the reading of a statement from a file; what the server refuses of it becomes `invalid-statement`. */
export async function asReading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isServerError(error) || !/^(42(?!501)|22|25006|0A|2F)/.test(error.code ?? '')) throw error;
    throw new Failure({
      code: 'invalid-statement',
      message: `The server refuses the statement: ${describeError(error)}.`,
      advice: 'Correct the expression or predicate in the file; nothing was changed.',
      cause: error,
    });
  }
}

function checkTokens(sql: string, tokens: readonly Token[]): void {
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'parameter')
      throw invalid(sql, token.at, 'parameters cannot be used', 'Write the value itself.');
    if (token.kind !== 'sign') continue;
    if (token.text === ';') throw invalid(sql, token.at, 'a second statement begins here', 'Write one statement only.');
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth < 0) throw invalid(sql, token.at, 'this parenthesis was never opened', 'Balance the parentheses.');
  }
  if (depth > 0) throw invalid(sql, sql.length, 'a parenthesis is not closed', 'Balance the parentheses.');
}
