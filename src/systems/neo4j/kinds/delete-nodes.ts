import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
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
import type { Change } from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { checkAll } from '../copy-records.ts';
import { type Computed, evaluateRecords, evaluationStatement } from '../evaluation.ts';
import { checkExpression, invalidStatement } from '../expression.ts';
import { graphName } from '../name.ts';
import { narrowWhere } from '../narrow-where.ts';
import { type Compared, type CopyRule, compareWithCopies } from '../node-copies.ts';
import { ensureReading } from '../reading.ts';
import {
  checkKeys,
  cursorOf,
  hashSchema,
  type LockedRecord,
  refuseUnfitKeys,
  type Selection,
  selectStatement,
} from '../records.ts';
import { boundByRelationships, findRelationshipProblems } from '../relationship-bounds.ts';
import { showEncoded } from '../show-value.ts';
import type { Statement } from '../statement.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';
import {
  deleteWholeNodes,
  endKeys,
  identityRules,
  imageOf,
  nameEnds,
  nextRecords,
  readWholeNodes,
  visibleProperties,
} from '../whole-nodes.ts';

const input = z
  .strictObject({
    label: graphName.describe('Label of the nodes that are deleted'),
    key: graphName.describe('Property that identifies them: text, unique'),
    where: z.string().min(1).describe('Condition over `n`; only nodes for which it holds are deleted. All: `true`'),
    copiedTo: z
      .strictObject({
        label: graphName.describe('Label of the copies'),
        key: graphName.describe('Property of the copy that holds the key'),
        properties: z
          .record(graphName, z.string().min(1))
          .optional()
          .describe(
            'Property of the copy → expression over `n` that it must equal; absent = all properties of the node',
          ),
      })
      .optional()
      .describe('Deletes only nodes whose copy is there and equal, relationships included'),
  })
  .refine(({ label, copiedTo }) => copiedTo?.label !== label, 'a copy has a label of its own');
type Input = z.infer<typeof input>;

interface Checked {
  readonly selection: Selection;
  /** Null = nothing has to be copied. */
  readonly rule: CopyRule | null;
  readonly evaluate: Statement;
}

async function check(store: Store, step: Input): Promise<Checked> {
  const { label, key, copiedTo } = step;
  const selection = { label, key, where: checkExpression('where', step.where) };
  const computed = copiedTo?.properties ? checkAll('copiedTo.properties', copiedTo.properties) : null;
  const counted = computed?.expressions.find(({ sequenced }) => sequenced);
  if (counted)
    throw invalidStatement(counted.place, '', 0, '$sequence is another number each time, so nothing can equal it');
  const none: Computed = { properties: [], expressions: [] };
  const evaluate = evaluationStatement(selection, computed ?? none);
  await ensureReading(store.connection, selectStatement(selection, 'RETURN n', null), 'where');
  await ensureReading(store.connection, evaluate, 'copiedTo.properties');
  const rule = copiedTo ? { from: { label, key }, to: copiedTo, computed, ignored: new Set<string>(), evaluate } : null;
  return { selection, rule, evaluate };
}

/** Of these records, those that may go, with everything that hangs on them; and those that stay for want of a copy. */
async function judge(
  transaction: GraphTransaction,
  { rule, evaluate }: Checked,
  records: readonly LockedRecord[],
  keys: readonly string[],
  purpose: 'lock' | 'look',
): Promise<Compared> {
  if (rule) return compareWithCopies(transaction, rule, records, keys, purpose);
  const held = await evaluateRecords(transaction, evaluate, records, 0n);
  const nodes = await readWholeNodes(transaction, [...held.keys()], keys);
  const equal = records.flatMap((record) => {
    const node = nodes.get(record.id);
    return node ? [{ record, node }] : [];
  });
  return { equal, unequal: [] };
}

async function performBatch(
  store: Store,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const checked = await check(store, step);
  const { label, key } = step;
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction) => {
    if (batch.index === 0) await refuseUnfitKeys(transaction, checked.selection);
    const page = { after: cursorOf(batch)?.after ?? null, size: batch.size };
    const found = await nextRecords(transaction, checked.selection, page, 'lock');
    const records = await boundByRelationships(transaction, label, found);
    const rules = await identityRules(transaction, [{ label, key }]);
    const { equal } = await judge(transaction, checked, records, endKeys(rules), 'lock');
    keepUnderCap(context, batch.done, equal.length);
    const nodes = equal.map(({ node }) => node);
    const endOf = await nameEnds(transaction, nodes, rules);
    const changes = equal.map(({ record, node }): Change => {
      return { form: 'node', key: record.key, before: imageOf(node, endOf), after: null };
    });
    await deleteWholeNodes(transaction, nodes);
    const last = found.length < batch.size && records.length === found.length ? undefined : records.at(-1);
    const next = last ? { after: last.key, ordinal: 0 } : null;
    const body = { version: 1, collection: label, key, changes, conflicts: [] } as const;
    return { done: changes.length, kept: 0, missing: 0, cursor: next, body, undoes: null };
  });
  return { cursor, done };
}

