/** What somebody may be woken for; the configuration says which of them do. */
export const pageReasons = [
  'run-failed',
  'run-lost',
  'backup-missed',
  'backup-failed',
  'backup-unproven',
  'bake-failed',
  'window-late',
  'vote-waiting',
  'vote-disputed',
  'glass-broken',
] as const;
export type PageReason = (typeof pageReasons)[number];

export type Severity = 'critical' | 'error' | 'warning';

/** What a page says. All of it leaves the house: no names of people, no values of records. */
export interface PageDetail {
  readonly reason: PageReason;
  readonly environment: string;
  readonly severity: Severity;
  readonly summary: string;
  /** What to do. */
  readonly advice: string;
  readonly runId: string | null;
}

/** A call for somebody, by its key: raised while there is something to do, resolved when there is not. */
export interface Page extends PageDetail {
  /** The same trouble has the same key: a run, a schedule. */
  readonly key: string;
  readonly state: 'raised' | 'resolved';
  /** ISO 8601, of the last time that it was raised. */
  readonly raisedAt: string;
  /** Grows with each change; what was delivered is remembered by it. */
  readonly version: number;
  /** Its raising has been sent, or may have been: only then anybody needs to hear that it is resolved. */
  readonly tried: boolean;
  /** Deliveries of this version that failed. */
  readonly attempts: number;
}

/** Pages in the bot's database, for any number of replicas that tell the same. */
export interface PageStore {
  /** Raises it, or makes it worse, once by that name; one that is raised as badly already stays as it is. */
  raise(once: string, key: string, detail: PageDetail, at: Date): Promise<void>;
  /** Resolves it; where an event of a run says so, only what was raised by that event or one before: clocks of replicas differ. */
  resolve(key: string, at: Date, event?: number): Promise<void>;
  /** Takes pages that are not delivered as they are now, each for a minute: no other replica gets them meanwhile. */
  claim(now: Date): Promise<readonly Page[]>;
  /** This version has been delivered. */
  delivered(key: string, version: number): Promise<void>;
  /** It could not be delivered: not before `next` again. */
  postpone(key: string, version: number, next: Date): Promise<void>;
  /** Raised ones, newest first. */
  open(environment: string | null): Promise<readonly Page[]>;
  /** The last event of runs that was followed; at first the newest there is: nobody is woken for what is long past. */
  cursor(): Promise<number>;
  moveCursor(eventId: number): Promise<void>;
}

/** How a raising by an event of a run is named. */
export const eventName = (event: number): string => `event:${event}`;

/** What others may call when somebody is needed. */
export interface Pages {
  /** `once` names this trouble in its time: the same name pages once. `at`: when it happened; absent = now. */
  raise(once: string, key: string, detail: PageDetail, at?: Date): Promise<void>;
  /** Nothing is to be done any more; nothing happens where the key is not raised. `event`: the run's event that says so. */
  resolve(key: string, event?: number): Promise<void>;
}

const ranks: Readonly<Record<Severity, number>> = { warning: 0, error: 1, critical: 2 };

export function isWorse(severity: Severity, than: Severity): boolean {
  return ranks[severity] > ranks[than];
}
