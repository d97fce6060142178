import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import type { StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import { addNotValid, type Constraint, findConstraint, validateConstraint } from '../constraints.ts';
import type { Session } from '../database.ts';
import { canonicalExpression, placeOf, type ReadingPlace, readExpressions } from '../expressions.ts';
import { quoteName } from '../identifiers.ts';
import {
  defineSchemaKind,
  inTheWay,
  momentLock,
  refuseFailed,
  type SchemaLook,
  type SchemaOutcome,
  standing,
} from '../schema-kind.ts';
import { needTable, type Table } from '../table.ts';
import { invalid, tokenize } from '../tokens.ts';
import { columnToCome, findRows, violationFinding } from '../violations.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table, as `table` or `schema.table`'),
  name: z.string().describe("The constraint's name"),
  check: z.string().describe('An SQL condition over the columns of one row; a row for which it is NULL passes'),
  mended: z
    .boolean()
    .default(false)
    .describe(
      'An earlier step of this migration mends the rows that break it now: they are then a warning in the plan',
    ),
});
type Input = z.infer<typeof inputSchema>;

/** Adds a check NOT VALID (no row is read), then validates it while writers go on. An equal one of this name is taken. */
export function addCheckKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.add-check',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, name }) => `adds the check ${name} to ${table}`,
    table: ({ table }) => table,
    locks: ({ table }) => [table],
    rights: ({ table }) => [{ table, rights: ['OWN', 'SELECT'] }],
    look,
    perform: (session, input, batch) => perform(session, input, batch.cursor === 'validate'),
    async verify(session, input) {
      const { equal } = await compare(session, input);
      const title = `${input.table} has the check ${input.name}, validated`;
      return [standing('check-valid', title, equal?.validated === true)];
    },
  });
}

/** What stands in the database now under the check's name. */
interface Standing {
  readonly table: Table;
  readonly place: ReadingPlace;
  readonly equal: Constraint | null;
  readonly findings: readonly Finding[];
}

async function compare(session: Session, input: Input): Promise<Standing> {
  const table = await needTable(session, input.table);
  quoteName(input.name);
  const subquery = tokenize(input.check).find(({ kind, text }) => kind === 'name' && text.toLowerCase() === 'select');
  if (subquery) {
    throw invalid(input.check, subquery.at, 'a check sees one row only', 'Write a condition over its columns.');
  }
  const place = await readExpressions(session, table, [input.check]);
  const there = await findConstraint(session, table.oid, input.name);
  if (!there) return { table, place, equal: null, findings: [] };
  const wanted = place.missing.length > 0 ? null : await canonicalExpression(session, table, input.check);
  const stands = there.expression === null ? null : await canonicalExpression(session, table, there.expression);
  if (wanted !== null && wanted === stands) return { table, place, equal: there, findings: [] };
  const title = `${input.table} has another constraint called ${input.name}: ${there.definition}`;
  const findings = [inTheWay('check-possible', title, 'Choose another name, or drop that one first.')];
  return { table, place, equal: null, findings };
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const { table, place, equal, findings } = await compare(session, input);
  const open = findings.length === 0 && place.missing.length === 0 && !equal?.validated;
  return {
    count: equal ? 0 : 1,
    key: [input.table, input.name],
    relied: { oid: table.oid, standing: equal?.definition ?? null },
    locks: [`${momentLock([input.table], 'reads or writes')}; while it is validated all go on`],
    findings: [
      ...findings,
      ...columnToCome(input.table, place.missing),
      ...(open ? await findViolations(session, input, table, input.mended) : []),
    ],
  };
}

async function perform(session: Session, input: Input, validating: boolean): Promise<SchemaOutcome> {
  const { table, equal, findings, place } = await compare(session, input);
  refuseFailed(findings);
  if (place.missing.length > 0) {
    const title = `${input.table} has no column ${place.missing.join(', ')}`;
    refuseFailed([inTheWay('check-possible', title, 'Add it in an earlier step.')]);
  }
  // Before the constraint stands in the way of anybody, and once more before it is validated.
  if (!equal?.validated) refuseFailed(await findViolations(session, input, table, false));
  if (validating) return { changes: [await validateConstraint(session, table, input.name)], cursor: null, done: 0 };
  if (equal) {
    const taken = { did: 'add-constraint' as const, name: equal.name, definition: equal.definition, existed: true };
    return { changes: [taken], cursor: 'validate', done: 0 };
  }
  const made = await addNotValid(session, table, input.name, `CHECK (\n${input.check}\n)`);
  return { changes: [made], cursor: 'validate', done: 1 };
}

async function findViolations(session: Session, input: Input, table: Table, mended: boolean): Promise<Finding[]> {
  const { from, alias } = placeOf(table);
  const found = await findRows(session, table, alias, `${from} WHERE NOT (\n${input.check}\n)`);
  const title = `Every row of ${input.table} fulfils ${input.name}: ${found.count} do not`;
  const advice = 'Correct these rows first, in an earlier step or by hand; then ask again.';
  return violationFinding(found, { check: 'rows-fulfil-check', title, advice }, mended);
}
