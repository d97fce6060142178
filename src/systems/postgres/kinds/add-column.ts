import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { Finding } from '../../finding.ts';
import type { StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import type { Session } from '../database.ts';
import { quoteName } from '../identifiers.ts';
import { defineSchemaKind, inTheWay, momentLock, refuseFailed, type SchemaLook, standing } from '../schema-kind.ts';
import { needTable, type Table } from '../table.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table, as `table` or `schema.table`'),
  column: z.string().describe('The name of the new column'),
  type: z
    .string()
    .regex(/^[a-z_"][\w ".]*(\(\d+(, ?\d+)?\))?( with(out)? time zone)?(\[\])?$/i)
    .describe('Its type as SQL writes it: `text`, `uuid`, `varchar(40)`, `text[]`, `app.status`'),
});
type Input = z.infer<typeof inputSchema>;

/** Adds a nullable column without a default, which rewrites no row. A column of the same type that is there is taken. */
export function addColumnKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.add-column',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, column, type }) => `adds the column ${column} (${type}) to ${table}`,
    writes: ({ table, column }) => [{ collection: table, field: column }],
    table: ({ table }) => table,
    locks: ({ table }) => [table],
    rights: ({ table }) => [{ table, rights: ['OWN'] }],
    look,
    async perform(session, input) {
      const { table, type, standing: there, findings } = await compare(session, input);
      refuseFailed(findings);
      if (!there) await session.rows(`ALTER TABLE ${table.sql} ADD COLUMN ${quoteName(input.column)} ${type}`, []);
      const change = { did: 'add-column' as const, name: input.column, type, existed: there !== null };
      return { changes: [change], cursor: null, done: there ? 0 : 1 };
    },
    async verify(session, input) {
      const { type, standing: there } = await compare(session, input);
      return [standing('column-added', `${input.table} has the column ${input.column}`, there === type)];
    },
  });
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const { table, type, standing: there, findings } = await compare(session, input);
  quoteName(input.column);
  return {
    count: there ? 0 : 1,
    key: [input.table, input.column],
    relied: { oid: table.oid, standing: there, wanted: type },
    locks: [momentLock([input.table], 'reads or writes')],
    findings,
  };
}

/** The wanted type beside the one that stands there; null = no such column. */
async function compare(
  session: Session,
  input: Input,
): Promise<{ table: Table; type: string; standing: string | null; findings: Finding[] }> {
  const table = await needTable(session, input.table);
  const type = await canonicalType(session, input.type);
  const there = table.columns.get(input.column)?.type ?? null;
  if (there === null || there === type) return { table, type, standing: there, findings: [] };
  const title = `${input.table}.${input.column} is there already, as ${there}; the step wants ${type}`;
  const advice = 'Use the type that stands there, or another name.';
  const findings = [inTheWay('column-type', title, advice, [`${input.column} ${there}`])];
  return { table, type, standing: there, findings };
}

/** The type as the catalog writes it; throws `invalid-statement` where the server knows no such type. */
async function canonicalType(session: Session, type: string): Promise<string> {
  try {
    const { oid, modifier } = await session.resultType(`SELECT NULL::${type} LIMIT 0`);
    const [row] = await session.rows('SELECT pg_catalog.format_type($1::oid, $2::int) AS type', [oid, modifier]);
    return row?.type ?? type;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code !== '42704' && code !== '42601' && code !== '3F000') throw error;
    throw new Failure({
      code: 'invalid-statement',
      message: `The server knows no type ${type}.`,
      advice: 'Correct the type in the migration.',
      cause: error,
    });
  }
}
