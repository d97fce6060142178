import type { BatchRequest, Conflict, UndoBatchResult, UndoContext } from '../../system.ts';
import { journalKey, runBatch, type Store } from '../batch.ts';
import { type BatchBody, type Change, openBody } from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { type Earlier, judgeGone, nothingEarlier } from '../judge-gone.ts';
import { judgeMade } from '../judge-made.ts';
import { takenOf } from './taken.ts';
import { applyFields, judgeFields } from './undo-fields.ts';
import { applyRelationships, judgeRelationships } from './undo-relationships.ts';

/** How many batches a step has journaled. */
export async function countBatches(transaction: GraphTransaction, runId: string, stepId: string): Promise<number> {
  const statement = 'MATCH (b:_TasBatch {run: $run, step: $step}) RETURN coalesce(max(b.index) + 1, 0)';
  return Number((await transaction.run(statement, { run: runId, step: stepId }))[0]?.[0] ?? 0);
}

/** Opens a batch's body; undefined when there is no such batch, or when it holds a mere intent. */
export async function readBody(
  store: Store,
  transaction: GraphTransaction,
  key: string,
): Promise<BatchBody | undefined> {
  const [row] = await transaction.run('MATCH (b:_TasBatch {key: $key}) WHERE b.body IS NOT NULL RETURN b.body', {
    key,
  });
  return row ? openBody(store.seal, key, row[0] as Int8Array) : undefined;
}

/** Where the undo goes on after its batch `index`; null when the original's first batch is undone. */
function nextUndo(batches: number, index: number): number | null {
  const left = batches - index - 1;
  return left > 0 ? left : null;
}

/** What an undo would do to a batch's records, whichever their form. */
export interface BodyJudgement {
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** Carries the changes out. */
  apply(): Promise<void>;
}

/** Judges all changes of a batch. `earlier` = for a preview: what undoing the later batches would have done before. */
export async function judgeBody(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
  earlier: Earlier,
): Promise<BodyJudgement> {
  const none = { changes: [], conflicts: [] };
  const taken = takenOf(body, context.force);
  const has = (form: Change['form']) => taken.changes.some((change) => change.form === form);
  const fields = has('fields') ? await judgeFields(store, transaction, body, context, purpose) : none;
  const made = await judgeMade(store, transaction, taken, context, purpose, earlier);
  const gone = await judgeGone(transaction, taken, purpose, earlier);
  const relationships = has('relationship')
    ? await judgeRelationships(store, transaction, taken, context, purpose)
    : none;
  const changesOf = (judged: { changes: readonly { change: Change }[] }) => judged.changes.map(({ change }) => change);
  return {
    changes: [...changesOf(fields), ...made.changes, ...gone.changes, ...changesOf(relationships)],
    conflicts: [fields, made, gone, relationships].flatMap(({ conflicts }) => conflicts),
    async apply() {
      if (fields.changes.length > 0) await applyFields(transaction, fields);
      await made.apply();
      await gone.apply();
      if (relationships.changes.length > 0) await applyRelationships(transaction, relationships);
    },
  };
}

/**
 * Undoes one batch of another run's step, the last first, as a journaled batch of its own: its journal has the form of
 * the original's, so that an undo is undone by the same code.
 */
export async function undoBatch(store: Store, batch: BatchRequest, context: UndoContext): Promise<UndoBatchResult> {
  const { runId, stepId } = context.undoes;
  return runBatch(store, context, batch.index, async (transaction) => {
    const batches = await countBatches(transaction, runId, stepId);
    const original = journalKey(runId, stepId, batches - 1 - batch.index);
    const body = await readBody(store, transaction, original);
    const cursor = nextUndo(batches, batch.index);
    if (!body) {
      const empty: BatchBody = { version: 1, collection: '', key: '', changes: [], conflicts: [] };
      return { done: 0, kept: 0, missing: 0, cursor, body: empty, undoes: original };
    }
    const judged = await judgeBody(store, transaction, body, context, 'lock', nothingEarlier());
    const { changes, conflicts, apply } = judged;
    await apply();
    const missing = conflicts.filter(({ reason }) => reason === 'missing').length;
    const { collection, key } = body;
    const done = changes.length;
    return {
      done,
      kept: conflicts.length - missing,
      missing,
      cursor,
      body: { version: 1, collection, key, changes, conflicts },
      undoes: original,
    };
  });
}
