import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { digestOf, type JsonObject } from '../../shared/json.ts';
import type { BatchRequest, Conflict, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { journalKey, readSummary, runBatch, type Store } from './batch.ts';
import type { BatchBody } from './batch-body.ts';
import type { JudgedStatement } from './raw-statement.ts';
import { findByKeys, hashSchema } from './records.ts';
import { countBatches, readBody } from './undo/undo-batch.ts';
import type { KeyRule } from './whole-nodes.ts';

/** What a raw step is undone by. */
interface RawUndo {
  readonly statement: JudgedStatement;
  /** Null = it is one-way. */
  readonly inverse: JudgedStatement | null;
  /** The records that `$keys` are of; null = it has no keys. */
  readonly records: KeyRule | null;
}

const ranSchema = z.object({ ran: z.enum(['statement', 'inverse']), keys: z.array(z.string()).nullable() });

/** The journal of a batch of a raw statement: which of the two ran, over which keys. */
export function rawBody(
  ran: 'statement' | 'inverse',
  keys: readonly string[] | null,
  conflicts: readonly Conflict[],
): BatchBody {
  const after: JsonObject = { ran, keys };
  return { version: 1, collection: '', key: '', changes: [], conflicts, schema: { before: null, after } };
}

function oneWay(): Failure {
  return new Failure({
    code: 'not-allowed',
    message: 'The statement was carried out as one-way: no inverse is known.',
    advice: 'Restore from a backup set, or write a migration that takes it back.',
  });
}

/** Of the pair the other one: the inverse for the statement, the statement for its inverse. */
function otherOf(undo: RawUndo, ran: 'statement' | 'inverse'): JudgedStatement {
  const other = ran === 'statement' ? undo.inverse : undo.statement;
  if (!other) throw oneWay();
  return other;
}

function gone(collection: string, key: string): Conflict {
  return { collection, key, field: '', reason: 'missing', base: null, ours: null, theirs: null };
}

/** Undoes one batch by the inverse, the last first, in a journaled transaction of its own. */
export async function undoRawBatch(
  store: Store,
  undo: RawUndo,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const { runId, stepId } = context.undoes;
  return runBatch(store, context, batch.index, async (transaction) => {
    const batches = await countBatches(transaction, runId, stepId);
    const undoes = journalKey(runId, stepId, batches - 1 - batch.index);
    const left = batches - batch.index - 1;
    const cursor = left > 0 ? left : null;
    const summary = await readSummary(transaction, undoes);
    const { data: ran } = ranSchema.safeParse((await readBody(store, transaction, undoes))?.schema?.after);
    if (!ran || !summary || summary.done === 0) {
      return { done: 0, kept: 0, missing: 0, cursor, body: rawBody('inverse', null, []), undoes };
    }
    const statement = otherOf(undo, ran.ran);
    const { records } = undo;
    const there = records && ran.keys ? await findByKeys(transaction, records, ran.keys, 'lock') : null;
    // Where the statement deleted them, the inverse makes them: then none of them is missing.
    const deleted = ran.ran === 'statement' && undo.statement.effect === 'destroys';
    const missing = new Set(there && !deleted ? ran.keys?.filter((key) => !there.has(key)) : []);
    const keys = ran.keys?.filter((key) => !missing.has(key)) ?? null;
    await transaction.run(statement.text, keys ? { keys } : {});
    const conflicts = [...missing].map((key) => gone(records?.label ?? '', key));
    const body = rawBody(ran.ran === 'statement' ? 'inverse' : 'statement', keys, conflicts);
    return { done: keys?.length ?? summary.done, kept: 0, missing: missing.size, cursor, body, undoes };
  });
}

/** What undoing it would do here and now, as far as it can be told: the inverse is not carried out for it. */
export async function previewRawUndo(store: Store, undo: RawUndo, context: UndoContext): Promise<StepPreview> {
  const { runId, stepId } = context.undoes;
  const { count, ran } = await store.connection.read(async (transaction) => {
    const [row] = await transaction.run('MATCH (b:_TasBatch {run: $run, step: $step}) RETURN sum(b.done)', {
      run: runId,
      step: stepId,
    });
    const first = await readBody(store, transaction, journalKey(runId, stepId, 0));
    return { count: Number(row?.[0] ?? 0), ran: ranSchema.safeParse(first?.schema?.after).data?.ran ?? 'statement' };
  });
  const other = ran === 'statement' ? undo.inverse : undo.statement;
  const shared = { samples: [], count: other ? count : 0 };
  return {
    ...shared,
    exact: true,
    keysHash: digestOf([runId, stepId, count]),
    schemaHash: await hashSchema(store.connection, undo.records ? [undo.records.label] : []),
    undoClass: 'reversible',
    locks: ['all that the inverse writes stays locked until the transaction of its batch ends'],
    bytes: count * 600,
    ...(other ? { effect: other.effect } : {}),
    findings: [
      other
        ? {
            check: 'conflicts-unknown',
            title: 'A raw statement is undone by its inverse, which does not tell what others wrote since',
            status: 'warning',
            count,
            samples: [],
            advice: 'See that the inverse leaves alone what it should; the bot cannot compare record by record here.',
          }
        : {
            check: 'undo-said',
            title: 'The statement was carried out as one-way',
            status: 'failed',
            count,
            samples: [],
            advice: oneWay().advice,
          },
    ],
  };
}
