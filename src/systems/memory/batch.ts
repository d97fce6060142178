import { createHash } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { digestOf, type Json } from '../../shared/json.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { BatchRequest, BatchResult, Sample, StepContext, StepPreview } from '../system.ts';
import { type BatchBody, batchName, type Change, type Fields, type MemoryStore } from './memory-store.ts';

/** What kinds need of their system. */
export interface KindSetting {
  readonly store: MemoryStore;
  readonly seal: Seal;
}

/**
 * Carries one batch out: answers what an earlier call of the same batch kept, else checks the fence, lets `work` say
 * what to change, checks the cap, and writes changes, fence and journal together.
 */
export function runBatch<Result extends BatchResult>(
  { store, seal }: KindSetting,
  context: StepContext,
  request: BatchRequest,
  work: () => Promise<{ body: BatchBody; result: Result }>,
): Promise<Result> {
  return store.exclusive(async () => {
    context.signal.throwIfAborted();
    const id = { runId: context.runId, stepId: context.stepId, index: request.index };
    const name = batchName(id);
    const kept = store.content.journal.get(name);
    if (kept) return kept.result as unknown as Result;
    store.checkFence(context.fence);
    const { body, result } = await work();
    checkCap(store, context, request.done + result.done);
    const sealed = await seal.seal(Buffer.from(JSON.stringify(body)), name);
    // From here on nothing waits: all of it is kept, or none.
    for (const change of body.changes) store.write(change.collection, change.key, recordAfter(store, change));
    store.raiseFence(context.fence);
    store.content.journal.set(name, {
      ...id,
      body: sealed.toString('base64'),
      result: result as unknown as Json,
    });
    if (!store.loseNextAnswer) return result;
    store.loseNextAnswer = false;
    throw new Failure({
      code: 'unreachable',
      message: `The connection to ${store.name} broke before it answered.`,
      advice: 'Try again: what was kept is not done twice.',
      retryable: true,
    });
  });
}

/** The record as a change leaves it: fields that the change does not name stay. */
function recordAfter(store: MemoryStore, change: Change): Fields | null {
  if (change.after === null) return null;
  const record: { [field: string]: Json } = {
    ...(change.before ? store.records(change.collection).get(change.key) : {}),
  };
  for (const field of change.fields) {
    const value = change.after[field];
    if (value === undefined) delete record[field];
    else record[field] = value;
  }
  return record;
}

function checkCap(store: MemoryStore, context: StepContext, total: number): void {
  if (context.cap === null || total <= context.cap) return;
  throw new Failure({
    code: 'over-cap',
    message: `${context.stepId} would write more records in ${store.name} than the ${context.cap} that were approved.`,
    advice: 'This batch was not kept, earlier ones are. See what came in since, then undo the run or ask again.',
  });
}

/** A preview out of the changes that a step would make. */
export function previewOf(changes: readonly Change[], collections: readonly string[]): StepPreview {
  const keys = changes.map((change) => `${change.collection}/${change.key}`);
  const samples: Sample[] = changes.slice(0, 5).map(({ collection, key, before, after }) => ({
    collection,
    key,
    before: before ?? {},
    after: after ?? {},
  }));
  return {
    count: changes.length,
    exact: true,
    keysHash: createHash('sha256').update(keys.sort().join('\n')).digest('hex'),
    schemaHash: digestOf([...collections].sort()),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes: JSON.stringify(changes).length,
    findings: [],
  };
}
