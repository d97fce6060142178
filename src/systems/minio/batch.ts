import { Failure } from '../../shared/failure.ts';
import type { BatchRequest, StepContext, UndoBatchResult } from '../system.ts';
import type { Change, HideChange, Intent, Outcome } from './change.ts';
import type { Applied, Doing } from './changes/applied.ts';
import { applyBucket, applyVersioning } from './changes/buckets.ts';
import { applyCopy, applyDrop } from './changes/copies.ts';
import { applyHide, applyRelease, applyShow, settleHidden } from './changes/hidden.ts';
import { applyTags } from './changes/tags.ts';
import type { BatchKey, KindSetting } from './journal-store.ts';
import { inParallel } from './objects.ts';

const atOnce = 16;
/** Objects between two looks at the fence. */
const fenceEvery = 64;

/**
 * Carries one batch out without transactions: the intent is written first, under the batch's unique name; then each
 * object is brought to it, which may be done again; then the outcome is written down. Whoever calls the batch again,
 * after a crash or at the same time, follows the same intent and answers the same outcome.
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
  await journal.checkFence(context.fence);
  const begun = await journal.readIntent(key);
  const planned = begun ? null : await planBatch(setting, context, request, plan);
  const intent = begun ?? (await journal.writeIntent(key, planned as Intent));
  // Another process may have been first: then its intent stands, and it may have begun.
  const doing: Doing = { setting, batch: key, fresh: intent === planned };
  const { lost, made } = await carryOut(doing, context, intent.changes);
  const { cursor, missing, changes, conflicts } = intent;
  const kept = conflicts.filter((conflict) => conflict.reason !== 'missing').length + lost.length;
  const outcome: Outcome = { cursor, done: changes.length - lost.length, kept, missing, lost, made };
  return resultOf(await journal.writeOutcome(key, outcome));
}

async function planBatch(
  { system }: KindSetting,
  context: StepContext,
  request: BatchRequest,
  plan: () => Promise<Intent>,
): Promise<Intent> {
  const intent = await plan();
  if (context.cap !== null && request.done + intent.changes.length > context.cap) {
    throw new Failure({
      code: 'over-cap',
      message: `${context.stepId} would change more objects in ${system} than the ${context.cap} that were approved.`,
      advice: 'This batch was not begun, earlier ones stand. See what came in since; then undo, or ask again.',
    });
  }
  return intent;
}

/** What came of a batch's changes, by key. */
interface CarriedOut {
  /** Keys that somebody changed since the intent was written. */
  readonly lost: readonly string[];
  readonly made: { readonly [key: string]: string };
}

async function carryOut(doing: Doing, context: StepContext, changes: readonly Change[]): Promise<CarriedOut> {
  const lost: string[] = [];
  const made: Record<string, string> = Object.create(null);
  const hidden: HideChange[] = [];
  for (let at = 0; at < changes.length; at += fenceEvery) {
    context.signal.throwIfAborted();
    if (at > 0) await doing.setting.journal.checkFence(context.fence);
    const part = changes.slice(at, at + fenceEvery);
    const applied = await inParallel(part, atOnce, (change) => applyChange(doing, change));
    for (const [i, change] of part.entries()) {
      const result = applied[i];
      if (!result?.done) lost.push(change.key);
      else if (change.did === 'hide') hidden.push(change);
      if (result?.made !== undefined) made[change.key] = result.made;
    }
  }
  const overtaken = hidden.length === 0 ? [] : await settleHidden(doing, hidden, made);
  return { lost: [...lost, ...overtaken], made };
}

function applyChange(doing: Doing, change: Change): Promise<Applied> {
  switch (change.did) {
    case undefined:
      return applyTags(doing, change);
    case 'copy':
      return applyCopy(doing, change);
    case 'drop':
      return applyDrop(doing, change);
    case 'hide':
      return applyHide(doing, change);
    case 'show':
      return applyShow(doing, change);
    case 'release':
      return applyRelease(doing, change);
    case 'make-bucket':
    case 'remove-bucket':
      return applyBucket(doing, change);
    case 'versioning':
      return applyVersioning(doing, change);
  }
}

function resultOf({ cursor, done, kept, missing }: Outcome): UndoBatchResult {
  return { cursor, done, kept, missing };
}
