import type { Json, JsonObject } from '../../../shared/json.ts';
import type { Session } from '../database.ts';
import { isServerError } from '../errors.ts';
import { emptiedTables } from './lint.ts';
import { reparse, type Statement, wordsOf } from './parse.ts';
import { fieldsOf, itemsOf, sameSyntax } from './syntax.ts';

/** How many records a statement would write; `exact: false` = the server's estimate. */
export interface Affected {
  readonly count: number;
  readonly exact: boolean;
  /** A table, column or function that is not there yet, in the server's words; null = all is there. */
  readonly missing: string | null;
}

const nothing: Affected = { count: 0, exact: true, missing: null };
/** A table, a column, a function, a schema, a type that an earlier statement or step has to make. */
const notThere = /^(42P01|42703|42883|3F000|42704)$/;

/** Counts without writing, in a READ ONLY transaction of the caller. Changes of the schema count as one. */
export async function countAffected(session: Session, statement: Statement): Promise<Affected> {
  const { kind, node } = statement;
  if (kind === 'SelectStmt' && node.intoClause === undefined) return nothing;
  const tables = emptiedTables(statement);
  if (tables.length > 0) return countTables(session, tables);
  if (!/^(Insert|Update|Delete|Merge)Stmt$/.test(kind)) {
    return kind === 'DoStmt' || kind === 'CallStmt' ? { ...nothing, exact: false } : { ...nothing, count: 1 };
  }
  const rows = itemsOf(fieldsOf(fieldsOf(node.selectStmt).SelectStmt).valuesLists).length;
  if (kind === 'InsertStmt' && rows > 0)
    return explained(session, statement, { count: rows, exact: node.onConflictClause === undefined });
  const source = kind === 'InsertStmt' ? cutSource(statement) : null;
  if (source === null) return explained(session, statement, null);
  return whereThere(session, async () => {
    const [row] = await session.rows(`SELECT count(*) AS n FROM (\n${source}\n) AS source`, []);
    return { count: Number(row?.n ?? 0), exact: node.onConflictClause === undefined, missing: null };
  });
}

/** How many rows one reading statement of one number gives; null where it gives something else. */
export function asCount(rows: readonly { readonly [column: string]: string | null }[]): number | null {
  const values = rows.length === 1 ? Object.values(rows[0] ?? {}) : [];
  return values.length === 1 && /^\d{1,15}$/.test(values[0] ?? '') ? Number(values[0]) : null;
}

async function countTables(session: Session, tables: readonly string[]): Promise<Affected> {
  let count = 0;
  for (const table of tables) {
    const [there] = await session.rows('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
    if (there?.there !== 't') return { count, exact: false, missing: `there is no table ${table}` };
    const [row] = await session.rows(`SELECT count(*) AS n FROM ${table}`, []);
    count += Number(row?.n ?? 0);
  }
  return { count, exact: true, missing: null };
}

/** The text of an INSERT's SELECT, found by trying: what parses to the very same tree is it. Null where there is none. */
function cutSource({ node, text }: Statement): string | null {
  if (node.withClause !== undefined) return null;
  const words = wordsOf(text).filter(({ depth }) => depth === 0);
  const source = fieldsOf(node.selectStmt).SelectStmt;
  const begins = words.filter(({ word }) => ['SELECT', 'WITH', 'TABLE', 'VALUES', '('].includes(word));
  const ends = [text.length, ...words.filter(({ word }) => word === 'ON' || word === 'RETURNING').map(({ at }) => at)];
  for (const { at } of begins) {
    for (const end of ends) {
      const part = text.slice(at, end);
      const found = reparse(part);
      if (found?.kind === 'SelectStmt' && sameSyntax(found.node, source as Json)) return part;
    }
  }
  return null;
}

/** Lets the server plan it, which tells whether all is there, and takes its estimate where no count is known. */
async function explained(
  session: Session,
  { text }: Statement,
  known: Pick<Affected, 'count' | 'exact'> | null,
): Promise<Affected> {
  return whereThere(session, async () => {
    const [row] = await session.rows(`EXPLAIN (FORMAT JSON) ${text}`, []);
    if (known) return { ...known, missing: null };
    const [plan] = JSON.parse(row?.['QUERY PLAN'] ?? '[]') as { Plan?: JsonObject }[];
    return { count: estimateOf(plan?.Plan), exact: false, missing: null };
  });
}

/** Rows that come into the node that writes. */
function estimateOf(plan: JsonObject | undefined): number {
  const below = itemsOf(plan?.Plans).map(fieldsOf);
  if (plan?.['Node Type'] === 'ModifyTable') {
    return below
      .filter((part) => part['Parent Relationship'] === 'Outer' || part['Parent Relationship'] === 'Member')
      .reduce((sum, part) => sum + Number(part['Plan Rows'] ?? 0), 0);
  }
  return below.reduce((sum, part) => sum + estimateOf(part), 0);
}

async function whereThere(session: Session, work: () => Promise<Affected>): Promise<Affected> {
  await session.rows('SAVEPOINT counting', []);
  try {
    return await work();
  } catch (error) {
    if (!isServerError(error) || !notThere.test(error.code ?? '')) throw error;
    await session.rows('ROLLBACK TO SAVEPOINT counting', []);
    return { count: 0, exact: false, missing: error.message };
  }
}
