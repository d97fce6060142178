import { createHash } from 'node:crypto';
import { digestOf } from '../../shared/json.ts';
import type { BatchRequest, Conflict, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { runBatch } from './batch.ts';
import type { Intent, KindSetting, TagChange } from './journal-store.ts';
import { inParallel, isVersioned, type ObjectEntry, readLatest } from './objects.ts';

type Reason = Conflict['reason'];

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
    return { ...(await planUndo(setting, context, total - 1 - batch.index)), cursor };
  });
}

/** Compares every object of the run's journal with what stands there now. */
export async function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  const { bucket } = setting.s3;
  const versioned = await isVersioned(setting.s3);
  const total = await setting.journal.countBatches(context.undoes.runId, context.undoes.stepId);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  let count = 0;
  for (let index = total - 1; index >= 0; index -= 1) {
    context.signal.throwIfAborted();
    for (const { key, before, after } of (await planUndo(setting, context, index)).changes) {
      count += 1;
      keys.update(`${key}\n`);
      if (samples.length < 5) samples.push({ collection: bucket, key, before, after });
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
    bytes: count * 400,
    findings: [],
  };
}

async function planUndo(setting: KindSetting, context: UndoContext, index: number): Promise<Intent> {
  const key = { ...context.undoes, index };
  const original = await setting.journal.readIntent(key);
  if (!original) throw new Error(`the journal has no batch ${key.runId}/${key.stepId}/${index}`);
  const lost = new Set((await setting.journal.readOutcome(key))?.lost);
  const written = original.changes.filter((change) => !lost.has(change.key));
  const now = await inParallel(written, 8, (change) => readLatest(setting.s3, change.key));
  const held = await findHeld(setting, context, written);
  const changes: TagChange[] = [];
  const conflicts: Conflict[] = [];
  let missing = 0;
  for (const [i, change] of written.entries()) {
    const entry = now[i] ?? null;
    const reasons = reasonsOf(setting, context, change, entry, held);
    for (const [tag, reason] of reasons)
      if (reason !== null) conflicts.push(conflict(setting, change, tag, reason, entry));
    if (!entry) missing += 1;
    const open = Object.keys(change.after).filter((tag) => !reasons.has(tag));
    if (open.length > 0)
      changes.push({ ...change, before: pick(change.after, open), after: pick(change.before, open) });
  }
  return { version: 1, changes, conflicts, cursor: null, missing };
}

/** Tags that stay, with the reason; null as the reason: it is as before already. */
function reasonsOf(
  setting: KindSetting,
  context: UndoContext,
  change: TagChange,
  entry: ObjectEntry | null,
  held: ReadonlySet<string>,
): Map<string, Reason | null> {
  const reasons = new Map<string, Reason | null>();
  const tags = Object.keys(change.after);
  if (!entry) return new Map(tags.map((tag, i) => [tag, i === 0 ? 'missing' : null]));
  const sameVersion = entry.versionId === change.versionId && entry.etag === change.etag;
  for (const tag of tags) {
    const value = entry.tags[tag] ?? null;
    if (!sameVersion) reasons.set(tag, 'changed-since');
    else if (value === change.before[tag]) reasons.set(tag, null);
    else if (value !== change.after[tag]) reasons.set(tag, 'changed-since');
    else if (held.has(JSON.stringify([tag, value]))) reasons.set(tag, 'referred-to');
  }
  for (const group of context.coupled) {
    const together = group
      .filter((ref) => ref.system === setting.system && ref.collection === setting.s3.bucket)
      .map((ref) => ref.field.replace(/^tag\./, ''));
    if (!together.some((tag) => reasons.get(tag))) continue;
    for (const tag of tags) if (together.includes(tag) && !reasons.has(tag)) reasons.set(tag, 'coupled');
  }
  return reasons;
}

/** Which of the written values newer records refer to, as `[tag, value]`. */
async function findHeld(
  setting: KindSetting,
  context: UndoContext,
  written: readonly TagChange[],
): Promise<Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const { after } of written) {
    for (const [tag, value] of Object.entries(after)) {
      if (value !== null) values.set(tag, (values.get(tag) ?? new Set()).add(value));
    }
  }
  const found = new Set<string>();
  for (const [tag, all] of values) {
    const field = { system: setting.system, collection: setting.s3.bucket, field: `tag.${tag}` };
    for (const value of await context.held(field, [...all])) found.add(JSON.stringify([tag, value]));
  }
  return found;
}

function conflict(
  setting: KindSetting,
  change: TagChange,
  tag: string,
  reason: Reason,
  entry: ObjectEntry | null,
): Conflict {
  return {
    collection: setting.s3.bucket,
    key: change.key,
    field: `tag.${tag}`,
    reason,
    base: change.before[tag] ?? null,
    ours: change.after[tag] ?? null,
    theirs: entry?.tags[tag] ?? null,
  };
}

function pick(tags: TagChange['after'], names: readonly string[]): TagChange['after'] {
  return Object.fromEntries(names.map((name) => [name, tags[name] ?? null]));
}
