import type { JsonObject } from '../../shared/json.ts';
import type { Conflict } from '../system.ts';

/** Tags of one version, before and after; null = the object has no such tag. */
export interface TagChange {
  readonly did?: undefined;
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly before: { readonly [tag: string]: string | null };
  readonly after: { readonly [tag: string]: string | null };
}

/** One content under two keys: the version that is copied, and the key that gets it. */
interface Copied {
  /** The key of the copy. */
  readonly key: string;
  readonly source: string;
  readonly sourceVersion: string;
  /** Of the source's version. */
  readonly etag: string;
  readonly size: number;
}

/** A version is copied to a key that holds no object, at most a delete marker. */
export interface CopyChange extends Copied {
  readonly did: 'copy';
  /** False where the copy cannot carry the run in its metadata, because some of that is outside of ASCII. */
  readonly marked: boolean;
}

/** The copy is taken away again by its version. */
export interface DropChange extends Copied {
  readonly did: 'drop';
  readonly versionId: string;
}

/** A copy that was there already, with the version that holds it. */
export interface FoundCopy extends Copied {
  readonly versionId: string;
}

/** The version, so far the latest of its key, goes behind a delete marker: its content is in a copy. */
export interface HideChange {
  readonly did: 'hide';
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  readonly copy: { readonly key: string; readonly versionId: string };
}

/** The delete marker goes, so that the version is the latest again. */
export interface ShowChange extends Omit<HideChange, 'did'> {
  readonly did: 'show';
  readonly marker: string;
}

/** The version behind the delete marker goes for good. */
export interface ReleaseChange extends Omit<ShowChange, 'did'> {
  readonly did: 'release';
}

export type VersioningState = 'never' | 'enabled' | 'suspended';

/** The bucket `key` is made, or removed again. */
export interface BucketChange {
  readonly did: 'make-bucket' | 'remove-bucket';
  readonly key: string;
}

/** The bucket `key` keeps versions from now on, or no longer. */
export interface VersioningChange {
  readonly did: 'versioning';
  readonly key: string;
  readonly before: VersioningState;
  readonly after: VersioningState;
}

export type Change =
  | TagChange
  | CopyChange
  | DropChange
  | HideChange
  | ShowChange
  | ReleaseChange
  | BucketChange
  | VersioningChange;

/** What a batch is going to do: written before anything is done, and never changed. Each key occurs once. */
export interface Intent {
  readonly version: 1;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** Where the next batch begins; null = nowhere. */
  readonly cursor: string | number | null;
  readonly missing: number;
  /** Copies that were there already. */
  readonly found?: readonly FoundCopy[];
}

/** What came of it. */
export interface Outcome {
  readonly cursor: string | number | null;
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  /** Keys that somebody changed between intent and deed: they were left alone. */
  readonly lost: readonly string[];
  /** Versions and delete markers that were made, by key. Absent in journals of older versions. */
  readonly made?: { readonly [key: string]: string };
}

/** A change before and after, for people. */
export function imagesOf(change: Change): { before: JsonObject; after: JsonObject } {
  switch (change.did) {
    case undefined:
      return { before: { ...change.before }, after: { ...change.after } };
    case 'copy':
      return { before: { key: change.source }, after: { key: change.key } };
    case 'drop':
      return { before: { key: change.key }, after: { key: change.source } };
    case 'hide':
    case 'release':
      return { before: { version_id: change.versionId }, after: { version_id: null } };
    case 'show':
      return { before: { version_id: null }, after: { version_id: change.versionId } };
    case 'make-bucket':
      return { before: { bucket: null }, after: { bucket: change.key } };
    case 'remove-bucket':
      return { before: { bucket: change.key }, after: { bucket: null } };
    case 'versioning':
      return { before: { versioning: change.before }, after: { versioning: change.after } };
  }
}
