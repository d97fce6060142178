import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { type KindSetting, runBatch, schemaManner } from '../batch.ts';
import type { Session } from '../database.ts';
import { quoteName } from '../identifiers.ts';
import { needTable } from '../table.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const inputSchema = z.strictObject({
  table: z.string(),
  column: z.string(),
  /** As SQL writes it: `text`, `uuid`, `varchar(40)`, `text[]`, `app.status`. */
  type: z.string().regex(/^[a-z_"][\w ".]*(\(\d+(, ?\d+)?\))?( with(out)? time zone)?(\[\])?$/i),
});
type Input = z.infer<typeof inputSchema>;

/** Adds a nullable column without a default, which rewrites no row. A column of the same type that is there is taken. */
export function addColumnKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'postgres.add-column',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, column, type }) => `adds the column ${column} (${type}) to ${table}`,
    writes: ({ table, column }) => [{ collection: table, field: column }],
    preview: (input) => setting.database.transact({ readOnly: true }, (session) => preview(session, input)),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input) => setting.database.transact({ readOnly: true }, (session) => verify(session, input)),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context, schemaManner),
  });
}

async function preview(session: Session, input: Input): Promise<StepPreview> {
  const table = await needTable(session, input.table);
  const wanted = await canonicalType(session, input.type);
  const standing = table.columns.get(input.column);
  const findings = standing && standing.type !== wanted ? [otherType(input, standing.type, wanted)] : [];
  quoteName(input.column);
  return {
    count: standing ? 0 : 1,
    exact: true,
    keysHash: digestOf([input.table, input.column]),
    schemaHash: digestOf({ oid: table.oid, standing: standing?.type ?? null, wanted }),
    samples: [],
    undoClass: 'reversible',
    locks: standing ? [] : [`${input.table}: nobody reads or writes for a moment, after a wait of at most 2 s`],
    bytes: 1000,
    findings,
  };
}

async function performBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  return runBatch(setting, context, batch, schemaManner, async (session) => {
    const table = await needTable(session, input.table);
    const type = await canonicalType(session, input.type);
    const standing = table.columns.get(input.column);
    if (standing && standing.type !== type) {
      const { title, advice } = otherType(input, standing.type, type);
      throw new Failure({ code: 'precondition-failed', message: `${title}.`, advice: advice ?? '' });
    }
    if (!standing) await session.rows(`ALTER TABLE ${table.sql} ADD COLUMN ${quoteName(input.column)} ${type}`, []);
    const change = { did: 'add-column' as const, name: input.column, type, existed: standing !== undefined };
    return {
      body: { version: 1 as const, table: input.table, keyColumn: null, changes: [change], conflicts: [] },
      result: { cursor: null, done: standing ? 0 : 1 },
    };
  });
}

async function verify(session: Session, input: Input): Promise<Finding[]> {
  const table = await needTable(session, input.table);
  const there = table.columns.get(input.column)?.type === (await canonicalType(session, input.type));
  const title = `${input.table} has the column ${input.column}`;
  return [{ check: 'column-added', title, status: there ? 'passed' : 'failed', count: there ? 0 : 1, samples: [] }];
}

function otherType(input: Input, standing: string, wanted: string): Finding {
  return {
    check: 'column-type',
    title: `${input.table}.${input.column} is there already, as ${standing}; the step wants ${wanted}`,
    status: 'failed',
    count: 1,
    samples: [`${input.column} ${standing}`],
    advice: 'Use the type that stands there, or another name.',
  };
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
