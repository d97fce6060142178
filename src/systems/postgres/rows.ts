import type { Session } from './database.ts';
import { quoteName } from './identifiers.ts';
import type { TextValues } from './journal-body.ts';
import { type Column, castable, equalsAny, needColumn, type Table } from './table.ts';

/** Records by key, as text. */
export type RowsByKey = Map<string, TextValues>;

/** Locks the records of these keys, in key order so that two batches never wait for each other in a ring. */
export async function lockRows(session: Session, table: Table, key: Column, keys: readonly string[]): Promise<void> {
  await session.rows(
    `SELECT 1 AS one FROM ${table.sql} r WHERE ${equalsAny(key, 'r', '$1')} ORDER BY r.${quoteName(key.name)} FOR UPDATE`,
    [castable(key, keys)],
  );
}

/** Reads columns of the records with these keys; keys that are not there are left out. */
export async function readRows(
  session: Session,
  table: Table,
  key: Column,
  columns: readonly string[],
  keys: readonly string[],
): Promise<RowsByKey> {
  const list = columns.map((name, n) => `, r.${quoteName(name)}::text AS c${n}`).join('');
  const rows = await session.rows(
    `SELECT r.${quoteName(key.name)}::text AS k${list} FROM ${table.sql} r WHERE ${equalsAny(key, 'r', '$1')}`,
    [castable(key, keys)],
  );
  return collect(rows, columns);
}

/** Sets columns of records from texts; returns what stands there afterwards. All changes name the same columns. */
export async function updateRows(
  session: Session,
  table: Table,
  key: Column,
  columns: readonly string[],
  changes: readonly { readonly key: string; readonly values: TextValues }[],
): Promise<RowsByKey> {
  const cast = columns.map((name) => needColumn(table, name).cast);
  const sets = columns.map((name, n) => `${quoteName(name)} = v.c${n}::${cast[n]}`).join(', ');
  const rows = await session.rows(
    `UPDATE ${table.sql} AS r SET ${sets} FROM unnest($1::text[]${typedArrays(columns)}) AS v(k${names(columns)})
     WHERE r.${quoteName(key.name)} = v.k::${key.cast} RETURNING r.${quoteName(key.name)}::text AS k${returned(columns)}`,
    [changes.map((change) => change.key), ...columns.map((name) => changes.map((c) => c.values[name] ?? null))],
  );
  return collect(rows, columns);
}

/** Inserts records from texts; those whose key is taken are left out. Returns whole records as they stand then. */
export async function insertRows(
  session: Session,
  table: Table,
  key: Column,
  columns: readonly string[],
  records: readonly TextValues[],
): Promise<RowsByKey> {
  const all = [...table.columns.keys()];
  const cast = columns.map((name) => needColumn(table, name).cast);
  const rows = await session.rows(
    `INSERT INTO ${table.sql} AS r (${columns.map(quoteName).join(', ')}) OVERRIDING SYSTEM VALUE
     SELECT ${columns.map((_, n) => `v.c${n}::${cast[n]}`).join(', ')}
     FROM unnest($1::bigint[]${typedArrays(columns)}) AS v(n${names(columns)}) ORDER BY v.n
     ON CONFLICT (${quoteName(key.name)}) DO NOTHING RETURNING r.${quoteName(key.name)}::text AS k${returned(all)}`,
    [records.map((_, n) => String(n)), ...columns.map((name) => records.map((record) => record[name] ?? null))],
  );
  return collect(rows, all);
}

/** Deletes records that the caller has locked. */
export async function deleteRows(session: Session, table: Table, key: Column, keys: readonly string[]): Promise<void> {
  await session.rows(`DELETE FROM ${table.sql} r WHERE ${equalsAny(key, 'r', '$1')}`, [castable(key, keys)]);
}

/** Which of these keys the table holds. */
export async function existingKeys(
  session: Session,
  table: Table,
  key: Column,
  keys: readonly string[],
): Promise<Set<string>> {
  return new Set((await readRows(session, table, key, [], keys)).keys());
}

function collect(rows: readonly { [column: string]: string | null }[], columns: readonly string[]): RowsByKey {
  return new Map(
    rows.map((row) => [row.k ?? '', Object.fromEntries(columns.map((name, n) => [name, row[`c${n}`] ?? null]))]),
  );
}

const typedArrays = (columns: readonly string[]): string => columns.map((_, n) => `, $${n + 2}::text[]`).join('');
const names = (columns: readonly string[]): string => columns.map((_, n) => `, c${n}`).join('');
const returned = (columns: readonly string[]): string =>
  columns.map((name, n) => `, r.${quoteName(name)}::text AS c${n}`).join('');
