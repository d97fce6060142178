import { Failure } from '../../shared/failure.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { StepContext } from '../system.ts';
import { applyChange } from './apply.ts';
import type { Intent, Outcome } from './change.ts';
import type { Cluster } from './client.ts';
import type { FenceStore } from './fence.ts';
import type { JournalStore } from './journal.ts';

/** What kinds need of their system. */
export interface KindSetting {
  readonly system: string;
  readonly cluster: Cluster;
  readonly journal: JournalStore;
  readonly fence: FenceStore;
  readonly seal: Seal;
  /** Where maintenance mode is written; absent = the cluster has none. */
  readonly maintenance?: MaintenancePlace;
  /** Where feature flags in flagd's format are; absent = none. */
  readonly flags?: { readonly namespace: string; readonly configMap: string; readonly key: string };
}

/** A ConfigMap, and an ingress that gets these annotations while maintenance mode is on. */
export interface MaintenancePlace {
  readonly namespace: string;
  readonly configMap: string;
  readonly ingress?:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly annotations: { readonly [name: string]: string };
      }
    | undefined;
}

/**
 * Carries one part of a step out: the intent is written first, then each object is brought to it, which may be done again;
 * then the outcome is written down. Whoever calls it again, after a crash or at the same time, follows the same intent and
 * answers the same outcome. `doneBefore` = counted changes of the parts before this one, for the cap.
 */
export async function runPart(
  setting: KindSetting,
  context: StepContext,
  part: number,
  doneBefore: number,
  plan: () => Promise<Intent>,
): Promise<Outcome> {
  const { cluster, journal, fence } = setting;
  const key = { runId: context.runId, stepId: context.stepId, part };
  context.signal.throwIfAborted();
  const known = await journal.readOutcome(key);
  if (known) return known;
  await fence.check(context.fence);
  const begun = await journal.readIntent(key);
  const intent = begun ?? (await journal.writeIntent(key, capped(setting, context, doneBefore, await plan())));
  const lost: Outcome['lost'][number][] = [];
  const made: Record<string, string> = {};
  for (const [number, change] of intent.changes.entries()) {
    context.signal.throwIfAborted();
    await fence.check(context.fence);
    const applied = await applyChange(cluster, change, `${key.runId}/${key.stepId}/${part}`);
    if (!applied.done) lost.push({ change: number, conflict: applied.conflict });
    else if (applied.made !== undefined) made[number] = applied.made;
  }
  const left = new Set(lost.map(({ change }) => change));
  const conflicts = [...intent.conflicts, ...lost.map(({ conflict }) => conflict)];
  return journal.writeOutcome(key, {
    done: intent.changes.filter((change, number) => !change.aside && !left.has(number)).length,
    kept: conflicts.filter(({ reason }) => reason !== 'missing').length,
    missing: conflicts.filter(({ reason }) => reason === 'missing').length,
    lost,
    made,
  });
}

function capped({ system }: KindSetting, context: StepContext, doneBefore: number, intent: Intent): Intent {
  const wanted = doneBefore + intent.changes.filter((change) => !change.aside).length;
  if (context.cap === null || wanted <= context.cap) return intent;
  throw new Failure({
    code: 'over-cap',
    message: `${context.stepId} would change more objects in ${system} than the ${context.cap} that were approved.`,
    advice: 'This part was not begun, earlier ones stand. See what came in since; then undo, or ask again.',
  });
}
