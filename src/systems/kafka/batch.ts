import { Failure } from '../../shared/failure.ts';
import type { BatchRequest, StepContext, UndoBatchResult } from '../system.ts';
import { applyChange } from './apply.ts';
import { entriesOf, type Intent, type Outcome } from './change.ts';
import type { BatchKey, KindSetting } from './journal-store.ts';

/**
 * Carries one batch out without transactions: the intent is written first, and the first writer's stands; then each thing
 * is brought to it, which may be done again; then the outcome is written down. Whoever calls the batch again, after a
 * crash or at the same time, follows the same intent and answers the same outcome.
 */
export async function runBatch(
  setting: KindSetting,
  context: StepContext,
  request: BatchRequest,
  plan: () => Promise<Intent>,
): Promise<UndoBatchResult> {
  const { connection, journal } = setting;
  const key: BatchKey = { runId: context.runId, stepId: context.stepId, index: request.index };
  context.signal.throwIfAborted();
  const known = await journal.readOutcome(key);
  if (known) return resultOf(known);
  await journal.checkFence(context.fence);
  const begun = await journal.readIntent(key);
  const intent = begun ?? (await journal.writeIntent(key, await planned(setting, context, request, plan)));
  const lost: string[] = [];
  for (const change of intent.changes) {
    context.signal.throwIfAborted();
    await journal.checkFence(context.fence);
    lost.push(...(await applyChange(connection, change)));
  }
  const { cursor, missing, changes, conflicts } = intent;
  const kept = conflicts.filter(({ reason }) => reason !== 'missing').length + lost.length;
  const done = changes.flatMap(entriesOf).length - lost.length;
  return resultOf(await journal.writeOutcome(key, { cursor, done, kept, missing, lost }));
}

async function planned(
  { system }: KindSetting,
  context: StepContext,
  request: BatchRequest,
  plan: () => Promise<Intent>,
): Promise<Intent> {
  const intent = await plan();
  const count = intent.changes.flatMap(entriesOf).length;
  if (context.cap !== null && request.done + count > context.cap) {
    throw new Failure({
      code: 'over-cap',
      message: `${context.stepId} would change more in ${system} than the ${context.cap} that were approved.`,
      advice: 'This batch was not begun. See what changed since; then ask again.',
    });
  }
  return intent;
}

function resultOf({ cursor, done, kept, missing }: Outcome): UndoBatchResult {
  return { cursor, done, kept, missing };
}
