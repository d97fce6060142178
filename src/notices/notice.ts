/** Something that the bot says by itself, beside what runs tell: a report, a reminder, an announcement, a receipt. */
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
}

export interface Notice extends NewNotice {
  /** Grows: notices are told in this order. */
  readonly id: number;
  /** When it was added: ISO 8601. */
  readonly at: string;
}

/** What notices say, by kind. To add one: a kind here with its zod schema in `notice-content.ts`, and a message in `blocks/`. */
export type NoticeContent =
  | { readonly kind: 'line'; readonly text: string }
  | PageNotice
  | MaintenanceNotice
  | ChecklistNotice;

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
