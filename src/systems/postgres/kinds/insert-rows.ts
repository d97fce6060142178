import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf, type Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type Row,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { type BatchOutcome, type KindSetting, rowManner, runBatch } from '../batch.ts';
import { BoundedCount } from '../counting.ts';
import type { Session } from '../database.ts';
import type { TextValues } from '../journal-body.ts';
import { narrowSource } from '../narrow.ts';
import { findMissingRights, type RightsNeeded } from '../rights.ts';
import { existingKeys, insertRows } from '../rows.ts';
import { withoutLook } from '../schema-kind.ts';
import { findSideEffects } from '../side-effects.ts';
import { type Column, castable, needColumn, needKey, needTable, type Table } from '../table.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { toText } from '../values.ts';
import { countSource, jsonSchema, scanSource, sourceSchema, takePages } from './source.ts';

const inputSchema = z.strictObject({
  table: z.string(),
  /** Column of the table that takes the source's key. */
  key: z.string(),
  from: sourceSchema,
  /** What the other columns take: a field of the source's record, or one value for all. */
  columns: z.record(z.string(), z.union([z.string(), z.strictObject({ value: jsonSchema })])),
  /** Records that an earlier step will make the source of rows here: the preview counts them as well. */
  previewFrom: sourceSchema.optional(),
});
type Input = z.infer<typeof inputSchema>;

const PAGE = 1000;
const BYTES_A_COLUMN = 80;

/** Inserts a row for each record of another system whose key the table does not hold yet. */
export function insertRowsKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'postgres.insert-rows',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, from }) => `adds to ${table} the rows missing for ${from.system} ${from.collection}`,
    writes: ({ table, key, columns }) => [key, ...Object.keys(columns)].map((field) => ({ collection: table, field })),
    preview: (input, context) => preview(setting, input, context),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context, rowManner),
    undoForces: true,
    narrow: (input, canaryOf) => ({
      ...(input as { [parameter: string]: Json }),
      from: narrowSource(input.from, canaryOf),
      ...(input.previewFrom ? { previewFrom: narrowSource(input.previewFrom, canaryOf) } : {}),
    }),
  });
}

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  // Undo locks and deletes what was inserted.
  const rights: RightsNeeded = { table: input.table, rights: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] };
  const lacking = await setting.database.transact({ readOnly: true }, (session) =>
    findMissingRights(session, [rights]),
  );
  if (lacking.length > 0) return { ...withoutLook, findings: lacking };
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const strange: string[] = [];
  const bound = new BoundedCount(context);
  let count = 0;
  for await (const { missing, table, key } of missingRows(setting, input, context)) {
    for (const row of missing) {
      if (castable(key, [row.key]).length === 0) strange.push(row.key);
      if (strange.length > 5) strange.length = 5;
      keys.update(`${row.key}\n`);
      if (samples.length >= 5) continue;
      samples.push({ collection: input.table, key: row.key, before: {}, after: record(input, table, key, row) });
    }
    count += missing.length;
    if (bound.isOver()) break;
  }
  const later = input.previewFrom ? await countSource(input.previewFrom, context, bound) : 0;
  return setting.database.transact({ readOnly: true }, async (session) => {
    const table = await needTable(session, input.table);
    const key = needKey(table, input.key);
    const columns = Object.keys(input.columns).map((name) => needColumn(table, name));
    return {
      count: count + later,
      exact: bound.exact,
      keysHash: later > 0 || !bound.exact ? '' : keys.digest('hex'),
      schemaHash: digestOf({ key: { ...key }, columns: [...table.columns.values()].map((column) => ({ ...column })) }),
      samples,
      undoClass: 'reversible',
      locks: [],
      bytes: (count + later) * (200 + BYTES_A_COLUMN * table.columns.size),
      findings: [
        ...unwritable(input, table, columns),
        ...(strange.length > 0
          ? [columnFinding(`${input.table}.${input.key} (${key.type}) cannot hold these keys`, strange)]
          : []),
        ...(await findSideEffects(session, table, ['insert', 'delete'], [])),
      ],
    };
  });
}

