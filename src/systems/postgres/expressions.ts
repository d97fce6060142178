import type { Session } from './database.ts';
import { isServerError } from './errors.ts';
import { parseTableName, quoteName } from './identifiers.ts';
import { asReading, checkExpression, refuseVolatile } from './statements.ts';
import type { Table } from './table.ts';

const MOST_MISSING = 20;

/** A table to read expressions over: columns that do not exist yet are NULL in it. */
export interface ReadingPlace {
  /** `FROM … AS alias`. */
  readonly from: string;
  readonly alias: string;
  readonly missing: readonly string[];
}

export function placeOf(table: Table, missing: readonly string[] = []): ReadingPlace {
  const alias = quoteName(parseTableName(table.name).name);
  const added = missing.map((name) => `, NULL AS ${quoteName(name)}`).join('');
  const from =
    missing.length === 0
      ? `FROM ${table.sql} AS ${alias}`
      : `FROM (SELECT t.*${added} FROM ${table.sql} t) AS ${alias}`;
  return { from, alias, missing };
}

/**
 * Checks expressions of a file and finds the columns that they name and the table does not have. Throws
 * `invalid-statement`. With columns missing nothing more can be known: then the server is not asked what it makes of them.
 */
export async function readExpressions(
  session: Session,
  table: Table,
  expressions: readonly string[],
): Promise<ReadingPlace> {
  for (const expression of expressions) await refuseVolatile(session, checkExpression(expression));
  const missing: string[] = [];
  const list = expressions.map((expression) => `(\n${expression}\n)`).join(', ');
  for (;;) {
    const place = placeOf(table, missing);
    // As a condition's neighbour: aggregates and window functions are refused in WHERE, and so here.
    const statement = `EXPLAIN SELECT ${list} ${place.from} WHERE num_nulls(${list}) >= 0`;
    await session.rows('SAVEPOINT reading', []);
    try {
      await asReading(() => session.rows(statement, []));
      return place;
    } catch (error) {
      await session.rows('ROLLBACK TO SAVEPOINT reading', []);
      const cause = (error as { cause?: unknown }).cause;
      if (!isServerError(cause)) throw error;
      const name =
        cause.code === '42703' ? /column "((?:[^"]|"")+)" does not exist/.exec(cause.message)?.[1] : undefined;
      // What type a column to come will have is not known, so neither is which operators it has.
      if (missing.length > 0 && cause.code !== '42703') return place;
      if (name === undefined || missing.includes(name) || missing.length >= MOST_MISSING) throw error;
      missing.push(name);
    }
  }
}

/**
 * The expression as the server itself writes it after planning: two spellings of one expression have the same. Null where
 * it cannot be planned over the table.
 */
export async function canonicalExpression(session: Session, table: Table, expression: string): Promise<string | null> {
  const place = placeOf(table);
  await session.rows('SAVEPOINT canonical', []);
  try {
    const [row] = await session.rows<{ 'QUERY PLAN': string }>(
      `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT (\n${expression}\n) ${place.from}`,
      [],
    );
    const [plan] = JSON.parse(row?.['QUERY PLAN'] ?? '[]') as { Plan?: { Output?: string[] } }[];
    return plan?.Plan?.Output?.[0] ?? null;
  } catch (error) {
    if (!isServerError(error) || !/^42/.test(error.code ?? '')) throw error;
    await session.rows('ROLLBACK TO SAVEPOINT canonical', []);
    return null;
  }
}
