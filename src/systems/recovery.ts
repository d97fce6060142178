import type { Json } from '../shared/json.ts';

/** What a line of a runbook is about, in the order in which a runbook tells it. */
export type RecoveryTopic = 'holds' | 'journal' | 'services' | 'flags' | 'maintenance' | 'never';

/** One thing that a person can do or must know when the bot is gone. */
export interface RecoveryLine {
  readonly topic: RecoveryTopic;
  /** In words; names between backticks. */
  readonly what: string;
  /** For a shell, on one line, made with `shell-word.ts`: never a password. Null = there is nothing to type. */
  readonly command: string | null;
  /** The command changes something. */
  readonly changes: boolean;
  /** One of the few that are told before a run changes anything. */
  readonly first?: true;
}

/** A run as its systems need it to say how one recovers from it. */
export interface RecoveryRun {
  readonly environment: string;
  readonly runId: string;
  /** The run itself, and the one that it undoes. */
  readonly runIds: readonly string[];
  /** Its steps on this system, in the order of the plan. */
  readonly steps: readonly { readonly use: string; readonly input: Json }[];
}
