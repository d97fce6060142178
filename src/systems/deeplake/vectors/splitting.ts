import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { BatchRequest, StepContext } from '../../system.ts';
import { type CatchUp, catchUp, progressSchema } from './catch-up.ts';
import { byOf, hashOf, keptName } from './made-datasets.ts';
import type { KeptDataset } from './release-kept.ts';
import { settledNoteName, settledSchema } from './switching.ts';
import { type StepKey, type VectorNotes, vectorNotes } from './vector-notes.ts';
import {
  besideName,
  type Model,
  modelSchema,
  type Surveyed,
  type VectorSetting,
  type VectorStore,
  vectorStore,
} from './vector-store.ts';
import { wholeFindings } from './whole.ts';

/** One dataset and what becomes of it: written before anything is made. */
export const splitNoteSchema = z.object({
  name: z.string(),
  /** Where each model's vectors are put; the first one's place is taken by the dataset's own name in the end. */
  parts: z.array(z.object({ part: z.string(), of: modelSchema })).min(2),
  /** Where the mixed dataset is kept; `.tas/…`. */
  kept: z.string(),
});
export type SplitNote = z.infer<typeof splitNoteSchema>;

/** The folders' numbers: of the mixed dataset and of the part that takes its name. */
const namesNoteSchema = z.object({ old: z.string(), new: z.string(), version: z.string() });

export const splitCursorSchema = z.object({
  name: z.string(),
  /** Which part is at work; as many as there are parts = all are whole. */
  part: z.number(),
  progress: progressSchema.nullable(),
  done: z.boolean(),
});
export type SplitCursor = z.infer<typeof splitCursorSchema>;

const copiedAtOnce = 500;
export const splitNoteName = (name: string): string => `split-${hashOf(name)}`;
const namesNoteName = (name: string): string => `names-${hashOf(name)}`;

/** The parts of a mixed dataset: the model that keeps the name first. Null = it is of one model and dimension. */
export function partsOf(dataset: Surveyed, keep: string | undefined, kept: string): SplitNote | null {
  const kinds = dataset.models.filter(({ rows }) => rows > 0);
  if (kinds.length < 2) return null;
  const first = kinds.find(({ model }) => model === keep) ?? kinds[0];
  const ordered = [...kinds.filter((kind) => kind === first), ...kinds.filter((kind) => kind !== first)];
  const names = new Map<string, number>();
  for (const { model } of kinds) names.set(model, (names.get(model) ?? 0) + 1);
  const parts = ordered.map(({ model, dimension }) => {
    // The same model in two dimensions makes two datasets.
    const beside = besideName(dataset.name, model);
    return { part: (names.get(model) ?? 0) > 1 ? `${beside}-${dimension}` : beside, of: { model, dimension } };
  });
  return { name: dataset.name, parts, kept };
}

export interface Splitting {
  readonly cursor: SplitCursor;
  readonly done: number;
  readonly note: string;
}

/** One batch of a split: vectors are copied part by part, compared, and then the first part takes the dataset's name. */
export async function splitOne(
  setting: VectorSetting,
  split: SplitNote,
  cursor: SplitCursor,
  batch: BatchRequest,
  context: StepContext,
): Promise<Splitting> {
  const store = vectorStore(setting);
  const notes = vectorNotes(setting);
  const noted = await notes.read(context, namesNoteName(split.name), namesNoteSchema);
  if (noted !== null) {
    await takeName(store, split, noted, context);
    await bringLate(setting, store, split, noted.version, batch, context);
    const left = await store.state(split.kept, context.signal);
    await notes.keep(context, settledNoteName(split.name), { version: left?.version ?? '' }, settledSchema);
    return { cursor: { ...cursor, progress: null, done: true }, done: 0, note: `${split.name} is split` };
  }
  const at = split.parts[cursor.part];
  if (at !== undefined) {
    const result = await catchUp(
      setting,
      store,
      copyJob(split.name, at.part, at.of, split.name, batch, context),
      cursor.progress,
      context.signal,
    );
    const next =
      result.progress === null
        ? { part: cursor.part + 1, progress: null }
        : { part: cursor.part, progress: result.progress };
    return { cursor: { ...cursor, ...next }, done: result.done, note: result.note };
  }
  const before = await store.state(split.name, context.signal);
  for (const { part, of } of split.parts) {
    await store.prune(part, [split.name], { onlyOurs: true, by: byOf(context) }, context.signal);
    const compared = await store.compare(part, [split.name], { only: of, exact: true }, context.signal);
    const failed = wholeFindings([{ name: part, compared }]).filter(({ status }) => status === 'failed');
    // What came in meanwhile is copied in another round.
    if (failed.length > 0 && failed.every(({ check }) => check === 'vectors-there')) {
      return { cursor: { ...cursor, part: 0, progress: null }, done: 0, note: `${part} is not whole yet` };
    }
    if (failed.length > 0)
      throw notWhole(
        setting.system,
        part,
        failed.map(({ check }) => check),
      );
  }
  await refuseOthers(setting.system, store, split, context);
  await noteNames(setting, store, notes, split, before?.version ?? '', context);
  return { cursor: { ...cursor, progress: null }, done: 0, note: `${split.name} is whole in its parts` };
}

