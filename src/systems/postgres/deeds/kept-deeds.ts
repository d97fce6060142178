import type { Session } from '../database.ts';
import { parseTableName, quoteName } from '../identifiers.ts';
import type { KeptColumnChange, KeptTableChange, ReleaseChange } from '../journal-body.ts';
import { findTable } from '../table.ts';
import type { Deed } from './deed.ts';

export const setAsideColumn: Deed<KeptColumnChange> = {
  async judge({ table, change, conflict }) {
    if (!table.columns.has(change.name)) return conflict('missing', null);
    return table.columns.has(change.kept) ? conflict('value-taken', change.kept) : 'go';
  },
  async act({ session, table, change }) {
    await renameColumn(session, table.sql, change.name, change.kept);
    return null;
  },
};

export const bringBackColumn: Deed<KeptColumnChange> = {
  async judge({ table, change, conflict }) {
    if (!table.columns.has(change.kept)) return conflict('missing', 'given up since, or gone');
    return table.columns.has(change.name) ? conflict('value-taken', change.name) : 'go';
  },
  async act({ session, table, change }) {
    await renameColumn(session, table.sql, change.kept, change.name);
    return null;
  },
};

export async function renameColumn(session: Session, table: string, from: string, to: string): Promise<void> {
  await session.rows(`ALTER TABLE ${table} RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)}`, []);
}

/** The schema bears no rights for others: what lies there cannot be reached by applications. */
export async function moveAside(session: Session, table: string, kept: string): Promise<void> {
  await session.rows(`CREATE SCHEMA IF NOT EXISTS ${quoteName(kept)}`, []);
  await session.rows(`ALTER TABLE ${table} SET SCHEMA ${quoteName(kept)}`, []);
}

/** Nothing else may lie there: then it stays. */
export async function dropEmptySchema(session: Session, kept: string): Promise<void> {
  await session.rows('SAVEPOINT empty_schema', []);
  try {
    await session.rows(`DROP SCHEMA ${quoteName(kept)} RESTRICT`, []);
  } catch (error) {
    if ((error as { code?: string }).code !== '2BP01') throw error;
    await session.rows('ROLLBACK TO SAVEPOINT empty_schema', []);
  }
}

export const setAsideTable: Deed<KeptTableChange> = {
  judge: async () => 'go',
  async act({ session, table, change }) {
    await moveAside(session, table.sql, change.kept);
    return null;
  },
};

/** `table` is the kept one. */
export const bringBackTable: Deed<KeptTableChange> = {
  async judge({ session, change, conflict }) {
    const place = `${quoteName(change.schema)}.${quoteName(parseTableName(change.name).name)}`;
    const [row] = await session.rows<{ schema: string | null; taken: string }>(
      'SELECT to_regnamespace($1)::text AS schema, to_regclass($2) IS NOT NULL AS taken',
      [quoteName(change.schema), place],
    );
    if (row?.schema === null) return conflict('missing', `the schema ${change.schema}`);
    return row?.taken === 't' ? conflict('value-taken', change.name) : 'go';
  },
  async act({ session, table, change }) {
    await session.rows(`ALTER TABLE ${table.sql} SET SCHEMA ${quoteName(change.schema)}`, []);
    await dropEmptySchema(session, change.kept);
    return null;
  },
};

/** The kept table under the name that it has meanwhile; null where it is gone. */
export function findKeptTable(session: Session, change: KeptTableChange) {
  return findTable(session, `${quoteName(change.kept)}.${quoteName(parseTableName(change.name).name)}`);
}

export const released: Deed<ReleaseChange> = {
  judge: async ({ conflict }) => conflict('missing', 'given up for good'),
  act: async () => null,
};
