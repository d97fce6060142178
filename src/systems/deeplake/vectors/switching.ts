import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { BatchRequest, StepContext } from '../../system.ts';
import { type CatchUp, catchUp, progressSchema } from './catch-up.ts';
import { byOf, hashOf } from './made-datasets.ts';
import { type VectorNotes, vectorNotes } from './vector-notes.ts';
import { type Model, modelSchema, type VectorSetting, type VectorStore, vectorStore } from './vector-store.ts';
import { wholeFindings } from './whole.ts';

/** One dataset in the place of another: what serves under the name goes aside. Its reverse is of the same form. */
const switchSchema = z.object({
  name: z.string(),
  /** Where the dataset lies that will serve, and where the one that serves will lie. */
  incoming: z.string(),
  aside: z.string(),
  from: modelSchema,
  to: modelSchema,
});
export type Switch = z.infer<typeof switchSchema>;

/** Written before the names change hands. */
export const switchNoteSchema = switchSchema.extend({
  /** The folders' numbers: of what served and of what will. */
  old: z.string(),
  new: z.string(),
  /** Rows of what served, and its version then: what has come after them is brought over afterwards. */
  rows: z.number(),
  version: z.string(),
});
export type SwitchNote = z.infer<typeof switchNoteSchema>;

/** Written afterwards: the version of what lies aside. Who writes to it later on was not switched. */
export const settledSchema = z.object({ version: z.string() });

export const switchCursorSchema = z.object({
  /** The dataset that is at work, or the last one that is done. */
  name: z.string(),
  phase: z.enum(['before', 'after', 'done']),
  progress: progressSchema.nullable(),
});
export type SwitchCursor = z.infer<typeof switchCursorSchema>;

export interface SwitchOptions {
  readonly batch: number;
  readonly withinMs: number;
  /** Rows that what serves has not go from what will serve: they were deleted since. */
  readonly prune: 'ours' | 'all' | 'none';
  /** True where rows that cannot be brought over are told as conflicts instead. */
  readonly bestEffort: boolean;
}

export interface Switched {
  readonly cursor: SwitchCursor;
  readonly done: number;
  readonly note: string;
}

export const switchNoteName = (name: string): string => `switch-${hashOf(name)}`;
export const settledNoteName = (name: string): string => `settled-${hashOf(name)}`;

/**
 * One batch of a switch. Before: what will serve is brought up to what serves, and compared with it. Then the names change hands
 * in one step. After: what was written in between is brought over too. Each part may be done again.
 */
export async function switchOne(
  setting: VectorSetting,
  one: Switch,
  options: SwitchOptions,
  cursor: SwitchCursor,
  batch: BatchRequest,
  context: StepContext,
): Promise<Switched> {
  const store = vectorStore(setting);
  const notes = vectorNotes(setting);
  const noted = await notes.read(context, switchNoteName(one.name), switchNoteSchema);
  const isSwitched = noted !== null && (await store.numberOf(one.name, context.signal)) === noted.new;
  if (isSwitched && cursor.phase !== 'after') {
    await finishSwap(store, noted, context);
    return { cursor: { name: one.name, phase: 'after', progress: null }, done: 0, note: `${one.name} is switched` };
  }
  if (cursor.phase === 'after') {
    if (noted === null) throw new Error(`the note of the switch of ${one.name} has gone`);
    return bringLate(setting, store, notes, noted, options, cursor, batch, context);
  }
  if (!options.bestEffort) {
    const job = jobOf(one.name, one.incoming, one, options, batch, context);
    const result = await catchUp(setting, store, job, cursor.progress, context.signal);
    if (result.progress !== null) {
      return { cursor: { ...cursor, progress: result.progress }, done: 0, note: result.note };
    }
  }
  if (options.prune !== 'none') {
    const pruning = { onlyOurs: options.prune === 'ours', by: byOf(context) };
    await store.prune(one.incoming, [one.name], pruning, context.signal);
  }
  const served = await store.state(one.name, context.signal);
  if (served === null) throw gone(setting.system, one.name);
  if (!options.bestEffort) await refuseUnlessWhole(setting, store, one, context);
  const [old, next] = [
    await store.numberOf(one.name, context.signal),
    await store.numberOf(one.incoming, context.signal),
  ];
  if (old === null || next === null) throw gone(setting.system, old === null ? one.name : one.incoming);
  const wanted: SwitchNote = { ...one, old, new: next, rows: served.rows, version: served.version };
  const kept = await notes.keep(context, switchNoteName(one.name), wanted, switchNoteSchema);
  await setting.checkFence(context.fence);
  await finishSwap(store, kept, context);
  return { cursor: { name: one.name, phase: 'after', progress: null }, done: 0, note: `${one.name} is switched` };
}

async function finishSwap(store: VectorStore, note: SwitchNote, { signal }: StepContext): Promise<void> {
  const { name, incoming, aside, old } = note;
  await store.swap({ dataset: name, other: incoming, final: aside, old, new: note.new }, signal);
}

/** Only rows that were added after the last look: others may have been deleted by now where the users are. */
async function bringLate(
  setting: VectorSetting,
  store: VectorStore,
  notes: VectorNotes,
  note: SwitchNote,
  options: SwitchOptions,
  cursor: SwitchCursor,
  batch: BatchRequest,
  context: StepContext,
): Promise<Switched> {
  const done: Switched = {
    cursor: { ...cursor, phase: 'done', progress: null },
    done: 1,
    note: `${note.name} is switched`,
  };
  const aside = await store.state(note.aside, context.signal);
  if (aside !== null && aside.version !== note.version && aside.rows > note.rows && !options.bestEffort) {
    const job = { ...jobOf(note.aside, note.name, note, options, batch, context), startAt: note.rows };
    const result = await catchUp(setting, store, job, cursor.progress, context.signal);
    if (result.progress !== null) {
      return { cursor: { ...cursor, progress: result.progress }, done: 0, note: result.note };
    }
  }
  const now = await store.state(note.aside, context.signal);
  await notes.keep(context, settledNoteName(note.name), { version: now?.version ?? '' }, settledSchema);
  return done;
}

function jobOf(
  source: string,
  target: string,
  { from, to }: { readonly from: Model; readonly to: Model },
  { batch: size, withinMs }: SwitchOptions,
  batch: BatchRequest,
  context: StepContext,
): CatchUp {
  return {
    carrying: { source, target, to, from: from.model, batch: size, by: `${byOf(context)}/${batch.index}` },
    limit: Math.max(1, Math.min(batch.size, 2_000)),
    perMinute: null,
    withinMs,
    mayBring: null,
    stepId: context.stepId,
  };
}

async function refuseUnlessWhole(
  { system }: VectorSetting,
  store: VectorStore,
  { name, incoming, to }: Switch,
  { signal }: StepContext,
): Promise<void> {
  const compared = await store.compare(incoming, [name], { to }, signal);
  const failed = wholeFindings([{ name, compared }]).filter(({ status }) => status === 'failed');
  if (failed.length === 0) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `${system}: ${incoming} cannot take the place of ${name}: ${failed.map(({ check, count }) => `${check} fails for ${count}`).join(', ')}.`,
    advice: `${name} serves as before. Retry to bring over what is missing; if it stays, look at both datasets.`,
    retryable: failed.every(({ check }) => check === 'vectors-there'),
  });
}

function gone(system: string, name: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: the dataset ${name} is not there any more.`,
    advice: 'Nothing was switched for it. Find out who took it away; then retry.',
  });
}
