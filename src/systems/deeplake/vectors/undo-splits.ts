import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import { KeptTally } from '../../kept-tally.ts';
import type { BatchRequest, Conflict, StepContext, StepPreview, UndoBatchResult, UndoContext } from '../../system.ts';
import { catchUp, progressSchema } from './catch-up.ts';
import { byOf, hashOf, keptName } from './made-datasets.ts';
import {
  copyJob,
  isSplit,
  listSplits,
  partsOf,
  type SplitNote,
  splitNoteName,
  splitNoteSchema,
  splitOne,
} from './splitting.ts';
import { switchLocks } from './undo-switches.ts';
import { keepConflicts, type VectorNotes, vectorNotes } from './vector-notes.ts';
import { type VectorSetting, type VectorStore, vectorStore } from './vector-store.ts';

/** A split that is taken back: written before the mixed dataset takes its name again. */
const mergeNoteSchema = z.object({ name: z.string(), old: z.string(), new: z.string() });
const mergeNoteName = (name: string): string => `merge-${hashOf(name)}`;

const cursorSchema = z.object({
  at: z.number(),
  part: z.number(),
  progress: progressSchema.nullable(),
});

/** Splits of a step, or names that an undo has merged again and that its own undo splits anew. */
async function listUndone(
  notes: VectorNotes,
  context: UndoContext,
): Promise<{ splits: SplitNote[]; merged: string[] }> {
  const merged: string[] = [];
  for (const name of await notes.list(context.undoes, 'merge-')) {
    const note = await notes.read(context.undoes, name, mergeNoteSchema);
    if (note) merged.push(note.name);
  }
  return { splits: (await listSplits(notes, context.undoes)).reverse(), merged: merged.sort() };
}

/** Copies what was written since into the mixed dataset, which takes its name again; the parts go. */
export async function undoSplits(
  setting: VectorSetting,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  await setting.checkFence(context.fence);
  const notes = vectorNotes(setting);
  const { splits, merged } = await listUndone(notes, context);
  if (splits.length === 0) return splitAgain(setting, notes, merged, batch, context);
  const cursor = batch.cursor === null ? { at: 0, part: 0, progress: null } : cursorSchema.parse(batch.cursor);
  const split = splits[cursor.at];
  const nothing = { done: 0, kept: 0, missing: 0 };
  if (!split) return { cursor: null, ...nothing };
  const next = cursor.at + 1 < splits.length ? { at: cursor.at + 1, part: 0, progress: null } : null;
  const store = vectorStore(setting);
  const begun = await notes.read(context, mergeNoteName(split.name), mergeNoteSchema);
  if (begun !== null) {
    const done = await finish(store, split, begun, context);
    return { cursor: next, ...nothing, done };
  }
  if (!(await isSplit(notes, context.undoes, split.name))) {
    for (const { part } of split.parts) await removeIfOurs(store, part, context);
    return { cursor: next, ...nothing };
  }
  const conflict = await lookForConflict(store, split, context);
  if (conflict !== null) {
    await keepConflicts(notes, context, mergeNoteName(split.name), [conflict]);
    return { cursor: next, ...nothing, ...(conflict.reason === 'missing' ? { missing: 1 } : { kept: 1 }) };
  }
  const sources = sourcesOf(split);
  const source = sources[cursor.part];
  if (source !== undefined) {
    const job = copyJob(source, split.kept, null, null, batch, context);
    const result = await catchUp(setting, store, job, cursor.progress, context.signal);
    const went =
      result.progress === null
        ? { part: cursor.part + 1, progress: null }
        : { part: cursor.part, progress: result.progress };
    return { cursor: { at: cursor.at, ...went }, ...nothing, note: result.note };
  }
  await store.prune(split.kept, sources, { onlyOurs: false, by: byOf(context) }, context.signal);
  const [old, fresh] = [
    await store.numberOf(split.name, context.signal),
    await store.numberOf(split.kept, context.signal),
  ];
  const note = { name: split.name, old: old ?? '', new: fresh ?? '' };
  const kept = await notes.keep(context, mergeNoteName(split.name), note, mergeNoteSchema);
  return { cursor: next, ...nothing, done: await finish(store, split, kept, context) };
}

/** The datasets that the parts serve under. */
function sourcesOf({ name, parts }: SplitNote): string[] {
  return [name, ...parts.slice(1).map(({ part }) => part)];
}

