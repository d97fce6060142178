import type { Member } from '../approvals/seniority.ts';

/** What the announcer remembers across restarts, so that nothing is posted twice or left out. Kept in the bot's database. */
export interface Outbox {
  /** Id of the last event that was told in channels, or in threads; 0 at first. */
  cursor(where: 'channel' | 'thread'): Promise<number>;
  moveCursor(where: 'channel' | 'thread', eventId: number): Promise<void>;
  /**
   * The post about a run or a notice's topic, under a name (`card`, `thread-done`, …): null = never begun; ts null = begun,
   * unknown whether it arrived.
   */
  post(about: string, name: string): Promise<{ readonly channel: string; readonly ts: string | null } | null>;
  /** The newest post about it that arrived in the channel; null = none. */
  lastPost(about: string, channel: string): Promise<{ readonly name: string; readonly ts: string } | null>;
  /** What a message is about: a run's id or a notice's topic; null = it is none of these posts. */
  postedAbout(channel: string, ts: string): Promise<string | null>;
  /** True for the first who comes with this window's id: what is asked for in a window is asked for once. */
  submitWindow(viewId: string): Promise<boolean>;
  /** Records that a post is about to be made, before it is made. */
  beginPost(about: string, name: string, channel: string): Promise<void>;
  finishPost(about: string, name: string, ts: string): Promise<void>;
  /** Somebody deleted the post: it is begun anew. False when that was so before: once is enough. */
  beginAnew(about: string, name: string, ts: string): Promise<boolean>;
  /** Opaque tokens for buttons: what a click means is read from here, never from the button. */
  saveButton(token: string, meaning: ButtonMeaning): Promise<void>;
  button(token: string): Promise<ButtonMeaning | null>;
  /** Members of a group as last seen, for the terminal while Slack is down. */
  saveMembers(group: string, users: readonly string[], now: Date): Promise<void>;
  members(group: string): Promise<readonly Member[]>;
}

/** What a button may mean. */
export const buttonActions = [
  'approve',
  'reject',
  'details',
  'samples',
  'retry',
  'undo',
  'keep',
  'pause',
  'resume',
  'stop',
  'cancel',
  'slower',
  'faster',
  'continue',
  'checklist',
  'dispute',
  'glass',
  'boxes',
  'environment',
  'ask',
  'window',
  'home',
] as const;

export interface ButtonMeaning {
  readonly action: (typeof buttonActions)[number];
  readonly runId: string | null;
  /** Digest that the card showed, for votes. */
  readonly digest: string | null;
  /** For `environment` and `ask`: the words of the command that a click asks. For `slower`, `faster`: the pace that the card showed. For `glass`: the reason. For `boxes`: which they are, as JSON. */
  readonly words: string | null;
}
