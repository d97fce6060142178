import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Fence } from '../system.ts';
import type { Intent, Outcome } from './change.ts';
import type { S3 } from './s3.ts';
import { decodeUrl, elementsOf, textOf } from './xml.ts';

/** What kinds need of their system. */
export interface KindSetting {
  readonly system: string;
  readonly s3: S3;
  readonly seal: Seal;
  readonly journal: JournalStore;
}

export interface BatchKey {
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
}

/** The journal's bucket: fences, and two objects a batch, sealed. The first writer of an object wins. */
export interface JournalStore {
  readIntent(key: BatchKey): Promise<Intent | null>;
  /** Answers the one that stands: this one, or another process's that was first. */
  writeIntent(key: BatchKey, intent: Intent): Promise<Intent>;
  readOutcome(key: BatchKey): Promise<Outcome | null>;
  writeOutcome(key: BatchKey, outcome: Outcome): Promise<Outcome>;
  countBatches(runId: string, stepId: string): Promise<number>;
  /** Steps of a run that wrote something. */
  listSteps(runId: string): Promise<string[]>;
  /** Writes the token; throws `fenced` where a greater one stands. */
  checkFence(fence: Fence): Promise<void>;
  /** Makes the journal's bucket where it is missing. */
  makeBucket(): Promise<void>;
  /** Writes at least this token. */
  raiseFence(fence: Fence): Promise<void>;
}

const fenceSchema = z.strictObject({ token: z.number().int() });
const missing = ['NoSuchKey', 'NotFound', 'NoSuchBucket'];
const lost = ['PreconditionFailed'];

/** Beside the bucket: what the bot writes for itself. */
export function journalBucket(bucket: string): string {
  return `${bucket}-tas-journal`;
}

export function createJournalStore(s3: S3, seal: Seal): JournalStore {
  const bucket = journalBucket(s3.bucket);
  let made: Promise<void> | null = null;

  const makeBucket = (): Promise<void> => {
    made ??= s3
      .request({ method: 'PUT', bucket, allow: ['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'] })
      .then(() => undefined)
      .catch((error: unknown) => {
        made = null;
        throw error;
      });
    return made;
  };

  const readSealed = async <T>(name: string): Promise<T | null> => {
    const sealed = await s3.read({ method: 'GET', bucket, key: name, allow: missing });
    return sealed && (JSON.parse((await seal.open(sealed, name)).toString()) as T);
  };

  const writeSealed = async <T>(name: string, value: T): Promise<T> => {
    await makeBucket();
    const body = await seal.seal(Buffer.from(JSON.stringify(value)), name);
    const headers = { 'if-none-match': '*' };
    if (await s3.request({ method: 'PUT', bucket, key: name, headers, body, allow: lost })) return value;
    const first = await readSealed<T>(name);
    if (!first) throw new Error(`${name} is there and is not`);
    return first;
  };

  return {
    readIntent: (key) => readSealed(`${nameOf(key)}/intent`),
    writeIntent: (key, intent) => writeSealed(`${nameOf(key)}/intent`, intent),
    readOutcome: (key) => readSealed(`${nameOf(key)}/done`),
    writeOutcome: (key, outcome) => writeSealed(`${nameOf(key)}/done`, outcome),
    async countBatches(runId, stepId) {
      const names = await listNames(s3, bucket, `${stepName({ runId, stepId })}/`, '');
      return names.filter((name) => name.endsWith('/intent')).length;
    },
    async listSteps(runId) {
      const prefix = `batches/${encodeURIComponent(runId)}/`;
      const names = await listNames(s3, bucket, prefix, '/');
      return names.map((name) => decodeURIComponent(name.slice(prefix.length, -1)));
    },
    makeBucket,
    checkFence: (fence) => moveFence(s3, bucket, makeBucket, fence, true),
    raiseFence: (fence) => moveFence(s3, bucket, makeBucket, fence, false),
  };
}

function stepName(key: Pick<BatchKey, 'runId' | 'stepId'>): string {
  return `batches/${encodeURIComponent(key.runId)}/${encodeURIComponent(key.stepId)}`;
}

function nameOf(key: BatchKey): string {
  return `${stepName(key)}/${String(key.index).padStart(9, '0')}`;
}

/** Names of objects, or of folders where there is a delimiter, in order. */
async function listNames(s3: S3, bucket: string, prefix: string, delimiter: string): Promise<string[]> {
  const names: string[] = [];
  for (let token = ''; ; ) {
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      prefix,
      ...(delimiter ? { delimiter } : {}),
      ...(token ? { 'continuation-token': token } : {}),
    };
    const answer = await s3.request({ method: 'GET', bucket, query, allow: missing });
    if (!answer) return names;
    const items = elementsOf(answer.body, delimiter ? 'CommonPrefixes' : 'Contents');
    names.push(...items.map((item) => decodeUrl(textOf(item, delimiter ? 'Prefix' : 'Key') ?? '')));
    token = textOf(answer.body, 'NextContinuationToken') ?? '';
    if (!token) return names;
  }
}

/** Reads, compares and writes, each time on what it has just read: a later writer in between makes it read again. */
async function moveFence(
  s3: S3,
  bucket: string,
  makeBucket: () => Promise<void>,
  fence: Fence,
  refuse: boolean,
): Promise<void> {
  const key = `fence/${encodeURIComponent(fence.environment)}`;
  for (;;) {
    const seen = await s3.request({ method: 'GET', bucket, key, allow: missing });
    const { token } = seen ? fenceSchema.parse(JSON.parse(seen.body)) : { token: -1 };
    if (token > fence.token && refuse) throw fenced(s3.place.system, fence);
    if (token >= fence.token) return;
    if (!seen) await makeBucket();
    const condition = seen ? { 'if-match': String(seen.headers.etag) } : { 'if-none-match': '*' };
    const body = JSON.stringify({ token: fence.token });
    if (await s3.request({ method: 'PUT', bucket, key, headers: condition, body, allow: lost })) return;
  }
}

function fenced(system: string, fence: Fence): Failure {
  return new Failure({
    code: 'fenced',
    message: `${system}: another process holds the environment ${fence.environment} by now; this one may change nothing any more.`,
    advice: 'The process that holds the environment goes on with the run.',
  });
}
