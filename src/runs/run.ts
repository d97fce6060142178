import type { Vote } from '../approvals/vote.ts';
import type { Plan, PlanStep } from '../plans/plan.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import type { Conflict } from '../systems/system.ts';
import type { RunStatus } from './run-status.ts';

export type StepState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

/** How far one step of a run is. Times are ISO 8601; null = not yet. */
export interface StepProgress {
  readonly stepId: string;
  readonly state: StepState;
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  readonly batches: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** A plan being carried out, as it is read for messages, the terminal and reports. Derived, never stored as such. */
export interface Run {
  /** `run-` and 10 characters; sorts by time. */
  readonly id: string;
  readonly environment: string;
  readonly status: RunStatus;
  readonly plan: Plan;
  readonly digest: string;
  /** The person who asked, by stable id (Slack user id), and the name to show. */
  readonly requester: { readonly id: string; readonly name: string };
  readonly reason: string | null;
  readonly requestedAt: string;
  /** When the request stops being open to votes. */
  readonly expiresAt: string;
  /** Approvals of others that it takes. */
  readonly votesNeeded: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly votes: readonly Vote[];
  readonly steps: readonly StepProgress[];
  /** Findings of the checks that the run carried out. */
  readonly findings: readonly Finding[];
  /** Why it failed, was voided or was refused; null otherwise. */
  readonly failure: FailureReport | null;
  /** The backup set that it made; null when none. */
  readonly backupId: string | null;
  /** The run that undid this one, once there is one. */
  readonly undoneBy: string | null;
  /** When it undoes itself unless somebody decides: ISO 8601; null = it does not. */
  readonly undoDue: string | null;
  readonly control: RunControl;
}

/** What is asked of a run while it goes on, and why it does not go on. */
export interface RunControl {
  /** 1 = as usual; less = smaller batches with pauses between them; more = greater ones. */
  readonly pace: number;
  /** Asked for and not yet come to: the engine looks before each batch. Null = nothing. */
  readonly asked: { readonly what: 'pause' | 'stop'; readonly by: string } | null;
  /** Why it stands still; null unless it is paused. */
  readonly pause: string | null;
  /** Why it waits or goes slowly just now; null when it does not. */
  readonly waits: string | null;
  /** Votes on single steps, oldest first. */
  readonly gates: readonly StepGate[];
  /** The one of them that it waits for just now; null = it waits for none. */
  readonly ballot: StepGate | null;
}

/** A vote on exactly what one step would do when it is its turn. */
export interface StepGate {
  readonly id: number;
  /** The step as it was planned then; its samples are masked. */
  readonly step: PlanStep;
  /** SHA-256 over run, step and preview: what people sign. */
  readonly digest: string;
  readonly votesNeeded: number;
  /** `replaced` = asked for anew since, or the run was stopped. */
  readonly state: 'open' | 'approved' | 'rejected' | 'replaced';
  /** ISO 8601 */
  readonly askedAt: string;
  readonly expiresAt: string;
  readonly votes: readonly Vote[];
}

/** What undo kept, masked, by step. `total` counts all; `conflicts` holds at most as many as were asked for. */
export interface ConflictReport {
  readonly total: number;
  readonly conflicts: readonly (Conflict & { readonly system: string; readonly stepId: string })[];
}

/** What happened in a run, in order. Slack and the terminal listen to these. */
export interface RunEvent {
  /** Grows over all runs. */
  readonly id: number;
  readonly runId: string;
  readonly at: string;
  readonly type: RunEventType;
  /** Short and safe to show; null where the type says it all. */
  readonly text: string | null;
}

export type RunEventType =
  | 'requested'
  | 'voted'
  | 'approved'
  | 'rejected'
  | 'expired'
  | 'voided'
  | 'started'
  | 'asked'
  | 'paused'
  | 'resumed'
  | 'lost'
  /** Its first changing step is next: people are told how to recover without the bot. */
  | 'changing'
  | 'stage-started'
  | 'step-started'
  | 'progress'
  | 'step-done'
  | 'step-failed'
  | 'failed'
  | 'done'
  | 'closed'
  /** Somebody says that the vote in their name was not theirs. */
  | 'disputed'
  /** An approval by somebody who is no approver, in an emergency: it counts when nobody says no in time. */
  | 'glass-broken'
  /** After the end: what was seen in the time for which the environment was watched. */
  | 'watched';
