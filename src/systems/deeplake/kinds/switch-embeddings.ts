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
import { batchSchema, datasetsSchema, withinSchema } from '../vectors/parameters.ts';
import { fits } from '../vectors/re-embedding-plan.ts';
import { previewReleaseKept, releaseKept } from '../vectors/release-kept.ts';
import { type Switch, type SwitchCursor, switchCursorSchema, switchOne } from '../vectors/switching.ts';
import {
  asideOfSwitches,
  listSwitches,
  previewUndoSwitches,
  switchLocks,
  undoSwitches,
} from '../vectors/undo-switches.ts';
import { vectorNotes } from '../vectors/vector-notes.ts';
import {
  besideName,
  incomingName,
  modelSchema,
  type VectorSetting,
  type VectorStore,
  vectorStore,
} from '../vectors/vector-store.ts';

const inputSchema = z
  .strictObject({
    datasets: datasetsSchema,
    from: modelSchema.describe('The model whose datasets serve now.'),
    to: modelSchema.describe('The model that deeplake.re-embed has written vectors of, beside them.'),
    batch: batchSchema,
    within: withinSchema,
  })
  .refine(({ from, to }) => from.model !== to.model, 'the old and the new model are the same');
type Input = z.infer<typeof inputSchema>;

/** Puts the datasets of the new model into the place of the old ones, which stay beside them until the hold ends. */
export function switchEmbeddingsKind(setting: VectorSetting): StepKind {
  const optionsOf = ({ batch, within }: Input) => ({ batch, withinMs: millisecondsOf(within) });
  return defineStepKind<Input>({
    name: 'deeplake.switch-embeddings',
    effect: 'changes',
    input: inputSchema,
    describe: ({ datasets, from, to }) =>
      `puts the vectors of ${to.model} into the place of those of ${from.model} in ${datasets}`,
    preview: (input, context) => preview(setting, input, context),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndoSwitches(setting, context),
    undoBatch: (input, batch, context) => undoSwitches(setting, optionsOf(input), batch, context),
    previewRelease: async (_input, context) =>
      previewReleaseKept(setting, await asideOfSwitches(setting, context.releases), context),
    releaseBatch: async (_input, batch, context) =>
      releaseKept(setting, await asideOfSwitches(setting, context.releases), batch, context),
  });
}

function switchOf(name: string, { from, to }: Input): Switch {
  return { name, incoming: incomingName(name, to.model), aside: besideName(name, from.model), from, to };
}

async function isReady(store: VectorStore, one: Switch, signal: AbortSignal): Promise<boolean> {
  const state = await store.state(one.incoming, signal);
  return state !== null && fits(state, one.name, one.to);
}

async function preview(setting: VectorSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { signal } = context;
  const store = vectorStore(setting);
  const switches = (await store.names(input.datasets, signal)).map((name) => switchOf(name, input));
  const ready: Switch[] = [];
  const ahead: Switch[] = [];
  const taken: string[] = [];
  const samples: StepPreview['samples'][number][] = [];
  for (const one of switches) {
    const [served, isThere] = [await store.state(one.name, signal), await isReady(store, one, signal)];
    const isOld = served !== null && served.dimension === input.from.dimension && served.mark?.model !== input.to.model;
    if (!isThere && !isOld) continue;
    if (isThere) ready.push(one);
    else ahead.push(one);
    if ((await store.state(one.aside, signal)) !== null) taken.push(one.aside);
    if (samples.length >= 5) continue;
    const { model, dimension } = input.to;
    const before = { model: input.from.model, dimension: served?.dimension ?? null };
    samples.push({ collection: one.name, key: one.name, before, after: { model, dimension } });
  }
  const count = ready.length + ahead.length;
  return {
    count,
    exact: true,
    keysHash: digestOf([...ready, ...ahead].map(({ name }) => name).sort()),
    schemaHash: digestOf({ from: input.from, to: input.to }),
    samples,
    undoClass: 'reversible-until',
    locks: count === 0 ? [] : [switchLocks],
    bytes: 0,
    findings: findingsOf(setting, switches, ahead, taken),
  };
}

function findingsOf(
  { folders }: VectorSetting,
  all: readonly Switch[],
  ahead: readonly Switch[],
  taken: readonly string[],
): Finding[] {
  const found: Finding[] = [];
  const add = (check: string, status: Finding['status'], title: string, samples: readonly string[], advice: string) =>
    found.push({ check, title, status, count: samples.length, samples: samples.slice(0, 5), advice });
  if (all.length === 0) add('datasets-there', 'failed', 'No dataset fits', [''], 'Correct the name.');
  if (!folders) {
    const advice = 'Point the service to the new names instead (a flag), or use a root on a volume.';
    add('names-exchange', 'failed', 'In a bucket two datasets cannot change names in one step', [''], advice);
  }
  if (taken.length > 0) add('names-free', 'failed', 'The name for the old dataset is taken', taken, 'Move it away.');
  if (ahead.length > 0) {
    const names = ahead.map(({ name }) => name);
    const advice = 'deeplake.re-embed makes them; the step stops at one that is not whole by then.';
    add('counted-ahead', 'skipped', 'Datasets whose vectors of the new model are not there yet', names, advice);
  }
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
  const before = batch.cursor === null ? null : switchCursorSchema.parse(batch.cursor);
  const cursor = before === null || before.phase === 'done' ? await next(setting, input, before, context) : before;
  if (cursor === null) return { cursor: null, done: 0 };
  const options = {
    batch: input.batch,
    withinMs: millisecondsOf(input.within),
    prune: 'ours',
    bestEffort: false,
  } as const;
  const result = await switchOne(setting, switchOf(cursor.name, input), options, cursor, batch, context);
  return { cursor: { ...result.cursor }, done: result.done, note: result.note };
}

/** The next dataset in order: one that was begun before a crash, or one that is ready. */
async function next(
  setting: VectorSetting,
  input: Input,
  last: SwitchCursor | null,
  context: StepContext,
): Promise<SwitchCursor | null> {
  const store = vectorStore(setting);
  const begun = new Set((await listSwitches(vectorNotes(setting), context)).map(({ name }) => name));
  for (const name of await store.names(input.datasets, context.signal)) {
    if (last !== null && name <= last.name) continue;
    const one = switchOf(name, input);
    if (begun.has(name) || (await isReady(store, one, context.signal))) {
      return { name, phase: 'before', progress: null };
    }
    const served = await store.state(name, context.signal);
    if (served?.rows && served.dimension === input.from.dimension && served.mark?.model !== input.to.model) {
      throw notReady(setting.system, one);
    }
  }
  return null;
}

async function verify(setting: VectorSetting, input: Input, context: StepContext): Promise<readonly Finding[]> {
  const store = vectorStore(setting);
  const wrong: string[] = [];
  for (const { name, to } of await listSwitches(vectorNotes(setting), context)) {
    const state = await store.state(name, context.signal);
    if (state === null || state.dimension !== to.dimension) wrong.push(name);
  }
  const frame = {
    check: 'datasets-switched',
    title: `Every dataset serves vectors of ${input.to.model}`,
    count: wrong.length,
  };
  if (wrong.length === 0) return [{ ...frame, status: 'passed', samples: [] }];
  return [
    { ...frame, status: 'failed', samples: wrong.slice(0, 5), advice: 'Somebody has put another dataset there.' },
  ];
}

function notReady(system: string, { name, incoming, to }: Switch): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: ${name} has no vectors of ${to.model} beside it: ${incoming} is missing or was made for something else.`,
    advice: 'It serves as before. Embed it (deeplake.re-embed), then retry.',
  });
}
