import type { Standing } from '../system.ts';
import { type KindSetting, numbersOf } from './setting.ts';

/** Swaps that were begun and never finished: whether the old or the new version is under the name, nobody should write. */
export async function standing(setting: KindSetting, runIds: readonly string[]): Promise<readonly Standing[]> {
  const { journal, worker, folders } = setting;
  const found: Standing[] = [];
  if (!folders) return found;
  for (const runId of runIds) {
    for (const stepId of await journal.listSteps(runId)) {
      const index = (await journal.countBatches(runId, stepId)) - 1;
      const key = { runId, stepId, index };
      // Batches go one after the other: only the last one can be open.
      if (index < 0 || (await journal.readOutcome(key)) !== null) continue;
      for (const change of (await journal.readIntent(key))?.changes ?? []) {
        if (change.did !== 'swap') continue;
        const [under, aside] = await numbersOf(worker, [change.key, change.final]);
        if (under === change.new && aside === change.old) continue;
        const which = under === change.new ? 'new' : 'old';
        found.push({
          what: `${change.key}: a swap is half done, the ${which} version is under the name`,
          closes: true,
        });
      }
    }
  }
  return found;
}
