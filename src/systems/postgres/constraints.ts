import { Failure } from '../../shared/failure.ts';
import type { Session } from './database.ts';
import { quoteName } from './identifiers.ts';
import type { ConstraintChange, ValidationChange } from './journal-body.ts';
import type { Table } from './table.ts';

/** A constraint of a table, of whatever type. */
export interface Constraint {
  readonly name: string;
  /** As in the catalog: c = check, f = foreign key, p = primary key, u = unique, x = exclusion. */
  readonly type: string;
  /** As `ALTER TABLE … ADD CONSTRAINT name` takes it, NOT VALID included. */
  readonly definition: string;
  readonly validated: boolean;
  /** Of a check; null for others. */
  readonly expression: string | null;
  readonly columns: readonly string[];
}

export async function findConstraints(session: Session, oid: string): Promise<Constraint[]> {
  const rows = await session.rows<{ [field: string]: string | null }>(
    `SELECT o.conname AS name, o.contype AS type, pg_catalog.pg_get_constraintdef(o.oid) AS definition, o.convalidated AS validated,
       pg_catalog.pg_get_expr(o.conbin, o.conrelid) AS expression,
       (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = o.conrelid AND a.attnum = ANY(o.conkey))::text AS columns
     FROM pg_catalog.pg_constraint o WHERE o.conrelid = $1::oid AND o.contype IN ('c', 'f', 'p', 'u', 'x') ORDER BY o.conname`,
    [oid],
  );
  return rows.map((row) => ({
    name: row.name ?? '',
    type: row.type ?? '',
    definition: row.definition ?? '',
    validated: row.validated === 't',
    expression: row.expression ?? null,
    columns: JSON.parse(row.columns ?? '[]') as string[],
  }));
}

export async function findConstraint(session: Session, oid: string, name: string): Promise<Constraint | null> {
  return (await findConstraints(session, oid)).find((constraint) => constraint.name === name) ?? null;
}

export const withoutNotValid = (definition: string): string => definition.replace(/ NOT VALID$/, '');

/** Adds a constraint without reading a row; what the catalog made of it is what the journal holds. */
export async function addNotValid(
  session: Session,
  table: Table,
  name: string,
  definition: string,
): Promise<ConstraintChange> {
  await session.rows(`ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(name)} ${definition} NOT VALID`, []);
  const made = await findConstraint(session, table.oid, name);
  return { did: 'add-constraint', name, definition: made?.definition ?? `${definition} NOT VALID`, existed: false };
}

/** Reads all rows while writers go on. Throws `conflict` where the constraint is gone. */
export async function validateConstraint(session: Session, table: Table, name: string): Promise<ValidationChange> {
  const standing = await findConstraint(session, table.oid, name);
  if (!standing) {
    throw new Failure({
      code: 'conflict',
      message: `The constraint ${name} of ${table.name} is gone since it was added.`,
      advice: 'Undo the step, then ask again.',
    });
  }
  if (!standing.validated) {
    await session.rows(`ALTER TABLE ${table.sql} VALIDATE CONSTRAINT ${quoteName(name)}`, []);
  }
  return { did: 'validate', name, existed: standing.validated };
}

/** The check that proves a column full before NOT NULL is set, so that the server need not read the table under its lock. */
export function fullCheck(column: string): { readonly name: string; readonly definition: string } {
  return {
    name: Buffer.from(`_tas_full_${column}`)
      .subarray(0, 60)
      .toString()
      .replace(/\ufffd+$/, ''),
    definition: `CHECK (${quoteName(column)} IS NOT NULL)`,
  };
}
