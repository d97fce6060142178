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
import { countAndSample } from '../count-and-sample.ts';
import { escapeName, graphName } from '../name.ts';
import { previewRelationships } from '../preview-relationships.ts';
import { ensureReading } from '../reading.ts';
import { checkFill, nameOf, sampleOf, seeing } from '../relationship-fill.ts';
import { evaluateRelationships, evaluationOf, lockNextRelationships } from '../relationship-rows.ts';
import {
  cursorJson,
  endRule,
  narrowByStart,
  patternOf,
  refuseUnfitEnds,
  relationshipCursorOf,
  selectRelationships,
} from '../relationship-selection.ts';
import { findTargets, hadTarget, merge, type Retyping, refuseThere, retype } from '../retype-rows.ts';
import { cypher, type Statement } from '../statement.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';

const input = z
  .strictObject({
    from: graphName.describe('Type that the relationships have now'),
    to: graphName.describe('Type that they get'),
    ends: z
      .strictObject({
        from: endRule.describe('Where they begin'),
        to: endRule.describe('Where they end'),
      })
      .describe('Only relationships between these labels; the direction stays'),
    where: z
      .string()
      .min(1)
      .optional()
      .describe('Condition over `r`, `a` (where it begins) and `b`; absent = all between these labels'),
    set: z
      .record(graphName, z.string().min(1))
      .default({})
      .describe('Extra properties → expression over `r`, `a`, `b`; where it gives null the property stays as it is'),
    whenThere: z
      .enum(['merge', 'keep-both', 'refuse'])
      .default('refuse')
      .describe(
        'Where the ends have one of the new type already: give that one what it lacks and drop the old one, keep both, or refuse',
      ),
  })
  .refine((step) => step.from !== step.to, 'from and to are the same type');
type Input = z.infer<typeof input>;

interface Checked extends Retyping {
  readonly evaluation: Statement;
  readonly seeing: Statement;
}

async function check(store: Store, step: Input): Promise<Checked> {
  const { from, to, ends, where, whenThere } = step;
  const selection = await selectRelationships(store, { type: from, from: ends.from, to: ends.to, where });
  const fill = checkFill(step.set);
  const evaluation = evaluationOf(selection, fill.expressions);
  await ensureReading(store.connection, evaluation, 'set');
  const statement = seeing(selection, fill, to);
  await ensureReading(store.connection, statement, 'set');
  return { selection, fill, type: to, whenThere, evaluation, seeing: statement };
}

async function performBatch(
  store: Store,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const checked = await check(store, step);
  const { selection, evaluation, type, whenThere } = checked;
  const from = relationshipCursorOf(batch);
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction): Promise<BatchOutcome> => {
    if (batch.index === 0) await refuseUnfitEnds(transaction, selection);
    const found = await lockNextRelationships(transaction, selection, from, batch.size);
    const rows = await evaluateRelationships(transaction, selection, evaluation, found);
    keepUnderCap(context, batch.done, rows.length);
    const targets = whenThere === 'keep-both' ? new Map() : await findTargets(transaction, type, found, from);
    if (whenThere === 'refuse') refuseThere(checked, rows, targets);
    const { merged = [], alone = [] } = Object.groupBy(rows, (row) => (hadTarget(targets, row) ? 'merged' : 'alone'));
    const changes = [
      ...(await retype(transaction, checked, alone)),
      ...(await merge(transaction, checked, merged, targets)),
    ];
    const last = found.length < batch.size ? undefined : found.at(-1);
    const next = last
      ? cursorJson({ from: last.from.key, to: last.to.key, id: last.id, there: hadTarget(targets, last) })
      : null;
    const body = { version: 1, collection: type, key: step.ends.from.key, changes, conflicts: [] } as const;
    return { done: rows.length, kept: 0, missing: 0, cursor: next, body, undoes: null };
  });
  return { cursor, done };
}

