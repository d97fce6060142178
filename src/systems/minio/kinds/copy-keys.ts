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
import { windows } from '../backup/backup.ts';
import { runBatch } from '../batch.ts';
import type { Intent } from '../change.ts';
import type { KindSetting } from '../journal-store.ts';
import {
  asParameters,
  byKeysSchema,
  byRecordsSchema,
  type Move,
  type Moves,
  narrowMoves,
  readMoves,
  type Unmovable,
  unmovable,
} from '../moves.ts';
import { isVersioned } from '../objects.ts';
import { createSeen, isMove, type Looked, lookAt, planCopies } from '../plan-copies.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const missing = z
  .enum(['fail', 'skip'])
  .default('fail')
  .describe('What a record whose object is not there means: fail refuses the plan, skip only says how many.');

const inputSchema = z.union([byRecordsSchema.extend({ missing }), byKeysSchema.safeExtend({ missing })]);
type Input = z.infer<typeof inputSchema>;

const bytesAnObject = 900;
const lookAtOnce = 256;
/** Objects of one batch, at most: each takes a few requests. */
const mostInBatch = 2_000;

/** Copies objects to other keys of the bucket, each pinned to the version that it has now. Nothing is overwritten. */
export function copyKeysKind(setting: KindSetting): StepKind {
  const { bucket } = setting.s3;
  return defineStepKind<Input>({
    name: 'minio.copy-keys',
    effect: 'adds',
    input: inputSchema,
    describe: (input) =>
      'for' in input
        ? `copies the objects ${input.source} of ${input.for.collection} to ${input.target}`
        : `copies the objects ${input.prefix ?? ''}… that match ${input.match} to ${input.target}`,
    preview: (input, context) => preview(setting, input, context),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, () => planBatch(setting, input, batch, context));
      return { cursor, done };
    },
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    narrow: (input, canaryOf) => asParameters(narrowMoves(input, canaryOf, bucket)),
  });
}

/** What a walk over all moves has found, by what is wrong. */
interface Found {
  readonly [problem: string]: { count: number; samples: string[] };
}

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { s3 } = setting;
  const versioned = await isVersioned(s3);
  const found = emptyFound();
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const seen = createSeen();
  const deadline = context.countForMs === undefined ? null : performance.now() + context.countForMs;
  let [count, bytes, exact] = [0, 0, true];
  for await (const { unmovables, looked } of walk(setting, input, '', context)) {
    for (const { key, problem } of unmovables) note(found, problem, key);
    for (const look of looked) {
      if (look.state !== 'open') note(found, look.state, look.move.key);
      // Copied by an earlier record of the same object; two objects for one target are seen by the source.
      else if (seen(JSON.stringify([look.move.source, look.move.target]))) continue;
      else if (seen(look.move.target)) note(found, 'shared', look.move.key);
      else {
        count += 1;
        bytes += look.source.size + bytesAnObject;
        keys.update(`${look.move.target}\n`);
        if (samples.length < 5) samples.push(sampleOf(s3.bucket, look.move));
      }
    }
    if (deadline === null || performance.now() < deadline) continue;
    exact = false;
    break;
  }
  return {
    count,
    exact,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ bucket: s3.bucket, versioned }),
    samples,
    undoClass: versioned ? 'reversible' : 'one-way',
    locks: [],
    bytes,
    findings: findingsOf(found, input),
  };
}

async function planBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<Intent> {
  const size = Math.min(batch.size, mostInBatch);
  const moves: Move[] = [];
  let looked = 0;
  let cursor: string | null = null;
  const after = typeof batch.cursor === 'string' ? batch.cursor : '';
  for await (const move of readMoves(setting.s3, input, after, context)) {
    if (!isMove(move)) throw unmovable(setting.system, move);
    moves.push(move);
    looked += 1;
    if (looked < size) continue;
    cursor = move.key;
    break;
  }
  const copies = planCopies(setting, await lookAt(setting.s3, moves));
  return { version: 1, ...copies, cursor };
}

/** Every object that a record names has its copy now, made from the version that is still the latest. */
async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const found = emptyFound();
  for await (const { unmovables, looked } of walk(setting, input, '', context)) {
    for (const { key, problem } of unmovables) note(found, problem, key);
    for (const { state, move } of looked) if (state !== 'there') note(found, state, move.key);
  }
  const { open, taken, ...rest } = found;
  const title = `Every object has its copy in ${setting.s3.bucket}`;
  const count = (open?.count ?? 0) + (taken?.count ?? 0);
  const samples = [...(open?.samples ?? []), ...(taken?.samples ?? [])].slice(0, 5);
  const advice = 'Somebody wrote these objects meanwhile. Undo this run and ask again.';
  const equal: Finding = { check: 'copies-equal', title, status: count === 0 ? 'passed' : 'failed', count, samples };
  return [count === 0 ? equal : { ...equal, advice }, ...findingsOf(rest, input)];
}

/** Looks at all moves, a window at a time. */
async function* walk(
  setting: KindSetting,
  input: Moves,
  after: string,
  context: StepContext,
): AsyncIterable<{ unmovables: Unmovable[]; looked: Looked[] }> {
  for await (const window of windows(readMoves(setting.s3, input, after, context), lookAtOnce)) {
    context.signal.throwIfAborted();
    const looked = await lookAt(setting.s3, window.filter(isMove));
    yield { unmovables: window.filter((move): move is Unmovable => !isMove(move)), looked };
  }
}

function sampleOf(bucket: string, { key, source, target }: Move): Sample {
  return { collection: bucket, key, before: { key: source }, after: { key: target } };
}

const emptyFound = (): Found => ({});

function note(found: { [problem: string]: { count: number; samples: string[] } }, problem: string, key: string): void {
  const one = found[problem] ?? { count: 0, samples: [] };
  found[problem] = one;
  one.count += 1;
  if (one.samples.length < 5) one.samples.push(key);
}

const problems: Readonly<Record<string, readonly [check: string, title: string, advice: string]>> = {
  incomplete: [
    'keys-complete',
    'Records lack a field that their object’s key is made of',
    'Fill the field first, or leave them out by `where`.',
  ],
  unsafe: [
    'keys-safe',
    'Records would make a key that leads out of its folder, holds control characters or is too long',
    'Correct these records; nobody can name them as keys.',
  ],
  taken: [
    'targets-free',
    'The target holds another object already',
    'Nothing is overwritten: see whose it is, move it away or leave these records out.',
  ],
  shared: [
    'targets-distinct',
    'Two objects would get one key',
    'Put what tells the records apart into the target, such as their id.',
  ],
};

/** Failed findings for what stops the step; a missing object may be allowed. */
function findingsOf(found: Found, { missing: policy }: Input): Finding[] {
  const findings = Object.entries(problems).flatMap(([problem, [check, title, advice]]): Finding[] => {
    const one = found[problem];
    return one ? [{ check, title, status: 'failed', ...one, advice }] : [];
  });
  if (!found.missing) return findings;
  const status = policy === 'fail' ? 'failed' : 'warning';
  const title = 'Records name an object that is not there';
  const advice = 'Nothing can be copied for these. Find the objects in a backup, or decide that they are gone.';
  return [...findings, { check: 'sources-there', title, status, ...found.missing, advice }];
}
