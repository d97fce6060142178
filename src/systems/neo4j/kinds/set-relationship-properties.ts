import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { type BatchOutcome, keepUnderCap, runBatch, type Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import { graphName } from '../name.ts';
import { previewRelationships } from '../preview-relationships.ts';
import { ensureReading } from '../reading.ts';
import {
  checkFill,
  decodeFill,
  emptyFinding,
  type Fill,
  fillOf,
  nameOf,
  sampleOf,
  seeing,
  seeRelationships,
} from '../relationship-fill.ts';
import {
  evaluateRelationships,
  evaluationOf,
  lockNextRelationships,
  type RelationshipRow,
  toRelationshipChange,
  toSide,
  updateRelationships,
} from '../relationship-rows.ts';
import {
  cursorJson,
  endRule,
  narrowByStart,
  type RelationshipSelection,
  refuseUnfitEnds,
  relationshipCursorOf,
  selectRelationships,
} from '../relationship-selection.ts';
import type { Statement } from '../statement.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';
import { STAMP } from '../whole-nodes.ts';

const input = z.strictObject({
  type: graphName.describe('Type of the relationships'),
  from: endRule.describe('Where they begin'),
  to: endRule.describe('Where they end'),
  where: z
    .string()
    .min(1)
    .optional()
    .describe('Condition over `r`, `a` (where it begins) and `b`; absent = all between these labels'),
  set: z
    .record(graphName, z.string().min(1))
    .refine((set) => Object.keys(set).length > 0, 'sets nothing')
    .describe('Property → expression over `r`, `a`, `b`; where it gives null the property stays as it is'),
});
type Input = z.infer<typeof input>;

interface Checked {
  readonly selection: RelationshipSelection;
  readonly fill: Fill;
  readonly evaluation: Statement;
  readonly seeing: Statement;
}

async function check(store: Store, step: Input): Promise<Checked> {
  const selection = await selectRelationships(store, step);
  const fill = checkFill(step.set);
  const evaluation = evaluationOf(selection, fill.expressions);
  await ensureReading(store.connection, evaluation, 'set');
  const statement = seeing(selection, fill, null);
  await ensureReading(store.connection, statement, 'set');
  return { selection, fill, evaluation, seeing: statement };
}

/** Writes what differs, with a stamp where there is none: by it the relationship is found again. */
async function write(transaction: GraphTransaction, { selection, fill }: Checked, rows: readonly RelationshipRow[]) {
  const wanted = rows.flatMap((row) => {
    const values = fillOf(fill, row.side, row.computed);
    if (Object.keys(values).length === 0) return [];
    return [{ row, id: row.id, properties: { ...decodeFill(values), [STAMP]: row.side.stamp ?? randomUUID() } }];
  });
  const stored = await updateRelationships(transaction, wanted);
  return wanted.map(({ row }, i) => {
    const after = toSide(selection.type, stored[i] as { [property: string]: unknown });
    return toRelationshipChange(selection, row, row.side, after);
  });
}

async function performBatch(
  store: Store,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const checked = await check(store, step);
  const { selection, evaluation } = checked;
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction): Promise<BatchOutcome> => {
    if (batch.index === 0) await refuseUnfitEnds(transaction, selection);
    const found = await lockNextRelationships(transaction, selection, relationshipCursorOf(batch), batch.size);
    const rows = await evaluateRelationships(transaction, selection, evaluation, found);
    const changes = await write(transaction, checked, rows);
    keepUnderCap(context, batch.done, changes.length);
    const last = found.length < batch.size ? undefined : found.at(-1);
    const next = last ? cursorJson({ from: last.from.key, to: last.to.key, id: last.id, there: false }) : null;
    const body = { version: 1, collection: step.type, key: step.from.key, changes, conflicts: [] } as const;
    return { done: changes.length, kept: 0, missing: 0, cursor: next, body, undoes: null };
  });
  return { cursor, done };
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const { selection, fill, seeing: statement } = await check(store, step);
  let empty = 0;
  const emptySamples: string[] = [];
  return previewRelationships(
    store,
    {
      selection,
      fill,
      statement,
      // One that stays empty is counted: an earlier step may fill what its value is computed from.
      counts(seen) {
        if (seen.empty.length > 0) {
          empty++;
          if (emptySamples.length < 5) emptySamples.push(nameOf(seen.from, seen.to));
        }
        return seen.empty.length > 0 || Object.keys(seen.fill).length > 0;
      },
      sample: (seen) => sampleOf(step.type, fill.properties, seen),
      findings: () => emptyFinding(step.type, empty, emptySamples),
    },
    context,
  );
}

/** Relationships that the expressions would still write to. */
async function verify(store: Store, step: Input, context: StepContext): Promise<readonly Finding[]> {
  const { selection, fill, seeing: statement } = await check(store, step);
  let [open, empty] = [0, 0];
  const [openSamples, emptySamples]: [string[], string[]] = [[], []];
  for await (const seen of seeRelationships(store.connection, selection, fill, statement, context.signal)) {
    const name = nameOf(seen.from, seen.to);
    if (Object.keys(seen.fill).length > 0 && ++open <= 5) openSamples.push(name);
    if (seen.empty.length > 0 && ++empty <= 5) emptySamples.push(name);
  }
  const title = `${step.type}: ${fill.properties.join(', ')} filled in`;
  const found: Finding = {
    check: 'relationship-properties-set',
    title,
    status: open > 0 ? 'failed' : 'passed',
    count: open,
    samples: openSamples,
    ...(open > 0 ? { advice: 'Some were added or changed meanwhile; run the migration again.' } : {}),
  };
  return [found, ...emptyFinding(step.type, empty, emptySamples)];
}

/** Sets properties of relationships to computed values, where they differ. */
export function setRelationshipProperties(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.set-relationship-properties',
    effect: 'changes',
    input,
    describe: ({ type, from, to, where, set }) =>
      `Sets ${Object.keys(set).sort().join(', ')} of ${type} from ${from.label} to ${to.label}${where ? ` where ${where}` : ''}`,
    writes: ({ type, set }) => Object.keys(set).map((field) => ({ collection: type, field })),
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    verify: (step, context) => verify(store, step, context),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    narrow: (step, canaryOf) => {
      const where = narrowByStart(step.where, canaryOf(null, step.from.label));
      return { ...step, ...(where === undefined ? {} : { where }) } as { [parameter: string]: Json };
    },
  });
}
