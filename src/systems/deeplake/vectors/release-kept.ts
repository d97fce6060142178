import { digestOf } from '../../../shared/json.ts';
import type { BatchRequest, BatchResult, ReleaseContext, StepPreview } from '../../system.ts';
import { type VectorSetting, type VectorStore, vectorStore } from './vector-store.ts';

/** A dataset that a step kept aside, with what has to be so that it may go. */
export interface KeptDataset {
  /** The name that the new one serves under, and the folder's number that it had then. */
  readonly name: string;
  readonly new: string;
  /** Where the old one is kept, its number and the commit at which it was left; null = it was never left. */
  readonly aside: string;
  readonly old: string;
  readonly version: string | null;
  /** What people are shown of it; null = was not counted. */
  readonly holds: { readonly model: string; readonly vectors: number | null };
}

/** What is kept aside and may go: nobody wrote to it since, and the new one still serves. */
export async function previewReleaseKept(
  setting: VectorSetting,
  all: readonly KeptDataset[],
  { signal }: ReleaseContext,
): Promise<StepPreview> {
  const store = vectorStore(setting);
  const free: KeptDataset[] = [];
  const stays: string[] = [];
  for (const kept of all) {
    if (await isFree(store, kept, signal)) free.push(kept);
    else if ((await store.numberOf(kept.aside, signal)) !== null) stays.push(kept.aside);
  }
  return {
    count: free.length,
    exact: true,
    keysHash: digestOf(free.map(({ aside, old }) => `${aside} ${old}`)),
    schemaHash: digestOf({ system: setting.system }),
    samples: free.slice(0, 5).map(({ aside, holds }) => ({
      collection: aside,
      key: aside,
      before: { ...holds },
      after: { model: null, vectors: 0 },
    })),
    undoClass: 'one-way',
    effect: 'destroys',
    locks: [],
    bytes: 0,
    findings:
      stays.length === 0
        ? []
        : [
            {
              check: 'old-datasets-unused',
              title: 'Old datasets that somebody wrote to since, or that serve again: they stay',
              status: 'warning',
              count: stays.length,
              samples: stays.slice(0, 5),
              advice: 'See which writer was not switched.',
            },
          ],
  };
}

/** Batch i gives up dataset i. */
export async function releaseKept(
  setting: VectorSetting,
  all: readonly KeptDataset[],
  batch: BatchRequest,
  { fence, signal }: ReleaseContext,
): Promise<BatchResult> {
  await setting.checkFence(fence);
  const store = vectorStore(setting);
  const kept = all[batch.index];
  const cursor = batch.index + 1 < all.length ? batch.index + 1 : null;
  if (!kept || !(await isFree(store, kept, signal))) return { cursor, done: 0 };
  await store.remove(kept.aside, signal);
  return { cursor, done: 1 };
}

async function isFree(store: VectorStore, kept: KeptDataset, signal: AbortSignal): Promise<boolean> {
  if ((await store.numberOf(kept.name, signal)) !== kept.new) return false;
  if ((await store.numberOf(kept.aside, signal)) !== kept.old) return false;
  return kept.version !== null && (await store.state(kept.aside, signal))?.version === kept.version;
}
