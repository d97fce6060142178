import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { BatchRequest, Conflict, StepContext, UndoBatchResult } from '../system.ts';
import type { Change, Intent, Outcome, SwapChange } from './change.ts';
import { removalSchema, removedField } from './field-removal.ts';
import type { BatchKey } from './journal-store.ts';
import { type KindSetting, numbersOf } from './setting.ts';
import type { Worker } from './worker.ts';

/**
 * Carries one batch out without transactions: the intent is written first, under the batch's unique name; then each
 * change is made, which may be done again; then the outcome is written down. Whoever calls the batch again, after a crash
 * or at the same time, follows the same intent and answers the same outcome.
 */
export async function runBatch(
  setting: KindSetting,
  context: StepContext,
  request: BatchRequest,
  plan: () => Promise<Intent>,
): Promise<UndoBatchResult> {
  const { journal } = setting;
  const key: BatchKey = { runId: context.runId, stepId: context.stepId, index: request.index };
  context.signal.throwIfAborted();
  const known = await journal.readOutcome(key);
  if (known) return resultOf(known);
  await setting.checkFence(context.fence);
  const intent =
    (await journal.readIntent(key)) ?? (await journal.writeIntent(key, await planned(setting, context, request, plan)));
  let { conflicts, missing } = intent;
  let done = 0;
  for (const change of intent.changes) {
    context.signal.throwIfAborted();
    await setting.checkFence(context.fence);
    const applied = await applyChange(setting, context, change);
    done += applied.done;
    missing += applied.missing ?? 0;
    if (applied.conflicts)
      conflicts = [...conflicts.filter((one) => one.collection !== change.key), ...applied.conflicts];
  }
  const outcome: Outcome = { cursor: intent.cursor, done, kept: conflicts.length, missing, conflicts };
  return resultOf(await journal.writeOutcome(key, outcome));
}

async function planned(
  { system }: KindSetting,
  context: StepContext,
  request: BatchRequest,
  plan: () => Promise<Intent>,
): Promise<Intent> {
  const intent = await plan();
  const count = intent.changes.reduce((sum, change) => sum + change.count, 0);
  if (context.cap === null || request.done + count <= context.cap) return intent;
  throw new Failure({
    code: 'over-cap',
    message: `${context.stepId} would change more in ${system} than the ${context.cap} that were approved.`,
    advice: 'This batch was not begun, earlier ones stand. See what came in since; then undo, or ask again.',
  });
}

interface Applied {
  readonly done: number;
  readonly missing?: number;
  /** What the deed met that the plan had not; replaces the plan's conflicts of this dataset. */
  readonly conflicts?: readonly Conflict[];
}

const anything = z.json();
/** `unfit`: ids of vectors that the old schema cannot take, or that were changed. */
export const carriedSchema = z.strictObject({ added: z.number(), deleted: z.number(), unfit: z.array(z.string()) });

async function applyChange({ worker }: KindSetting, { signal }: StepContext, change: Change): Promise<Applied> {
  const call = (op: string, params: object) => worker.call(op, params, anything, { signal });
  switch (change.did) {
    case 'add-field': {
      const { key, spec, message, fill } = change;
      await call('field-add', { dataset: key, ...spec, message, fill });
      return { done: change.count };
    }
    case 'remove-field': {
      const { key, spec, message, mine } = change;
      const { judged } = await worker.call('field-remove', { dataset: key, ...spec, message, mine }, removalSchema, {
        signal,
      });
      return judged === null ? { done: change.count } : removedField(change, judged);
    }
    case 'copy-rows': {
      const { key: target, source, map, message, after, upTo } = change;
      await call('version-copy', { source, target, map, message, after, upTo });
      return { done: change.count };
    }
    case 'catch-up':
      await call('version-catch-up', { source: change.source, target: change.key, message: change.message });
      return { done: 0 };
    case 'drop-version':
      await call('remove', { dataset: change.key });
      return { done: change.count };
    case 'swap':
      await swap(worker, change, signal);
      return { done: 1 };
    case 'release':
      await call('release', { dataset: change.key, aside: change.aside });
      return { done: 1 };
  }
}

/** What users did meanwhile goes first, and only while the old one still lies under the name. */
async function swap(worker: Worker, change: SwapChange, signal: AbortSignal): Promise<void> {
  const { key: dataset, other, final, old, new: fresh, message, carrySince, catchUp } = change;
  const [standing] = await numbersOf(worker, [dataset]);
  if (standing === old && catchUp) {
    await worker.call('version-catch-up', { source: dataset, target: other, message }, anything, { signal });
  }
  if (standing === old && carrySince !== null) {
    const params = { old: other, new: dataset, since: carrySince, message };
    await worker.call('version-carry', params, carriedSchema, { signal });
  }
  await worker.call('swap', { dataset, other, final, old, new: fresh }, anything, { signal });
}

function resultOf({ cursor, done, kept, missing }: Outcome): UndoBatchResult {
  return { cursor, done, kept, missing };
}
