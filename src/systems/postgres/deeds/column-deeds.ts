import { findConstraints, fullCheck } from '../constraints.ts';
import type { Session } from '../database.ts';
import { findDependents } from '../dependents.ts';
import { quoteName } from '../identifiers.ts';
import type { ColumnChange, NotNullChange } from '../journal-body.ts';
import type { Table } from '../table.ts';
import type { Deed } from './deed.ts';

export const addColumn: Deed<ColumnChange> = {
  judge: async ({ table, change }) => (table.columns.has(change.name) ? 'nothing' : 'go'),
  async act({ session, table, change }) {
    await session.rows(`ALTER TABLE ${table.sql} ADD COLUMN ${quoteName(change.name)} ${change.type}`, []);
    return null;
  },
};

/** Only an empty column that nobody uses. */
export const dropColumn: Deed<ColumnChange> = {
  async judge({ session, table, change, conflict }, preview) {
    if (!table.columns.has(change.name)) return conflict('missing', null);
    // Values that stand there now may be the run's own, which earlier parts of the undo take away.
    if (preview) return 'go';
    const [user] = await findDependents(session, table, change.name);
    return user ? conflict('referred-to', user.words) : 'go';
  },
  async act({ session, table, change, conflict }) {
    // Writers wait while it is looked whether anyone uses the column; readers do not.
    await session.rows(`LOCK TABLE ${table.sql} IN SHARE ROW EXCLUSIVE MODE`, []);
    const left = await countValues(session, table, change.name);
    if (left > 0) return conflict('changed-since', left);
    await session.rows(`ALTER TABLE ${table.sql} DROP COLUMN ${quoteName(change.name)} RESTRICT`, []);
    return null;
  },
};

async function countValues(session: Session, table: Table, name: string): Promise<number> {
  const column = `r.${quoteName(name)}`;
  const where = `${column} IS NOT NULL`;
  const [row] = await session.rows(`SELECT count(*) AS n FROM ${table.sql} r WHERE ${where}`, []);
  return Number(row?.n ?? 0);
}

/** Needs a validated check that proves the column full, so that no row is read under the lock. */
export const setNotNull: Deed<NotNullChange> = {
  soft: true,
  async judge({ session, table, change, conflict }, preview) {
    const column = table.columns.get(change.name);
    if (!column) return conflict('missing', null);
    if (column.notNull) return 'nothing';
    const check = fullCheck(change.name);
    const standing = (await findConstraints(session, table.oid)).find(({ name }) => name === check.name);
    if (preview || standing?.validated) return 'go';
    return conflict('changed-since', 'rows without a value');
  },
  async act({ session, table, change }) {
    await session.rows(`ALTER TABLE ${table.sql} ALTER COLUMN ${quoteName(change.name)} SET NOT NULL`, []);
    return null;
  },
};

export const dropNotNull: Deed<NotNullChange> = {
  soft: true,
  async judge({ table, change, conflict }) {
    const column = table.columns.get(change.name);
    if (!column) return conflict('missing', null);
    return column.notNull ? 'go' : conflict('missing', null);
  },
  async act({ session, table, change, conflict }) {
    const constraints = await findConstraints(session, table.oid);
    const key = constraints.find(({ type, columns }) => type === 'p' && columns.includes(change.name));
    if (key) return conflict('referred-to', key.name);
    await session.rows(`ALTER TABLE ${table.sql} ALTER COLUMN ${quoteName(change.name)} DROP NOT NULL`, []);
    return null;
  },
};
