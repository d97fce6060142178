import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type Sample, type StepContext, type StepKind, type StepPreview } from '../../system.ts';
import type { Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import { type Encoded, encodeValue, sameValue } from '../encode.ts';
import { checkExpression, type Expression, SEQUENCE } from '../expression.ts';
import { changeFields, type FieldWork } from '../field-changes.ts';
import { escapeName, graphName } from '../name.ts';
import { narrowWhere } from '../narrow-where.ts';
import { previewRecords } from '../preview-records.ts';
import { ensureReading } from '../reading.ts';
import { checkKeys, type LockedRecord, type Selection, selectStatement } from '../records.ts';
import { showEncoded } from '../show-value.ts';
import { cypher, type Statement } from '../statement.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';

const input = z
  .strictObject({
    label: graphName,
    key: graphName,
    /** A condition over `n`; only records for which it holds are written. */
    where: z.string().min(1),
    /** Property → expression over `n`. Where it gives null the property stays as it is. */
    set: z.record(graphName, z.string().min(1)).refine((set) => Object.keys(set).length > 0, 'sets nothing'),
  })
  .refine((step) => !Object.hasOwn(step.set, step.key), 'the key itself cannot be set');
type Input = z.infer<typeof input>;

/** The input with its expressions checked. */
interface Checked {
  readonly selection: Selection;
  readonly properties: readonly string[];
  readonly expressions: readonly Expression[];
  /** Rows `[id, digits]` → id, values before, values computed; only of records for which the condition holds. */
  readonly evaluate: Statement;
}

interface Evaluated {
  readonly before: readonly Encoded[];
  readonly computed: readonly Encoded[];
}

async function check(store: Store, { label, key, where, set }: Input): Promise<Checked> {
  const condition = checkExpression('where', where);
  const properties = Object.keys(set).sort();
  const expressions = properties.map((name): Expression => checkExpression(`set.${name}`, set[name] as string));
  const selection = { label, key, where: condition };
  const current = properties.map((name) => `n.${escapeName(name)}`).join(', ');
  const evaluate = cypher`UNWIND $rows AS _tas_row MATCH (n:${escapeName(label)}) WHERE id(n) = _tas_row[0]
WITH n, _tas_row[1] AS ${SEQUENCE} WHERE ${condition}
RETURN id(n), [${current}], [${expressions}]`;
  await ensureReading(store.connection, selectStatement(selection, 'RETURN n', null), 'where');
  await ensureReading(store.connection, evaluate, 'set');
  return { selection, properties, expressions, evaluate };
}

async function evaluateRows(
  transaction: GraphTransaction,
  checked: Checked,
  records: readonly LockedRecord[],
  context: StepContext,
  ordinal: number,
): Promise<Map<bigint, Evaluated>> {
  const base = BigInt(context.sequenceBase);
  const rows = records.map(({ id }, position) => [id, String(base + BigInt(ordinal + position))]);
  const answer = await transaction.run(checked.evaluate.text, { rows });
  return new Map(
    answer.map(([id, before, values]) => {
      const computed = (values as unknown[]).map(encodeValue);
      return [id as bigint, { before: (before as unknown[]).map(encodeValue), computed }];
    }),
  );
}

/** The properties that would get another value: neither null nor what stands there already. */
function writesOf(evaluated: Evaluated): number[] {
  return [...evaluated.computed.keys()].filter((i) => {
    const value = evaluated.computed[i] as Encoded;
    return value !== null && !sameValue(value, evaluated.before[i] as Encoded);
  });
}

/** Writes what the expressions give; where all give null the record is left out. */
function workOf({ selection, properties, expressions }: Checked): FieldWork {
  const assignments = properties.map((name, i) => {
    const property = `n.${escapeName(name)}`;
    return `${property} = coalesce(_tas_values[${i}], _tas_before[${i}])`;
  });
  const write = cypher`WITH n, _tas_before, [${expressions}] AS _tas_values
  WHERE any(_tas_value IN _tas_values WHERE _tas_value IS NOT NULL)
  SET ${assignments.join(', ')}`;
  return { selection, properties, write };
}

function toSample(checked: Checked, key: string, { before, computed }: Evaluated): Sample {
  const named = (values: readonly Encoded[], instead: readonly Encoded[]) =>
    Object.fromEntries(checked.properties.map((name, i) => [name, showEncoded(values[i] ?? instead[i] ?? null)]));
  // A computed null leaves what is there; where nothing is there, null says that an earlier step fills it.
  return { collection: checked.selection.label, key, before: named(before, []), after: named(computed, before) };
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const checked = await check(store, step);
  const { selection } = checked;
  const { connection } = store;
  const property = `n.${escapeName(step.key)}`;
  const first = selectStatement(selection, `LIMIT 5 RETURN id(n), ${property}`, null);
  const [findings, samples] = await connection.read(async (transaction) => {
    const rows = await transaction.run(first.text);
    const records = rows.map(([id, key]) => ({ id: id as bigint, key: String(key) }));
    const evaluated = await evaluateRows(transaction, checked, records, context, 0);
    const shown = records.flatMap(({ id, key }) => {
      const row = evaluated.get(id);
      return row ? [toSample(checked, key, row)] : [];
    });
    return [await checkKeys(transaction, selection), shown] as const;
  });
  return previewRecords(store, selection, { samples, findings }, context);
}

/** Records for which the condition still holds: fatal where the expressions would still fill something. */
async function verify(store: Store, step: Input, context: StepContext): Promise<readonly Finding[]> {
  const checked = await check(store, step);
  const property = `n.${escapeName(step.key)}`;
  const left = selectStatement(checked.selection, `RETURN id(n), ${property}`, null);
  let [open, empty] = [0, 0];
  const samples: string[] = [];
  const judge = async (records: LockedRecord[]) => {
    const evaluated = await store.connection.read((transaction) =>
      evaluateRows(transaction, checked, records, context, 0),
    );
    for (const { id, key } of records) {
      const row = evaluated.get(id);
      if (!row) continue;
      if (writesOf(row).length > 0) open++;
      else if (row.computed.every((value) => value === null)) empty++;
      else continue;
      if (samples.length < 5) samples.push(key);
    }
  };
  const page: LockedRecord[] = [];
  for await (const [id, key] of store.connection.stream(left.text, {}, context.signal)) {
    page.push({ id: id as bigint, key: String(key) });
    if (page.length === 1000) await judge(page.splice(0));
  }
  if (page.length > 0) await judge(page);
  const title = `${step.label}: ${checked.properties.join(', ')} filled in`;
  const status = open > 0 ? 'failed' : empty > 0 ? 'warning' : 'passed';
  const advice =
    open > 0
      ? 'Records were added or changed meanwhile; run the migration again.'
      : 'No value can be computed for these.';
  return [
    {
      check: 'properties-set',
      title,
      status,
      count: open + empty,
      samples,
      ...(status === 'passed' ? {} : { advice }),
    },
  ];
}

/** Sets properties of the nodes for which a condition holds to computed values. */
export function setProperties(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.set-properties',
    effect: 'changes',
    input,
    describe: ({ label, where, set }) => `Sets ${Object.keys(set).sort().join(', ')} of ${label} where ${where}`,
    writes: ({ label, set }) => Object.keys(set).map((field) => ({ collection: label, field })),
    preview: (step, context) => preview(store, step, context),
    performBatch: async (step, batch, context) => changeFields(store, workOf(await check(store, step)), batch, context),
    verify: (step, context) => verify(store, step, context),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    undoForces: true,
    narrow: (step, canaryOf) => ({ ...step, where: narrowWhere(step.where, canaryOf(null, step.label)) }),
  });
}
