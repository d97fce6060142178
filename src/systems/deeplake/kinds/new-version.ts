import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { runBatch } from '../batch.ts';
import { type Change, type CopyRowsChange, type Intent, imagesOf, mapSchema } from '../change.ts';
import { describeDataset, failed, globSchema, type KindSetting, listDatasets, messageOf } from '../setting.ts';
import { planPage, previewUndo, stateOf, undoBatch } from '../undo.ts';
import { noDatasets } from './add-field.ts';

const inputSchema = z.strictObject({
  datasets: globSchema,
  suffix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,60}$/)
    .describe('The new version of tenants/t/default is made as tenants/t/default<suffix>.'),
  dimension: z
    .number()
    .int()
    .optional()
    .describe('The dimension that the datasets must have; another one takes new embeddings (deeplake.re-embed).'),
  fields: mapSchema.default({ rename: {}, drop: [], add: [] }).describe('How old vectors become new ones.'),
});
type Input = z.infer<typeof inputSchema>;

/** Of a dataset: so many vectors at most in a batch, and so many that are compared in full afterwards. */
const mostInBatch = 20_000;
const sampled = 200;

/** Makes a new version of datasets beside the old ones, which go on serving; readers are switched by `swap-datasets`. */
export function newVersionKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'deeplake.new-version',
    effect: 'adds',
    input: inputSchema,
    describe: ({ datasets, suffix }) =>
      `makes a new version of ${datasets} beside it, with names that end in ${suffix}`,
    preview: (input, context) => preview(setting, input, context),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, () => planBatch(setting, input, batch, context));
      return { cursor, done };
    },
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
  });
}

/** Names that the pattern means; versions that were made from them are none. */
async function sourcesOf(
  { worker }: KindSetting,
  { datasets, suffix }: Input,
  { signal }: StepContext,
): Promise<string[]> {
  return (await listDatasets(worker, datasets, signal)).filter((name) => !name.endsWith(suffix));
}

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { worker } = setting;
  const sources = await sourcesOf(setting, input, context);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const problems: Record<'taken' | 'dimension' | 'fields', string[]> = { taken: [], dimension: [], fields: [] };
  const columns: string[][] = [];
  let [count, bytes] = [0, 0];
  for (const source of sources) {
    const described = await describeDataset(worker, source, context.signal);
    const fields = new Set(described.columns.map(({ name }) => name));
    const { rename, drop, add } = input.fields;
    columns.push(described.columns.map((column) => `${column.name} ${column.type}`).sort());
    if ([...Object.keys(rename), ...drop].some((field) => !fields.has(field))) problems.fields.push(source);
    else if (
      [...Object.values(rename), ...add.map(({ field }) => field)].some(
        (field) => fields.has(field) && !drop.includes(field) && !(field in rename),
      )
    )
      problems.fields.push(source);
    if (input.dimension !== undefined && described.dimension !== input.dimension) problems.dimension.push(source);
    if ((await stateOf(worker, `${source}${input.suffix}`)) !== null) problems.taken.push(`${source}${input.suffix}`);
    const { total } = await planPage(worker, source, null, 1);
    count += total;
    bytes += described.bytes;
    keys.update(`${source}\n`);
    const change = pageOf(input, source, '', { after: null, upTo: null, count: total });
    if (samples.length < 5) samples.push({ collection: source, key: source, ...imagesOf(change) });
  }
  return {
    count,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ sources, columns }),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes,
    findings: [...(sources.length === 0 ? [noDatasets(input.datasets)] : []), ...findingsOf(problems, input)],
  };
}

function findingsOf(problems: Record<'taken' | 'dimension' | 'fields', string[]>, { dimension }: Input): Finding[] {
  const findings = [
    failed(
      'name-free',
      'There is a dataset under the new name',
      problems.taken,
      'Choose another suffix, or undo the run that made it.',
    ),
    failed(
      'dimension-fits',
      `The vectors do not have ${dimension} numbers`,
      problems.dimension,
      'Another dimension takes new embeddings: deeplake.re-embed.',
    ),
    failed('fields-fit', 'A field is missing, or would be there twice', problems.fields, 'Correct `fields`.'),
  ];
  return findings.filter(({ count }) => count !== 0);
}

