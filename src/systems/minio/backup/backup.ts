import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOf } from '../../../shared/checksum.ts';
import { Failure } from '../../../shared/failure.ts';
import { writeNdjsonZst } from '../../../shared/ndjson.ts';
import type { BackupContext, BackupPart } from '../../system.ts';
import { readDataModel } from '../data-model.ts';
import { type FingerprintSum, sumFingerprint } from '../fingerprint.ts';
import { listLatest, type ObjectEntry } from '../objects.ts';
import type { S3 } from '../s3.ts';
import { hasBlob, storeBlob } from './blob-store.ts';
import { backupFormat, dataModelName, type IndexEntry, indexName } from './index-file.ts';
import { type KnownBlobs, openKnownBlobs } from './known-blobs.ts';

const atOnce = 8;
const gone = ['NoSuchKey', 'NoSuchVersion', 'NotFound', 'MethodNotAllowed'];
const excludes = [
  'older versions and delete markers (they stay in the bucket)',
  'the settings of the bucket: policy, lifecycle, notifications, object lock and holds',
  'users, keys and other buckets of the server',
  'the journal of runs: it tells of versions of this bucket, which a restore leaves in place',
];

interface Work {
  readonly s3: S3;
  readonly known: KnownBlobs;
  readonly context: BackupContext;
  readonly sum: FingerprintSum;
}

/** Mirrors the latest version of every object: contents that are on disk already are not downloaded again. */
export async function backup(s3: S3, identity: string, folder: string, context: BackupContext): Promise<BackupPart> {
  const known = await openKnownBlobs(context.objectsFolder, identity, s3.bucket);
  const sum = sumFingerprint(s3.bucket);
  try {
    await writeNdjsonZst(join(folder, indexName), entries({ s3, known, context, sum }));
    await known.finish();
  } catch (error) {
    await known.abandon();
    throw error;
  }
  await writeFile(join(folder, dataModelName), JSON.stringify(await readDataModel(s3)), { flag: 'wx', flush: true });
  const files = [];
  for (const path of [indexName, dataModelName]) files.push({ path, ...(await checksumOf(join(folder, path))) });
  return { format: backupFormat, files, fingerprint: sum.end(), excludes };
}

async function* entries(work: Work): AsyncIterable<IndexEntry> {
  let done = 0;
  for await (const window of windows(listLatest(work.s3, { signal: work.context.signal }), atOnce)) {
    work.context.signal.throwIfAborted();
    // The cache is walked in order; contents are fetched side by side.
    const found = [];
    for (const entry of window) found.push({ entry, known: await work.known.find(entry) });
    const saved = await Promise.all(found.map(({ entry, known }) => saveObject(work, entry, known)));
    for (const entry of saved) {
      if (!entry) continue;
      work.sum.add(entry);
      await work.known.add(entry);
      yield entry;
    }
    done += window.length;
    work.context.progress(done, null, 'objects');
  }
}

/** Null where the object was deleted for good since it was listed. */
async function saveObject(
  { s3, context }: Work,
  entry: ObjectEntry,
  known: Awaited<ReturnType<KnownBlobs['find']>>,
): Promise<IndexEntry | null> {
  const { key, versionId, etag, size, metadata, tags } = entry;
  const common = { key, versionId, etag, size, metadata, tags };
  if (known && (await hasBlob(context.objectsFolder, { sha256: known.sha256, bytes: size }))) {
    return { ...common, sha256: known.sha256, parts: known.parts };
  }
  const query = versionId === 'null' ? {} : { versionId };
  const content = await s3.open({ method: 'GET', key, query, allow: gone });
  if (!content) return null;
  const saved = await storeBlob(context.objectsFolder, content, context.signal);
  if (saved.bytes !== size || String(content.headers.etag).replaceAll('"', '') !== etag)
    throw changedMeanwhile(s3, key);
  return { ...common, sha256: saved.sha256, parts: await partSizes(s3, entry) };
}

/** How it was cut where it was uploaded in parts. Equal parts are the rule: then two questions do. */
export async function partSizes(
  s3: S3,
  { key, versionId, etag, size }: Pick<ObjectEntry, 'key' | 'versionId' | 'etag' | 'size'>,
): Promise<number[] | null> {
  const count = Number(/^[0-9a-f]{32}-(\d+)$/.exec(etag)?.[1] ?? 0);
  if (count === 0) return null;
  const sizeOf = async (part: number): Promise<number> => {
    const query = { partNumber: String(part), ...(versionId === 'null' ? {} : { versionId }) };
    const head = await s3.request({ method: 'HEAD', key, query });
    return Number(head?.headers['content-length']);
  };
  if (count === 1) return [size];
  const [first, last] = [await sizeOf(1), await sizeOf(count)];
  if (first * (count - 1) + last === size) return [...Array<number>(count - 1).fill(first), last];
  const parts: number[] = [];
  for (let part = 1; part <= count; part += 1) parts.push(await sizeOf(part));
  return parts;
}

function changedMeanwhile(s3: S3, key: string): Failure {
  return new Failure({
    code: 'conflict',
    message: `${s3.place.system}: ${key} was written while it was being copied.`,
    advice: 'Try again; in a bucket with versions this does not happen.',
    retryable: true,
  });
}

/** Groups of at most `size` items. */
export async function* windows<T>(items: AsyncIterable<T>, size: number): AsyncIterable<T[]> {
  let window: T[] = [];
  for await (const item of items) {
    window.push(item);
    if (window.length < size) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}
