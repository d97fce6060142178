import type { CastVote, Vote } from '../approvals/vote.ts';
import type { ChecklistItem } from '../checklists/checklist-item.ts';
import type { MigrationLedger } from '../migrations/ledger.ts';
import type { MeasuredRate } from '../plans/estimate.ts';
import type { Plan } from '../plans/plan.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import type { FieldRef } from '../systems/system.ts';
import type { Asker, ControlRecords, StepPlace } from './control-records.ts';
import type { Run, RunEvent, RunEventType, StepProgress } from './run.ts';
import type { RunStatus } from './run-status.ts';

/** A run to be stored when it is asked for. */
export interface NewRun {
  readonly id: string;
  readonly plan: Plan;
  readonly digest: string;
  readonly requester: { readonly id: string; readonly name: string };
  readonly reason: string | null;
  readonly votesNeeded: number;
  /** 16 digits. */
  readonly sequenceBase: string;
  readonly requestedAt: Date;
  readonly expiresAt: Date;
  readonly backupId: string | null;
  /** Enqueued at once: nobody needs to vote. */
  readonly queued: boolean;
  /** Opened with the run; absent = it has none. */
  readonly checklist?: readonly ChecklistItem[];
}

/** What the engine needs beside the run as people see it. */
export interface StoredRun extends Run {
  readonly sequenceBase: string;
  /** 1, then one more for each retry of a parked run. */
  readonly attempt: number;
}

export interface LeaseView {
  readonly runId: string;
  readonly status: RunStatus;
  readonly since: string;
}

/** Which vote it is: one a person and digest. */
export interface VoteName {
  readonly runId: string;
  /** Of the plan, or of the step. */
  readonly digest: string;
  readonly voterId: string;
}

/**
 * What runs keep in the bot's own database. Every change of a status goes by the table of legal moves and writes its
 * event in the same transaction; an illegal move changes nothing and answers false.
 */
export interface RunRecords extends ControlRecords {
  create(run: NewRun): Promise<void>;
  find(runId: string): Promise<StoredRun | null>;
  list(filter: { environment?: string; statuses?: readonly RunStatus[]; limit: number }): Promise<readonly StoredRun[]>;
  /** One vote a person: false when the person has voted on this run before. */
  addVote(runId: string, vote: Vote): Promise<boolean>;
  move(
    runId: string,
    to: RunStatus,
    event: { type: RunEventType; text: string | null },
    detail?: RunDetail,
  ): Promise<boolean>;
  /** The vote and what follows from it, in one transaction; enqueues the workflow when the run becomes queued. */
  voteAndMove(
    runId: string,
    vote: CastVote,
    decide: (votes: readonly Vote[]) => 'wait' | 'queued' | 'rejected',
  ): Promise<'doubled' | 'over' | 'wait' | 'queued' | 'rejected'>;
  /** Votes, on plans and on steps, that were given after that time. */
  votedSince(at: Date): Promise<readonly VoteName[]>;
  /** Planned runs with an approval by break-glass that counts by now. */
  brokenGlassDue(now: Date): Promise<readonly string[]>;
  /** What the votes that are there come to by now, and what follows from it, in one transaction. */
  countVotes(
    runId: string,
    decide: (votes: readonly Vote[]) => 'wait' | 'queued' | 'rejected',
  ): Promise<'over' | 'wait' | 'queued' | 'rejected'>;
  /** Hands a queued run that has waited for its window to the workers; twice is once. False when it is not queued. */
  openToStart(runId: string): Promise<boolean>;
  /** Parked → running again, as the next attempt. */
  enqueueRetry(runId: string, by?: Asker): Promise<boolean>;
  /** Parked runs that should have undone themselves by now. */
  undoDue(now: Date): Promise<readonly StoredRun[]>;
  /** It does not undo itself any more. */
  dropUndoDue(runId: string): Promise<void>;
  /** Stores and enqueues the undo of a run that is due; false when somebody decided meanwhile, or another process was first. */
  createDueUndo(undo: NewRun, runId: string, now: Date): Promise<boolean>;
  /** Says which run undid or superseded this one; null takes it back. */
  markUndone(runId: string, by: string | null): Promise<void>;
  /** Runs of the environment that changed data and ended after that time are undone by a restore: marks them. */
  markSuperseded(environment: string, after: Date, by: string): Promise<void>;
  addFindings(runId: string, findings: readonly Finding[]): Promise<void>;
  /** `place`: where its next batch begins; null = not known. */
  saveStep(runId: string, step: StepProgress, place?: StepPlace | null): Promise<void>;
  /** `once` names what is told; the second event of a run under the same name is left out. Null = may be told again. */
  event(runId: string, type: RunEventType, text: string | null, once: string | null): Promise<void>;
  events(afterId: number, limit: number): Promise<readonly RunEvent[]>;
  listen(wake: () => void): Promise<() => Promise<void>>;
  saveHolds(runId: string, field: FieldRef, values: readonly string[]): Promise<void>;
  held(runId: string, field: FieldRef, values: readonly string[]): Promise<Set<string>>;
  /** Takes the environment and answers the new token, or who holds it. `inherit` = a parked run whose environment is taken over. */
  acquireLease(
    environment: string,
    runId: string,
    inherit: string | null,
  ): Promise<{ token: number } | { holder: LeaseView }>;
  /** False when the lease is no longer this run's. */
  renewLease(environment: string, runId: string): Promise<boolean>;
  parkLease(environment: string, runId: string): Promise<void>;
  releaseLease(environment: string, runId: string): Promise<void>;
  leaseHolder(environment: string): Promise<LeaseView | null>;
  sawUp(environment: string, system: string, at: Date): Promise<void>;
  lastUp(environment: string): Promise<ReadonlyMap<string, string>>;
  /** How fast steps went in the newest runs of all environments. */
  rates(): Promise<readonly MeasuredRate[]>;
  /** The release that has begun to give up what the run kept aside; null = none, or a restore brought it back since. */
  findRelease(runId: string): Promise<string | null>;
  /** What runs have made of migrations, as this environment asks; `rehearsedIn` = environments whose runs count as rehearsals. */
  ledger(environment: string, rehearsedIn: readonly string[]): MigrationLedger;
  /** Planned runs whose time is over become expired; answers how many. */
  expireOverdue(now: Date): Promise<number>;
}

export interface RunDetail {
  readonly failure?: FailureReport;
  /** Why it stands still, for a move to paused. */
  readonly pause?: string;
  readonly undoneBy?: string;
  /** For a move to parked: when it undoes itself. */
  readonly undoDue?: Date;
}
