import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
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
import type { Intent, TagChange } from '../change.ts';
import type { KindSetting } from '../journal-store.ts';
import { asParameters } from '../moves.ts';
import { isVersioned, listLatest, type ObjectEntry } from '../objects.ts';
import { fill, isRegex, parseSelection, select } from '../selection.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const tagName = z.string().regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u, 'no name of a tag');
const tagValue = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const mostTags = 10;
/** Objects that one batch looks at, at least; more where it may change more. */
const leastLook = 5_000;
const bytesAnObject = 400;

const inputSchema = z.strictObject({
  prefix: z.string().optional().describe('Only objects whose key begins with this.'),
  match: z
    .string()
    .refine(isRegex, 'is no regular expression')
    .optional()
    .describe('A regular expression over the key; its groups fill $1 to $9 of the values.'),
  only: z.string().optional().describe("Narrows further: JSON as in a scan's where."),
  set: z
    .record(tagName, z.string().nullable())
    .refine((set) => Object.keys(set).length > 0, 'names no tag')
    .describe('Tag → value; null removes the tag.'),
});
type Input = z.infer<typeof inputSchema>;

/** Sets tags of objects chosen by key. Contents, metadata and other tags stay as they are. */
export function setTagsKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'minio.set-tags',
    effect: 'changes',
    input: inputSchema,
    describe: ({ set, prefix = '', match }) =>
      `sets the tags ${Object.keys(set).join(', ')} of the objects ${prefix}…${match ? ` that match ${match}` : ''}`,
    writes: ({ set }) => Object.keys(set).map((tag) => ({ collection: setting.s3.bucket, field: `tag.${tag}` })),
    preview: (input, context) => preview(setting, input, context),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, () => planBatch(setting, input, batch, context));
      return { cursor, done };
    },
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    undoForces: true,
    narrow(input, canaryOf) {
      const only = canaryOf(null, setting.s3.bucket);
      return only === null ? asParameters(input) : asParameters({ ...input, only });
    },
  });
}

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { s3 } = setting;
  const versioned = await isVersioned(s3);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const refused: string[] = [];
  let unfit = 0;
  let count = 0;
  for await (const { entry, change } of changesOf(setting, input, '', context.signal)) {
    count += 1;
    keys.update(`${entry.key}\n`);
    const { before, after } = change;
    if (samples.length < 5) samples.push({ collection: s3.bucket, key: entry.key, before, after });
    if (fits(entry, change)) continue;
    unfit += 1;
    if (refused.length < 5) refused.push(entry.key);
  }
  return {
    count,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ bucket: s3.bucket, versioned }),
    samples,
    undoClass: versioned ? 'reversible' : 'one-way',
    locks: [],
    bytes: count * bytesAnObject,
    findings: unfit === 0 ? [] : [tagsDoNotFit(unfit, refused)],
  };
}

async function planBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<Intent> {
  const changes: TagChange[] = [];
  const look = Math.max(leastLook, batch.size);
  const after = typeof batch.cursor === 'string' ? batch.cursor : '';
  let looked = 0;
  let cursor: string | null = null;
  for await (const entry of objectsOf(setting, input, after, context.signal)) {
    const change = changeOf(input, entry);
    if (change && !fits(entry, change)) throw unfitObject(setting.system, entry.key);
    if (change) changes.push(change);
    looked += 1;
    if (changes.length < batch.size && looked < look) continue;
    cursor = entry.key;
    break;
  }
  return { version: 1, changes, conflicts: [], cursor, missing: 0 };
}

async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const samples: string[] = [];
  let count = 0;
  for await (const { entry } of changesOf(setting, input, '', context.signal)) {
    count += 1;
    if (samples.length < 5) samples.push(entry.key);
  }
  const title = `The objects of ${setting.s3.bucket} carry the tags`;
  return [{ check: 'tags-set', title, status: count === 0 ? 'passed' : 'failed', count, samples }];
}

async function* objectsOf(
  { s3 }: KindSetting,
  input: Input,
  after: string,
  signal: AbortSignal,
): AsyncIterable<ObjectEntry> {
  const only = input.only === undefined ? null : parseSelection(input.only);
  for await (const entry of listLatest(s3, {
    prefix: input.prefix ?? '',
    signal,
    ...(after === '' ? {} : { after }),
  })) {
    if (!only || select(only, entry)) yield entry;
  }
}

async function* changesOf(setting: KindSetting, input: Input, after: string, signal: AbortSignal) {
  for await (const entry of objectsOf(setting, input, after, signal)) {
    const change = changeOf(input, entry);
    if (change) yield { entry, change };
  }
}

/** Null where the object is not meant or has these tags already. */
function changeOf(input: Input, entry: ObjectEntry): TagChange | null {
  const caught = select({ match: input.match }, entry);
  if (!caught) return null;
  const wanted = Object.entries(input.set).map(([tag, value]) => [tag, value && fill(value, caught)] as const);
  const open = wanted.filter(([tag, value]) => (entry.tags[tag] ?? null) !== value);
  if (open.length === 0) return null;
  return {
    key: entry.key,
    versionId: entry.versionId,
    etag: entry.etag,
    before: Object.fromEntries(open.map(([tag]) => [tag, entry.tags[tag] ?? null])),
    after: Object.fromEntries(open),
  };
}

function fits(entry: ObjectEntry, { after }: TagChange): boolean {
  const all = Object.entries({ ...entry.tags, ...after }).filter(([, value]) => value !== null);
  return all.length <= mostTags && Object.values(after).every((value) => value === null || tagValue.test(value));
}

function tagsDoNotFit(count: number, samples: string[]): Finding {
  return {
    check: 'tags-fit',
    title: `Objects take at most ${mostTags} tags, with values of at most 256 letters, digits, spaces and + - = . _ : / @`,
    status: 'failed',
    count,
    samples,
    advice: 'Correct the values of the step, or remove tags from these objects.',
  };
}

function unfitObject(system: string, key: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: the object ${key} cannot take these tags.`,
    advice: 'This batch was not begun, earlier ones stand. Correct the step, or undo the run.',
  });
}
