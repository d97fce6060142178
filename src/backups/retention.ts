import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { referencesOf, sweepObjects, touchObjects } from './shared-objects.ts';
import { readStoredPart } from './stored-part.ts';

/** What is kept whatever its age, and how long everything is kept. */
export interface Retention {
  /** Complete sets that are always kept: the newest ones. At least 1. */
  readonly newest: number;
  /** No set younger than this is removed, complete or not. */
  readonly days: number;
  /** Ids of sets that runs need: kept. Absent = none. */
  readonly needed?: ReadonlySet<string>;
}

export interface Removal {
  /** Ids of the sets that were removed. */
  readonly sets: readonly string[];
  /** Shared objects that no set needed any more. */
  readonly objects: number;
  /** Bytes of these objects. */
  readonly bytes: number;
}

/**
 * A set as the rule sees it; `takenAt` of incomplete ones is the time of their folder. `untrusted`: it has a manifest that
 * was not signed with this key, which may be the key's fault.
 */
export interface KnownSet {
  readonly id: string;
  readonly takenAt: Date;
  readonly state: 'complete' | 'incomplete' | 'untrusted';
  /** Tried, and found to be what it says. */
  readonly proven: boolean;
}

const day = 24 * 3_600_000;
/** Objects that a backup has just used belong to no set yet: they are left alone for this long. */
const grace = day;

/** What the rule removes of an environment's sets, complete or not; the last proven one always stays. Sets that cannot be trusted are for people to judge. */
export function chooseRemovals(sets: readonly KnownSet[], retention: Retention, now: Date): string[] {
  const newestFirst = [...sets].sort((a, b) => b.takenAt.getTime() - a.takenAt.getTime());
  const complete = newestFirst.filter((set) => set.state === 'complete');
  const kept = new Set(complete.slice(0, Math.max(1, retention.newest)).map((set) => set.id));
  const [lastProven] = complete.filter((set) => set.proven);
  if (lastProven) kept.add(lastProven.id);
  for (const id of retention.needed ?? []) kept.add(id);
  return newestFirst
    .filter((set) => set.state !== 'untrusted' && !kept.has(set.id))
    .filter((set) => now.getTime() - set.takenAt.getTime() > retention.days * day)
    .map((set) => set.id);
}

/** Removes these sets, then shared objects that no remaining set names. Sets go whole: first out of sight, then away. */
export async function removeSets(environmentFolder: string, ids: readonly string[], now: Date): Promise<Removal> {
  for (const id of ids) await rename(join(environmentFolder, id), join(environmentFolder, `.removing-${id}`));
  for (const name of await readdir(environmentFolder)) {
    if (name.startsWith('.removing-')) await rm(join(environmentFolder, name), { recursive: true, force: true });
  }
  const { removed, bytes } = await pruneObjects(environmentFolder, now);
  return { sets: ids, objects: removed, bytes };
}

/** Every part of every set counts, complete or not; where one cannot be read, nothing is removed. */
async function pruneObjects(environmentFolder: string, now: Date): Promise<{ removed: number; bytes: number }> {
  const objects = join(environmentFolder, 'objects');
  const begun = new Date();
  for (const set of await readdir(environmentFolder)) {
    if (!set.startsWith('bak-')) continue;
    for (const system of await readdir(join(environmentFolder, set), { withFileTypes: true })) {
      if (!system.isDirectory() || system.name.endsWith('.partial')) continue;
      const folder = join(environmentFolder, set, system.name);
      const part = await readStoredPart(folder);
      if (!part) return { removed: 0, bytes: 0 };
      await touchObjects(objects, referencesOf(folder, part));
    }
  }
  // Files carry the machine's time, `now` may be a test's: the earlier of both is the careful one.
  return sweepObjects(objects, new Date(Math.min(begun.getTime(), now.getTime()) - grace));
}