type Bounds = Pick<CopyRowsChange, 'after' | 'upTo' | 'count'>;

function pageOf({ suffix, fields }: Input, source: string, message: string, bounds: Bounds): CopyRowsChange {
  return { did: 'copy-rows', key: `${source}${suffix}`, source, map: fields, message, ...bounds };
}

/** `["tenants/t/default", "id"]`: where the copy is; `catch-up` when all were copied. */
function cursorOf(cursor: BatchRequest['cursor']): { at: string; after: string | null } | 'catch-up' {
  if (cursor === 'catch-up') return cursor;
  if (typeof cursor !== 'string') return { at: '', after: null };
  const [at = '', after = null] = JSON.parse(cursor) as [string, string | null];
  return { at, after };
}

async function planBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<Intent> {
  const { worker } = setting;
  const message = messageOf(context, batch.index);
  const sources = await sourcesOf(setting, input, context);
  const from = cursorOf(batch.cursor);
  const intent = { version: 1, conflicts: [], missing: 0 } as const;
  if (from === 'catch-up') {
    const changes = sources.map(
      (source): Change => ({ did: 'catch-up', key: `${source}${input.suffix}`, source, message, count: 0 }),
    );
    return { ...intent, changes, cursor: null };
  }
  const changes: CopyRowsChange[] = [];
  let left = Math.min(batch.size, mostInBatch);
  for (const source of sources.filter((name) => name >= from.at)) {
    let after = source === from.at ? from.after : null;
    if (after === null && (await isComplete(setting, source, input))) continue;
    for (let more = true; more; ) {
      if (left <= 0) return { ...intent, changes, cursor: JSON.stringify([source, after]) };
      const planned = await planPage(worker, source, after, left);
      changes.push(pageOf(input, source, message, { after, upTo: planned.upTo, count: planned.count }));
      left -= planned.count;
      more = planned.more;
      after = planned.upTo;
    }
  }
  return { ...intent, changes, cursor: 'catch-up' };
}

/** Somebody made the same version before: there is nothing to do. */
async function isComplete(setting: KindSetting, source: string, { suffix }: Input): Promise<boolean> {
  const target = `${source}${suffix}`;
  if ((await stateOf(setting.worker, target)) === null) return false;
  const { missing, extra, different } = await compare(setting, source, target);
  return missing === 0 && extra === 0 && different.length === 0;
}

const comparedSchema = z.strictObject({
  counts: z.tuple([z.number(), z.number()]),
  dimensions: z.tuple([z.number().nullable(), z.number().nullable()]),
  missing: z.number(),
  extra: z.number(),
  sampled: z.number(),
  different: z.array(z.string()),
});

/** How a version differs from its source: ids of all vectors, values of a sample. */
export function compare(
  { worker }: KindSetting,
  source: string,
  target: string,
): Promise<z.infer<typeof comparedSchema>> {
  return worker.call('version-compare', { source, target, sample: sampled }, comparedSchema);
}

async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const wrong: string[] = [];
  for (const source of await sourcesOf(setting, input, context)) {
    context.signal.throwIfAborted();
    const found = await compare(setting, source, `${source}${input.suffix}`);
    const [old, fresh] = found.dimensions;
    if (found.missing > 0 || found.extra > 0)
      wrong.push(`${source}: ${found.counts[0]} vectors, new ${found.counts[1]}`);
    else if (old !== fresh) wrong.push(`${source}: dimension ${old}, new ${fresh}`);
    else if (found.different.length > 0) wrong.push(`${source}: values differ`);
  }
  const title = 'The new versions hold what the old ones hold: vectors, dimension, sampled values';
  if (wrong.length === 0) return [{ check: 'version-equal', title, status: 'passed', count: 0, samples: [] }];
  return [failed('version-equal', title, wrong, 'Somebody writes meanwhile: stop the writers, then retry.')];
}
