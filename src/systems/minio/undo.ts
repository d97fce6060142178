import { createHash } from 'node:crypto';
import { digestOf } from '../../shared/json.ts';
import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { runBatch } from './batch.ts';
import { type Change, type Intent, imagesOf, type Outcome } from './change.ts';
import type { Inverse, Undoing } from './changes/applied.ts';
import { invertBucket, invertVersioning, isBucket } from './changes/buckets.ts';
import { findCopy, invertCopy, invertDrop } from './changes/copies.ts';
import { findMarker, invertHide, invertShow, readHidden } from './changes/hidden.ts';
import { findHeldTags, invertTags } from './changes/tags.ts';
import type { BatchKey, KindSetting } from './journal-store.ts';
import { inParallel, isVersioned, readLatest } from './objects.ts';

const atOnce = 8;

/** Batch i undoes the original's last batch but i, and journals itself in the same form. */
export async function undoBatch(
  setting: KindSetting,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const { runId, stepId } = context.undoes;
  const total = await setting.journal.countBatches(runId, stepId);
  if (batch.index >= total) return { cursor: null, done: 0, kept: 0, missing: 0 };
  return runBatch(setting, context, batch, async () => {
    const cursor = batch.index + 1 < total ? batch.index + 1 : null;
    return { ...(await planUndo(setting, context, total - 1 - batch.index, false)), cursor };
  });
}

/** Compares every object of the run's journal with what stands there now. */
export async function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  const { bucket } = setting.s3;
  // The bucket may be what the undo brings back.
  const versioned = !(await isBucket(setting.s3, bucket)) || (await isVersioned(setting.s3));
  const total = await setting.journal.countBatches(context.undoes.runId, context.undoes.stepId);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const kept = new KeptTally();
  let count = 0;
  for (let index = total - 1; index >= 0; index -= 1) {
    context.signal.throwIfAborted();
    const planned = await planUndo(setting, context, index, true);
    for (const conflict of planned.conflicts) kept.add(conflict);
    for (const change of planned.changes) {
      count += 1;
      keys.update(`${change.key}\n`);
      if (samples.length < 5) samples.push({ collection: bucket, key: change.key, ...imagesOf(change) });
    }
  }
  return {
    count,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ bucket, versioned }),
    samples,
    undoClass: versioned ? 'reversible' : 'one-way',
    locks: [],
    bytes: count * 600,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

async function planUndo(setting: KindSetting, context: UndoContext, index: number, preview: boolean): Promise<Intent> {
  const key = { ...context.undoes, index };
  const original = await setting.journal.readIntent(key);
  if (!original) throw new Error(`the journal has no batch ${key.runId}/${key.stepId}/${index}`);
  const { lost, made } = (await setting.journal.readOutcome(key)) ?? (await assumeOutcome(setting, key, original));
  const left = new Set(lost);
  const written = original.changes.filter((change) => !left.has(change.key));
  const undoing: Undoing = { setting, context, preview };
  const inverses = await invertAll(undoing, written, made ?? {});
  const conflicts = inverses.flatMap((inverse) => inverse.conflicts);
  return {
    version: 1,
    changes: inverses.flatMap(({ change }) => (change === null ? [] : [change])),
    conflicts,
    cursor: null,
    missing: conflicts.filter(({ reason }) => reason === 'missing').length,
  };
}

/** A batch that was begun and never finished, by a process that was killed: what it made is found in the store. */
async function assumeOutcome(
  setting: KindSetting,
  key: BatchKey,
  { changes }: Intent,
): Promise<Pick<Outcome, 'lost' | 'made'>> {
  const lost: string[] = [];
  const made: Record<string, string> = Object.create(null);
  await inParallel(changes, atOnce, async (change) => {
    if (change.did !== 'copy' && change.did !== 'hide') return;
    const found = change.did === 'copy' ? await findCopy(setting, key, change) : await findMarker(setting, change);
    if (found === null) lost.push(change.key);
    else made[change.key] = found;
  });
  return { lost, made };
}

interface Undone {
  readonly change: Change | null;
  readonly conflicts: readonly Conflict[];
}

async function invertAll(
  undoing: Undoing,
  written: readonly Change[],
  made: NonNullable<Outcome['made']>,
): Promise<Undone[]> {
  const { s3 } = undoing.setting;
  const tags = written.filter((change) => change.did === undefined);
  const heldTags = await findHeldTags(undoing, tags);
  const heldKeys = await findHeldKeys(undoing, written);
  const hidden = written.filter((change) => change.did === 'hide' || change.did === 'show');
  const versions = await readHidden(undoing, hidden);
  return inParallel(written, atOnce, async (change): Promise<Undone> => {
    const makes = made[change.key] ?? '';
    switch (change.did) {
      case undefined:
        return invertTags(undoing, change, await readLatest(s3, change.key), heldTags);
      case 'copy':
        return asUndone(await invertCopy(undoing, change, makes, heldKeys));
      case 'drop':
        return asUndone(await invertDrop(undoing, change));
      case 'hide':
        return asUndone(await invertHide(undoing, change, makes, versions.get(change.key) ?? []));
      case 'show':
        return asUndone(invertShow(undoing, change, versions.get(change.key) ?? []));
      case 'make-bucket':
      case 'remove-bucket':
        return asUndone(await invertBucket(s3, change));
      case 'versioning':
        return asUndone(await invertVersioning(s3, change));
      case 'release':
        return { change: null, conflicts: [] };
    }
  });
}

function asUndone({ change, conflict }: Inverse<Change>): Undone {
  return { change, conflicts: conflict ? [conflict] : [] };
}

/** Keys of copies that newer records refer to. */
async function findHeldKeys({ setting, context }: Undoing, written: readonly Change[]): Promise<Set<string>> {
  const keys = written.filter((change) => change.did === 'copy').map(({ key }) => key);
  if (keys.length === 0) return new Set();
  return context.held({ system: setting.system, collection: setting.s3.bucket, field: 'key' }, keys);
}
