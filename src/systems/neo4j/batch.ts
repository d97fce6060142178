import { createHash } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { StepContext } from '../system.ts';
import { type BatchBody, fieldsOf, sealBody } from './batch-body.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import { passFence } from './fence.ts';
import { ensureJournalSchema } from './journal-schema.ts';

/** What the parts of this system share. */
export interface Store {
  readonly name: string;
  readonly connection: Connection;
  readonly seal: Seal;
}

/** What a committed batch says of itself without its sealed body. */
export interface BatchSummary {
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  readonly cursor: Json;
}

/** What the work of a batch hands back to be journaled in the same transaction. */
export interface BatchOutcome extends BatchSummary {
  readonly body: BatchBody;
  /** The journal key of the batch that this one undoes; null when it undoes none. */
  readonly undoes: string | null;
}

export function journalKey(runId: string, stepId: string, index: number): string {
  return `${runId}/${stepId}/${index}`;
}

/** The summary of a committed batch; undefined when there is none. */
export async function readSummary(transaction: GraphTransaction, key: string): Promise<BatchSummary | undefined> {
  const statement = 'MATCH (b:_TasBatch {key: $key}) RETURN b.done, b.kept, b.missing, b.cursor';
  const [row] = await transaction.run(statement, { key });
  if (row === undefined) return undefined;
  return { done: Number(row[0]), kept: Number(row[1]), missing: Number(row[2]), cursor: JSON.parse(String(row[3])) };
}

/** Smallest and greatest key, compared as JavaScript does; the journal's readers compare in the same way. */
function rangeOf(body: BatchBody): { firstKey: string | null; lastKey: string | null } {
  let [firstKey, lastKey] = [body.changes[0]?.key ?? null, body.changes[0]?.key ?? null];
  for (const { key } of body.changes) {
    if (firstKey === null || key < firstKey) firstKey = key;
    if (lastKey === null || key > lastKey) lastKey = key;
  }
  return { firstKey, lastKey };
}

/** Fills in the journal node that the transaction created first. */
export async function writeJournal(
  transaction: GraphTransaction,
  seal: Seal,
  key: string,
  outcome: BatchOutcome,
): Promise<void> {
  const { body } = outcome;
  const sealed = await sealBody(seal, key, body);
  await transaction.run('MATCH (b:_TasBatch {key: $key}) SET b += $summary', {
    key,
    summary: {
      done: BigInt(outcome.done),
      kept: BigInt(outcome.kept),
      missing: BigInt(outcome.missing),
      cursor: JSON.stringify(outcome.cursor),
      collection: body.collection,
      keyProperty: body.key,
      fields: fieldsOf(body.changes),
      ...rangeOf(body),
      undoes: outcome.undoes,
      stamp: createHash('sha256').update(sealed).digest('hex'),
      body: sealed,
    },
  });
}

/** Claims the key. A process that still holds it makes this wait; afterwards it fails as a duplicate. */
export async function createJournalNode(
  transaction: GraphTransaction,
  context: StepContext,
  index: number,
): Promise<void> {
  await transaction.run('CREATE (:_TasBatch {key: $key, run: $run, step: $step, index: $index})', {
    key: journalKey(context.runId, context.stepId, index),
    run: context.runId,
    step: context.stepId,
    index: BigInt(index),
  });
}

export function isDuplicate(error: unknown): boolean {
  return (error as { code?: unknown })?.code === 'Neo.ClientError.Schema.ConstraintValidationFailed';
}

/** Throws `over-cap` when a batch would write more than was approved; `done` = by the earlier batches. */
export function keepUnderCap(context: StepContext, done: number, more: number): void {
  if (context.cap === null || done + more <= context.cap) return;
  throw new Failure({
    code: 'over-cap',
    message: `${context.stepId} would write ${done + more} records; at most ${context.cap} were approved.`,
    advice: 'This batch was rolled back. Ask again: the plan will show the count of now.',
  });
}

/** A record went between being found and being locked. */
function isGone(error: unknown): boolean {
  return (error as { code?: unknown })?.code === 'Neo.ClientError.Statement.EntityNotFound';
}

/** How often a batch is tried again when it was refused because somebody wrote at the same moment. */
const COLLISIONS = 3;

/**
 * One journaled batch in one transaction: claim the key, pass the fence, do the work, write the journal, commit. Called
 * again with the same index, by whomever, it returns what was committed first and changes nothing.
 */
export async function runBatch(
  store: Store,
  context: StepContext,
  index: number,
  work: (transaction: GraphTransaction) => Promise<BatchOutcome>,
): Promise<BatchSummary> {
  const { connection, seal } = store;
  const key = journalKey(context.runId, context.stepId, index);
  const options = { signal: context.signal, label: key };
  await ensureJournalSchema(connection);
  for (let collided = 0; ; collided++) {
    let refused: unknown;
    const committed = await connection
      .write(async (transaction) => {
        refused = undefined;
        try {
          await createJournalNode(transaction, context, index);
          await passFence(transaction, context.fence, connection.place);
          const outcome = await work(transaction);
          await writeJournal(transaction, seal, key, outcome);
          const { done, kept, missing, cursor } = outcome;
          return { done, kept, missing, cursor };
        } catch (error) {
          refused = error;
          throw error;
        }
      }, options)
      .catch((error: unknown) => {
        if (!isDuplicate(refused) && !isGone(refused)) throw error;
        refused = error;
        return undefined;
      });
    const summary = committed ?? (await connection.read((transaction) => readSummary(transaction, key), options));
    if (summary) return summary;
    // Not our key, then: a constraint on the data. What collided may be gone, or be seen, at the next try.
    if (collided >= COLLISIONS) throw refused;
  }
}
