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
export type NoticeContent = { readonly kind: 'line'; readonly text: string };

/** Kept in the bot's database until Slack has taken it: nothing is lost while Slack is away. */
export interface Notices {
  /** In one transaction: all or none. */
  add(notices: readonly NewNotice[]): Promise<void>;
}
