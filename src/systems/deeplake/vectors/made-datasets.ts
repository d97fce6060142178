import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import { KeptTally } from '../../kept-tally.ts';
import type { BatchRequest, Conflict, StepContext, StepPreview, UndoBatchResult, UndoContext } from '../../system.ts';
import { keepConflicts, type StepKey, type VectorNotes, vectorNotes } from './vector-notes.ts';
import { type VectorSetting, vectorStore } from './vector-store.ts';

/** A dataset that a step makes: written down before it is made. */
const madeSchema = z.object({ did: z.literal('made'), dataset: z.string(), existed: z.boolean() });
/** A dataset that an undo moves out of sight, or back. */
const movedSchema = z.object({ did: z.literal('moved'), from: z.string(), to: z.string() });
const noteSchema = z.union([madeSchema, movedSchema]);

/** The dataset's own name in notes and folders. */
export const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 24);

/** Run and step, as the mark of what they make. */
export const byOf = ({ runId, stepId }: StepKey): string => `${runId}/${stepId}`;

/** Where a run keeps a dataset out of sight. */
export const keptName = (step: StepKey, name: string): string =>
  `.tas/kept/${encodeURIComponent(step.runId)}/${encodeURIComponent(step.stepId)}/${hashOf(name)}`;

/** Notes that the step makes the dataset, unless it was there before. */
export async function noteMade(
  notes: VectorNotes,
  step: StepContext,
  dataset: string,
  existed: boolean,
): Promise<void> {
  await notes.keep(step, `made-${hashOf(dataset)}`, { did: 'made' as const, dataset, existed }, madeSchema);
}

/** Datasets that the step has written to, in order. */
export async function listMade(notes: VectorNotes, step: StepKey): Promise<string[]> {
  const found: string[] = [];
  for (const name of await notes.list(step, 'made-')) {
    const note = await notes.read(step, name, madeSchema);
    if (note) found.push(note.dataset);
  }
  return found.sort();
}

interface Move {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
}

type Judged = { readonly move: Move } | { readonly conflict: Conflict } | 'nothing';

/** One batch of the undo: one dataset goes out of sight, or comes back. */
export async function takeBack(
  setting: VectorSetting,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const notes = vectorNotes(setting);
  const names = await listNotes(notes, context.undoes);
  const name = names[batch.index];
  if (name === undefined) return { cursor: null, done: 0, kept: 0, missing: 0 };
  await setting.checkFence(context.fence);
  const cursor = batch.index + 1 < names.length ? batch.index + 1 : null;
  const own = `moved-${name.slice(name.indexOf('-') + 1)}`;
  const begun = await notes.read(context, own, movedSchema);
  const store = vectorStore(setting);
  if (begun !== null) {
    const there = await store.state(begun.from, context.signal);
    if (there === null) {
      const moved = await store.state(begun.to, context.signal);
      return { cursor, done: moved?.rows ?? 0, kept: 0, missing: moved === null ? 1 : 0 };
    }
  }
  const judged = await judge(setting, notes, name, context);
  if (judged === 'nothing') return { cursor, done: 0, kept: 0, missing: 0 };
  if ('conflict' in judged) {
    const { reason } = judged.conflict;
    await keepConflicts(notes, context, name, [judged.conflict]);
    return { cursor, done: 0, kept: reason === 'missing' ? 0 : 1, missing: reason === 'missing' ? 1 : 0 };
  }
  const { from, to, rows } = judged.move;
  await notes.keep(context, own, { did: 'moved' as const, from, to }, movedSchema);
  // A bucket knows no other name: what the run made can be made again.
  await (setting.folders ? store.move(from, to, context.signal) : store.remove(from, context.signal));
  return { cursor, done: rows, kept: 0, missing: 0 };
}

/** What `takeBack` would do. */
export async function previewTakeBack(setting: VectorSetting, context: UndoContext): Promise<StepPreview> {
  const notes = vectorNotes(setting);
  const kept = new KeptTally();
  const moves: Move[] = [];
  for (const name of await listNotes(notes, context.undoes)) {
    const judged = await judge(setting, notes, name, context);
    if (judged === 'nothing') continue;
    if ('conflict' in judged) kept.add(judged.conflict);
    else moves.push(judged.move);
  }
  return {
    count: moves.reduce((sum, { rows }) => sum + rows, 0),
    exact: true,
    keysHash: digestOf(moves.map(({ from }) => from).sort()),
    schemaHash: digestOf({ system: setting.system }),
    samples: moves.slice(0, 5).map(({ from, rows }) => ({
      collection: from,
      key: from,
      before: { vectors: rows },
      after: { vectors: 0 },
    })),
    undoClass: 'reversible',
    locks: [],
    bytes: 0,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

async function listNotes(notes: VectorNotes, step: StepKey): Promise<string[]> {
  return [...(await notes.list(step, 'made-')), ...(await notes.list(step, 'moved-'))];
}

async function judge(setting: VectorSetting, notes: VectorNotes, name: string, context: UndoContext): Promise<Judged> {
  const note = await notes.read(context.undoes, name, noteSchema);
  if (note === null) throw new Error(`the note ${name} has gone`);
  const store = vectorStore(setting);
  const look = (dataset: string) => store.state(dataset, context.signal);
  if (note.did === 'moved') {
    const there = await look(note.to);
    if (there === null) return { conflict: conflictOf(note.from, 'missing', null) };
    if ((await look(note.from)) !== null) return { conflict: conflictOf(note.from, 'value-taken', 'another dataset') };
    return { move: { from: note.to, to: note.from, rows: there.rows } };
  }
  const state = await look(note.dataset);
  if (state === null) return { conflict: conflictOf(note.dataset, 'missing', null) };
  if (note.existed) return { conflict: conflictOf(note.dataset, 'changed-since', 'it was there before the run') };
  if (state.mark?.by !== byOf(context.undoes) || !state.ours) {
    return { conflict: conflictOf(note.dataset, 'changed-since', 'others have written to it') };
  }
  return { move: { from: note.dataset, to: keptName(context, note.dataset), rows: state.rows } };
}

function conflictOf(dataset: string, reason: Conflict['reason'], theirs: string | null): Conflict {
  return { collection: dataset, key: dataset, field: 'dataset', reason, base: null, ours: 'made by the run', theirs };
}
