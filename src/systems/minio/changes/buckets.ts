import type { Conflict } from '../../system.ts';
import type { BucketChange, VersioningChange, VersioningState } from '../change.ts';
import type { S3 } from '../s3.ts';
import { textOf } from '../xml.ts';
import { type Applied, type Doing, type Inverse, lost } from './applied.ts';

const absent = ['NotFound', 'NoSuchBucket'];

export async function isBucket(s3: S3, bucket: string): Promise<boolean> {
  return (await s3.request({ method: 'HEAD', bucket, allow: absent })) !== null;
}

/** A bucket that never kept versions says nothing of them; once it did it can only pause. */
export async function readVersioning(s3: S3, bucket: string): Promise<VersioningState> {
  const answer = await s3.request({ method: 'GET', bucket, query: { versioning: '' } });
  const status = textOf(answer?.body ?? '', 'Status');
  return status === 'Enabled' ? 'enabled' : status === 'Suspended' ? 'suspended' : 'never';
}

async function writeVersioning(s3: S3, bucket: string, enabled: boolean): Promise<void> {
  const status = enabled ? 'Enabled' : 'Suspended';
  const body = `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;
  await s3.request({ method: 'PUT', bucket, query: { versioning: '' }, body });
}

/** Making what is there, and removing what is not, is done already. A bucket with anything in it stays. */
export async function applyBucket({ setting: { s3 } }: Doing, change: BucketChange): Promise<Applied> {
  if (change.did === 'remove-bucket') {
    const allow = [...absent, 'BucketNotEmpty'];
    const gone = (await s3.request({ method: 'DELETE', bucket: change.key, allow })) !== null;
    return { done: gone || !(await isBucket(s3, change.key)) };
  }
  await s3.request({ method: 'PUT', bucket: change.key, allow: ['BucketAlreadyOwnedByYou'] });
  await writeVersioning(s3, change.key, true);
  return { done: true };
}

export async function applyVersioning({ setting: { s3 } }: Doing, change: VersioningChange): Promise<Applied> {
  if (!(await isBucket(s3, change.key))) return lost;
  const now = await readVersioning(s3, change.key);
  if (now !== change.before && now !== change.after) return lost;
  if (now !== change.after) await writeVersioning(s3, change.key, change.after === 'enabled');
  return { done: true };
}

/** What was there before the run has no change in the journal. */
export async function invertBucket(s3: S3, change: BucketChange): Promise<Inverse<BucketChange>> {
  const there = await isBucket(s3, change.key);
  if (change.did === 'remove-bucket') return { change: there ? null : { did: 'make-bucket', key: change.key } };
  if (!there)
    return { change: null, conflict: bucketConflict(change.key, 'bucket', 'missing', null, change.key, null) };
  const held = await s3.request({ method: 'GET', bucket: change.key, query: { versions: '', 'max-keys': '1' } });
  if (/<(Version|DeleteMarker)>/.test(held?.body ?? '')) {
    return {
      change: null,
      conflict: bucketConflict(change.key, 'bucket', 'changed-since', null, change.key, 'objects'),
    };
  }
  return { change: { did: 'remove-bucket', key: change.key } };
}

/** There is no way back to a bucket that never kept versions: it pauses instead. */
export async function invertVersioning(s3: S3, change: VersioningChange): Promise<Inverse<VersioningChange>> {
  const { key, before, after } = change;
  if (!(await isBucket(s3, key)))
    return { change: null, conflict: bucketConflict(key, 'versioning', 'missing', before, after, null) };
  const now = await readVersioning(s3, key);
  const back = before === 'never' ? 'suspended' : before;
  if (now === back) return { change: null };
  if (now !== after)
    return { change: null, conflict: bucketConflict(key, 'versioning', 'changed-since', before, after, now) };
  return { change: { did: 'versioning', key, before: after, after: back } };
}

function bucketConflict(
  bucket: string,
  field: string,
  reason: Conflict['reason'],
  base: string | null,
  ours: string,
  theirs: string | null,
): Conflict {
  return { collection: bucket, key: bucket, field, reason, base, ours, theirs };
}
