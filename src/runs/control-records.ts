import type { CastVote, Vote } from '../approvals/vote.ts';
import type { PlanStep } from '../plans/plan.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { StepGate, StepProgress } from './run.ts';

/** Who asked: the stable id, and the name to show. */
export interface Asker {
  readonly id: string;
  readonly name: string;
}

/** What the engine reads before each batch. */
export interface ControlNow {
  /** False when the run is no longer this attempt's: another took over, or somebody parked it. */
  readonly mine: boolean;
  readonly asked: { readonly what: 'pause' | 'stop'; readonly by: string } | null;
  readonly pace: number;
}

/** How far an earlier attempt came with a step. */
export interface StepPoint extends StepProgress {
  /** Null = not known. */
  readonly place: StepPlace | null;
}

/** Where a step stands between two batches. */
export interface StepPlace {
  /** Where its next batch begins; null = after the last one. */
  readonly cursor: Json;
  /** The hard cap of its records over all batches; null = none. */
  readonly cap: number | null;
  /** For steps that destroy and were halted: hash of the keys that were left to destroy then. */
  readonly left?: string;
}

export interface NewGate {
  readonly runId: string;
  readonly step: PlanStep;
  readonly digest: string;
  readonly votesNeeded: number;
  readonly expiresAt: Date;
}

/** A running run that nobody is known to carry out. */
export interface Orphan {
  readonly runId: string;
  readonly environment: string;
  readonly attempt: number;
  /** Seconds since it was last heard of. */
  readonly silent: number;
  /** What the engine knows of it: it waits for a worker, a worker took it, or nobody will carry it out any more. */
  readonly work: 'waiting' | 'taken' | 'dead';
}

/** What is asked of runs while they go on. Every change is one transaction with its event and with who asked. */
export interface ControlRecords {
  /** `again`: it was asked of this attempt before, and nothing was written; `over`: the run is not running. */
  askToHalt(runId: string, what: 'pause' | 'stop', by: Asker): Promise<'asked' | 'again' | 'over'>;
  readControl(runId: string, attempt: number): Promise<ControlNow>;
  /** Paused → running, as the next attempt. */
  resume(runId: string, by: Asker): Promise<boolean>;
  /** Paused → parked; an open gate is closed. */
  stopPaused(runId: string, by: Asker, failure: FailureReport): Promise<boolean>;
  /** Planned or queued → closed. */
  withdraw(runId: string, by: Asker): Promise<boolean>;
  /** False when the pace is no longer `from`, or the run neither runs nor is paused. */
  changePace(runId: string, from: number, to: number, by: Asker): Promise<boolean>;
  /** Says why the run waits just now; null = it goes on. */
  tellWait(runId: string, why: string | null): Promise<void>;
  /** Counts a failure that is tried again; answers how many there were since the run last started. */
  countError(runId: string): Promise<number>;
  /** Steps that were begun, with where they stand. */
  points(runId: string): Promise<readonly StepPoint[]>;
  /** Opens the vote on a step and closes the one before. */
  openGate(gate: NewGate): Promise<void>;
  /** The newest vote on a step; null when there was none. */
  newestGate(runId: string, stepId: string): Promise<StepGate | null>;
  /** The vote and what follows from it: enough resume the run, a no parks it. */
  voteOnGate(
    runId: string,
    gateId: number,
    vote: CastVote,
    decide: (votes: readonly Vote[]) => 'wait' | 'queued' | 'rejected',
    refused: FailureReport,
  ): Promise<'doubled' | 'over' | 'wait' | 'queued' | 'rejected'>;
  /** Runs that are running without a live lease, or not taken up by anybody. */
  orphans(): Promise<readonly Orphan[]>;
  /** Parks a run whose worker is gone, if it is still this attempt that runs. */
  parkOrphan(orphan: Orphan, failure: FailureReport): Promise<boolean>;
}
