import type { Finding } from '../../finding.ts';
import type { Session } from '../database.ts';
import { quoteName, quoteTable } from '../identifiers.ts';
import { findSideEffects } from '../side-effects.ts';
import { type Column, findForeignKeys, findTable, type Table } from '../table.ts';
import type { Statement } from './parse.ts';
import { type NotByRow, type RowStatement, takeApart } from './row-statement.ts';
import { callsIn, type RelationName, sayRelation } from './syntax.ts';

/** An UPDATE or DELETE whose rows the journal can hold, key by key. */
export interface RowPlan {
  readonly statement: RowStatement;
  readonly table: Table;
  readonly key: Column;
  /** All rows in one transaction: it reads what it writes. */
  readonly atOnce: boolean;
  /** Why it may not be carried out: triggers and cascades that no journal sees. */
  readonly findings: readonly Finding[];
}

/** Most rows that one transaction writes with their images in memory. */
export const MOST_AT_ONCE = 20_000;

/** Looks whether the only statement of a step can be journaled row by row; else why not. */
export async function planRows(
  session: Session,
  statements: readonly Statement[],
  doing: ReadonlySet<string>,
): Promise<RowPlan | NotByRow> {
  const [only, second] = statements;
  if (!only || second) return { because: 'only a single UPDATE or DELETE is journaled row by row' };
  const statement = takeApart(only, doing);
  if ('because' in statement) return statement;
  const found = await findTable(session, quoteTable(statement.target));
  if (!found) return { because: `there is no table ${sayRelation(statement.target)} yet` };
  const table = { ...found, name: nameOf(statement.target) };
  const key = await primaryKey(session, table);
  if (!key) return { because: `${table.name} has no primary key of one column` };
  const set = statement.sets.map(({ column }) => column);
  if (set.includes(key.name)) return { because: 'it changes the primary key itself' };
  if (await hasHeirs(session, table)) return { because: `other tables inherit from ${table.name}` };
  const odd = await findViews(session, statement.others);
  return {
    statement,
    table,
    key,
    atOnce: statement.readsItself || odd || (await callsOwnFunctions(session, only)),
    findings: await findObstacles(session, table, statement, set),
  };
}

/** In the form in which steps name tables, so that the journal finds it again. */
function nameOf({ schema, name }: RelationName): string {
  const part = (text: string): string => (/["."]/.test(text) ? quoteName(text) : text);
  return schema === null ? part(name) : `${part(schema)}.${part(name)}`;
}

async function primaryKey(session: Session, table: Table): Promise<Column | null> {
  const rows = await session.rows<{ name: string }>(
    `SELECT a.attname AS name FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = $1::oid AND i.indisprimary AND i.indnkeyatts = 1`,
    [table.oid],
  );
  const key = table.columns.get(rows[0]?.name ?? '');
  return key?.unique ? key : null;
}

/** Rows of heirs come with the table, and keys are unique by table only. Partitions share their parent's key. */
async function hasHeirs(session: Session, table: Table): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
     WHERE i.inhparent = $1::oid AND c.relkind = 'r' LIMIT 1`,
    [table.oid],
  );
  return rows.length > 0;
}

/** Whether any of the relations is a view, which may read the written table. */
async function findViews(session: Session, others: readonly RelationName[]): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_class WHERE relkind IN ('v', 'f') AND oid IN (SELECT to_regclass(n) FROM unnest($1::text[]) n)`,
    [others.map(quoteTable)],
  );
  return rows.length > 0;
}

/** Functions of the database's own may read the written table. */
async function callsOwnFunctions(session: Session, { kind, node }: Statement): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
     WHERE p.proname = ANY($1::text[]) AND p.provolatile <> 'i' AND p.pronamespace <> 'pg_catalog'::regnamespace
       AND l.lanname <> 'c' LIMIT 1`,
    [[...callsIn({ [kind]: node }).functions]],
  );
  return rows.length > 0;
}

async function findObstacles(
  session: Session,
  table: Table,
  { does }: RowStatement,
  written: readonly string[],
): Promise<Finding[]> {
  const events = does === 'delete' ? (['delete'] as const) : (['update'] as const);
  const effects = await findSideEffects(session, table, events, written);
  if (does === 'update') return effects;
  const pointing = await findForeignKeys(session, table.oid, 'to');
  const acting = pointing.filter(({ onDelete }) => ['c', 'n', 'd'].includes(onDelete));
  return [
    ...effects,
    ...acting.map((key) => ({
      check: 'no-side-effects',
      title: `${table.name}: the foreign key ${key.name} of ${key.table} would delete or empty its own rows as well`,
      status: 'failed' as const,
      count: 1,
      samples: [key.name],
      advice: `Delete or change the rows of ${key.table} in a step before, and make the key ON DELETE NO ACTION.`,
    })),
  ];
}
