import type { Estimate } from '../plans/plan.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Kept } from '../systems/kept-tally.ts';
import type { FieldRef, Sample } from '../systems/system.ts';
import type { BackupView } from './door.ts';
import type { Run } from './run.ts';

/** Each way back that is open for a run, what it would take and what it would lose. Samples are masked. */
export interface Advice {
  readonly run: Run;
  readonly undo: UndoWay | ClosedWay;
  /** The run's own set first, then the newest from before it. Empty = no suitable set. */
  readonly restores: readonly RestoreWay[];
  /** What newer records refer to, by field: an undo keeps it; a restore takes those records away. */
  readonly references: readonly HeldReference[];
  readonly recommended: Recommendation;
}

/** Why a way is not open, and what to do about it. */
export interface ClosedWay extends Pick<FailureReport, 'code' | 'message' | 'advice'> {
  readonly open: false;
}

export interface UndoWay {
  readonly open: true;
  readonly estimate: Estimate | null;
  readonly systems: readonly UndoneSystem[];
  /** Restored and kept over all systems. */
  readonly restored: number;
  readonly kept: number;
  /** When what it keeps aside may be given up: ISO 8601. Null = it keeps nothing aside. */
  readonly heldUntil: string | null;
}

export interface UndoneSystem {
  readonly system: string;
  readonly restored: number;
  readonly exact: boolean;
  readonly kept: Kept;
  /** False where a step cannot tell beforehand what it would keep. */
  readonly keptKnown: boolean;
  readonly samples: readonly Sample[];
}

export interface RestoreWay {
  readonly set: BackupView;
  /** It was taken by the run itself, just before its first change. */
  readonly own: boolean;
  /** The restore, and the safety set that is taken first. */
  readonly estimate: Estimate;
  readonly systems: readonly RewoundSystem[];
  /** Other runs since the set that would be rewound with it. */
  readonly rewinds: readonly string[];
  /** Whether others' writes would be lost: `no` only where every system proves it. */
  readonly loses: 'no' | 'yes' | 'cannot-tell';
}

/** What restoring one system would take away beside what the run did. */
export interface RewoundSystem {
  readonly system: string;
  readonly loses: 'no' | 'yes' | 'cannot-tell';
  /** Collections whose number of records differs, with what the run itself does not explain being lost or brought back. */
  readonly collections: readonly { readonly collection: string; readonly inSet: number; readonly now: number }[];
  /** Net records that the run itself added; part of the difference. */
  readonly addedByRun: number;
  /** Fields and records that others changed since among those that the run wrote: they would be lost. */
  readonly changedSince: number;
  readonly samples: readonly string[];
  /** What cannot be told, in words; null = all of it is told. */
  readonly unknown: string | null;
}

export interface HeldReference {
  readonly field: FieldRef;
  readonly count: number;
  /** At most five values; hidden where the field may not be shown. */
  readonly samples: readonly string[];
}

/** The way to take, and why, in one sentence. */
export interface Recommendation {
  readonly way: 'undo' | 'restore' | 'none';
  readonly setId: string | null;
  readonly reason: string;
}
