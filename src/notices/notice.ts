/** Something that the bot says by itself, beside what runs tell: a report, an announcement, a page, a checklist. */
export interface NewNotice {
  /** What it is about. A later notice on the same topic at the same place edits the earlier message, unless it comes anew. */
  readonly topic: string;
  /** A channel by name or id, or one person by Slack user id. */
  readonly to: { readonly channel: string } | { readonly user: string };
  /** True = a new message, because edits notify nobody; false = the topic's last message is edited where there is one. */
  readonly anew: boolean;
  /** The same key is told once, however often it is added (two replicas, a crash after adding). */
  readonly once: string;
  readonly content: NoticeContent;
  /** A run's id or a topic: it goes into the thread of that message at the same place; where there is none it stands alone. */
  readonly thread?: string;
  /** A PNG under the text; where the app may not upload files the message goes without it. */
  readonly image?: NoticeImage;
}

export interface NoticeImage {
  readonly png: Buffer;
  /** What it shows, for those who do not see it. */
  readonly shows: string;
}

export interface Notice extends Omit<NewNotice, 'content'> {
  /** Grows: notices are told in this order. */
  readonly id: number;
  /** When it was added: ISO 8601. */
  readonly at: string;
  /** Null = another version of the bot added it, and this one does not know what it says. */
  readonly content: NoticeContent | null;
}

/** What notices say, by kind. To add one: a kind here with its zod schema in `notice-content.ts`, and a message in `blocks/`. */
export type NoticeContent =
  | LineNotice
  | PageNotice
  | MaintenanceNotice
  | ChecklistNotice
  | VoteReceipt
  | VoteWanted
  | ValidationReport;

/** Names between backticks are shown as such. */
export interface LineNotice {
  readonly kind: 'line';
  readonly text: string;
  /** The run that it is about; absent = none. */
  readonly runId?: string;
}

/** Somebody is needed, or no longer. */
export interface PageNotice {
  readonly kind: 'page';
  readonly state: 'raised' | 'resolved';
  readonly environment: string;
  readonly severity: 'critical' | 'error' | 'warning';
  readonly summary: string;
  readonly advice: string;
  readonly runId: string | null;
  /** Slack user ids that are mentioned. */
  readonly users: readonly string[];
  /** Why it is told here and not by the pager; null = there is none. */
  readonly note: string | null;
}

/** What a vote did, for the one in whose name it was given. */
export interface VoteReceipt {
  readonly kind: 'vote-receipt';
  readonly runId: string;
  readonly choice: 'approve' | 'reject';
  readonly environment: string;
  /** In words: migrate space-isolation. */
  readonly about: string;
  readonly destroys: number;
  readonly oneWay: boolean;
  readonly digest: string;
  /** ISO 8601 */
  readonly at: string;
}

/** A run still waits for votes, and its time goes by. */
export interface VoteWanted {
  readonly kind: 'vote-wanted';
  readonly runId: string;
  readonly environment: string;
  readonly about: string;
  readonly votes: number;
  readonly votesNeeded: number;
  /** ISO 8601 */
  readonly expiresAt: string;
}

/** What users are told of a maintenance window, in the words of the configuration. */
export interface MaintenanceNotice {
  readonly kind: 'maintenance';
  /** `{from}` and so on stand for the values. */
  readonly words: string;
  readonly environment: string;
  /** ISO 8601 */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** When it is no longer true: told later than that, the next one is told instead. ISO 8601; null = it stays true. */
  readonly trueUntil: string | null;
}

/** What a scheduled validation, or check of the bot itself, found, beside the one before. Names of checks and counts, no values. */
export interface ValidationReport {
  readonly kind: 'validation-report';
  /** Absent = the environment's data. */
  readonly about?: 'the-bot';
  readonly schedule: string;
  readonly environment: string;
  readonly runId: string;
  /** ISO 8601 */
  readonly at: string;
  /** Checks by what they found. */
  readonly totals: {
    readonly passed: number;
    readonly warning: number;
    readonly failed: number;
    readonly skipped: number;
  };
  readonly fresh: readonly OpenFinding[];
  readonly still: readonly OpenFinding[];
  readonly fixed: readonly OpenFinding[];
  /** What a later report found fixed: key → when, ISO 8601. */
  readonly fixedLater: Readonly<Record<string, string>>;
}

/** A finding that is not as it should be. */
export interface OpenFinding {
  /** The same finding has the same key in each report. */
  readonly key: string;
  readonly title: string;
  readonly status: 'failed' | 'warning';
  readonly count: number;
  /** The run in whose report it was told first. */
  readonly since: string;
  /** Of the bot itself: what it is about and what to do. Absent for data: that holds keys of records. */
  readonly detail?: string;
}

/** The checklist of a run looks otherwise: it is read when it is told. */
export interface ChecklistNotice {
  readonly kind: 'checklist';
  readonly runId: string;
}

/** Kept in the bot's database until Slack has taken it: nothing is lost while Slack is away. */
export interface Notices {
  /** In one transaction: all or none. */
  add(notices: readonly NewNotice[]): Promise<void>;
}

/** What those read who tell notices. */
export interface NoticeRecords extends Notices {
  /** Those that come after an id, oldest first. */
  list(afterId: number, limit: number): Promise<readonly Notice[]>;
  /** Wakes when there may be new ones; answers how to stop that. */
  listen(wake: () => void): Promise<() => Promise<void>>;
  /** Id of the last one that was told; 0 at first. */
  cursor(): Promise<number>;
  moveCursor(id: number): Promise<void>;
  /** Slack would never take it: its word is kept with it. */
  refuse(id: number, word: string): Promise<void>;
}
