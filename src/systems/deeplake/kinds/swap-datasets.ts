import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type ReleaseContext,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { runBatch } from '../batch.ts';
import { type Intent, imagesOf, type ReleaseChange, type SwapChange } from '../change.ts';
import {
  describeDataset,
  failed,
  globSchema,
  type KindSetting,
  listDatasets,
  messageOf,
  numbersOf,
} from '../setting.ts';
import { previewUndo, stateOf, undoBatch } from '../undo.ts';
import { noDatasets } from './add-field.ts';
import { compare } from './new-version.ts';

const inputSchema = z.strictObject({
  datasets: globSchema,
  with: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,60}$/)
    .describe('The suffix of the new versions: tenants/t/default changes places with tenants/t/default<with>.'),
});
type Input = z.infer<typeof inputSchema>;

const locks = [
  'Nothing is missing at any moment: a reader that opens a dataset gets the old or the new one.',
  'Writers must be stopped meanwhile: DeepLake finds its files by name. Readers that had it open read on as it was.',
];

/** Puts new versions under the datasets' names in one step each; the old ones are kept aside until the hold ends. */
export function swapDatasetsKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'deeplake.swap-datasets',
    effect: 'changes',
    input: inputSchema,
    describe: (input) => `puts the new versions …${input.with} under the names ${input.datasets}`,
    preview: (input, context) => preview(setting, input, context),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, () => planBatch(setting, input, batch, context));
      return { cursor, done };
    },
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    previewRelease: (_input, context) => previewRelease(setting, context),
    releaseBatch: (_input, batch, context) => releaseBatch(setting, batch, context),
  });
}

/** Datasets of the pattern that have a new version beside them. */
async function pairsOf({ worker }: KindSetting, input: Input, { signal }: StepContext): Promise<Pairs> {
  const names = (await listDatasets(worker, input.datasets, signal)).filter((name) => !name.endsWith(input.with));
  const versions = new Set(await listDatasets(worker, `${input.datasets}${input.with}`, signal));
  return { names, ready: names.filter((name) => versions.has(`${name}${input.with}`)) };
}

interface Pairs {
  readonly names: readonly string[];
  readonly ready: readonly string[];
}

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { names, ready } = await pairsOf(setting, input, context);
  const samples: Sample[] = [];
  const unequal: string[] = [];
  const keys = createHash('sha256');
  const columns: string[][] = [];
  for (const name of ready) {
    context.signal.throwIfAborted();
    const other = `${name}${input.with}`;
    const { missing, extra, counts } = await compare(setting, name, other);
    if (missing > 0 || extra > 0) unequal.push(`${name}: ${counts[0]} vectors, new ${counts[1]}`);
    const described = await describeDataset(setting.worker, other, context.signal);
    columns.push(described.columns.map((column) => `${column.name} ${column.type}`).sort());
    keys.update(`${name}\n`);
    if (samples.length < 5)
      samples.push({ collection: name, key: name, before: { dataset: name }, after: { dataset: other } });
  }
  const without = names.filter((name) => !ready.includes(name));
  return {
    count: ready.length,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ names: [...names], columns }),
    samples,
    undoClass: 'reversible-until',
    locks,
    bytes: ready.length * 1_000,
    findings: findingsOf(setting, input, { names, without, unequal }),
  };
}

function findingsOf(
  { folders }: KindSetting,
  input: Input,
  found: { names: readonly string[]; without: readonly string[]; unequal: readonly string[] },
): Finding[] {
  const findings: Finding[] = [];
  if (!folders) findings.push(noRename(input.datasets));
  if (found.names.length === 0) findings.push(noDatasets(input.datasets));
  if (found.without.length > 0) {
    findings.push(
      failed(
        'versions-there',
        `There is no new version …${input.with}`,
        found.without,
        'Make it with deeplake.new-version.',
      ),
    );
  }
  if (found.unequal.length > 0) {
    const title =
      'New versions do not hold the same vectors yet; what was made by deeplake.new-version is brought up to date';
    findings.push({
      check: 'versions-equal',
      title,
      status: 'warning',
      count: found.unequal.length,
      samples: found.unequal.slice(0, 5),
    });
  }
  return findings;
}

/** Objects would be replaced one by one, so that readers would meet a mixture of two datasets. */
function noRename(glob: string): Finding {
  return failed(
    'names-exchangeable',
    'In a bucket no two datasets can change names at one moment: S3 has no rename',
    [glob],
    'Point the service to the new name by its configuration or a feature flag, in place of this step.',
  );
}

