import { createHash } from 'node:crypto';
import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { journalKey, runBatch, type Store } from './batch.ts';
import type { BatchBody } from './batch-body.ts';
import { type GraphTransaction, refuseAborted } from './connection.ts';
import { type Earlier, judgeGone, type NodeChange, nothingEarlier } from './judge-gone.ts';
import { judgeMade } from './judge-made.ts';
import { hashSchema } from './records.ts';
import { showEncoded } from './show-value.ts';
import { keptFindings } from './undo/preview-undo.ts';
import { takenOf } from './undo/taken.ts';
import { countBatches, readBody } from './undo/undo-batch.ts';

interface Judged {
  readonly changes: readonly NodeChange[];
  readonly conflicts: readonly Conflict[];
  /** Carries the changes out. */
  apply(): Promise<void>;
}

/** What undoing a batch of made or deleted nodes means now; with purpose `lock` it stays true until the end. */
async function judge(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
  earlier: Earlier,
): Promise<Judged> {
  const taken = takenOf(body, context.force);
  const made = await judgeMade(store, transaction, taken, context, purpose, earlier);
  const gone = await judgeGone(transaction, taken, purpose, earlier);
  return {
    changes: [...made.changes, ...gone.changes],
    conflicts: [...made.conflicts, ...gone.conflicts],
    async apply() {
      await made.apply();
      await gone.apply();
    },
  };
}

function countMissing(conflicts: readonly Conflict[]): number {
  return conflicts.filter(({ reason }) => reason === 'missing').length;
}

/** Undoes one batch of a step that made or deleted whole nodes, the last first, as a journaled batch of its own. */
export async function undoNodesBatch(
  store: Store,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const { runId, stepId } = context.undoes;
  return runBatch(store, context, batch.index, async (transaction) => {
    const batches = await countBatches(transaction, runId, stepId);
    const undoes = journalKey(runId, stepId, batches - 1 - batch.index);
    const left = batches - batch.index - 1;
    const cursor = left > 0 ? left : null;
    const body = await readBody(store, transaction, undoes);
    if (!body) {
      const empty: BatchBody = { version: 1, collection: '', key: '', changes: [], conflicts: [] };
      return { done: 0, kept: 0, missing: 0, cursor, body: empty, undoes };
    }
    const { changes, conflicts, apply } = await judge(store, transaction, body, context, 'lock', nothingEarlier());
    await apply();
    const missing = countMissing(conflicts);
    const { collection, key } = body;
    return {
      done: changes.length,
      kept: conflicts.length - missing,
      missing,
      cursor,
      body: { version: 1, collection, key, changes, conflicts },
      undoes,
    };
  });
}

function toSample(collection: string, { key, before, after }: NodeChange): Sample {
  const shown = (image: NodeChange['before']) =>
    Object.fromEntries(Object.entries(image?.properties ?? {}).map(([name, value]) => [name, showEncoded(value)]));
  return { collection, key, before: shown(before), after: shown(after) };
}

/** What undoing it would do here and now. The hash is over the keys in the order of the journal. */
export async function previewUndoOfNodes(store: Store, context: UndoContext): Promise<StepPreview> {
  const { runId, stepId } = context.undoes;
  const { connection } = store;
  const batches = await connection.read((transaction) => countBatches(transaction, runId, stepId));
  const hash = createHash('sha256');
  const [samples, conflicts, collections] = [[] as Sample[], [] as Conflict[], new Set<string>()];
  const earlier = nothingEarlier();
  const counts = { done: 0, kept: 0, missing: 0, bytes: 0 };
  const kept = new KeptTally();
  for (let index = batches - 1; index >= 0; index--) {
    refuseAborted(context.signal, connection.place);
    const judged = await connection.read(async (transaction) => {
      const body = await readBody(store, transaction, journalKey(runId, stepId, index));
      return body && { body, ...(await judge(store, transaction, body, context, 'look', earlier)) };
    });
    if (!judged) continue;
    const { collection } = judged.body;
    collections.add(collection);
    for (const change of judged.changes) {
      hash.update(`${JSON.stringify(change.key)}\n`);
      counts.bytes += 3 * JSON.stringify(change).length;
      if (samples.length < 5) samples.push(toSample(collection, change));
    }
    const missing = countMissing(judged.conflicts);
    counts.done += judged.changes.length;
    counts.missing += missing;
    counts.kept += judged.conflicts.length - missing;
    for (const conflict of judged.conflicts) kept.add(conflict);
    conflicts.push(...judged.conflicts.slice(0, 50 - conflicts.length));
  }
  return {
    count: counts.done,
    exact: true,
    keysHash: hash.digest('hex'),
    schemaHash: await hashSchema(connection, [...collections]),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes: counts.bytes,
    findings: keptFindings(counts, conflicts),
    kept: kept.kept(),
  };
}
