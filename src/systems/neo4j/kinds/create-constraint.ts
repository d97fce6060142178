import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf, type JsonObject } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { KeptTally } from '../../kept-tally.ts';
import {
  type BatchRequest,
  type BatchResult,
  type Conflict,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
  type UndoBatchResult,
  type UndoContext,
} from '../../system.ts';
import { journalKey, keepUnderCap, type Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import {
  type ConstraintState,
  dropConstraint,
  findDuplicates,
  makeConstraint,
  readConstraintState,
  toJson,
  type UniqueConstraint,
} from '../constraint-state.ts';
import { encodeValue } from '../encode.ts';
import { escapeName, graphName } from '../name.ts';
import { hashSchema } from '../records.ts';
import { runSchemaBatch, type SchemaIntent } from '../schema-batch.ts';
import { textOf } from '../show-value.ts';
import { readBody } from '../undo/undo-batch.ts';

const input = z.strictObject({
  name: graphName.describe('Name of the constraint and of the index that it brings'),
  label: graphName.describe('Label of the nodes'),
  property: graphName.describe('Property that no two of them may share'),
  type: z.literal('unique'),
});
type Input = z.infer<typeof input>;

function obstacles(wanted: Input, state: ConstraintState): Finding[] {
  if (state.equivalent) return [];
  const findings: Finding[] = [];
  const add = (check: string, title: string, advice: string) =>
    findings.push({ check, title, status: 'failed', count: 1, samples: [], advice });
  if (state.nameTaken) {
    add(
      'constraint-name-free',
      `The name ${wanted.name} is free`,
      'Another index or constraint bears it: choose another name.',
    );
  }
  if (state.blockedBy !== null) {
    const advice = `Drop the index ${state.blockedBy} first; the constraint brings an index of its own.`;
    add('no-index-in-the-way', `No plain index stands on ${wanted.label}.${wanted.property}`, advice);
  }
  return findings;
}

async function findProblems(transaction: GraphTransaction, wanted: Input, state: ConstraintState): Promise<Finding[]> {
  const findings = obstacles(wanted, state);
  if (state.equivalent) return findings;
  const { count, nodes, samples } = await findDuplicates(transaction, wanted);
  const { label, property } = wanted;
  if (count === 0) return findings;
  findings.push({
    check: 'values-are-unique',
    title: `${label}.${property} is unique`,
    status: 'failed',
    count,
    samples: samples.map(([value, times]) => `${textOf(encodeValue(value)) ?? 'a list'} in ${times} records`),
    advice: `${nodes} ${label} records share ${count} values: give each but one of them a ${property} of its own, then ask again.`,
  });
  return findings;
}

async function preview(store: Store, wanted: Input, context: StepContext): Promise<StepPreview> {
  const { label } = wanted;
  const [state, findings, records] = await store.connection.read(
    async (transaction) => {
      const found = await readConstraintState(transaction, wanted);
      const [row] = await transaction.run(`MATCH (n:${escapeName(label)}) RETURN count(n)`);
      return [found, await findProblems(transaction, wanted, found), Number(row?.[0])] as const;
    },
    { signal: context.signal },
  );
  const exists = state.equivalent !== null;
  return {
    count: exists ? 0 : 1,
    exact: true,
    keysHash: digestOf(exists ? [] : [wanted.name]),
    schemaHash: await hashSchema(store.connection, [label]),
    samples: exists ? [] : [{ collection: label, key: wanted.name, before: {}, after: toJson(wanted) }],
    undoClass: 'reversible',
    locks: exists ? [] : [`writes to ${label} wait while ${records} records are checked`],
    // The index behind the constraint, and its log.
    bytes: exists ? 0 : records * 150,
    findings,
  };
}

function refuseObstacles(wanted: Input, state: ConstraintState): void {
  const [finding] = obstacles(wanted, state);
  if (!finding) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `${finding.title}: this does not hold any more.`,
    advice: finding.advice ?? 'Ask for the migration again.',
  });
}

async function performBatch(
  store: Store,
  wanted: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const plan = async (transaction: GraphTransaction): Promise<SchemaIntent> => {
    const state = await readConstraintState(transaction, wanted);
    const existed = state.equivalent;
    refuseObstacles(wanted, state);
    if (!existed) keepUnderCap(context, batch.done, 1);
    const after = toJson(existed ?? wanted);
    return { before: existed ? after : null, after, done: existed ? 0 : 1, conflicts: [] };
  };
  const act = async (intent: SchemaIntent) => {
    if (intent.before === null) await makeConstraint(store.connection, wanted, context.signal);
  };
  const { cursor, done } = await runSchemaBatch(store, context, { index: batch.index, undoes: null }, plan, act);
  return { cursor, done };
}