async function performBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  // The other system is read before the transaction, so that nothing here waits for it.
  const rows: Row[] = [];
  for await (const row of scanSource(input.from, context, Object.values(input.columns), batch.cursor)) {
    rows.push(row);
    if (rows.length >= batch.size) break;
  }
  const cursor: Json = rows.length < batch.size ? null : (rows.at(-1)?.key ?? null);
  return runBatch(setting, context, batch, rowManner, async (session): Promise<BatchOutcome<BatchResult>> => {
    const table = await needTable(session, input.table);
    const key = needKey(table, input.key);
    const missing = await withoutExisting(session, table, key, rows);
    const columns = [input.key, ...Object.keys(input.columns).filter((name) => name !== input.key)];
    const records = missing.map((row) => record(input, table, key, row));
    const inserted = records.length === 0 ? [] : [...(await insertRows(session, table, key, columns, records))];
    const changes = inserted.map(([name, after]) => ({ did: 'insert' as const, key: name, after }));
    return {
      body: { version: 1, table: input.table, keyColumn: input.key, changes, conflicts: [] },
      result: { cursor, done: inserted.length },
    };
  });
}

async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const samples: string[] = [];
  let count = 0;
  for await (const { missing } of missingRows(setting, input, context)) {
    count += missing.length;
    samples.push(...missing.slice(0, 5 - samples.length).map((row) => row.key));
  }
  const title = `${input.table} has a row for every ${input.from.system} ${input.from.collection}`;
  return [{ check: 'rows-inserted', title, status: count === 0 ? 'passed' : 'failed', count, samples }];
}

/** The source's records without a row here, a page at a time. */
async function* missingRows(setting: KindSetting, input: Input, context: StepContext) {
  const source = scanSource(input.from, context, Object.values(input.columns), null);
  for await (const page of takePages(source, PAGE)) {
    context.signal.throwIfAborted();
    yield await setting.database.transact({ readOnly: true }, async (session) => {
      const table = await needTable(session, input.table);
      const key = needKey(table, input.key);
      return { table, key, missing: await withoutExisting(session, table, key, page) };
    });
  }
}

async function withoutExisting(session: Session, table: Table, key: Column, rows: readonly Row[]): Promise<Row[]> {
  const there = await existingKeys(
    session,
    table,
    key,
    rows.map((row) => row.key),
  );
  return rows.filter((row) => !there.has(row.key));
}

function record(input: Input, table: Table, key: Column, row: Row): TextValues {
  const values = Object.entries(input.columns).map(([name, from]) => {
    const value = typeof from === 'string' ? row.values[from] : (from.value as Json);
    return [name, toText(value, needColumn(table, name))] as const;
  });
  return { ...Object.fromEntries(values), [key.name]: row.key };
}

function unwritable(input: Input, table: Table, columns: readonly Column[]): Finding[] {
  const computed = columns.filter((column) => column.generated).map((column) => column.name);
  const given = new Set([input.key, ...Object.keys(input.columns)]);
  const lacking = [...table.columns.values()]
    .filter((column) => column.notNull && !column.hasDefault && !given.has(column.name))
    .map((column) => column.name);
  const found: Finding[] = [];
  if (computed.length > 0)
    found.push(columnFinding(`${input.table}: the server computes these columns itself`, computed));
  if (lacking.length > 0)
    found.push(columnFinding(`${input.table}: these columns must have a value and get none`, lacking));
  return found;
}

function columnFinding(title: string, names: string[]): Finding {
  const advice = 'Correct the columns of the step.';
  return {
    check: 'columns-writable',
    title,
    status: 'failed',
    count: names.length,
    samples: names.slice(0, 5),
    advice,
  };
}
