import { z } from 'zod';
import { millisecondsOf } from '../../../shared/duration-text.ts';
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
import { type CatchUp, catchUp, type Progress, progressSchema } from '../vectors/catch-up.ts';
import { byOf, listMade, noteMade, previewTakeBack, takeBack } from '../vectors/made-datasets.ts';
import { batchSchema, datasetsSchema, withinSchema } from '../vectors/parameters.ts';
import { type Candidate, costFinding, fits, isOfOne, obstacles } from '../vectors/re-embedding-plan.ts';
import { vectorNotes } from '../vectors/vector-notes.ts';
import {
  incomingName,
  modelSchema,
  type VectorSetting,
  type VectorStore,
  vectorStore,
} from '../vectors/vector-store.ts';
import { sampleSize, type Whole, wholeFindings } from '../vectors/whole.ts';

const inputSchema = z
  .strictObject({
    datasets: datasetsSchema,
    from: z.string().min(1).describe('The old model, as the column `model` names it.'),
    to: modelSchema.describe(
      'The new model. Its vectors go into a new dataset `<name>--next-<model>` beside the old one.',
    ),
    batch: batchSchema,
    perMinute: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('Vectors a minute at most; absent = what the endpoint takes.'),
    pricePerMillionTokens: z.number().min(0).optional().describe('For the cost that the plan shows, in any currency.'),
    within: withinSchema,
  })
  .refine(({ from, to }) => from !== to.model, 'the old and the new model are the same');
type Input = z.infer<typeof inputSchema>;

const cursorSchema = z.object({
  /** The dataset that is at work, or the last one that is done. */
  name: z.string(),
  progress: progressSchema.nullable(),
  /** Vectors of first passes so far: what was approved is held against them. */
  first: z.number(),
});
type Cursor = z.infer<typeof cursorSchema>;

const mostInBatch = 2_000;

/** Writes the vectors of a new model into new datasets, while the old ones serve; goes on until nothing is left. */
export function reEmbedKind(setting: VectorSetting): StepKind {
  return defineStepKind<Input>({
    name: 'deeplake.re-embed',
    effect: 'adds',
    input: inputSchema,
    describe: ({ datasets, from, to }) =>
      `embeds ${datasets} with ${to.model} (${to.dimension}) into new datasets, while those of ${from} serve`,
    preview: (input, context) => preview(setting, input, context),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewTakeBack(setting, context),
    undoBatch: (_input, batch, context) => takeBack(setting, batch, context),
  });
}

async function findCandidates(
  store: VectorStore,
  { from, to }: Input,
  names: readonly string[],
  context: StepContext,
): Promise<{ candidates: Candidate[]; exact: boolean }> {
  const { datasets, exact } = await store.survey(names, context.signal, context.countForMs);
  const candidates: Candidate[] = [];
  for (const dataset of datasets) {
    const old = dataset.models.filter(({ model }) => model === from);
    if (old.length === 0) continue;
    const target = incomingName(dataset.name, to.model);
    const state = await store.state(target, context.signal);
    const sum = (what: 'rows' | 'characters') => old.reduce((total, one) => total + one[what], 0);
    const there = state !== null && fits(state, dataset.name, to) ? state.rows : 0;
    candidates.push({ dataset, target, state, rows: sum('rows'), there, characters: sum('characters') });
  }
  return { candidates, exact };
}

async function preview(setting: VectorSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const store = vectorStore(setting);
  const names = await store.names(input.datasets, context.signal);
  const { candidates, exact } = await findCandidates(store, input, names, context);
  const rates = {
    ...input,
    perMinute: input.perMinute ?? null,
    pricePerMillionTokens: input.pricePerMillionTokens ?? null,
  };
  const count = candidates.reduce((sum, { rows, there }) => sum + Math.max(0, rows - there), 0);
  const found = names.length === 0 ? [noDatasets(input)] : obstacles(candidates, rates);
  const findings = [...found, ...(await probe(setting, store, input, context))];
  return {
    count,
    exact,
    keysHash: '',
    schemaHash: digestOf({ from: input.from, to: input.to }),
    samples: candidates.slice(0, 5).map(({ dataset, target, rows, there }) => ({
      collection: dataset.name,
      key: target,
      before: { model: input.from, dimension: dataset.dimension, vectors: there },
      after: { model: input.to.model, dimension: input.to.dimension, vectors: Math.max(rows, there) },
    })),
    undoClass: 'reversible',
    locks: [],
    bytes: Math.ceil(count * (input.to.dimension * 4 + 1_000) * 1.1),
    findings: count === 0 ? findings : [...findings, costFinding(candidates, rates)],
  };
}

function noDatasets({ datasets }: Input): Finding {
  return {
    check: 'datasets-there',
    title: `No dataset fits ${datasets}`,
    status: 'failed',
    count: 1,
    samples: [],
    advice: 'Correct the name.',
  };
}

