import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOf, corrupt, verifyFiles } from '../../../shared/checksum.ts';
import { canonicalJson } from '../../../shared/json.ts';
import type { BackupContext, BackupPart, DataModelVersion, Fingerprint } from '../../system.ts';
import { dataModelSchema, writeDataModel } from '../data-model.ts';
import { sumFingerprint } from '../fingerprint.ts';
import type { JournalStore } from '../journal-store.ts';
import { listLatest, type ObjectEntry, writeTags } from '../objects.ts';
import type { S3 } from '../s3.ts';
import { windows } from './backup.ts';
import { blobPath } from './blob-store.ts';
import { backupFormat, compareKeys, dataModelName, type IndexEntry, readIndex } from './index-file.ts';
import { uploadObject } from './upload.ts';

const atOnce = 8;

/** An object of the set, of the bucket, or of both. */
interface Pair {
  readonly wanted: IndexEntry | null;
  readonly present: ObjectEntry | null;
}

/**
 * Makes the bucket hold what the set holds: puts what differs, hides what the set has not behind a delete marker.
 * Versions stay, so nothing is lost. All of the set is checked before anything is written.
 */
export async function restore(
  s3: S3,
  journal: Pick<JournalStore, 'makeBucket'>,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  const { system } = s3.place;
  const total = (await verifyPart(s3, part, folder, context)).objects;
  const dataModel = await readSavedModel(part, folder, system);
  await makeBucket(s3);
  let done = 0;
  const pairs = merge(readIndex(folder, system), listLatest(s3, { signal: context.signal }));
  for await (const window of windows(pairs, atOnce)) {
    context.signal.throwIfAborted();
    await Promise.all(window.map((pair) => restoreObject(s3, context.objectsFolder, pair)));
    done += window.filter((pair) => pair.wanted).length;
    context.progress(done, total, 'objects');
  }
  if (dataModel !== undefined) await writeDataModel(s3, journal, dataModel);
  return fingerprint(s3, context.signal);
}

/** Undefined = the set does not say: then it stays as it is. */
async function readSavedModel(
  part: BackupPart,
  folder: string,
  system: string,
): Promise<DataModelVersion | null | undefined> {
  if (!part.files.some(({ path }) => path === dataModelName)) return undefined;
  try {
    return dataModelSchema.parse(JSON.parse(await readFile(join(folder, dataModelName), 'utf8')));
  } catch (error) {
    throw corrupt(system, `${dataModelName} cannot be read`, error);
  }
}

export async function fingerprint(s3: S3, signal?: AbortSignal): Promise<Fingerprint> {
  const sum = sumFingerprint(s3.bucket);
  for await (const entry of listLatest(s3, signal ? { signal } : {})) sum.add(entry);
  return sum.end();
}

/** Reads all that the part names; throws `corrupt-backup`. Answers what it holds. */
export async function verifyPart(
  s3: S3,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<{ objects: number; bytes: number; fingerprint: Fingerprint }> {
  const { system } = s3.place;
  if (part.format !== backupFormat) throw corrupt(system, `its form is ${part.format}, known is ${backupFormat}`);
  await verifyFiles(folder, part.files, system);
  const sum = sumFingerprint(s3.bucket);
  let [objects, bytes] = [0, 0];
  for await (const window of windows(readIndex(folder, system), 2)) {
    context.signal.throwIfAborted();
    await Promise.all(window.map((entry) => verifyBlob(system, context.objectsFolder, entry)));
    for (const entry of window) {
      sum.add(entry);
      bytes += entry.size;
    }
    objects += window.length;
  }
  return { objects, bytes, fingerprint: sum.end() };
}

async function verifyBlob(system: string, objectsFolder: string, entry: IndexEntry): Promise<void> {
  const found = await checksumOf(blobPath(objectsFolder, entry.sha256)).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw corrupt(system, `the content ${entry.sha256.slice(0, 12)}… is missing`, cause);
  });
  if (found.sha256 === entry.sha256 && found.bytes === entry.size) return;
  throw corrupt(system, `the content ${entry.sha256.slice(0, 12)}… is not what was written`);
}

/** A bucket that is missing is made, with versions: the restore may be into an empty server. */
async function makeBucket(s3: S3): Promise<void> {
  if (await s3.request({ method: 'HEAD', allow: ['NotFound', 'NoSuchBucket'] })) return;
  await s3.request({ method: 'PUT', allow: ['BucketAlreadyOwnedByYou'] });
  const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
  await s3.request({ method: 'PUT', query: { versioning: '' }, body });
}

/** Walks both in the order of keys. */
async function* merge(wanted: AsyncIterable<IndexEntry>, present: AsyncIterable<ObjectEntry>): AsyncIterable<Pair> {
  const left = wanted[Symbol.asyncIterator]();
  const right = present[Symbol.asyncIterator]();
  let l = await left.next();
  let r = await right.next();
  while (!l.done || !r.done) {
    const order = l.done ? 1 : r.done ? -1 : compareKeys(l.value.key, r.value.key);
    yield {
      wanted: order <= 0 ? (l.value as IndexEntry) : null,
      present: order >= 0 ? (r.value as ObjectEntry) : null,
    };
    if (order <= 0) l = await left.next();
    if (order >= 0) r = await right.next();
  }
}

async function restoreObject(s3: S3, objectsFolder: string, { wanted, present }: Pair): Promise<void> {
  if (!wanted) {
    await s3.request({ method: 'DELETE', key: present?.key ?? '' });
    return;
  }
  const sameContent =
    present !== null &&
    present.etag === wanted.etag &&
    present.size === wanted.size &&
    canonicalJson(present.metadata) === canonicalJson(wanted.metadata);
  if (!sameContent) return uploadObject(s3, objectsFolder, wanted);
  if (canonicalJson(present.tags) === canonicalJson(wanted.tags)) return;
  await writeTags(s3, wanted.key, present.versionId, wanted.tags);
}