/** The mixed dataset takes its name in one step; then the parts go, for it holds all that they hold. */
async function finish(
  store: VectorStore,
  { name, parts, kept }: SplitNote,
  { old, new: fresh }: z.infer<typeof mergeNoteSchema>,
  { signal }: StepContext,
): Promise<number> {
  const first = parts[0]?.part ?? name;
  if ((await store.numberOf(name, signal)) !== fresh || (await store.numberOf(kept, signal)) !== null) {
    await store.swap({ dataset: name, other: kept, final: first, old, new: fresh }, signal);
  }
  for (const { part } of parts) {
    if ((await store.state(part, signal)) === null) continue;
    const { missing, changed } = await store.compare(name, [part], {}, signal);
    // Somebody who was not switched wrote to it in between: it stays.
    if (missing + changed === 0) await store.remove(part, signal);
  }
  return (await store.state(name, signal))?.rows ?? 0;
}

async function removeIfOurs(store: VectorStore, part: string, { undoes, signal }: UndoContext): Promise<void> {
  const state = await store.state(part, signal);
  if (state?.ours && state.mark?.by === byOf(undoes)) await store.remove(part, signal);
}

async function lookForConflict(
  store: VectorStore,
  split: SplitNote,
  { signal }: UndoContext,
): Promise<Conflict | null> {
  const conflict = (reason: Conflict['reason'], theirs: string): Conflict => {
    const { name } = split;
    return { collection: name, key: name, field: 'dataset', reason, base: 'mixed', ours: 'split by model', theirs };
  };
  if ((await store.state(split.kept, signal)) === null) return conflict('missing', 'the mixed dataset is gone');
  for (const source of sourcesOf(split)) {
    if ((await store.state(source, signal)) === null) return conflict('missing', `${source} is gone`);
  }
  const served = await store.state(split.name, signal);
  if (served?.mark?.role !== 'part') return conflict('changed-since', 'another dataset serves now');
  return null;
}

/** The undo of an undo: what was merged is split anew, as it is by now. */
async function splitAgain(
  setting: VectorSetting,
  notes: VectorNotes,
  merged: readonly string[],
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const cursor = batch.cursor === null ? { at: 0, part: 0, progress: null } : cursorSchema.parse(batch.cursor);
  const nothing = { done: 0, kept: 0, missing: 0 };
  const name = merged[cursor.at];
  if (name === undefined) return { cursor: null, ...nothing };
  const next = cursor.at + 1 < merged.length ? { at: cursor.at + 1, part: 0, progress: null } : null;
  let split = await notes.read(context, splitNoteName(name), splitNoteSchema);
  if (split === null) {
    const { datasets } = await vectorStore(setting).survey([name], context.signal);
    const kept = keptName(context, name);
    const parts = datasets[0] ? partsOf(datasets[0], undefined, kept) : null;
    if (parts === null) return { cursor: next, ...nothing };
    split = await notes.keep(context, splitNoteName(name), parts, splitNoteSchema);
  }
  const at = { name, part: cursor.part, progress: cursor.progress, done: false };
  const result = await splitOne(setting, split, at, batch, context);
  const { part, progress, done } = result.cursor;
  return { cursor: done ? next : { at: cursor.at, part, progress }, ...nothing, done: result.done, note: result.note };
}

/** What taking the splits back would do. */
export async function previewUndoSplits(setting: VectorSetting, context: UndoContext): Promise<StepPreview> {
  const store = vectorStore(setting);
  const notes = vectorNotes(setting);
  const { splits, merged } = await listUndone(notes, context);
  const kept = new KeptTally();
  const back: { name: string; rows: number }[] = [];
  for (const split of splits) {
    if (!(await isSplit(notes, context.undoes, split.name))) continue;
    const conflict = await lookForConflict(store, split, context);
    if (conflict !== null) kept.add(conflict);
    else back.push({ name: split.name, rows: (await store.state(split.kept, context.signal))?.rows ?? 0 });
  }
  for (const name of splits.length > 0 ? [] : merged) {
    back.push({ name, rows: (await store.state(name, context.signal))?.rows ?? 0 });
  }
  return {
    count: back.reduce((sum, { rows }) => sum + rows, 0),
    exact: true,
    keysHash: digestOf(back.map(({ name }) => name)),
    schemaHash: digestOf({ system: setting.system }),
    samples: back.slice(0, 5).map(({ name, rows }) => ({
      collection: name,
      key: name,
      before: { dataset: 'one for each model' },
      after: { dataset: 'mixed', vectors: rows },
    })),
    undoClass: 'reversible',
    locks: back.length === 0 ? [] : [switchLocks],
    bytes: 0,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}
