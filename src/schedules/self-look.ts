/** What the bot's own database knows that should not be, and how the database is. Names of runs, topics and pages; no contents. */
export interface SelfLook {
  readonly database: {
    /** Until it answered. */
    readonly milliseconds: number;
    readonly bytes: number;
    /** Null where its disk cannot be seen from here. */
    readonly freeBytes: number | null;
  };
  /** Of this environment: held, and nobody renews it. */
  readonly leases: readonly string[];
  readonly lost: readonly string[];
  readonly queued: readonly string[];
  /** Of all environments. */
  readonly untold: readonly string[];
  readonly refused: readonly string[];
  readonly pages: readonly string[];
}
