import { Failure } from '../../../shared/failure.ts';
import type { CopyChange, DropChange } from '../change.ts';
import { copyMark, copyVersion, isMarkable } from '../copy-object.ts';
import type { BatchKey } from '../journal-store.ts';
import { type ObjectHead, readHead } from '../objects.ts';
import { listVersions, removeVersion, type Version } from '../versions.ts';
import { type Applied, type Doing, type Inverse, lost, objectConflict, type Undoing } from './applied.ts';

/** What the planning of a batch has read of the sources: a batch that is taken up again reads it anew. */
const heads = new WeakMap<CopyChange, ObjectHead>();

export function rememberHead(change: CopyChange, head: ObjectHead): void {
  heads.set(change, head);
}

/** What a copy's metadata says: the run, the step and the source's version. */
export function markOf({ runId, stepId }: Pick<BatchKey, 'runId' | 'stepId'>, sourceVersion: string): string {
  return [runId, stepId, sourceVersion].map(encodeURIComponent).join('/');
}

/** Whether a run made this copy. */
export function isCopyOf(metadata: Version['metadata'], runId: string): boolean {
  return metadata[copyMark]?.startsWith(`${encodeURIComponent(runId)}/`) ?? false;
}

/**
 * Copies the version, unless that was done before. The server knows no conditions for copies: so it is looked at
 * afterwards. A user's version that came in between stays the latest, and a second copy by another process goes.
 */
export async function applyCopy({ setting: { s3 }, batch, fresh }: Doing, change: CopyChange): Promise<Applied> {
  const mark = change.marked ? markOf(batch, change.sourceVersion) : null;
  if (!fresh) {
    const now = await listVersions(s3, change.key);
    if (findOwn(now, change, mark, null).length > 0) return settleCopy(s3, now, change, mark, null);
    const [latest] = now;
    if (latest && !latest.isMarker) return lost;
  }
  const source = heads.get(change) ?? (await readHead(s3, change.source, change.sourceVersion));
  const made = source && (await copyVersion(s3, source, change.key, mark));
  if (made === null) return lost;
  return settleCopy(s3, await listVersions(s3, change.key), change, mark, made);
}

type S3 = Doing['setting']['s3'];

async function settleCopy(
  s3: S3,
  versions: readonly Version[],
  change: CopyChange,
  mark: string | null,
  made: string | null,
): Promise<Applied> {
  const own = findOwn(versions, change, mark, made);
  const first = own.at(-1);
  if (!first) return lost;
  for (const second of own.slice(0, -1)) await removeVersion(s3, change.key, second.versionId);
  const below = versions[versions.indexOf(first) + 1];
  if (!below || below.isMarker) return { done: true, made: first.versionId };
  await removeVersion(s3, change.key, first.versionId);
  return lost;
}

/** Versions that this batch made, the newest first. Without a mark: the one just made, else an equal one on top. */
function findOwn(
  versions: readonly Version[],
  change: CopyChange,
  mark: string | null,
  made: string | null,
): Version[] {
  if (mark !== null) return versions.filter(({ metadata }) => metadata[copyMark] === mark);
  if (made !== null) return versions.filter(({ versionId }) => versionId === made);
  const [latest] = versions;
  return latest && latest.etag === change.etag && latest.size === change.size ? [latest] : [];
}

/** By its version: what anybody wrote since stays the latest whatever happens in between. */
export async function applyDrop({ setting: { s3 } }: Doing, change: DropChange): Promise<Applied> {
  return { done: await removeVersion(s3, change.key, change.versionId) };
}

/**
 * A copy goes if it is still the latest version, nothing newer refers to its key, and the content stands under its old
 * key again.
 */
export async function invertCopy(
  undoing: Undoing,
  change: CopyChange,
  made: string,
  held: ReadonlySet<string>,
): Promise<Inverse<DropChange>> {
  const { s3, system } = undoing.setting;
  if (made === 'null') throw oneWay(system);
  const now = await readHead(s3, change.key);
  const values = { base: null, ours: made, theirs: now?.versionId ?? null };
  const keep = (reason: 'missing' | 'changed-since' | 'referred-to' | 'coupled'): Inverse<DropChange> => ({
    change: null,
    conflict: objectConflict(undoing, change.key, reason, values),
  });
  if (!now) return keep('missing');
  if (now.versionId !== made) return keep('changed-since');
  if (held.has(change.key)) return keep('referred-to');
  const source = await readHead(s3, change.source);
  const comesBack = undoing.preview && (await readHead(s3, change.source, change.sourceVersion)) !== null;
  if (!source && !comesBack) return keep('coupled');
  const { key, source: from, sourceVersion, etag, size } = change;
  return { change: { did: 'drop', key, source: from, sourceVersion, etag, size, versionId: made } };
}

function oneWay(system: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: these copies were made while the bucket kept no versions: nobody can tell them from later writes.`,
    advice: 'Remove them by hand, or restore the backup set that was taken before. Nothing was changed.',
  });
}

/** The copy is made again, from the same version. */
export async function invertDrop(undoing: Undoing, change: DropChange): Promise<Inverse<CopyChange>> {
  const { s3 } = undoing.setting;
  const [[latest], source] = await Promise.all([
    listVersions(s3, change.key),
    readHead(s3, change.source, change.sourceVersion),
  ]);
  const values = { base: change.versionId, ours: null, theirs: latest?.versionId ?? null };
  const keep = (reason: 'missing' | 'changed-since'): Inverse<CopyChange> => ({
    change: null,
    conflict: objectConflict(undoing, change.key, reason, values),
  });
  // Where it was never taken away there is nothing to bring back.
  if (latest?.versionId === change.versionId) return { change: null };
  if (latest && !latest.isMarker) return keep('changed-since');
  if (!source) return keep('missing');
  return { change: planCopy(change.key, source) };
}

/** The copy of a head to a key that holds no object now. */
export function planCopy(key: string, source: ObjectHead): CopyChange {
  const { etag, size, versionId } = source;
  const copied = { key, source: source.key, sourceVersion: versionId, etag, size };
  const change: CopyChange = { did: 'copy', ...copied, marked: isMarkable(source) };
  rememberHead(change, source);
  return change;
}

/** The version that a batch made for this change, if any. */
export async function findCopy({ s3 }: Doing['setting'], batch: BatchKey, change: CopyChange): Promise<string | null> {
  const mark = change.marked ? markOf(batch, change.sourceVersion) : null;
  return findOwn(await listVersions(s3, change.key), change, mark, null).at(-1)?.versionId ?? null;
}
