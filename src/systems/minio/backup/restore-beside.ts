import { createHash } from 'node:crypto';
import { corrupt } from '../../../shared/checksum.ts';
import { Failure } from '../../../shared/failure.ts';
import type { BackupContext, BackupPart } from '../../system.ts';
import type { Scratch } from '../../trial.ts';
import { sumFingerprint } from '../fingerprint.ts';
import { inParallel, listLatest } from '../objects.ts';
import { checkDisk } from '../preflight.ts';
import { violations } from '../reading.ts';
import { connectS3, type S3, type S3Options } from '../s3.ts';
import { elementsOf, textOf } from '../xml.ts';
import { windows } from './backup.ts';
import { readIndex } from './index-file.ts';
import { verifyPart } from './restore.ts';
import { uploadObject } from './upload.ts';

/** The tag that says that a bucket is the bot's own and may go. */
const mark = 'tas-drill';
const atOnce = 8;
const missing = ['NotFound', 'NoSuchBucket'];

/**
 * Restores the part into a bucket of its own beside the live one, which is only read; it goes at the end, and one that a
 * killed call has left goes at the beginning.
 */
export async function restoreBeside<T>(
  options: S3Options,
  live: S3,
  part: BackupPart,
  folder: string,
  context: BackupContext,
  look: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const { bytes } = await verifyPart(live, part, folder, context);
  const disk = await checkDisk(live, bytes);
  if (disk.status === 'failed') throw noRoom(live, disk.title);
  const s3 = connectS3({ ...options, bucket: scratchName(live.bucket) });
  try {
    await clear(s3);
    await s3.request({ method: 'PUT' });
    try {
      await markOwn(s3);
      for await (const window of windows(readIndex(folder, live.place.system), atOnce)) {
        context.signal.throwIfAborted();
        await inParallel(window, atOnce, (entry) => uploadObject(s3, context.objectsFolder, entry));
      }
      const sum = sumFingerprint(live.bucket);
      for await (const entry of listLatest(s3, { signal: context.signal })) sum.add(entry);
      const fingerprint = sum.end();
      if (fingerprint.hash !== part.fingerprint.hash) {
        throw corrupt(live.place.system, 'what it restores to is not what was backed up');
      }
      return await look({ fingerprint, violations: (statement) => violations(s3, statement) });
    } finally {
      await remove(s3);
    }
  } finally {
    s3.close();
  }
}

/** One for each live bucket, so that what is left can be found. */
function scratchName(bucket: string): string {
  return `tas-drill-${createHash('sha256').update(bucket).digest('hex').slice(0, 16)}`;
}

async function markOwn(s3: S3): Promise<void> {
  const body = `<Tagging><TagSet><Tag><Key>${mark}</Key><Value>may be removed</Value></Tag></TagSet></Tagging>`;
  await s3.request({ method: 'PUT', query: { tagging: '' }, body });
}

/** Removes what an earlier call has left. One without the mark goes only while it is empty: a call may die before it marks. */
async function clear(s3: S3): Promise<void> {
  if (!(await s3.request({ method: 'HEAD', allow: missing }))) return;
  const tags = await s3.request({ method: 'GET', query: { tagging: '' }, allow: ['NoSuchTagSet'] });
  const own = elementsOf(tags?.body ?? '', 'Tag').some((tag) => textOf(tag, 'Key') === mark);
  if (own) return remove(s3);
  const first = await listLatest(s3)[Symbol.asyncIterator]().next();
  if (first.done) return remove(s3);
  throw new Failure({
    code: 'precondition-failed',
    message: `${s3.place.system}: there is a bucket ${s3.bucket} that is not the bot's.`,
    advice: 'Rename it: the bot restores into a bucket of that name to try backups. Nothing was changed.',
  });
}

/** It keeps no versions: what is deleted is gone. */
async function remove(s3: S3): Promise<void> {
  for await (const window of windows(listLatest(s3), 200)) {
    await inParallel(window, atOnce, ({ key }) => s3.request({ method: 'DELETE', key }));
  }
  await s3.request({ method: 'DELETE', allow: missing });
}

function noRoom({ place }: S3, why: string): Failure {
  return new Failure({
    code: 'disk-full',
    message: `${place.system}: there is no room for a copy beside the live bucket: ${why}.`,
    advice: 'Free room on the server. Nothing was restored.',
  });
}
