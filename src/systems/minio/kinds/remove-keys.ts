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
import { windows } from '../backup/backup.ts';
import { runBatch } from '../batch.ts';
import { type HideChange, type Intent, imagesOf } from '../change.ts';
import type { KindSetting } from '../journal-store.ts';
import { asParameters, byRecordsSchema, narrowMoves, readMoves, unmovable } from '../moves.ts';
import { isVersioned } from '../objects.ts';
import { createSeen, isMove, lookAt } from '../plan-copies.ts';
import {
  findCopyStep,
  findReferred,
  judge,
  type Pair,
  type Reason,
  readPairs,
  referencesSchema,
} from '../plan-removals.ts';
import { previewRelease, releaseBatch } from '../release.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const references = referencesSchema.describe('Where an old key may still be named: then it stays.');

const byCopiesSchema = z.strictObject({
  copiedBy: z.string().min(1).describe('The id of the minio.copy-keys step of the same migration whose sources go.'),
  references,
  previewFrom: byRecordsSchema
    .optional()
    .describe('The parameters of that step: before it has run, the preview counts what it will copy.'),
});

const inputSchema = z.union([byCopiesSchema, byRecordsSchema.extend({ references })]);
type Input = z.infer<typeof inputSchema>;

const bytesAnObject = 900;
const lookAtOnce = 256;
const mostInBatch = 2_000;

/** Puts old keys behind delete markers: only where the copy holds the same content and no record names the key. */
export function removeKeysKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'minio.remove-keys',
    effect: 'destroys',
    input: inputSchema,
    describe: (input) =>
      `removes the old keys ${'copiedBy' in input ? `that ${input.copiedBy} has copied` : input.source}, once nothing names them`,
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
    narrow(input, canaryOf) {
      if (!('copiedBy' in input)) return asParameters(narrowMoves(input, canaryOf, setting.s3.bucket));
      const { previewFrom, ...rest } = input;
      if (!previewFrom) return asParameters(rest);
      return asParameters({ ...rest, previewFrom: narrowMoves(previewFrom, canaryOf, setting.s3.bucket) });
    },
  });
}

/** Pairs with the place where a batch that ends after them goes on. */
interface Placed {
  readonly pair: Pair;
  readonly next: string;
}

/** All pairs from a place on. Null = the copying step has done nothing yet. */
async function openPairs(
  setting: KindSetting,
  input: Input,
  from: string,
  context: StepContext,
): Promise<AsyncIterable<Placed> | null> {
  if (!('copiedBy' in input)) return pairsOfRecords(setting, input, from, context);
  const stepId = await findCopyStep(setting, input.copiedBy, context);
  return stepId === null ? null : pairsOfJournal(setting, stepId, from, context);
}

async function* pairsOfJournal(
  setting: KindSetting,
  stepId: string,
  from: string,
  context: StepContext,
): AsyncIterable<Placed> {
  const total = await setting.journal.countBatches(context.runId, stepId);
  const [first = 0, skip = 0] = from.split(':').map(Number);
  for (let index = first; index < total; index += 1) {
    const pairs = await readPairs(setting, context.runId, stepId, index);
    for (const [i, pair] of pairs.entries()) {
      if (index > first || i >= skip) yield { pair, next: `${index}:${i + 1}` };
    }
  }
}

async function* pairsOfRecords(
  setting: KindSetting,
  input: Extract<Input, { source: string }>,
  from: string,
  context: StepContext,
): AsyncIterable<Placed> {
  for await (const move of readMoves(setting.s3, input, from, context)) {
    if (!isMove(move)) throw unmovable(setting.system, move);
    const { source, target, key } = move;
    yield { pair: { source, target, sourceVersion: null, targetVersion: null, size: null }, next: key };
  }
}

type Reasons = { [reason in Reason]?: { count: number; samples: string[] } };

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { s3 } = setting;
  const versioned = await isVersioned(s3);
  const pairs = await openPairs(setting, input, '', context);
  const frame = {
    exact: true,
    schemaHash: digestOf({ bucket: s3.bucket, versioned }),
    undoClass: versioned ? 'reversible-until' : 'one-way',
    locks: [],
  } as const;
  const unfit = versioned ? [] : [versionsWanted(s3.bucket)];
  if (pairs === null) {
    const { finding, ...ahead } = await countAhead(setting, input, context);
    return { ...frame, ...ahead, findings: [...unfit, finding] };
  }
  const reasons: Reasons = {};
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const seen = createSeen();
  let count = 0;
  for await (const window of windows(pairs, lookAtOnce)) {
    context.signal.throwIfAborted();
    const fresh = window.map(({ pair }) => pair).filter(({ source }) => !seen(source));
    for (const { change, ...stays } of await judge(setting, input.references, fresh, context)) {
      if (change === null) {
        noteReason(reasons, stays as { reason: Reason; key: string });
        continue;
      }
      count += 1;
      keys.update(`${change.key}\n`);
      if (samples.length < 5) samples.push({ collection: s3.bucket, key: change.key, ...imagesOf(change) });
    }
  }
  const findings = [...unfit, ...findingsOf(reasons)];
  return { ...frame, count, keysHash: keys.digest('hex'), samples, bytes: count * bytesAnObject, findings };
}

