import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { datasetsSchema } from '../vectors/parameters.ts';
import { previewReleaseKept, releaseKept } from '../vectors/release-kept.ts';
import {
  keptOfSplits,
  listSplits,
  mixedName,
  partsOf,
  type SplitCursor,
  type SplitNote,
  splitCursorSchema,
  splitNoteName,
  splitNoteSchema,
  splitOne,
} from '../vectors/splitting.ts';
import { previewUndoSplits, undoSplits } from '../vectors/undo-splits.ts';
import { switchLocks } from '../vectors/undo-switches.ts';
import { type VectorNotes, vectorNotes } from '../vectors/vector-notes.ts';
import { type VectorSetting, type VectorStore, vectorStore } from '../vectors/vector-store.ts';

const inputSchema = z.strictObject({
  datasets: datasetsSchema,
  keep: z
    .string()
    .min(1)
    .optional()
    .describe('The model whose vectors keep the name of their dataset; absent = the one that has most of them.'),
});
type Input = z.infer<typeof inputSchema>;

/** A dataset with vectors of several models or dimensions becomes one for each: `<name>` and `<name>--<model>`. */
export function splitByModelKind(setting: VectorSetting): StepKind {
  return defineStepKind<Input>({
    name: 'deeplake.split-by-model',
    effect: 'changes',
    input: inputSchema,
    describe: ({ datasets }) => `makes one dataset for each model of those in ${datasets} that hold several`,
    preview: (input, context) => preview(setting, input, context),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndoSplits(setting, context),
    undoBatch: (_input, batch, context) => undoSplits(setting, batch, context),
    previewRelease: async (_input, context) =>
      previewReleaseKept(setting, await keptOfSplits(setting, context.releases), context),
    releaseBatch: async (_input, batch, context) =>
      releaseKept(setting, await keptOfSplits(setting, context.releases), batch, context),
  });
}

async function preview(setting: VectorSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const store = vectorStore(setting);
  const names = await store.names(input.datasets, context.signal);
  const { datasets, exact } = await store.survey(names, context.signal, context.countForMs);
  const splits = datasets.flatMap((dataset) => {
    const split = partsOf(dataset, input.keep, mixedName(context, dataset.name));
    return split === null ? [] : [{ dataset, split }];
  });
  const count = splits.reduce((sum, { dataset }) => sum + dataset.rows, 0);
  const bytes = splits.flatMap(({ dataset }) => dataset.models.map((one) => one.rows * (one.dimension * 4 + 1_000)));
  return {
    count,
    exact,
    keysHash: digestOf(splits.map(({ dataset }) => dataset.name).sort()),
    schemaHash: digestOf({ keep: input.keep ?? null }),
    samples: splits.slice(0, 5).map(({ dataset, split }) => ({
      collection: dataset.name,
      key: dataset.name,
      before: Object.fromEntries(dataset.models.map((one) => [`${one.model} (${one.dimension})`, one.rows])),
      after: Object.fromEntries(split.parts.map(({ part, of }, i) => [i === 0 ? dataset.name : part, of.model])),
    })),
    undoClass: count === 0 ? 'reversible' : 'reversible-until',
    locks: count === 0 ? [] : [switchLocks],
    bytes: Math.ceil(bytes.reduce((sum, one) => sum + one, 0) * 1.1),
    findings: await findingsOf(setting, store, names, splits, context),
  };
}

async function findingsOf(
  { folders }: VectorSetting,
  store: VectorStore,
  names: readonly string[],
  splits: readonly {
    readonly dataset: { readonly name: string; readonly doubled: number };
    readonly split: SplitNote;
  }[],
  { signal }: StepContext,
): Promise<Finding[]> {
  const found: Finding[] = [];
  const add = (check: string, title: string, samples: readonly string[], advice: string) => {
    if (samples.length === 0) return;
    found.push({ check, title, status: 'failed', count: samples.length, samples: samples.slice(0, 5), advice });
  };
  const taken: string[] = [];
  for (const { part } of splits.flatMap(({ split }) => split.parts)) {
    if ((await store.state(part, signal)) !== null) taken.push(part);
  }
  const doubled = splits.filter(({ dataset }) => dataset.doubled > 0).map(({ dataset }) => dataset.name);
  add('datasets-there', 'No dataset fits', names.length === 0 ? ['none'] : [], 'Correct the name.');
  add('names-free', 'Names of new datasets are taken', taken, 'See whose they are; move them away.');
  add('ids-once', 'Datasets with an id more than once', doubled, 'Take the older rows out first.');
  const bucket = folders || splits.length === 0 ? [] : ['the root'];
  add('names-exchange', 'In a bucket two datasets cannot change names in one step', bucket, 'Use a root on a volume.');
  return found;
}

async function performBatch(
  setting: VectorSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  context.signal.throwIfAborted();
  await setting.checkFence(context.fence);
  const notes = vectorNotes(setting);
  const before = batch.cursor === null ? null : splitCursorSchema.parse(batch.cursor);
  const cursor = before === null || before.done ? await next(setting, notes, input, before, context) : before;
  if (cursor === null) return { cursor: null, done: 0 };
  const split = await notes.read(context, splitNoteName(cursor.name), splitNoteSchema);
  if (split === null) throw new Error(`the note of the split of ${cursor.name} has gone`);
  if (context.cap !== null && batch.done > context.cap) throw overCap(setting.system, context);
  const result = await splitOne(setting, split, cursor, batch, context);
  return { cursor: { ...result.cursor }, done: result.done, note: result.note };
}

/** The next dataset in order that holds several models, or whose split was begun before a crash. */
async function next(
  setting: VectorSetting,
  notes: VectorNotes,
  input: Input,
  last: SplitCursor | null,
  context: StepContext,
): Promise<SplitCursor | null> {
  const store = vectorStore(setting);
  const begun = new Set((await listSplits(notes, context)).map(({ name }) => name));
  for (const name of await store.names(input.datasets, context.signal)) {
    if (last !== null && name <= last.name) continue;
    if (!begun.has(name)) {
      const { datasets } = await store.survey([name], context.signal);
      const split = datasets[0] ? partsOf(datasets[0], input.keep, mixedName(context, name)) : null;
      if (split === null) continue;
      await notes.keep(context, splitNoteName(name), split, splitNoteSchema);
    }
    return { name, part: 0, progress: null, done: false };
  }
  return null;
}

async function verify(setting: VectorSetting, _input: Input, context: StepContext): Promise<readonly Finding[]> {
  const store = vectorStore(setting);
  const wrong: string[] = [];
  for (const { name, parts } of await listSplits(vectorNotes(setting), context)) {
    const there = parts.map(({ part }, i) => (i === 0 ? name : part));
    const { datasets } = await store.survey(there, context.signal);
    for (const [i, dataset] of datasets.entries()) {
      const of = parts[i]?.of;
      const fits = dataset.models.every(({ model, dimension }) => model === of?.model && dimension === of.dimension);
      if (!fits) wrong.push(dataset.name);
    }
  }
  const frame = { check: 'one-model', title: 'Every dataset that was split is of one model', count: wrong.length };
  if (wrong.length === 0) return [{ ...frame, status: 'passed', samples: [] }];
  const advice = 'A service still writes vectors of another model there: find out which.';
  return [{ ...frame, status: 'failed', samples: wrong.slice(0, 5), advice }];
}

function overCap(system: string, { stepId, cap }: StepContext): Failure {
  return new Failure({
    code: 'over-cap',
    message: `${stepId} would copy more vectors in ${system} than the ${cap} that were approved.`,
    advice: 'The mixed datasets serve as before. See what came in since; then undo, or ask again.',
  });
}
