/** Whether a store or service answers. */
export interface Health {
  readonly up: boolean;
  /** The server's version, or null when it is down. */
  readonly version: string | null;
  readonly latencyMs: number;
  /** Why it is down or limited, safe to show. */
  readonly note?: string;
}

/** How loaded a store is, so that a run slows down before users notice. */
export interface Load {
  /** 0 = idle, 1 = at the limit that its operators set; above 1 the run waits. */
  readonly strain: number;
  /** What is strained, in words ("3 sessions wait for locks"); null when nothing is. */
  readonly why: string | null;
}
