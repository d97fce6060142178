import { z } from 'zod';
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
import { keepUnderCap, runBatch, type Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import { evaluateRecords, evaluationStatement } from '../evaluation.ts';
import { checkExpression, invalidStatement, refuseUnsafe } from '../expression.ts';
import { hashKeysWithin } from '../hash-keys-within.ts';
import { escapeName, graphName } from '../name.ts';
import { type JudgedStatement, judgeStatement } from '../raw-statement.ts';
import { ensureReading } from '../reading.ts';
import { checkKeys, cursorOf, hashSchema, refuseUnfitKeys, type Selection, selectStatement } from '../records.ts';
import { previewRawUndo, rawBody, undoRawBatch } from '../undo-raw.ts';
import { nextRecords } from '../whole-nodes.ts';

const cypherText = z.string().min(1).max(20_000);

const input = z
  .strictObject({
    statement: cypherText.describe('One Cypher statement without RETURN; each node in it bears a label'),
    inverse: cypherText.optional().describe('A statement that takes back what it did'),
    oneWay: z.literal(true).optional().describe('It cannot be taken back, and this is accepted'),
    count: cypherText
      .optional()
      .describe('A reading statement that gives one number: how many records the statement would write now'),
    batchBy: z
      .strictObject({
        label: graphName.describe('Label of the records'),
        key: graphName.describe('Property that identifies them: text, unique'),
        where: z.string().min(1).default('true').describe('Condition over `n`; it no longer holds for what is done'),
      })
      .optional()
      .describe('Carries it out batch by batch; the keys of a batch are `$keys` in both statements'),
  })
  .refine(
    ({ inverse, oneWay }) => inverse === undefined || oneWay === undefined,
    'one-way, and an inverse: only one holds',
  )
  .refine(({ count, batchBy }) => count === undefined || batchBy === undefined, 'batchBy counts by itself');
type RawStep = z.infer<typeof input>;

interface Checked {
  readonly statement: JudgedStatement;
  readonly inverse: JudgedStatement | null;
  /** Null = all in one transaction. */
  readonly selection: Selection | null;
}

async function check({ connection }: Store, step: RawStep): Promise<Checked> {
  const { batchBy, count } = step;
  const parameters = batchBy ? ['keys'] : [];
  const statement = await judgeStatement(connection, 'statement', step.statement, parameters);
  if (batchBy && !/\$`?keys\b/.test(step.statement))
    throw invalidStatement(
      'statement',
      step.statement,
      0,
      'with batchBy it has to be about $keys, or each batch would do all',
    );
  const inverse =
    step.inverse === undefined ? null : await judgeStatement(connection, 'inverse', step.inverse, parameters);
  if (count !== undefined) {
    refuseUnsafe('count', count);
    await ensureReading(connection, { text: count, placeOf: (line) => ({ place: 'count', line }) }, 'count');
  }
  if (!batchBy) return { statement, inverse, selection: null };
  const selection = { ...batchBy, where: checkExpression('batchBy.where', batchBy.where) };
  await ensureReading(connection, selectStatement(selection, 'RETURN n', null), 'batchBy.where');
  return { statement, inverse, selection };
}

/** How many records it is about, by the step's own reading statement. */
async function countNow(transaction: GraphTransaction, count: string): Promise<number> {
  const rows = await transaction.run(count);
  const value = rows[0]?.[0];
  if (rows.length === 1 && (typeof value === 'bigint' || typeof value === 'number')) return Number(value);
  throw invalidStatement('count', count, 0, 'it has to give one row with one number');
}

function findProblems(step: RawStep, { statement }: Checked): Finding[] {
  const findings: Finding[] = [];
  const add = (check_: string, title: string, samples: readonly string[], advice: string, status: Finding['status']) =>
    findings.push({
      check: check_,
      title,
      status,
      count: Math.max(1, samples.length),
      samples: samples.slice(0, 5),
      advice,
    });
  if (statement.unknown.length > 0 && step.oneWay !== true) {
    const advice =
      'What they do is not known, so no inverse can be trusted: write it otherwise, or accept it as oneWay: true.';
    add('operators-known', 'The server would use known operators only', statement.unknown, advice, 'failed');
  } else if (statement.effect !== 'reads' && step.inverse === undefined && step.oneWay !== true) {
    const advice = 'Give an `inverse` statement, or accept with `oneWay: true` that it cannot be undone.';
    add('undo-said', 'It is said how the statement is undone', [], advice, 'failed');
  }
  if (statement.effect === 'destroys' && step.count !== undefined) {
    const advice = 'Use batchBy, and the vote is bound to the very records.';
    add('records-not-bound', 'People sign how many records it destroys, not which', [], advice, 'warning');
  }
  return findings;
}

interface Counted {
  readonly count: number;
  readonly exact: boolean;
  readonly keysHash: string;
}

async function countRecords(store: Store, step: RawStep, checked: Checked, context: StepContext): Promise<Counted> {
  const { connection } = store;
  const { selection, statement } = checked;
  if (selection) {
    const { text } = selectStatement(selection, `RETURN n.${escapeName(selection.key)}`, null);
    const limitMs = statement.effect === 'destroys' ? undefined : context.countForMs;
    return hashKeysWithin(connection.stream(text, {}, context.signal), limitMs);
  }
  const { count: counting } = step;
  // Only carrying it out would tell.
  if (counting === undefined) return { count: 0, exact: false, keysHash: '' };
  const count = await connection.read((transaction) => countNow(transaction, counting), { signal: context.signal });
  return { count, exact: true, keysHash: digestOf([step.statement, count]) };
}

async function preview(store: Store, step: RawStep, context: StepContext): Promise<StepPreview> {
  const checked = await check(store, step);
  const { selection, statement } = checked;
  const counted = await countRecords(store, step, checked, context);
  const keyProblems = selection
    ? await store.connection.read((transaction) => checkKeys(transaction, selection), { signal: context.signal })
    : [];
  const undoable = checked.inverse !== null && statement.unknown.length === 0;
  return {
    ...counted,
    schemaHash: await hashSchema(store.connection, selection ? [selection.label] : []),
    samples: [],
    undoClass: undoable || statement.effect === 'reads' ? 'reversible' : 'one-way',
    locks: selection ? [] : ['all that it writes stays locked until its one transaction ends'],
    bytes: counted.count * 600,
    findings: [...findProblems(step, checked), ...keyProblems],
    effect: statement.effect,
  };
}

/** The keys of the next batch, locked; those for which the condition holds under the lock. */
async function nextKeys(
  transaction: GraphTransaction,
  selection: Selection,
  batch: BatchRequest,
): Promise<{ keys: string[]; cursor: BatchResult['cursor'] }> {
  if (batch.index === 0) await refuseUnfitKeys(transaction, selection);
  const page = { after: cursorOf(batch)?.after ?? null, size: batch.size };
  const records = await nextRecords(transaction, selection, page, 'lock');
  const evaluate = evaluationStatement(selection, { properties: [], expressions: [] });
  const held = await evaluateRecords(transaction, evaluate, records, 0n);
  const last = records.length < batch.size ? undefined : records.at(-1);
  return {
    keys: records.filter(({ id }) => held.has(id)).map(({ key }) => key),
    cursor: last ? { after: last.key, ordinal: 0 } : null,
  };
}

async function performBatch(
  store: Store,
  step: RawStep,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const checked = await check(store, step);
  const { selection, statement } = checked;
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction) => {
    const next = selection ? await nextKeys(transaction, selection, batch) : null;
    const count = next?.keys.length ?? (step.count === undefined ? null : await countNow(transaction, step.count));
    if (count !== null) keepUnderCap(context, batch.done, count);
    if (count !== 0) await transaction.run(statement.text, next ? { keys: next.keys } : {});
    const body = rawBody('statement', next?.keys ?? null, []);
    return { done: count ?? 1, kept: 0, missing: 0, cursor: next?.cursor ?? null, body, undoes: null };
  });
  return { cursor, done };
}

/** A statement as it stands, for what no other kind can do. */
export function cypherKind(store: Store): StepKind {
  const undoOf = async (step: RawStep) => {
    const { statement, inverse } = await check(store, step);
    return { statement, inverse, records: step.batchBy ?? null };
  };
  return defineStepKind<RawStep>({
    name: 'neo4j.cypher',
    effect: 'destroys',
    input,
    describe: ({ statement, oneWay }) =>
      `Carries out Cypher${oneWay ? ' that cannot be undone' : ''}: ${statement.replace(/\s+/g, ' ').slice(0, 200)}`,
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    previewUndo: async (step, context) => previewRawUndo(store, await undoOf(step), context),
    undoBatch: async (step, batch, context) => undoRawBatch(store, await undoOf(step), batch, context),
  });
}
