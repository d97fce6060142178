import type { Session } from '../database.ts';
import { harmless } from '../statements.ts';
import type { Statement } from './parse.ts';
import { callsIn } from './syntax.ts';

/** What the server says of the functions and operators that statements call. */
export interface Volatility {
  /** Each call gives another value: a default by one makes the server write every row. */
  readonly changing: ReadonlySet<string>;
  /** These may do something, or are not there: nobody can tell what a statement with them does. */
  readonly doing: ReadonlySet<string>;
}

/** Take numbers out of sequences, which nobody puts back: gaps are no loss. */
const counting = new Set(['nextval', 'currval', 'lastval']);

export async function readVolatility(session: Session, statements: readonly Statement[]): Promise<Volatility> {
  const calls = statements.map(({ kind, node }) => callsIn({ [kind]: node }));
  const functions = [...new Set(calls.flatMap((call) => [...call.functions]))];
  const operators = [...new Set(calls.flatMap((call) => [...call.operators]))];
  const rows = await session.rows<{ name: string; volatile: string }>(
    `SELECT proname AS name, bool_or(provolatile = 'v')::text AS volatile FROM pg_catalog.pg_proc WHERE proname = ANY($1::text[]) GROUP BY 1
     UNION ALL SELECT DISTINCT o.oprname, 'true' FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
     WHERE o.oprname = ANY($2::text[]) AND p.provolatile = 'v'`,
    [functions, operators],
  );
  const known = new Set(rows.map(({ name }) => name));
  const changing = new Set(rows.filter((row) => row.volatile === 'true').map(({ name }) => name));
  const unknown = functions.filter((name) => !known.has(name));
  const doing = [...changing, ...unknown].filter((name) => !harmless.has(name) && !counting.has(name));
  return { changing, doing: new Set(doing) };
}
