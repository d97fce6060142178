/**
 * scheduled  it is to come
 * active     it has begun; past its end it is late until nothing runs there any more
 * ended      it is over
 * cancelled  somebody took it back before it began
 * missed     the bot was away for all of it
 */
export type WindowState = 'scheduled' | 'active' | 'ended' | 'cancelled' | 'missed';

/** A time in which users are told to stay away from an environment. Times are ISO 8601 in UTC. */
export interface Window {
  readonly id: string;
  readonly environment: string;
  readonly from: string;
  readonly to: string;
  /** The IANA time zone in which it was asked for. */
  readonly zone: string;
  readonly reason: string;
  /** The migration that starts only in it; null = none. */
  readonly migration: string | null;
  readonly state: WindowState;
  readonly createdBy: { readonly id: string; readonly name: string };
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Why it was cancelled or missed; null = nothing was said. */
  readonly remark: string | null;
}

/** Something that a status page is told; the id is its name for ever. */
export interface StatusPost {
  readonly id: string;
  readonly windowId: string;
  readonly environment: string;
  readonly body: { readonly [field: string]: string | null };
  readonly attempts: number;
}

/** Windows in the bot's database, for any number of replicas. */
export interface WindowStore {
  /** Stores it, or answers the window of the environment that it would overlap. */
  create(window: Window): Promise<Window | null>;
  find(id: string): Promise<Window | null>;
  /** Those to come and active ones, and those that ended after `since`; by their beginning. */
  list(environment: string | null, since: Date): Promise<readonly Window[]>;
  /** The window, to come or active, that a migration is bound to; the earliest. */
  boundTo(environment: string, migration: string): Promise<Window | null>;
  /** Scheduled → active; false where it is not scheduled any more, or another one is active there. */
  start(id: string, at: Date): Promise<boolean>;
  /** Active → ended, scheduled → cancelled or missed; false where that does not fit any more. */
  finish(id: string, to: 'ended' | 'cancelled' | 'missed', at: Date, remark: string | null): Promise<boolean>;
  /** Ids of the runs that start in it, and of those that turn maintenance mode on or off for it; oldest first. */
  runsOf(id: string): Promise<readonly string[]>;
  /** Whether this process does the work of that name until then: at most one process at a time. */
  keep(name: string, holder: string, now: Date, until: Date): Promise<boolean>;
  /** Stored once by its id; those of the same window that still wait are overtaken by it. */
  addPost(post: Omit<StatusPost, 'attempts'>, at: Date): Promise<void>;
  /** The oldest waiting one of each environment, if its time has come: taken for a minute. */
  claimPosts(now: Date): Promise<readonly StatusPost[]>;
  settlePost(id: string, state: 'delivered' | 'refused'): Promise<void>;
  postponePost(id: string, next: Date): Promise<void>;
}
