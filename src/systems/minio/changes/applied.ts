import type { Conflict, UndoContext } from '../../system.ts';
import type { BatchKey, KindSetting } from '../journal-store.ts';

/** What came of one change. */
export interface Applied {
  /** False where somebody changed the object since the intent was written: it was left alone. */
  readonly done: boolean;
  /** The version or delete marker that it made. */
  readonly made?: string;
}

export const lost: Applied = { done: false };

/** In whose name a change is made. */
export interface Doing {
  readonly setting: KindSetting;
  readonly batch: BatchKey;
  /** True where the intent was written a moment ago by this very call: nobody can have begun it before. */
  readonly fresh: boolean;
}

/** What undo makes of one change of the journal. */
export interface Inverse<Change> {
  /** Null = there is nothing to do, or it must stay as it is. */
  readonly change: Change | null;
  readonly conflict?: Conflict;
}

/** How undo looks at the store. */
export interface Undoing {
  readonly setting: KindSetting;
  readonly context: UndoContext;
  /** In a preview what earlier parts of the same rollback will bring back counts as being back. */
  readonly preview: boolean;
}

/** Why undo leaves an object as it is. */
export function objectConflict(
  { setting }: Pick<Undoing, 'setting'>,
  key: string,
  reason: Conflict['reason'],
  values: Pick<Conflict, 'base' | 'ours' | 'theirs'>,
): Conflict {
  return { collection: setting.s3.bucket, key, field: 'version_id', reason, ...values };
}