/** The endpoint is asked for one vector: a wrong dimension is found before anything is paid for. */
async function probe(
  setting: VectorSetting,
  store: VectorStore,
  { to }: Input,
  context: StepContext,
): Promise<Finding[]> {
  const finding = (status: 'failed' | 'warning', title: string, advice: string): Finding => {
    return { check: 'embeddings-endpoint', title, status, count: 1, samples: [], advice };
  };
  if (setting.embeddings === null) {
    return [finding('failed', 'No embeddings endpoint is configured', 'Name it as `embeddings: { url, apiKey }`.')];
  }
  try {
    const why = await store.probe(to, context.signal);
    if (why === null) return [];
    return [finding('warning', `Now ${why}`, 'The step waits for it; see that it serves before it starts.')];
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    return [finding('failed', error.message, error.advice)];
  }
}

async function performBatch(
  setting: VectorSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  context.signal.throwIfAborted();
  await setting.checkFence(context.fence);
  const store = vectorStore(setting);
  const before = batch.cursor === null ? null : cursorSchema.parse(batch.cursor);
  let now: Cursor | null = before;
  if (before === null || before.progress === null) {
    now = await nextDataset(setting, store, input, before, context);
    if (now === null) return { cursor: null, done: 0 };
  }
  const { name, progress, first } = now as Cursor;
  const job = jobOf(input, name, batch, context, context.cap === null ? null : context.cap - first);
  const result = await catchUp(setting, store, job, progress, context.signal);
  const counted = (progress?.pass ?? 1) === 1 ? first + result.done : first;
  if (result.progress !== null) {
    return { cursor: { name, progress: { ...result.progress }, first: counted }, done: result.done, note: result.note };
  }
  const options = { onlyOurs: true, by: byOf(context) };
  await store.prune(incomingName(name, input.to.model), [name], options, context.signal);
  return { cursor: { name, progress: null, first: counted }, done: result.done, note: result.note };
}

function jobOf(
  input: Input,
  name: string,
  batch: BatchRequest,
  context: StepContext,
  mayBring: number | null,
): CatchUp {
  const { from, to, perMinute = null, within } = input;
  const by = byOf(context);
  return {
    carrying: {
      source: name,
      target: incomingName(name, to.model),
      to,
      from,
      create: { by, source: name, role: 'copy', model: to.model },
      batch: perMinute === null ? input.batch : Math.min(input.batch, Math.max(1, Math.floor(perMinute / 12))),
      by: `${by}/${batch.index}`,
    },
    limit: Math.max(1, Math.min(batch.size, mostInBatch)),
    perMinute,
    withinMs: millisecondsOf(within),
    mayBring,
    stepId: context.stepId,
  };
}

/** The next dataset in order that has vectors of the old model; refuses one that would not come out whole. */
async function nextDataset(
  setting: VectorSetting,
  store: VectorStore,
  input: Input,
  last: Cursor | null,
  context: StepContext,
): Promise<Cursor | null> {
  const names = (await store.names(input.datasets, context.signal)).filter((name) => !last || name > last.name);
  for (const name of names) {
    const { candidates } = await findCandidates(store, input, [name], context);
    const [candidate] = candidates;
    if (!candidate) continue;
    const { dataset, target, state } = candidate;
    if (!isOfOne(dataset, input.from, input.to) || dataset.doubled > 0)
      throw notOne(setting.system, name, dataset.doubled);
    if (state !== null && !fits(state, name, input.to)) throw taken(setting.system, target);
    await noteMade(vectorNotes(setting), context, target, state !== null);
    return { name, progress: null, first: last?.first ?? 0 };
  }
  return null;
}

/** What came in since the last pass is brought over first, so that only what is wrong is told. */
async function verify(setting: VectorSetting, input: Input, context: StepContext): Promise<readonly Finding[]> {
  const store = vectorStore(setting);
  const made = new Set(await listMade(vectorNotes(setting), context));
  const names = (await store.names(input.datasets, context.signal)).filter((name) =>
    made.has(incomingName(name, input.to.model)),
  );
  const all: Whole[] = [];
  for (const name of names) {
    const batch = { index: 0, cursor: null, done: 0, size: mostInBatch };
    const job = jobOf(input, name, batch, context, null);
    let progress: Progress | null = null;
    for (let round = 0; round < 20; round += 1) {
      progress = (await catchUp(setting, store, job, progress, context.signal)).progress;
      if (progress === null) break;
    }
    const options = { to: input.to, sample: sampleSize };
    const compared = await store.compare(incomingName(name, input.to.model), [name], options, context.signal);
    all.push({ name, compared });
  }
  return wholeFindings(all);
}

function notOne(system: string, name: string, doubled: number): Failure {
  const what = doubled > 0 ? `${doubled} ids more than once` : 'vectors of several models or dimensions';
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: ${name} has ${what}.`,
    advice: 'Nothing was embedded for it. Split it (deeplake.split-by-model) or take the doubled rows out; then retry.',
  });
}

function taken(system: string, target: string): Failure {
  return new Failure({
    code: 'conflict',
    message: `${system}: ${target} is there already and was not made for this.`,
    advice: 'It was left as it is. See whose it is and move it away; then retry.',
  });
}
