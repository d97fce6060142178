import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import type { StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import { addNotValid, findConstraint, fullCheck, validateConstraint, withoutNotValid } from '../constraints.ts';
import type { Session } from '../database.ts';
import { quoteName } from '../identifiers.ts';
import type { ConstraintChange } from '../journal-body.ts';
import {
  defineSchemaKind,
  momentLock,
  refuseFailed,
  type SchemaLook,
  type SchemaOutcome,
  standing,
} from '../schema-kind.ts';
import { needColumn, needTable, type Table } from '../table.ts';
import { columnToCome, findRows, violationFinding } from '../violations.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table, as `table` or `schema.table`'),
  column: z.string().describe('The column that must have a value from now on'),
  mended: z
    .boolean()
    .default(false)
    .describe('An earlier step of this migration fills the rows without a value: they are then a warning in the plan'),
});
type Input = z.infer<typeof inputSchema>;

/**
 * Sets NOT NULL in three batches: a check NOT VALID, its validation while writers go on, and NOT NULL itself, for which
 * the server takes the check's word and reads no row under its lock. The check goes in the same transaction.
 */
export function setNotNullKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.set-not-null',
    effect: 'changes',
    input: inputSchema,
    describe: ({ table, column }) => `makes ${table}.${column} NOT NULL`,
    table: ({ table }) => table,
    locks: ({ table }) => [table],
    rights: ({ table }) => [{ table, rights: ['OWN', 'SELECT'] }],
    look,
    async perform(session, input, batch) {
      const table = await needTable(session, input.table);
      if (needColumn(table, input.column).notNull && batch.cursor === null) {
        return { changes: [{ did: 'set-not-null', name: input.column, existed: true }], cursor: null, done: 0 };
      }
      if (batch.cursor === null) return { ...(await begin(session, input, table)), cursor: 'validate' };
      if (batch.cursor === 'validate') return validate(session, input, table);
      return finish(session, input, table);
    },
    async verify(session, input) {
      const column = (await needTable(session, input.table)).columns.get(input.column);
      return [standing('column-not-null', `${input.table}.${input.column} is NOT NULL`, column?.notNull === true)];
    },
  });
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const table = await needTable(session, input.table);
  const column = table.columns.get(input.column);
  quoteName(input.column);
  return {
    count: column?.notNull ? 0 : 1,
    key: [input.table, input.column],
    relied: { oid: table.oid, column: column ? { ...column } : null },
    locks: [`${momentLock([input.table], 'reads or writes')}, three times; while rows are read all go on`],
    findings: column
      ? column.notNull
        ? []
        : await findEmpty(session, input, table, input.mended)
      : columnToCome(input.table, [input.column]),
  };
}

async function begin(session: Session, input: Input, table: Table): Promise<Omit<SchemaOutcome, 'cursor'>> {
  // Before the check stands in the way of anybody.
  refuseFailed(await findEmpty(session, input, table, false));
  const check = fullCheck(input.column);
  const there = await findConstraint(session, table.oid, check.name);
  const added: ConstraintChange = there
    ? { did: 'add-constraint', name: there.name, definition: there.definition, existed: true }
    : await addNotValid(session, table, check.name, check.definition);
  return { changes: [{ ...added, part: true }], done: 0 };
}

async function validate(session: Session, input: Input, table: Table): Promise<SchemaOutcome> {
  refuseFailed(await findEmpty(session, input, table, false));
  const validated = await validateConstraint(session, table, fullCheck(input.column).name);
  return { changes: [{ ...validated, part: true }], cursor: 'set', done: 0 };
}

async function finish(session: Session, input: Input, table: Table): Promise<SchemaOutcome> {
  const check = fullCheck(input.column);
  const there = await findConstraint(session, table.oid, check.name);
  await session.rows(`ALTER TABLE ${table.sql} ALTER COLUMN ${quoteName(input.column)} SET NOT NULL`, []);
  const set = { did: 'set-not-null' as const, name: input.column, existed: false };
  if (!there) return { changes: [set], cursor: null, done: 1 };
  await session.rows(`ALTER TABLE ${table.sql} DROP CONSTRAINT ${quoteName(check.name)} RESTRICT`, []);
  const definition = `${withoutNotValid(there.definition)} NOT VALID`;
  const dropped = {
    did: 'drop-constraint' as const,
    name: check.name,
    definition,
    existed: false,
    part: true as const,
  };
  return { changes: [set, dropped], cursor: null, done: 1 };
}

async function findEmpty(session: Session, input: Input, table: Table, mended: boolean): Promise<Finding[]> {
  const where = `FROM ${table.sql} r WHERE r.${quoteName(input.column)} IS NULL`;
  const found = await findRows(session, table, 'r', where);
  const title = `Every row of ${input.table} has a value in ${input.column}: ${found.count} have none`;
  const advice = 'Fill the column in an earlier step (postgres.backfill-column), or by hand; then ask again.';
  return violationFinding(found, { check: 'column-full', title, advice }, mended);
}
