import { createHash } from 'node:crypto';
import { digestOf } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { BatchRequest, BatchResult, ReleaseContext, Sample, StepPreview } from '../system.ts';
import { runBatch } from './batch.ts';
import { type HideChange, imagesOf, type ReleaseChange } from './change.ts';
import type { KindSetting } from './journal-store.ts';
import { inParallel, readHead } from './objects.ts';
import { listVersionsOf } from './versions.ts';

/** What giving up the old versions would delete: only versions that the journal names. */
export async function previewRelease(setting: KindSetting, context: ReleaseContext): Promise<StepPreview> {
  const { journal, s3 } = setting;
  const total = await journal.countBatches(context.releases.runId, context.releases.stepId);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const last: string[] = [];
  let [count, kept] = [0, 0];
  for (let index = 0; index < total; index += 1) {
    context.signal.throwIfAborted();
    const planned = await planRelease(setting, context, index);
    kept += planned.lastCopies.length;
    last.push(...planned.lastCopies.slice(0, 5 - last.length));
    for (const change of planned.changes) {
      count += 1;
      keys.update(`${change.key} ${change.versionId}\n`);
      if (samples.length < 5) samples.push({ collection: s3.bucket, key: change.key, ...imagesOf(change) });
    }
  }
  return {
    count,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ bucket: s3.bucket }),
    samples,
    undoClass: 'one-way',
    effect: 'destroys',
    locks: [],
    bytes: count * 600,
    findings: kept === 0 ? [] : [lastCopiesStay(kept, last)],
  };
}

/** Batch i gives up what batch i of the step hid. */
export async function releaseBatch(
  setting: KindSetting,
  batch: BatchRequest,
  context: ReleaseContext,
): Promise<BatchResult> {
  const total = await setting.journal.countBatches(context.releases.runId, context.releases.stepId);
  if (batch.index >= total) return { cursor: null, done: 0 };
  const { cursor, done } = await runBatch(setting, context, batch, async () => {
    const { changes } = await planRelease(setting, context, batch.index);
    const next = batch.index + 1 < total ? batch.index + 1 : null;
    return { version: 1, changes, conflicts: [], missing: 0, cursor: next };
  });
  return { cursor, done };
}

/** A version that somebody brought back, or whose copy is gone for good, stays. */
async function planRelease(
  { journal, s3 }: KindSetting,
  { releases }: ReleaseContext,
  index: number,
): Promise<{ changes: ReleaseChange[]; lastCopies: string[] }> {
  const key = { ...releases, index };
  const [intent, outcome] = await Promise.all([journal.readIntent(key), journal.readOutcome(key)]);
  const lost = new Set(outcome?.lost);
  const hidden = (intent?.changes ?? []).filter(
    (change): change is HideChange => change.did === 'hide' && outcome !== null && !lost.has(change.key),
  );
  const versions = await listVersionsOf(
    s3,
    hidden.map((change) => change.key),
  );
  const behind = hidden.filter((change) => {
    const [latest, ...others] = versions.get(change.key) ?? [];
    return latest?.versionId !== change.versionId && others.some(({ versionId }) => versionId === change.versionId);
  });
  const copies = await inParallel(behind, 16, ({ copy }) => readHead(s3, copy.key, copy.versionId));
  const changes: ReleaseChange[] = [];
  const lastCopies: string[] = [];
  for (const [i, { did: _, ...change }] of behind.entries()) {
    if (!copies[i]) lastCopies.push(change.key);
    else changes.push({ did: 'release', ...change, marker: outcome?.made?.[change.key] ?? '' });
  }
  return { changes, lastCopies };
}

function lastCopiesStay(count: number, samples: string[]): Finding {
  return {
    check: 'last-copies',
    title: 'Old versions whose copy was deleted for good: they are the last ones and stay',
    status: 'warning',
    count,
    samples,
    advice: 'Delete them by hand if nobody needs them.',
  };
}
