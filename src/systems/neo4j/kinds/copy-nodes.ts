import { z } from 'zod';
import { canonicalJson, type Json } from '../../../shared/json.ts';
import {
  type BatchRequest,
  type BatchResult,
  type CanaryOf,
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { keepUnderCap, runBatch, type Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import { findLabelProblems, verifyCopies } from '../copy-checks.ts';
import { type Checked, checkCopy, copyRecords, propertiesOf } from '../copy-records.ts';
import { encodeProperties } from '../encode.ts';
import { evaluateRecords } from '../evaluation.ts';
import { hashKeysWithin } from '../hash-keys-within.ts';
import { escapeName, graphName } from '../name.ts';
import { narrowWhere } from '../narrow-where.ts';
import { checkKeys, cursorOf, hashSchema, refuseUnfitKeys, selectStatement } from '../records.ts';
import { boundByRelationships, findRelationshipProblems } from '../relationship-bounds.ts';
import { showEncoded } from '../show-value.ts';
import { findUnconstrained, refuseUnconstrained } from '../target-key.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';
import { nextRecords } from '../whole-nodes.ts';

const expressions = z.record(graphName, z.string().min(1));

const input = z
  .strictObject({
    from: z
      .strictObject({
        label: graphName.describe('Label of the nodes that are copied'),
        key: graphName.describe('Property that identifies them: text, unique'),
        where: z
          .string()
          .min(1)
          .default('true')
          .describe('Condition over `n`; only nodes for which it holds are copied'),
      })
      .describe('The nodes that are copied'),
    to: z
      .strictObject({
        label: graphName.describe('Label of the copies'),
        key: graphName.describe('Property of the copy that gets the key; needs a uniqueness constraint'),
      })
      .describe('The copies'),
    properties: expressions.optional().describe('Property of the copy → expression over `n`; absent = all are copied'),
    stamp: expressions
      .default({})
      .describe('Further properties of the copy → expression over `n`, not compared afterwards'),
  })
  .refine(({ from, to }) => from.label !== to.label, 'a copy needs a label of its own')
  .refine(({ to, properties, stamp }) => ![properties ?? {}, stamp].some((names) => Object.hasOwn(names, to.key)), {
    error: 'the key is copied by itself and has no expression',
  });
type Input = z.infer<typeof input>;

async function performBatch(
  store: Store,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const checked = await checkCopy(store, step);
  const from = cursorOf(batch);
  const ordinal = from?.ordinal ?? batch.done;
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction) => {
    if (batch.index === 0) {
      await refuseUnfitKeys(transaction, checked.selection);
      await refuseUnconstrained(transaction, step.to);
    }
    const page = { after: from?.after ?? null, size: batch.size };
    const found = await nextRecords(transaction, checked.selection, page, 'lock');
    const records = await boundByRelationships(transaction, step.from.label, found);
    const base = BigInt(context.sequenceBase) + BigInt(ordinal);
    const changes = await copyRecords(transaction, checked, step, records, base);
    keepUnderCap(context, batch.done, changes.length);
    const last = found.length < batch.size && records.length === found.length ? undefined : records.at(-1);
    const next = last ? { after: last.key, ordinal: ordinal + records.length } : null;
    const body = { version: 1, collection: step.to.label, key: step.to.key, changes, conflicts: [] } as const;
    return { done: changes.length, kept: 0, missing: 0, cursor: next, body, undoes: null };
  });
  return { cursor, done };
}

/** Counts to the end, or for as long as the context gives. */
async function countRecords(
  store: Store,
  { selection }: Checked,
  context: StepContext,
): Promise<{ count: number; exact: boolean; keysHash: string }> {
  const { text } = selectStatement(selection, `RETURN n.${escapeName(selection.key)}`, null);
  return hashKeysWithin(store.connection.stream(text, {}, context.signal), context.countForMs);
}

async function previewSamples(
  transaction: GraphTransaction,
  checked: Checked,
  step: Input,
  context: StepContext,
): Promise<Sample[]> {
  const records = await nextRecords(transaction, checked.selection, { after: null, size: 5 }, 'look');
  const values = await evaluateRecords(transaction, checked.evaluate, records, BigInt(context.sequenceBase));
  const rows = await transaction.run('MATCH (n) WHERE id(n) IN $ids RETURN id(n), properties(n)', {
    ids: records.map(({ id }) => id),
  });
  const stored = new Map(rows as [bigint, { [property: string]: unknown }][]);
  return records.map(({ id, key }) => {
    const properties = encodeProperties(stored.get(id) ?? {});
    const made = propertiesOf(step, checked, { key, properties }, values.get(id) ?? []);
    const after = Object.fromEntries(Object.entries(made).map(([name, value]) => [name, showEncoded(value)]));
    return { collection: step.to.label, key, before: {}, after };
  });
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const checked = await checkCopy(store, step);
  const { connection } = store;
  const counted = await countRecords(store, checked, context);
  const [findings, samples] = await connection.read(
    async (transaction) => {
      const found = [
        ...(await checkKeys(transaction, checked.selection)),
        ...(await findUnconstrained(transaction, step.to)),
        ...(await findLabelProblems(transaction, step)),
        ...(await findRelationshipProblems(transaction, checked.selection)),
      ];
      const unfit = found.some(({ check: name }) => name === 'key-is-text' || name === 'key-is-unique');
      return [found, unfit ? [] : await previewSamples(transaction, checked, step, context)] as const;
    },
    { signal: context.signal },
  );
  const each =
    400 + Math.ceil(Buffer.byteLength(canonicalJson(samples as unknown as Json)) / Math.max(1, samples.length));
  return {
    ...counted,
    schemaHash: await hashSchema(connection, [step.from.label, step.to.label]),
    samples,
    undoClass: 'reversible',
    locks: ['the nodes at the other ends of copied relationships wait for the batch that copies them'],
    bytes: counted.count * each * 3,
    findings,
  };
}

/** Makes a copy of each node under another label, with its relationships: new nodes, the old ones stay. */
export function copyNodes(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.copy-nodes',
    effect: 'adds',
    input,
    describe: ({ from, to }) => `Copies ${from.label} where ${from.where} to ${to.label}, relationships included`,
    writes: ({ to, properties, stamp }) =>
      [to.key, ...Object.keys(properties ?? {}), ...Object.keys(stamp)].map((field) => ({
        collection: to.label,
        field,
      })),
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    verify: (step) => verifyCopies(store, step),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    undoForces: true,
    narrow: (step, canaryOf: CanaryOf) => {
      const where = narrowWhere(step.from.where, canaryOf(store.name, step.from.label));
      return { ...step, from: { ...step.from, where } } as { [parameter: string]: Json };
    },
  });
}