async function planBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<Intent> {
  const { worker } = setting;
  const after = typeof batch.cursor === 'string' ? batch.cursor : '';
  const open = (await pairsOf(setting, input, context)).ready.filter((name) => name > after);
  const part = open.slice(0, Math.max(1, batch.size));
  const changes: SwapChange[] = [];
  for (const key of part) {
    const other = `${key}${input.with}`;
    const numbers = await numbersOf(worker, [key, other]);
    const [old, fresh] = numbers;
    const state = await stateOf(worker, other);
    if (!old || !fresh || state === null) throw gone(setting, key);
    const message = messageOf(context, batch.index);
    const since = await catchUp(setting, key, other, message, state.version);
    changes.push({
      did: 'swap',
      key,
      other,
      final: asideOf(context, key),
      old,
      new: fresh,
      since,
      message,
      count: 1,
      carrySince: null,
      catchUp: false,
    });
  }
  const cursor = part.length < open.length ? (part.at(-1) ?? null) : null;
  return { version: 1, changes, conflicts: [], missing: 0, cursor };
}

/** What was written to the old one since is in the new one before it takes its place; answers the new one's version. */
async function catchUp(
  setting: KindSetting,
  key: string,
  other: string,
  message: string,
  version: string,
): Promise<string> {
  const caught = z.strictObject({ brought: z.number(), removed: z.number() });
  const { brought, removed } = await setting.worker.call(
    'version-catch-up',
    { source: key, target: other, message },
    caught,
  );
  const { missing } = await compare(setting, key, other);
  if (missing > 0) {
    throw new Failure({
      code: 'precondition-failed',
      message: `${setting.system}: ${missing} vectors of ${key} are not in ${other}.`,
      advice: 'It was not swapped. Stop the writers and carry the rest over first; then retry.',
      retryable: true,
    });
  }
  return brought + removed === 0 ? version : ((await stateOf(setting.worker, other))?.version ?? version);
}

function gone({ system }: KindSetting, key: string): Failure {
  return new Failure({
    code: 'conflict',
    message: `${system}: ${key} or its new version has gone meanwhile.`,
    advice: 'Nothing was swapped for it. See who removed it; then undo, or ask again.',
  });
}

/** Out of the services' sight, one name a step and dataset. */
function asideOf({ runId, stepId }: StepContext, key: string): string {
  const step = createHash('sha256').update(`${runId}/${stepId}`).digest('hex').slice(0, 24);
  return `.tas/aside/${step}/${key.replaceAll('/', '+')}`;
}

async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const { ready } = await pairsOf(setting, input, context);
  const title = 'The new versions are under the names';
  if (ready.length === 0) return [{ check: 'swapped', title, status: 'passed', count: 0, samples: [] }];
  return [failed('swapped', title, ready, 'Retry: datasets that were swapped stay as they are.')];
}

/** What giving up the old versions would delete. */
async function previewRelease(setting: KindSetting, context: ReleaseContext): Promise<StepPreview> {
  const changes: ReleaseChange[] = [];
  const total = await setting.journal.countBatches(context.releases.runId, context.releases.stepId);
  for (let index = 0; index < total; index += 1) changes.push(...(await planRelease(setting, context, index)));
  const samples = changes
    .slice(0, 5)
    .map((change) => ({ collection: change.key, key: change.key, ...imagesOf(change) }));
  return {
    count: changes.length,
    exact: true,
    keysHash: createHash('sha256')
      .update(changes.map(({ aside, old }) => `${aside} ${old}\n`).join(''))
      .digest('hex'),
    schemaHash: digestOf(context.releases.stepId),
    samples,
    undoClass: 'one-way',
    effect: 'destroys',
    locks: [],
    bytes: changes.length * 1_000,
    findings: [],
  };
}

/** Batch i gives up what batch i of the step kept aside, if it still lies there. */
async function releaseBatch(setting: KindSetting, batch: BatchRequest, context: ReleaseContext): Promise<BatchResult> {
  const total = await setting.journal.countBatches(context.releases.runId, context.releases.stepId);
  if (batch.index >= total) return { cursor: null, done: 0 };
  const { cursor, done } = await runBatch(setting, context, batch, async () => {
    const changes = await planRelease(setting, context, batch.index);
    return { version: 1, changes, conflicts: [], missing: 0, cursor: batch.index + 1 < total ? batch.index + 1 : null };
  });
  return { cursor, done };
}

async function planRelease(
  setting: KindSetting,
  { releases }: ReleaseContext,
  index: number,
): Promise<ReleaseChange[]> {
  const intent = await setting.journal.readIntent({ ...releases, index });
  const swaps = (intent?.changes ?? []).filter((change) => change.did === 'swap');
  const numbers = await numbersOf(
    setting.worker,
    swaps.map(({ final }) => final),
  );
  return swaps
    .filter(({ old }, i) => numbers[i] === old)
    .map(({ key, final, old }) => ({ did: 'release', key, aside: final, old, count: 1 }));
}
