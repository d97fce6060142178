import { Failure } from '../../shared/failure.ts';
import type { BatchRequest, StepContext, UndoBatchResult } from '../system.ts';
import type { BatchKey, Intent, KindSetting, Outcome, TagChange } from './journal-store.ts';
import { inParallel, readLatest, writeTags } from './objects.ts';

const atOnce = 8;
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
  const intent = (await journal.readIntent(key)) ?? (await startBatch(setting, context, request, key, plan));
  const lost = await carryOut(setting, context, intent.changes);
  const { cursor, missing, changes, conflicts } = intent;
  const kept = conflicts.filter((conflict) => conflict.reason !== 'missing').length + lost.length;
  return resultOf(await journal.writeOutcome(key, { cursor, done: changes.length - lost.length, kept, missing, lost }));
}

async function startBatch(
  { journal, system }: KindSetting,
  context: StepContext,
  request: BatchRequest,
  key: BatchKey,
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
  return journal.writeIntent(key, intent);
}

/** Answers the keys that somebody changed since the intent was written. */
async function carryOut(setting: KindSetting, context: StepContext, changes: readonly TagChange[]): Promise<string[]> {
  const lost: string[] = [];
  for (let at = 0; at < changes.length; at += fenceEvery) {
    context.signal.throwIfAborted();
    if (at > 0) await setting.journal.checkFence(context.fence);
    const part = changes.slice(at, at + fenceEvery);
    const done = await inParallel(part, atOnce, (change) => applyChange(setting, change));
    lost.push(...part.filter((_, i) => !done[i]).map((change) => change.key));
  }
  return lost;
}

/** True where the tags are as intended now. Tags that the intent does not name stay as they are. */
async function applyChange({ s3 }: KindSetting, change: TagChange): Promise<boolean> {
  const entry = await readLatest(s3, change.key);
  if (!entry || entry.versionId !== change.versionId || entry.etag !== change.etag) return false;
  const names = Object.keys(change.after);
  const now = (name: string): string | null => entry.tags[name] ?? null;
  if (names.every((name) => now(name) === change.after[name])) return true;
  if (names.some((name) => now(name) !== change.before[name] && now(name) !== change.after[name])) return false;
  const tags = Object.entries({ ...entry.tags, ...change.after }).filter(
    (pair): pair is [string, string] => pair[1] !== null,
  );
  return writeTags(s3, change.key, change.versionId, Object.fromEntries(tags));
}

function resultOf({ cursor, done, kept, missing }: Outcome): UndoBatchResult {
  return { cursor, done, kept, missing };
}
