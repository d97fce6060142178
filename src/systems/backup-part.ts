export interface BackupFile {
  /** Relative to the system's folder in the set, `/` as separator. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a store holds, as counts by collection and one hash that changes when any record or schema element does. */
export interface Fingerprint {
  readonly counts: { readonly [collection: string]: number };
  readonly hash: string;
}

/** One system's artifacts in a backup set. */
export interface BackupPart {
  /** Name and version of the form, e.g. `neo4j-typed-export/1`. */
  readonly format: string;
  readonly files: readonly BackupFile[];
  readonly fingerprint: Fingerprint;
  /** What the part leaves out, in words (roles, other databases). */
  readonly excludes: readonly string[];
}

export interface BackupContext {
  /** Shared between the sets of one environment: content-addressed objects (`<sha256>`), for incremental mirrors. */
  readonly objectsFolder: string;
  readonly signal: AbortSignal;
  /** `total` is null while it is not known. */
  progress(done: number, total: number | null, unit: 'records' | 'rows' | 'objects' | 'bytes'): void;
}
