import type { Proof } from '../backups/proof.ts';
import type { Action, MaintenanceWish, Plan, TakenConflict } from '../plans/plan.ts';
import type { FailureCode } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import type { DataModelVersion, Health } from '../systems/system.ts';
import type { Advice } from './advice.ts';
import type { ConflictReport, Run, RunEvent } from './run.ts';
import type { RunStatus } from './run-status.ts';

export type Role = 'viewer' | 'operator' | 'approver';

/** Somebody who asks or votes. Roles are looked up at the moment of asking, never remembered. */
export interface Person {
  /** Stable: the Slack user id. */
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /**
   * When an approver was first seen as one: ISO 8601; null = there from the beginning. Absent = it was not looked up, or
   * is not known: then nothing that destroys can be approved.
   */
  readonly approverSince?: string | null;
}

export interface RunRequest {
  readonly action: Action;
  readonly environment: string;
  /** Migration id, backup set id or run id; empty for backup and validate. */
  readonly subject: string;
  readonly person: Person;
  readonly reason: string | null;
  /** Ids of others who had a part in asking (edited the schedule): none of them may approve it. */
  readonly alsoAskedBy?: readonly string[];
  /** For a rollback: only these conflicts of an earlier undo, all the same. */
  readonly takes?: readonly TakenConflict[];
  /** For a migration: the one canary that it is narrowed to; absent or null = everything. */
  readonly canary?: string | null;
  /** For a migration: the maintenance window in which it is to start, by its id; absent or null = the one that it is bound to. */
  readonly window?: string | null;
  /** For maintenance mode: what to set. */
  readonly maintenance?: MaintenanceWish;
}

/** What a migration would do here and now. Nothing was stored or written for it. */
export interface Preview {
  readonly plan: Plan;
  /** Votes that asking for it would need. */
  readonly votesNeeded: number;
  /** Some of the plan's findings failed: asked for now, it would be refused for them. */
  readonly refused: boolean;
}

/** Said no, with nothing changed: what happened, what to do, and the findings behind it. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: FailureCode;
  readonly message: string;
  readonly advice: string;
  readonly findings: readonly Finding[];
}

export type Submission =
  | { readonly kind: 'accepted'; readonly run: Run; readonly votesNeeded: number }
  /** The plan would change nothing: there is no run. */
  | { readonly kind: 'nothing-to-do'; readonly title: string; readonly findings: readonly Finding[] }
  | Refusal;

export interface VoteRequest {
  readonly runId: string;
  /** Digest of the plan that the person saw; null = the terminal's `tas approve <run>`, which has just printed it. */
  readonly digest: string | null;
  readonly person: Person;
  readonly choice: 'approve' | 'reject';
  readonly reason: string | null;
  /** An emergency, and no approver can be reached: an approval with a reason, by somebody who is none, after a time for a veto. */
  readonly breaksGlass?: true;
  /** Where a vote needs one: the confirmation that was given for it. Only those have one who saw the voter log in. */
  readonly confirmation?: string;
}

/** `dispute`: somebody says that the vote in their name was not theirs. */
export type ControlWord = 'pause' | 'resume' | 'stop' | 'cancel' | 'slower' | 'faster' | 'dispute';

export interface ControlRequest {
  readonly runId: string;
  readonly what: ControlWord;
  readonly person: Person;
  /** For slower and faster: the pace that the button showed, so that two taps are one; null = whatever it is now. */
  readonly seen: number | null;
}

/** Not counted yet: the voter has to follow the link first. */
export interface Confirmable {
  readonly kind: 'to-confirm';
  readonly run: Run;
  readonly link: string;
  /** ISO 8601 */
  readonly expiresAt: string;
}

export type VoteOutcome =
  | { readonly kind: 'counted'; readonly run: Run; readonly decision: 'wait' | 'approved' | 'rejected' }
  | Confirmable
  | Refusal;

export interface SystemView {
  readonly name: string;
  readonly type: string;
  readonly health: Health;
  /** ISO 8601, the last time it answered; null when never seen. */
  readonly lastUpAt: string | null;
  /** The data-model version that is recorded in it; null = none, or it cannot be read. */
  readonly dataModel: DataModelVersion | null;
}

export interface EnvironmentStatus {
  readonly environment: string;
  readonly production: boolean;
  readonly systems: readonly SystemView[];
  /** The run that holds the environment; null = free. */
  readonly holder: { readonly runId: string; readonly status: RunStatus; readonly since: string } | null;
  readonly lastBackup: BackupView | null;
  readonly openRuns: readonly Run[];
  /** What the run that holds the environment has set up and not taken back (services stopped, maintenance on); absent = nothing. */
  readonly standing?: readonly string[];
  /** Runs whose hold is over and that still keep something aside; absent = not looked for. */
  readonly endedHolds?: readonly EndedHold[];
}

/** What a run kept aside may be given up from now on. */
export interface EndedHold {
  readonly runId: string;
  readonly title: string;
  /** When the hold ended: ISO 8601. */
  readonly since: string;
}

export interface BackupView {
  readonly id: string;
  readonly environment: string;
  readonly createdAt: string;
  readonly bytes: number;
  readonly systems: readonly string[];
  /** Tried beside the live data and checked. Null = not proven. */
  readonly proven: Proof | null;
}

export interface EnvironmentView {
  readonly name: string;
  readonly production: boolean;
  readonly channel: string;
}

export interface MigrationView {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** The one door: Slack, the terminal and schedules ask through it, and it holds all gates. */
export interface Door {
  readonly environments: readonly EnvironmentView[];
  migrations(): Promise<readonly MigrationView[]>;
  submit(request: RunRequest): Promise<Submission>;
  /** What a migration would do, without asking for it: any role may look, and nothing is stored. */
  plan(request: Omit<RunRequest, 'action' | 'reason' | 'takes'>): Promise<Preview | Refusal>;
  /** Each way back that is open for a run, and the one to take. Reads only. */
  advise(runId: string, person: Person): Promise<Advice | Refusal>;
  vote(request: VoteRequest): Promise<VoteOutcome>;
  /** Pause, resume, stop, cancel, slower, faster, dispute. */
  control(request: ControlRequest): Promise<Run | Refusal>;
  /** Takes a parked run up again from where it stopped. */
  retry(runId: string, person: Person): Promise<Run | Refusal>;
  /** Gives a parked run up and frees the environment; the data stays as it is. */
  keep(runId: string, person: Person): Promise<Run | Refusal>;
  status(environment: string, person: Person): Promise<EnvironmentStatus | Refusal>;
  backups(environment: string, person: Person): Promise<readonly BackupView[] | Refusal>;
  /** Newest first, at most `limit`. */
  runs(filter: { environment?: string; limit: number }, person: Person): Promise<readonly Run[] | Refusal>;
  /** Null when there is no such run. */
  run(runId: string): Promise<Run | null>;
  conflicts(runId: string, limit: number): Promise<ConflictReport>;
  /** Events with a greater id, oldest first. */
  events(afterId: number, limit: number): Promise<readonly RunEvent[]>;
  /** Calls back (often, without arguments) when there may be new events; returns how to stop listening. */
  listen(wake: () => void): Promise<() => Promise<void>>;
}