const PAGE = 1000;

interface Walked {
  readonly count: number;
  readonly keysHash: string;
  readonly samples: readonly Sample[];
  /** Records that stay for want of an equal copy; up to five with the reason. */
  readonly staying: { readonly count: number; readonly samples: readonly string[] };
  /** Length of the images as text. */
  readonly length: number;
}

/** Goes through all records as the step would, page by page, and changes nothing. */
async function walk(store: Store, step: Input, checked: Checked, signal: AbortSignal): Promise<Walked> {
  const hash = createHash('sha256');
  const samples: Sample[] = [];
  const staying = { count: 0, samples: [] as string[] };
  let [count, length] = [0, 0];
  for (let after: string | null = null; ; ) {
    const page = { after, size: PAGE };
    const { found, records, judged } = await store.connection.read(
      async (transaction) => {
        const next = await nextRecords(transaction, checked.selection, page, 'look');
        const bounded = await boundByRelationships(transaction, step.label, next);
        return { found: next, records: bounded, judged: await judge(transaction, checked, bounded, [], 'look') };
      },
      { signal },
    );
    for (const { record, node } of judged.equal) {
      hash.update(`${JSON.stringify(record.key)}\n`);
      count++;
      length += JSON.stringify(node.properties).length + 150 * node.relationships.length;
      if (samples.length >= 5) continue;
      const shown = Object.entries(visibleProperties(node.properties)).map(([name, value]) => [
        name,
        showEncoded(value),
      ]);
      samples.push({ collection: step.label, key: record.key, before: Object.fromEntries(shown), after: {} });
    }
    staying.count += judged.unequal.length;
    for (const { key, why } of judged.unequal.slice(0, 5 - staying.samples.length))
      staying.samples.push(`${step.label} ${key} ${why}`);
    const last = records.at(-1);
    if (!last || (found.length < PAGE && records.length === found.length)) break;
    after = last.key;
  }
  return { count, keysHash: hash.digest('hex'), samples, staying, length };
}

function stayingFindings(step: Input, { staying }: Pick<Walked, 'staying'>): Finding[] {
  if (staying.count === 0) return [];
  const title = `${step.label} records without an equal ${step.copiedTo?.label} stay`;
  const advice = 'Copy them first (neo4j.copy-nodes), or see what was written to one of the two since.';
  return [{ check: 'copies-equal', title, status: 'warning', ...staying, advice }];
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const checked = await check(store, step);
  const findings = await store.connection.read(
    async (transaction) => [
      ...(await checkKeys(transaction, checked.selection)),
      ...(await findRelationshipProblems(transaction, checked.selection)),
    ],
    { signal: context.signal },
  );
  const nothing: Walked = { count: 0, keysHash: '', samples: [], staying: { count: 0, samples: [] }, length: 0 };
  // Failed findings refuse the plan: what cannot be told apart or journaled cannot be gone through either.
  const walked = findings.length > 0 ? nothing : await walk(store, step, checked, context.signal);
  return {
    count: walked.count,
    exact: true,
    keysHash: walked.keysHash,
    schemaHash: await hashSchema(store.connection, [step.label, ...(step.copiedTo ? [step.copiedTo.label] : [])]),
    samples: walked.samples,
    undoClass: 'reversible',
    locks: ['the nodes at the other ends of deleted relationships wait for the batch that deletes them'],
    bytes: 3 * (walked.length + 200 * walked.count),
    findings: [...findings, ...stayingFindings(step, walked)],
  };
}

async function verify(store: Store, step: Input, context: StepContext): Promise<readonly Finding[]> {
  const walked = await walk(store, step, await check(store, step), context.signal);
  const title = `No ${step.label} of the step is left`;
  if (walked.count === 0)
    return [
      { check: 'nodes-deleted', title, status: 'passed', count: 0, samples: [] },
      ...stayingFindings(step, walked),
    ];
  const samples = walked.samples.map(({ key }) => key);
  const advice = 'Records were added meanwhile; run the migration again.';
  return [
    { check: 'nodes-deleted', title, status: 'failed', count: walked.count, samples, advice },
    ...stayingFindings(step, walked),
  ];
}

/** Deletes nodes with their relationships, all of it journaled. */
export function deleteNodes(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.delete-nodes',
    effect: 'destroys',
    input,
    describe: ({ label, where, copiedTo }) =>
      `Deletes ${label} where ${where}${copiedTo ? ` and an equal ${copiedTo.label} is there` : ''}`,
    writes: ({ label, key }) => [{ collection: label, field: key }],
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    verify: (step, context) => verify(store, step, context),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    undoForces: true,
    narrow: (step, canaryOf: CanaryOf) => {
      const where = narrowWhere(step.where, canaryOf(store.name, step.label));
      return { ...step, where } as { [parameter: string]: Json };
    },
  });
}
