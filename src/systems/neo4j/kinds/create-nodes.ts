import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { canonicalJson, type Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { keepUnderCap, runBatch, type Store } from '../batch.ts';
import type { Change } from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { encodeProperties, encodeValue } from '../encode.ts';
import { evaluateRecords, evaluationStatement, sequencedRows } from '../evaluation.ts';
import { checkExpression, type Expression, invalidStatement, SEQUENCE } from '../expression.ts';
import { hashKeysWithin } from '../hash-keys-within.ts';
import { escapeName, graphName } from '../name.ts';
import { narrowWhere } from '../narrow-where.ts';
import { ensureReading } from '../reading.ts';
import {
  checkKeys,
  cursorOf,
  hashSchema,
  type LockedRecord,
  lockNext,
  refuseUnfitKeys,
  type Selection,
  selectStatement,
} from '../records.ts';
import { showEncoded } from '../show-value.ts';
import { cypher, type Statement } from '../statement.ts';
import { findUnconstrained, refuseUnconstrained } from '../target-key.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';

const input = z
  .strictObject({
    label: graphName,
    key: graphName,
    /** The records that a node is made for, as `n` in the expressions. */
    for: z.strictObject({ label: graphName, key: graphName, where: z.string().min(1).default('true') }),
    /** Property → expression over `n`; null leaves the property out. One of them is the key. */
    properties: z.record(graphName, z.string().min(1)),
    relationship: z.strictObject({ type: graphName, direction: z.enum(['from-source', 'to-source']) }).optional(),
  })
  .refine((step) => Object.hasOwn(step.properties, step.key), 'the key needs an expression in properties');
type Input = z.infer<typeof input>;

interface Checked {
  readonly selection: Selection;
  readonly properties: readonly string[];
  readonly keyValue: Expression;
  /** Of all properties, and of the key alone. */
  readonly evaluate: Statement;
  readonly evaluateKey: Statement;
  /** Rows `[id, digits, key]` → one list of the source's id and the properties of its node as stored. */
  readonly create: Statement;
}

/** A node that is to be made for a source record. */
interface Planned {
  readonly source: LockedRecord;
  /** Null while an earlier step has not filled in what the key is made of. */
  readonly key: string | null;
  readonly properties: { readonly [property: string]: unknown };
}

async function check(store: Store, step: Input): Promise<Checked> {
  const { label, key, for: source } = step;
  const keyText = step.properties[key] as string;
  const keyValue = checkExpression(`properties.${key}`, keyText);
  if (keyValue.sequenced) {
    const problem = 'the key must follow from the source record, so $sequence cannot be used in it';
    throw invalidStatement(keyValue.place, keyText, keyText.indexOf('$sequence'), problem);
  }
  const where = checkExpression('for.where', source.where);
  const properties = Object.keys(step.properties).sort();
  const expressions = properties.map((name) => checkExpression(`properties.${name}`, step.properties[name] as string));
  const selection = { label: source.label, key: source.key, where, unless: { label, key, value: keyValue } };
  const evaluate = evaluationStatement(selection, { properties, expressions });
  await ensureReading(store.connection, selectStatement(selection, 'RETURN n', null), 'for.where');
  await ensureReading(store.connection, evaluate, 'properties');
  const evaluateKey = evaluationStatement(selection, { properties: [key], expressions: [keyValue] });
  return { selection, properties, keyValue, evaluate, evaluateKey, create: creation(step, properties, expressions) };
}

/** Computes and writes at the server: what the nodes hold comes to this process once, as stored. */
function creation(step: Input, properties: readonly string[], expressions: readonly Expression[]): Statement {
  const { label, key, for: source, relationship } = step;
  const others = properties.flatMap((name, i) => {
    const expression = expressions[i] as Expression;
    return name === key ? [] : [{ name, expression }];
  });
  const named = others.map(({ name }, i) => `, ${escapeName(name)}: _tas_values[${i}]`).join('');
  const type = relationship && escapeName(relationship.type);
  const pattern =
    relationship?.direction === 'from-source' ? `(n)-[:${type}]->(_tas_made)` : `(n)<-[:${type}]-(_tas_made)`;
  return cypher`UNWIND $rows AS _tas_row MATCH (n:${escapeName(source.label)}) WHERE id(n) = _tas_row[0]
WITH n, _tas_row[1] AS ${SEQUENCE}, _tas_row[2] AS _tas_key
WITH n, _tas_key, [${others.map(({ expression }) => expression)}] AS _tas_values
CREATE (_tas_made:${escapeName(label)}) SET _tas_made = {${escapeName(key)}: _tas_key${named}}
${relationship ? `CREATE ${pattern}` : ''}
RETURN collect([id(n), properties(_tas_made)])`;
}

async function planNodes(
  transaction: GraphTransaction,
  checked: Checked,
  step: Input,
  sources: readonly LockedRecord[],
  context: StepContext,
): Promise<Planned[]> {
  const computed = await evaluateRecords(transaction, checked.evaluate, sources, BigInt(context.sequenceBase));
  return sources.flatMap((source) => {
    const values = computed.get(source.id);
    if (!values) return [];
    const entries = checked.properties.map((name, i) => [name, values[i]] as const);
    const properties = Object.fromEntries(entries.filter(([, value]) => value !== null));
    return [{ source, key: textKey(step, properties[step.key]), properties }];
  });
}

/** Null where an earlier step has not filled in what the key is made of. */
function textKey(step: Input, key: unknown): string | null {
  if (key === null || key === undefined) return null;
  if (typeof key !== 'string') throw refuseKey(step, 'is computed to something else than text');
  return key;
}

function refuseKey({ label, key }: Input, problem: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${label}.${key} ${problem}.`,
    advice: 'Nothing was written by this batch. Correct the migration or the records, then ask again.',
  });
}

/** Makes a node for each source that has a key which no node has yet; of several with one key, for the first. */
async function create(
  transaction: GraphTransaction,
  checked: Checked,
  step: Input,
  sources: readonly LockedRecord[],
  base: bigint,
): Promise<Change[]> {
  const { label, key: property, relationship, for: from } = step;
  const keyOf = new Map<bigint, string>();
  for (const [id, [key]] of await evaluateRecords(transaction, checked.evaluateKey, sources, base)) {
    const text = textKey(step, key);
    if (text !== null) keyOf.set(id, text);
  }
  const name = escapeName(property);
  const there = await transaction.run(`MATCH (m:${escapeName(label)}) WHERE m.${name} IN $keys RETURN m.${name}`, {
    keys: [...keyOf.values()],
  });
  const taken = new Set<unknown>(there.map(([key]) => key));
  const rows = sequencedRows(sources, base).flatMap(([id, digits]) => {
    const key = keyOf.get(id);
    if (key === undefined || taken.has(key)) return [];
    taken.add(key);
    return [[id, digits, key] as const];
  });
  const [[answer]] = (await transaction.run(checked.create.text, { rows })) as [
    [[bigint, { [property: string]: unknown }][]],
  ];
  const made = new Map(answer);
  return sources.flatMap(({ id, key: value }): Change[] => {
    const properties = made.get(id);
    if (!properties) return [];
    const direction = relationship?.direction === 'from-source' ? 'in' : 'out';
    const other = { label: from.label, key: from.key, value };
    const relationships = relationship ? [{ type: relationship.type, direction, other, properties: {} } as const] : [];
    const after = { labels: [label], properties: encodeProperties(properties), relationships };
    return [{ form: 'node', key: keyOf.get(id) as string, before: null, after }];
  });
}

async function performBatch(
  store: Store,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const checked = await check(store, step);
  const from = cursorOf(batch);
  const ordinal = from?.ordinal ?? batch.done;
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction) => {
    if (batch.index === 0) {
      await refuseUnfitKeys(transaction, checked.selection);
      await refuseUnconstrained(transaction, step);
    }
    const sources = await lockNext(transaction, checked.selection, from?.after ?? null, batch.size);
    const base = BigInt(context.sequenceBase) + BigInt(ordinal);
    const changes = await create(transaction, checked, step, sources, base);
    keepUnderCap(context, batch.done, changes.length);
    const last = sources.length < batch.size ? undefined : sources.at(-1);
    const next = last ? { after: last.key, ordinal: ordinal + sources.length } : null;
    const body = { version: 1, collection: step.label, key: step.key, changes, conflicts: [] } as const;
    return { done: changes.length, kept: 0, missing: 0, cursor: next, body, undoes: null };
  });
  return { cursor, done };
}

async function findProblems(
  transaction: GraphTransaction,
  checked: Checked,
  step: Input,
  shared: number,
): Promise<Finding[]> {
  const findings = [
    ...(await checkKeys(transaction, checked.selection)),
    ...(await findUnconstrained(transaction, step)),
  ];
  if (shared > 0) {
    findings.push({
      check: 'one-source-a-node',
      title: `Each ${step.label}.${step.key} comes from one ${step.for.label}`,
      status: 'warning',
      count: shared,
      samples: [],
      advice: `The first ${step.for.label} in the order of ${step.for.key} makes the node; the others get none.`,
    });
  }
  return findings;
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const checked = await check(store, step);
  const { connection } = store;
  const { selection } = checked;
  const property = `n.${escapeName(step.for.key)}`;
  const keys = selectStatement(selection, `RETURN ${property}`, null);
  const counted = await hashKeysWithin(connection.stream(keys.text, {}, context.signal), context.countForMs);
  const first = selectStatement(selection, `LIMIT 5 RETURN id(n), ${property}`, null);
  // Where the time was up, of the sources that were seen until then.
  const seen = counted.exact ? '' : 'LIMIT $seen';
  const counting = cypher`${selectStatement(selection, seen, null).text} WITH ${checked.keyValue} AS _tas_key
    RETURN count(_tas_key), count(DISTINCT _tas_key), count(*)`;
  const [count, findings, samples] = await connection.read(async (transaction) => {
    const [row] = await transaction.run(counting.text, { seen: BigInt(counted.count) });
    const [keyed, distinct, all] = (row ?? []).map(Number) as [number, number, number];
    const sources = (await transaction.run(first.text)).map(([id, key]) => ({ id: id as bigint, key: String(key) }));
    const planned = await planNodes(transaction, checked, step, sources, context);
    const shown = planned.map(({ source, key, properties }): Sample => {
      const after = checked.properties.map((name) => [name, showEncoded(encodeValue(properties[name]))]);
      return {
        collection: step.label,
        key: key ?? `(for ${step.for.label} ${source.key})`,
        before: {},
        after: Object.fromEntries(after),
      };
    });
    // Where the key is still null an earlier step fills it: such a source counts.
    return [distinct + all - keyed, await findProblems(transaction, checked, step, keyed - distinct), shown] as const;
  });
  const each =
    200 + Math.ceil(Buffer.byteLength(canonicalJson(samples as unknown as Json)) / Math.max(1, samples.length));
  return {
    ...counted,
    count,
    schemaHash: await hashSchema(connection, [step.label, step.for.label]),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes: count * each * 3,
    findings,
  };
}

/** Source records that have a key but still no node. */
async function verify(store: Store, step: Input): Promise<readonly Finding[]> {
  const checked = await check(store, step);
  const left = cypher`${selectStatement(checked.selection, '', null).text} WITH n, ${checked.keyValue} AS _tas_key
    WHERE _tas_key IS NOT NULL RETURN count(*), collect(n.${escapeName(step.for.key)})[..5]`;
  const [row] = await store.connection.read((transaction) => transaction.run(left.text));
  const count = Number(row?.[0] ?? 0);
  const title = `Every ${step.for.label} of the step has its ${step.label}`;
  if (count === 0) return [{ check: 'nodes-created', title, status: 'passed', count: 0, samples: [] }];
  const advice = 'Records were added meanwhile; run the migration again.';
  return [
    {
      check: 'nodes-created',
      title,
      status: 'failed',
      count,
      samples: ((row?.[1] ?? []) as unknown[]).map(String),
      advice,
    },
  ];
}

/** Makes a node for each source record that has none yet. */
export function createNodes(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.create-nodes',
    effect: 'adds',
    input,
    describe: (step) => `Creates a ${step.label} for each ${step.for.label} where ${step.for.where} that has none`,
    writes: ({ label, properties }) => Object.keys(properties).map((field) => ({ collection: label, field })),
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    verify: (step) => verify(store, step),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    undoForces: true,
    narrow: (step, canaryOf) => {
      const where = narrowWhere(step.for.where, canaryOf(null, step.for.label));
      return { ...step, for: { ...step.for, where } } as { [parameter: string]: Json };
    },
  });
}
