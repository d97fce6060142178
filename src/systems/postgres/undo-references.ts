import type { Session } from './database.ts';
import { quoteName } from './identifiers.ts';
import type { RowChange } from './journal-body.ts';
import { type Column, type ForeignKey, findForeignKeys, type Table } from './table.ts';

/** A record that cannot go because another record refers to its field. */
export interface HeldRecord {
  readonly key: string;
  readonly field: string;
}

/**
 * Which of the records that are to be deleted others refer to by a foreign key, whatever it would do on delete.
 * References among the records to be deleted do not count; one that stays keeps those which it refers to. Nor do
 * foreign keys in `leavingKeys`: they will be gone before.
 */
export async function findForeignHolders(
  session: Session,
  table: Table,
  key: Column,
  leaving: () => readonly RowChange[],
  leavingKeys: ReadonlySet<string> = new Set(),
): Promise<HeldRecord[]> {
  const all = await findForeignKeys(session, table.oid, 'to');
  const pointing = all.filter((foreignKey) => !leavingKeys.has(foreignKey.name));
  const held = new Map<string, HeldRecord>();
  for (let found = -1; found !== held.size; ) {
    found = held.size;
    const keys = leaving()
      .map((change) => change.key)
      .filter((name) => !held.has(name));
    if (keys.length === 0) break;
    for (const foreignKey of pointing) {
      for (const name of await referredKeys(session, table, key, foreignKey, keys)) {
        held.set(name, { key: name, field: foreignKey.referencedColumns[0] ?? key.name });
      }
    }
    // Only a table that refers to itself needs another round.
    if (!pointing.some((foreignKey) => foreignKey.table === foreignKey.referenced)) break;
  }
  return [...held.values()];
}

async function referredKeys(
  session: Session,
  table: Table,
  key: Column,
  foreignKey: ForeignKey,
  keys: readonly string[],
): Promise<string[]> {
  const match = foreignKey.columns
    .map((name, n) => `f.${quoteName(name)} = r.${quoteName(foreignKey.referencedColumns[n] ?? '')}`)
    .join(' AND ');
  const name = quoteName(key.name);
  const itself = foreignKey.table === foreignKey.referenced ? `AND NOT f.${name}::text = ANY($1::text[])` : '';
  const rows = await session.rows(
    `SELECT r.${name}::text AS k FROM ${table.sql} r WHERE r.${name} = ANY($1::text[]::${key.cast}[])
       AND EXISTS (SELECT FROM ${foreignKey.table} f WHERE ${match} ${itself})`,
    [keys],
  );
  return rows.map((row) => row.k ?? '');
}