/** Before anything is copied: what the copying step would copy. The step's own vote is on what is counted then. */
async function countAhead(setting: KindSetting, input: Input, context: StepContext) {
  const { s3 } = setting;
  const from = 'copiedBy' in input ? input.previewFrom : undefined;
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const seen = createSeen();
  let count = 0;
  const moves = from === undefined ? [] : [readMoves(s3, from, '', context)];
  for (const all of moves) {
    for await (const window of windows(all, lookAtOnce)) {
      context.signal.throwIfAborted();
      for (const { move, state } of await lookAt(s3, window.filter(isMove))) {
        if ((state !== 'open' && state !== 'there') || seen(move.source)) continue;
        count += 1;
        keys.update(`${move.source}\n`);
        if (samples.length < 5) {
          samples.push({ collection: s3.bucket, key: move.key, before: { key: move.source }, after: { key: null } });
        }
      }
    }
  }
  const finding: Finding = {
    check: 'old-keys-counted-ahead',
    title: 'Old keys are removed only where their copy is equal and nothing names them: looked at right before',
    status: 'skipped',
    count: null,
    samples: [],
    advice:
      from === undefined
        ? 'Nothing is copied yet, so nothing is counted here.'
        : 'Nothing is copied yet: counted is what will be copied.',
  };
  return { count, keysHash: keys.digest('hex'), samples, bytes: count * bytesAnObject, finding };
}

async function planBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<Intent> {
  if (!(await isVersioned(setting.s3))) throw refuseWithoutVersions(setting.system);
  const size = Math.min(batch.size, mostInBatch);
  const from = typeof batch.cursor === 'string' ? batch.cursor : '';
  const bySource = new Map<string, Pair>();
  let looked = 0;
  let cursor: string | null = null;
  for await (const { pair, next } of (await openPairs(setting, input, from, context)) ?? []) {
    if (!bySource.has(pair.source)) bySource.set(pair.source, pair);
    looked += 1;
    if (looked < size) continue;
    cursor = next;
    break;
  }
  const judged = await judge(setting, input.references, [...bySource.values()], context);
  const changes = judged.flatMap(({ change }): HideChange[] => (change === null ? [] : [change]));
  return { version: 1, changes, conflicts: [], missing: 0, cursor };
}

/** No record names a removed key: somebody may have written one while the step went on. */
async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const { journal, s3 } = setting;
  const total = await journal.countBatches(context.runId, context.stepId);
  const samples: string[] = [];
  let [count, lost] = [0, 0];
  for (let index = 0; index < total; index += 1) {
    context.signal.throwIfAborted();
    const key = { runId: context.runId, stepId: context.stepId, index };
    const left = new Set((await journal.readOutcome(key))?.lost);
    const keys = ((await journal.readIntent(key))?.changes ?? []).map((change) => change.key);
    lost += left.size;
    const hidden = keys.filter((one) => !left.has(one));
    const referred = await findReferred(input.references, hidden, context);
    count += referred.size;
    samples.push(...[...referred].slice(0, 5 - samples.length));
  }
  const title = `No record names an old key of ${s3.bucket}`;
  const advice = 'Undo this step, or correct the records.';
  const named: Finding = {
    check: 'old-keys-unnamed',
    title,
    status: count === 0 ? 'passed' : 'failed',
    count,
    samples,
  };
  const found = count === 0 ? named : { ...named, advice };
  return lost === 0 ? [found] : [found, ...findingsOf({ changed: { count: lost, samples: [] } })];
}

function noteReason(reasons: Reasons, { reason, key }: { reason: Reason; key: string }): void {
  const one = reasons[reason] ?? { count: 0, samples: [] };
  reasons[reason] = one;
  one.count += 1;
  if (one.samples.length < 5) one.samples.push(key);
}

const staying: { readonly [reason in Reason]: readonly [check: string, title: string] | null } = {
  gone: null,
  changed: ['old-keys-changed', 'Old keys that somebody wrote since they were copied: they stay'],
  'no-copy': ['copies-there', 'Old keys whose copy is gone or holds something else: they stay'],
  'referred-to': ['old-keys-named', 'Old keys that records still name: they stay'],
};

function findingsOf(reasons: Reasons): Finding[] {
  return Object.entries(reasons).flatMap(([reason, found]): Finding[] => {
    const words = staying[reason as Reason];
    if (!words) return [];
    const [check, title] = words;
    const advice = 'Look at them one by one; the step leaves them alone.';
    return [{ check, title, status: 'warning', ...found, advice }];
  });
}

function versionsWanted(bucket: string): Finding {
  return {
    check: 'bucket-versioned',
    title: `${bucket} keeps no versions: what is removed from it is gone`,
    status: 'failed',
    count: 1,
    samples: [],
    advice: 'Switch versioning on (minio.set-versioning) in a migration before this one.',
  };
}

function refuseWithoutVersions(system: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: the bucket keeps no versions any more, so nothing is removed from it.`,
    advice: 'Switch versioning on again, then retry. What was removed before lies behind its delete markers.',
  });
}
