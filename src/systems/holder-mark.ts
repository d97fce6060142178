/** Who holds an environment, as anybody can read it in the system when the bot is gone. */
export interface Holder {
  readonly environment: string;
  readonly runId: string;
  /** What the run has set up, in words, as it last said. */
  readonly note: string;
  readonly acquiredAt: Date;
  readonly renewedAt: Date;
  readonly seconds: number;
  /** Nobody has renewed it for longer than it lasts: the bot stands still or is gone. */
  readonly expired: boolean;
}

/** A mark in the system that says who holds an environment; renewed while a run does. */
export interface HolderMark {
  /**
   * Takes it, or renews what this run holds already. False where another run holds one that has not expired: nothing is
   * written then.
   */
  hold(holder: { environment: string; runId: string; seconds: number; note?: string }): Promise<boolean>;
  /** Removes it where this run holds it; false where it does not. */
  release(environment: string, runId: string): Promise<boolean>;
  /** Null where nobody holds the environment. */
  read(environment: string): Promise<Holder | null>;
}