async function noteNames(
  setting: VectorSetting,
  store: VectorStore,
  notes: VectorNotes,
  { name, parts }: SplitNote,
  version: string,
  context: StepContext,
): Promise<void> {
  const first = parts[0]?.part ?? name;
  const [old, fresh] = [await store.numberOf(name, context.signal), await store.numberOf(first, context.signal)];
  if (old === null || fresh === null) throw notWhole(setting.system, old === null ? name : first, ['datasets-there']);
  await notes.keep(context, namesNoteName(name), { old, new: fresh, version }, namesNoteSchema);
}

async function takeName(
  store: VectorStore,
  { name, parts, kept }: SplitNote,
  numbers: z.infer<typeof namesNoteSchema>,
  { signal }: StepContext,
): Promise<void> {
  const { old, new: fresh } = numbers;
  await store.swap({ dataset: name, other: parts[0]?.part ?? name, final: kept, old, new: fresh }, signal);
}

/** A model that came in since would be in no part. */
async function refuseOthers(
  system: string,
  store: VectorStore,
  { name, parts }: SplitNote,
  { signal }: StepContext,
): Promise<void> {
  const { datasets } = await store.survey([name], signal);
  const others = (datasets[0]?.models ?? []).filter(
    ({ model, dimension }) => !parts.some(({ of }) => of.model === model && of.dimension === dimension),
  );
  if (others.length > 0)
    throw notWhole(system, name, [`vectors of ${others.map(({ model }) => model).join(', ')} came in`]);
}

/** What was written between the last look and the moment in which the names changed hands. */
async function bringLate(
  setting: VectorSetting,
  store: VectorStore,
  { name, parts, kept }: SplitNote,
  version: string,
  batch: BatchRequest,
  context: StepContext,
): Promise<void> {
  if ((await store.state(kept, context.signal))?.version === version) return;
  for (const [i, { part, of }] of parts.entries()) {
    const job = copyJob(kept, i === 0 ? name : part, of, null, { ...batch, size: 5_000 }, context);
    let progress = (await catchUp(setting, store, job, null, context.signal)).progress;
    while (progress !== null) ({ progress } = await catchUp(setting, store, job, progress, context.signal));
  }
}

export function copyJob(
  source: string,
  target: string,
  only: Model | null,
  madeOf: string | null,
  batch: BatchRequest,
  context: StepContext,
): CatchUp {
  const by = byOf(context);
  return {
    carrying: {
      source,
      target,
      to: null,
      ...(only === null ? {} : { only }),
      ...(madeOf === null || only === null
        ? {}
        : { create: { by, source: madeOf, role: 'part' as const, model: only.model } }),
      batch: copiedAtOnce,
      by: `${by}/${batch.index}`,
    },
    limit: Math.max(1, Math.min(batch.size, 5_000)),
    perMinute: null,
    withinMs: 0,
    mayBring: null,
    stepId: context.stepId,
  };
}

/** Splits that a step has noted, in the order of names. */
export async function listSplits(notes: VectorNotes, step: { runId: string; stepId: string }): Promise<SplitNote[]> {
  const found: SplitNote[] = [];
  for (const name of await notes.list(step, 'split-')) {
    const note = await notes.read(step, name, splitNoteSchema);
    if (note) found.push(note);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where the mixed dataset is kept. */
export const mixedName = (context: StepContext, name: string): string => keptName(context, name);

/** True where the first part has taken the name. */
/** The mixed datasets that a step has kept. */
export async function keptOfSplits(setting: VectorSetting, step: StepKey): Promise<KeptDataset[]> {
  const notes = vectorNotes(setting);
  const found: KeptDataset[] = [];
  for (const { name, parts, kept } of await listSplits(notes, step)) {
    const numbers = await notes.read(step, namesNoteName(name), namesNoteSchema);
    if (numbers === null) continue;
    const settled = await notes.read(step, settledNoteName(name), settledSchema);
    const holds = { model: parts.map(({ of }) => of.model).join(' + '), vectors: null };
    found.push({ name, new: numbers.new, aside: kept, old: numbers.old, version: settled?.version ?? null, holds });
  }
  return found;
}

export async function isSplit(
  notes: VectorNotes,
  step: { runId: string; stepId: string },
  name: string,
): Promise<boolean> {
  return (await notes.read(step, namesNoteName(name), namesNoteSchema)) !== null;
}

function notWhole(system: string, part: string, checks: readonly string[]): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: ${part} is not what it should be: ${checks.join(', ')}.`,
    advice: 'The mixed dataset serves as before. Look at both; then retry or undo.',
  });
}