function thereFinding({ from, to, whenThere }: Input, count: number, samples: readonly string[]): Finding[] {
  if (count === 0) return [];
  const advice = {
    refuse: `Correct them, or say \`whenThere: merge\` (the ${to} that is there gets what it lacks, the ${from} goes) or \`keep-both\`.`,
    merge: `The ${to} that is there gets what it lacks; where both have a property the value of the ${from} is in the journal only.`,
    'keep-both': `Their ends have several ${to} afterwards.`,
  }[whenThere];
  return [
    {
      check: 'new-type-free',
      title: `No ${from} has a ${to} between the same nodes already`,
      status: whenThere === 'refuse' ? 'failed' : 'warning',
      count,
      samples,
      advice,
    },
  ];
}

/** Relationships of the old type between other labels: they stay as they are. */
async function findOthers(store: Store, { from, ends }: Input): Promise<Finding[]> {
  const match = `MATCH (a)-[r:${escapeName(from)}]->(b)
    WHERE NOT (a:${escapeName(ends.from.label)} AND b:${escapeName(ends.to.label)})`;
  const { count } = await store.connection.read((transaction) => countAndSample(transaction, match, 'type(r)'));
  if (count === 0) return [];
  return [
    {
      check: 'other-ends',
      title: `Each ${from} leads from ${ends.from.label} to ${ends.to.label}`,
      status: 'warning',
      count,
      samples: [],
      advice: 'Those between other labels stay as they are; they need a step of their own.',
    },
  ];
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const { selection, fill, seeing: statement } = await check(store, step);
  let there = 0;
  const samples: string[] = [];
  const seen = await previewRelationships(
    store,
    {
      selection,
      fill,
      statement,
      counts(one) {
        if (one.there && ++there <= 5) samples.push(nameOf(one.from, one.to));
        return true;
      },
      sample(one) {
        const names = new Set([...Object.keys(one.side.properties), ...fill.properties]);
        return sampleOf(step.to, [...names].sort(), one);
      },
      findings: () => thereFinding(step, there, samples),
    },
    context,
  );
  // A look at all of the type: left out where time is bounded and used up already.
  const others = seen.exact ? await findOthers(store, step) : [];
  return { ...seen, findings: [...seen.findings, ...others] };
}

/** Relationships of the old type that are left. */
async function verify(store: Store, step: Input): Promise<readonly Finding[]> {
  const { selection } = await check(store, step);
  const match = cypher`MATCH ${patternOf(selection)} WHERE ${selection.where}`;
  const key = (node: 'a' | 'b') => `${node}.${escapeName(selection[node === 'a' ? 'from' : 'to'].key)}`;
  const { count, samples } = await store.connection.read((transaction) =>
    countAndSample(transaction, match.text, `${key('a')} + ' → ' + ${key('b')}`),
  );
  const title = `No ${step.from} of the step is left`;
  if (count === 0) return [{ check: 'relationships-retyped', title, status: 'passed', count: 0, samples: [] }];
  const advice = 'Some were added or changed meanwhile; run the migration again.';
  return [{ check: 'relationships-retyped', title, status: 'failed', count, samples, advice }];
}

/** Gives relationships another type; properties and direction stay. */
export function retypeRelationships(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.retype-relationships',
    effect: 'changes',
    input,
    describe: ({ from, to, ends, where }) =>
      `Makes ${to} of ${from} from ${ends.from.label} to ${ends.to.label}${where ? ` where ${where}` : ''}`,
    // `(type)` stands for the relationship itself: whoever retypes either type later is undone first.
    writes: ({ from, to, set }) => [
      { collection: from, field: '(type)' },
      ...['(type)', ...Object.keys(set)].map((field) => ({ collection: to, field })),
    ],
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    verify: (step) => verify(store, step),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    narrow: (step, canaryOf) => {
      const where = narrowByStart(step.where, canaryOf(null, step.ends.from.label));
      return { ...step, ...(where === undefined ? {} : { where }) } as { [parameter: string]: Json };
    },
  });
}
