import type { HideChange, ReleaseChange, ShowChange } from '../change.ts';
import { readHead } from '../objects.ts';
import { listVersions, listVersionsOf, removeVersion, type Version } from '../versions.ts';
import { type Applied, type Doing, type Inverse, lost, objectConflict, type Undoing } from './applied.ts';

/**
 * Puts a delete marker on the version, if that is the latest. A marker on a marker is the same one to this server, so
 * doing it twice is doing it once. What was written in between is looked for afterwards, by `settleHidden`.
 */
export async function applyHide({ setting: { s3 }, fresh }: Doing, change: HideChange): Promise<Applied> {
  const now = await readHead(s3, change.key);
  if (now && now.versionId !== change.versionId) return lost;
  if (!now) {
    const marker = fresh ? null : await findMarker({ s3 }, change);
    return marker === null ? lost : { done: true, made: marker };
  }
  const answer = await s3.request({ method: 'DELETE', key: change.key });
  return { done: true, made: String(answer?.headers['x-amz-version-id'] ?? 'null') };
}

/** The delete marker right above the version; null where there is none, or something else lies there. */
export async function findMarker({ s3 }: Pick<Doing['setting'], 's3'>, change: HideChange): Promise<string | null> {
  const [latest, below] = await listVersions(s3, change.key);
  return latest?.isMarker && below?.versionId === change.versionId ? latest.versionId : null;
}

/**
 * Takes the markers away again that went over a version which a user wrote between look and deed. Answers their keys.
 * Done for a whole batch at once: many keys may lie in one folder.
 */
export async function settleHidden(
  { setting: { s3 } }: Pick<Doing, 'setting'>,
  hidden: readonly HideChange[],
  made: { readonly [key: string]: string },
): Promise<string[]> {
  const found = await listVersionsOf(
    s3,
    hidden.map(({ key }) => key),
  );
  const overtaken: string[] = [];
  for (const { key, versionId } of hidden) {
    const versions = found.get(key) ?? [];
    const at = versions.findIndex((version) => version.versionId === made[key]);
    const below = versions[at + 1];
    if (at < 0 || !below || below.versionId === versionId) continue;
    await removeVersion(s3, key, made[key] ?? '');
    overtaken.push(key);
  }
  return overtaken;
}

/** By the marker's own id: what anybody wrote since stays the latest. */
export async function applyShow({ setting: { s3 } }: Doing, change: ShowChange): Promise<Applied> {
  return { done: await removeVersion(s3, change.key, change.marker) };
}

/** The version goes for good, and the marker with it when it hides nothing else. */
export async function applyRelease({ setting: { s3 } }: Doing, change: ReleaseChange): Promise<Applied> {
  if (!(await removeVersion(s3, change.key, change.versionId))) return lost;
  const left = await listVersions(s3, change.key);
  const [only] = left;
  if (left.length === 1 && only?.versionId === change.marker) await removeVersion(s3, change.key, change.marker);
  return { done: true };
}

/** The versions of all keys that hidden or shown changes name, read together. */
export async function readHidden(
  undoing: Undoing,
  changes: readonly (HideChange | ShowChange)[],
): Promise<Map<string, readonly Version[]>> {
  return listVersionsOf(
    undoing.setting.s3,
    changes.map(({ key }) => key),
  );
}

/**
 * The marker goes if it is still the latest and the version is still there; and not where somebody deleted the copy since:
 * that would bring back what a user took away.
 */
export async function invertHide(
  undoing: Undoing,
  change: HideChange,
  marker: string,
  versions: readonly Version[],
): Promise<Inverse<ShowChange>> {
  const [latest] = versions;
  const values = { base: change.versionId, ours: marker, theirs: latest?.versionId ?? null };
  const keep = (reason: 'missing' | 'changed-since'): Inverse<ShowChange> => ({
    change: null,
    conflict: objectConflict(undoing, change.key, reason, values),
  });
  if (latest?.versionId === change.versionId) return { change: null };
  if (!versions.some(({ versionId }) => versionId === change.versionId)) return keep('missing');
  if (latest?.versionId !== marker) return keep('changed-since');
  const { s3 } = undoing.setting;
  if (!(await readHead(s3, change.copy.key)) && (await listVersions(s3, change.copy.key)).length > 0) {
    return keep('changed-since');
  }
  const { did: _, ...hidden } = change;
  return { change: { did: 'show', ...hidden, marker } };
}

/** Hidden again, if it is the latest again. */
export function invertShow(undoing: Undoing, change: ShowChange, versions: readonly Version[]): Inverse<HideChange> {
  const [latest] = versions;
  if (latest?.versionId === change.versionId) {
    const { did: _, marker: __, ...hidden } = change;
    return { change: { did: 'hide', ...hidden } };
  }
  if (latest?.versionId === change.marker) return { change: null };
  const values = { base: change.marker, ours: change.versionId, theirs: latest?.versionId ?? null };
  const reason = latest && !latest.isMarker ? 'changed-since' : 'missing';
  return { change: null, conflict: objectConflict(undoing, change.key, reason, values) };
}
