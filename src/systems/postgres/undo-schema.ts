import type { Conflict } from '../system.ts';
import type { Session } from './database.ts';
import { isServerError } from './errors.ts';
import { quoteName } from './identifiers.ts';
import { isRowChange, type JournalBody, type SchemaChange } from './journal-body.ts';
import { findForeignKeys, findTable, type Table } from './table.ts';

/** What the undo of a change of the schema did; its own change is written down in the same form. */
interface UndoneSchema {
  readonly changes: readonly SchemaChange[];
  readonly conflicts: readonly Conflict[];
  readonly done: number;
  readonly missing: number;
}

const opposite = {
  'add-column': 'drop-column',
  'drop-column': 'add-column',
  'add-constraint': 'drop-constraint',
  'drop-constraint': 'add-constraint',
  validate: 'unvalidate',
  unvalidate: 'validate',
} as const;

/** Undoes the one change of the batch, never what stood there before the run. */
export async function undoSchemaChange(session: Session, original: JournalBody): Promise<UndoneSchema> {
  const change = onlyChange(original);
  const back = { ...change, did: opposite[change.did] } as SchemaChange;
  const nothing = { changes: [{ ...back, existed: true }], conflicts: [], done: 0, missing: 0 };
  if (change.existed) return nothing;
  const table = await findTable(session, original.table);
  if (!table) return { ...nothing, conflicts: [conflict(original, change, 'missing', null)], missing: 1 };
  const outcome = await carryOut(session, table, original, back);
  const counted = back.did === 'validate' || back.did === 'unvalidate' ? 0 : 1;
  if (outcome === 'done') return { changes: [back], conflicts: [], done: counted, missing: 0 };
  if (outcome === 'nothing') return nothing;
  return { ...nothing, conflicts: [outcome], missing: outcome.reason === 'missing' ? 1 : 0 };
}

/** What undo would do, in counts and locks. */
export async function previewSchemaChange(
  session: Session,
  original: JournalBody,
): Promise<{ count: number; locks: string[] }> {
  const change = onlyChange(original);
  const table = await findTable(session, original.table);
  if (change.existed || !table) return { count: 0, locks: [] };
  const locks = [`${original.table}: nobody reads or writes for a moment, after a wait of at most 2 s`];
  if (change.did === 'validate' || change.did === 'unvalidate') return { count: 0, locks: [] };
  // Values that stand there now may be the run's own, which earlier parts of the undo take away.
  if (change.did === 'add-column' && !table.columns.has(change.name)) return { count: 0, locks: [] };
  return { count: 1, locks };
}

type Outcome = 'done' | 'nothing' | Conflict;

async function carryOut(session: Session, table: Table, original: JournalBody, back: SchemaChange): Promise<Outcome> {
  switch (back.did) {
    case 'drop-column':
      return dropColumn(session, table, original, back.name);
    case 'add-column':
      if (table.columns.has(back.name)) return 'nothing';
      await session.rows(`ALTER TABLE ${table.sql} ADD COLUMN ${quoteName(back.name)} ${back.type}`, []);
      return 'done';
    case 'drop-constraint':
      return dropConstraint(session, table, original, back);
    case 'add-constraint': {
      const standing = (await findForeignKeys(session, table.oid, 'from')).some((key) => key.name === back.name);
      if (standing) return 'nothing';
      await session.rows(`ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(back.name)} ${back.definition}`, []);
      return 'done';
    }
    case 'validate':
      return validate(session, table, original, back.name);
    case 'unvalidate':
      return 'done';
  }
}

/** Writers wait while it is looked whether anyone uses the column; readers do not. */
async function dropColumn(session: Session, table: Table, original: JournalBody, name: string): Promise<Outcome> {
  const change = onlyChange(original);
  if (!table.columns.has(name)) return conflict(original, change, 'missing', null);
  await session.rows(`LOCK TABLE ${table.sql} IN SHARE ROW EXCLUSIVE MODE`, []);
  const left = await countValues(session, table, name);
  if (left > 0) return conflict(original, change, 'changed-since', left);
  const [user] = await session.rows(
    `SELECT coalesce(c.relname, o.conname) AS name FROM pg_catalog.pg_attribute a
       JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
       LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
       LEFT JOIN pg_catalog.pg_constraint o ON d.classid = 'pg_constraint'::regclass AND o.oid = d.objid
     WHERE a.attrelid = $1::oid AND a.attname = $2 AND d.deptype IN ('n', 'a') LIMIT 1`,
    [table.oid, name],
  );
  if (user) return conflict(original, change, 'referred-to', user.name ?? null);
  await session.rows(`ALTER TABLE ${table.sql} DROP COLUMN ${quoteName(name)} RESTRICT`, []);
  return 'done';
}

async function dropConstraint(
  session: Session,
  table: Table,
  original: JournalBody,
  back: Extract<SchemaChange, { definition: string }>,
): Promise<Outcome> {
  const standing = (await findForeignKeys(session, table.oid, 'from')).find((key) => key.name === back.name);
  if (!standing) return conflict(original, back, 'missing', null);
  const bare = (definition: string): string => definition.replace(/ NOT VALID$/, '');
  if (bare(standing.definition) !== bare(back.definition)) {
    return conflict(original, back, 'changed-since', standing.definition);
  }
  await session.rows(`ALTER TABLE ${table.sql} DROP CONSTRAINT ${quoteName(back.name)} RESTRICT`, []);
  return 'done';
}

async function validate(session: Session, table: Table, original: JournalBody, name: string): Promise<Outcome> {
  const standing = (await findForeignKeys(session, table.oid, 'from')).find((key) => key.name === name);
  if (!standing) return conflict(original, onlyChange(original), 'missing', null);
  if (standing.validated) return 'nothing';
  await session.rows('SAVEPOINT validation', []);
  try {
    await session.rows(`ALTER TABLE ${table.sql} VALIDATE CONSTRAINT ${quoteName(name)}`, []);
    return 'done';
  } catch (error) {
    if (!isServerError(error) || error.code !== '23503') throw error;
    await session.rows('ROLLBACK TO SAVEPOINT validation', []);
    return conflict(original, onlyChange(original), 'changed-since', 'rows that refer to nothing');
  }
}

async function countValues(session: Session, table: Table, name: string): Promise<number> {
  const [row] = await session.rows(
    `SELECT count(*) AS n FROM ${table.sql} r WHERE r.${quoteName(name)} IS NOT NULL`,
    [],
  );
  return Number(row?.n ?? 0);
}

function conflict(
  body: JournalBody,
  change: SchemaChange,
  reason: Conflict['reason'],
  theirs: Conflict['theirs'],
): Conflict {
  return { collection: body.table, key: change.name, field: change.name, reason, base: null, ours: change.did, theirs };
}

function onlyChange(body: JournalBody): SchemaChange {
  const [change] = body.changes;
  if (!change || isRowChange(change)) throw new Error('the journal of a schema change holds one change');
  return change;
}
