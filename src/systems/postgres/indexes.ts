import { Failure } from '../../shared/failure.ts';
import type { Session } from './database.ts';
import { isServerError } from './errors.ts';
import { quoteName } from './identifiers.ts';
import type { Table } from './table.ts';

/** An index, or whatever else bears its name in the table's schema. */
export interface StandingIndex {
  readonly name: string;
  /** Quoted, with its schema. */
  readonly sql: string;
  /** False where it is no index of this table. */
  readonly ofTable: boolean;
  readonly valid: boolean;
  readonly unique: boolean;
  readonly method: string;
  /** Ascending, nulls last, operator classes by default: nothing but what its keys say. */
  readonly plain: boolean;
  /** Keys as the catalog writes them: quoted names or expressions. */
  readonly keys: readonly string[];
  readonly predicate: string | null;
  /** A whole statement. */
  readonly definition: string;
  /** What stands on it, in words: constraints, and foreign keys that need it. */
  readonly users: readonly string[];
  /** Somebody is building it now. */
  readonly inWork: boolean;
}

export async function findIndexes(session: Session, table: Table): Promise<StandingIndex[]> {
  return readIndexes(session, 'i.indrelid = $1::oid', [table.oid]);
}

/** What bears the name in the schema of the table; null = it is free. */
export async function findIndex(session: Session, table: Table, name: string): Promise<StandingIndex | null> {
  const place = `c.relname = $2 AND c.relnamespace = (SELECT t.relnamespace FROM pg_catalog.pg_class t WHERE t.oid = $1::oid)`;
  return (await readIndexes(session, place, [table.oid, name]))[0] ?? null;
}

async function readIndexes(session: Session, where: string, values: readonly string[]): Promise<StandingIndex[]> {
  const rows = await session.rows<{ [field: string]: string | null }>(
    `SELECT c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql, i.indrelid = $1::oid AS of_table,
       i.indisvalid AND i.indisready AND i.indislive AS valid, i.indisunique AS "unique", m.amname AS method, i.indnatts = i.indnkeyatts
         AND (SELECT bool_and(o = 0) FROM unnest(i.indoption::int[]) o) AND (SELECT bool_and(p.opcdefault)
         FROM unnest(i.indclass::oid[]) k JOIN pg_catalog.pg_opclass p ON p.oid = k) AS plain,
       (SELECT json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) ORDER BY k) FROM generate_series(1, i.indnkeyatts) k)::text AS keys,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
       (SELECT json_agg(DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)) FROM pg_catalog.pg_depend d
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'n')::text AS users,
       (SELECT json_agg(o.conname) FROM pg_catalog.pg_constraint o WHERE o.conindid = c.oid AND o.contype <> 'f')::text AS owners,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index w WHERE w.index_relid = c.oid) AS in_work
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
     WHERE ${where} ORDER BY c.relname`,
    [...values],
  );
  return rows.map((row) => ({
    name: row.name ?? '',
    sql: row.sql ?? '',
    ofTable: row.of_table === 't',
    valid: row.valid === 't',
    unique: row.unique === 't',
    method: row.method ?? '',
    plain: row.plain === 't',
    keys: JSON.parse(row.keys ?? '[]') as string[],
    predicate: row.predicate ?? null,
    definition: row.definition ?? '',
    users: [...(JSON.parse(row.owners ?? '[]') as string[]), ...(JSON.parse(row.users ?? '[]') as string[])],
    inWork: row.in_work === 't',
  }));
}

/**
 * Makes the index while writers go on, outside of a transaction, and reads it back. An invalid one of its name was left by a
 * try that was killed: it is dropped and made again. Throws `precondition-failed` for duplicates.
 */
export async function makeIndex(
  session: Session,
  table: Table,
  name: string,
  definition: string,
): Promise<StandingIndex> {
  await dropInvalid(session, table, name);
  const there = await findIndex(session, table, name);
  if (there?.valid) return there;
  try {
    await session.rows(definition.replace(/^CREATE (UNIQUE )?INDEX /, 'CREATE $1INDEX CONCURRENTLY '), []);
  } catch (error) {
    // Where that fails too, the next call does it: nothing uses an invalid index.
    await dropInvalid(session, table, name).catch(() => undefined);
    if (!isServerError(error) || error.code !== '23505') throw error;
    throw new Failure({
      code: 'precondition-failed',
      message: `${table.name} holds records with the same values, so the index ${name} cannot be unique.`,
      advice: 'The index was taken away again. Give each record values of its own; then retry.',
      cause: error,
    });
  }
  const made = await findIndex(session, table, name);
  if (made?.valid) return made;
  throw new Failure({
    code: 'step-failed',
    message: `The index ${name} of ${table.name} was made and is not valid.`,
    advice: 'Retry: it is then dropped and made again.',
    retryable: true,
  });
}

async function dropInvalid(session: Session, table: Table, name: string): Promise<void> {
  const there = await findIndex(session, table, name);
  if (there?.ofTable && !there.valid) await dropIndex(session, there);
}

/** While readers and writers go on, outside of a transaction. */
export async function dropIndex(session: Session, index: StandingIndex): Promise<void> {
  await session.rows(`DROP INDEX CONCURRENTLY IF EXISTS ${index.sql}`, []);
}

/** A whole statement without CONCURRENTLY, as the journal holds it. */
export function indexStatement(
  table: Table,
  index: {
    readonly name: string;
    readonly unique: boolean;
    readonly method: string;
    readonly keys: readonly string[];
    readonly predicate: string | null;
  },
): string {
  const where = index.predicate === null ? '' : ` WHERE (\n${index.predicate}\n)`;
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteName(index.name)} ON ${table.sql} USING ${index.method} (${index.keys.join(', ')})${where}`;
}