async function verify(store: Store, wanted: Input): Promise<readonly Finding[]> {
  const state = await store.connection.read((transaction) => readConstraintState(transaction, wanted));
  const title = `${wanted.label}.${wanted.property} has a uniqueness constraint`;
  if (state.equivalent) return [{ check: 'constraint-stands', title, status: 'passed', count: 0, samples: [] }];
  const advice = 'Somebody dropped it since; retry the step.';
  return [{ check: 'constraint-stands', title, status: 'failed', count: 1, samples: [], advice }];
}

/** What undoing a step's schema change means now: `drop`, `make` anew, or neither. */
interface SchemaUndo {
  readonly action: 'drop' | 'make' | 'nothing';
  readonly constraint: UniqueConstraint | null;
  readonly conflicts: readonly Conflict[];
}

async function judge(store: Store, transaction: GraphTransaction, context: UndoContext): Promise<SchemaUndo> {
  const body = await readBody(store, transaction, journalKey(context.undoes.runId, context.undoes.stepId, 0));
  const { before, after } = body?.schema ?? { before: null, after: null };
  const nothing: SchemaUndo = { action: 'nothing', constraint: null, conflicts: [] };
  // Existed before, or was kept by the undo that is undone: not ours to touch.
  if ((before === null) === (after === null)) return nothing;
  const constraint = (before ?? after) as unknown as UniqueConstraint;
  const state = await readConstraintState(transaction, constraint);
  const conflict = (reason: Conflict['reason'], theirs: string | null): SchemaUndo => ({
    ...nothing,
    conflicts: [
      {
        collection: constraint.label,
        key: constraint.name,
        field: constraint.property,
        reason,
        base: before,
        ours: after,
        theirs,
      },
    ],
  });
  if (after !== null) {
    if (state.equivalent?.name === constraint.name) return { ...nothing, action: 'drop', constraint };
    if (state.nameTaken) return conflict('changed-since', 'another index or constraint bears the name');
    return state.equivalent
      ? conflict('changed-since', `now called ${state.equivalent.name}`)
      : conflict('missing', null);
  }
  if (state.equivalent) return nothing;
  if (state.nameTaken || state.blockedBy !== null)
    return conflict('value-taken', state.blockedBy ?? 'the name is taken');
  const { count } = await findDuplicates(transaction, constraint);
  return count > 0
    ? conflict('value-taken', `${count} values stand twice`)
    : { ...nothing, action: 'make', constraint };
}

async function previewUndo(store: Store, wanted: Input, context: UndoContext): Promise<StepPreview> {
  const { action, constraint, conflicts } = await store.connection.read((transaction) =>
    judge(store, transaction, context),
  );
  const kept = new KeptTally();
  for (const conflict of conflicts) kept.add(conflict);
  const image: JsonObject = constraint ? toJson(constraint) : {};
  const [before, after] = action === 'drop' ? [image, {}] : [{}, image];
  return {
    count: action === 'nothing' ? 0 : 1,
    exact: true,
    keysHash: digestOf(constraint ? [constraint.name] : []),
    schemaHash: await hashSchema(store.connection, [wanted.label]),
    samples: constraint ? [{ collection: constraint.label, key: constraint.name, before, after }] : [],
    undoClass: 'reversible',
    locks: action === 'make' ? [`writes to ${wanted.label} wait while its records are checked`] : [],
    bytes: 0,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

async function undoBatch(store: Store, batch: BatchRequest, context: UndoContext): Promise<UndoBatchResult> {
  const undoes = journalKey(context.undoes.runId, context.undoes.stepId, 0);
  const plan = async (transaction: GraphTransaction): Promise<SchemaIntent> => {
    const { action, constraint, conflicts } = await judge(store, transaction, context);
    const image = constraint ? toJson(constraint) : null;
    return {
      before: action === 'drop' ? image : null,
      after: action === 'make' ? image : null,
      done: action === 'nothing' ? 0 : 1,
      conflicts,
    };
  };
  const act = async ({ before, after }: SchemaIntent) => {
    if (before) await dropConstraint(store.connection, (before as unknown as UniqueConstraint).name);
    if (after) await makeConstraint(store.connection, after as unknown as UniqueConstraint);
  };
  return runSchemaBatch(store, context, { index: batch.index, undoes }, plan, act);
}

/** Makes a uniqueness constraint on one property, unless one stands there already. */
export function createConstraint(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.create-constraint',
    effect: 'changes',
    input,
    describe: ({ name, label, property }) => `Makes ${label}.${property} unique (constraint ${name})`,
    preview: (wanted, context) => preview(store, wanted, context),
    performBatch: (wanted, batch, context) => performBatch(store, wanted, batch, context),
    verify: (wanted) => verify(store, wanted),
    previewUndo: (wanted, context) => previewUndo(store, wanted, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    narrow: () => null,
  });
}
