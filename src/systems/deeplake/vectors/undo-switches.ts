import { digestOf } from '../../../shared/json.ts';
import { KeptTally } from '../../kept-tally.ts';
import type { BatchRequest, Conflict, StepContext, StepPreview, UndoBatchResult, UndoContext } from '../../system.ts';
import type { KeptDataset } from './release-kept.ts';
import {
  type Switch,
  type SwitchNote,
  type SwitchOptions,
  settledNoteName,
  settledSchema,
  switchCursorSchema,
  switchNoteName,
  switchNoteSchema,
  switchOne,
} from './switching.ts';
import { keepConflicts, type StepKey, type VectorNotes, vectorNotes } from './vector-notes.ts';
import { type Compared, type VectorSetting, type VectorStore, vectorStore } from './vector-store.ts';

/** Switches of a step, in the order of names. */
export async function listSwitches(notes: VectorNotes, step: StepKey): Promise<SwitchNote[]> {
  const found: SwitchNote[] = [];
  for (const name of await notes.list(step, 'switch-')) {
    const note = await notes.read(step, name, switchNoteSchema);
    if (note) found.push(note);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const reverseOf = ({ name, incoming, aside, from, to }: Switch): Switch => {
  return { name, incoming: aside, aside: incoming, from: to, to: from };
};

/** Switches back, last one first: vectors written since are embedded with the old model and go along. */
export async function undoSwitches(
  setting: VectorSetting,
  options: Pick<SwitchOptions, 'batch' | 'withinMs'>,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const nothing = { done: 0, kept: 0, missing: 0 };
  await setting.checkFence(context.fence);
  const [store, notes] = [vectorStore(setting), vectorNotes(setting)];
  const all = (await listSwitches(notes, context.undoes)).reverse();
  const before = batch.cursor === null ? null : switchCursorSchema.parse(batch.cursor);
  const at =
    before === null ? 0 : all.findIndex(({ name }) => name === before.name) + (before.phase === 'done' ? 1 : 0);
  const note = all[at];
  if (!note) return { cursor: null, ...nothing };
  const finished = { name: note.name, phase: 'done' as const, progress: null };
  const begun = await notes.read(context, switchNoteName(note.name), switchNoteSchema);
  const conflict = begun === null ? await lookForConflict(store, note, context) : null;
  if (conflict !== null) {
    await keepConflicts(notes, context, switchNoteName(note.name), [conflict]);
    const missing = conflict.reason === 'missing' ? 1 : 0;
    return { cursor: finished, done: 0, kept: 1 - missing, missing };
  }
  const prune = await mayPrune(store, notes, note, context);
  const bestEffort = setting.embeddings === null;
  const lost = bestEffort && begun === null ? await rowsLeft(store, note, context) : [];
  await keepConflicts(notes, context, `rows-${switchNoteName(note.name)}`, lost);
  const cursor =
    before?.name === note.name && before.phase !== 'done' ? before : { ...finished, phase: 'before' as const };
  const how = { ...options, prune: prune ? ('all' as const) : ('none' as const), bestEffort };
  const result = await switchOne(setting, reverseOf(note), how, cursor, batch, context);
  return { cursor: { ...result.cursor }, done: result.done, kept: lost.length, missing: 0, note: result.note };
}

/** What lies aside was left alone since: then what it has beyond the one that serves was deleted by users. */
async function mayPrune(
  store: VectorStore,
  notes: VectorNotes,
  note: SwitchNote,
  context: UndoContext,
): Promise<boolean> {
  const settled = await notes.read(context.undoes, settledNoteName(note.name), settledSchema);
  const aside = await store.state(note.aside, context.signal);
  const version = settled !== null && aside?.version === settled.version ? settled.version : '';
  // Decided once: bringing rows over changes the version.
  const kept = await notes.keep(context, `prune-${switchNoteName(note.name)}`, { version }, settledSchema);
  return kept.version !== '';
}

async function lookForConflict(
  store: VectorStore,
  note: SwitchNote,
  { signal }: StepContext,
): Promise<Conflict | null> {
  const [served, aside] = [await store.numberOf(note.name, signal), await store.numberOf(note.aside, signal)];
  if (served !== note.new) return conflictOf(note, 'changed-since', 'another dataset serves now');
  if (aside !== note.old) return conflictOf(note, 'missing', 'the old dataset was given up');
  return null;
}

/** Without an endpoint rows that were written since cannot follow: they stay in the dataset that goes aside. */
async function rowsLeft(store: VectorStore, note: SwitchNote, { signal }: StepContext): Promise<Conflict[]> {
  const { missing, changed }: Compared = await store.compare(note.aside, [note.name], { to: note.from }, signal);
  const left = missing + changed;
  return left === 0 ? [] : [conflictOf(note, 'changed-since', `${left} vectors stay in ${note.incoming}`)];
}

function conflictOf(note: SwitchNote, reason: Conflict['reason'], theirs: string): Conflict {
  const { name, from, to } = note;
  return { collection: name, key: name, field: 'dataset', reason, base: from.model, ours: to.model, theirs };
}

/** What switching back would do. */
export async function previewUndoSwitches(setting: VectorSetting, context: UndoContext): Promise<StepPreview> {
  const [store, notes] = [vectorStore(setting), vectorNotes(setting)];
  const kept = new KeptTally();
  const back: SwitchNote[] = [];
  const samples: StepPreview['samples'][number][] = [];
  for (const note of (await listSwitches(notes, context.undoes)).reverse()) {
    const conflict = await lookForConflict(store, note, context);
    if (conflict !== null) {
      kept.add(conflict);
      continue;
    }
    back.push(note);
    if (setting.embeddings === null) for (const one of await rowsLeft(store, note, context)) kept.add(one);
    if (samples.length >= 5) continue;
    const since = await store.compare(note.aside, [note.name], { to: note.from }, context.signal);
    const follow = since.missing + since.changed;
    samples.push({
      collection: note.name,
      key: note.name,
      before: { model: note.to.model, dimension: note.to.dimension },
      after: { model: note.from.model, dimension: note.from.dimension, written_since: follow },
    });
  }
  return {
    count: back.length,
    exact: true,
    keysHash: digestOf(back.map(({ name }) => name)),
    schemaHash: digestOf({ system: setting.system }),
    samples,
    undoClass: 'reversible',
    locks: back.length === 0 ? [] : [switchLocks],
    bytes: 0,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

export const switchLocks =
  'each dataset changes hands in one step: what has it open must open it again, writers stand still meanwhile';

/** The datasets that a step's switches have put aside. */
export async function asideOfSwitches(setting: VectorSetting, step: StepKey): Promise<KeptDataset[]> {
  const notes = vectorNotes(setting);
  const found: KeptDataset[] = [];
  for (const { name, aside, old, new: fresh, from, rows } of await listSwitches(notes, step)) {
    const settled = await notes.read(step, settledNoteName(name), settledSchema);
    const holds = { model: from.model, vectors: rows };
    found.push({ name, new: fresh, aside, old, version: settled?.version ?? null, holds });
  }
  return found;
}
