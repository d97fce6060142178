/** What one check found: ✓ passed, ✗ failed, ⚠ warning, ∅ skipped. */
export type FindingStatus = 'passed' | 'failed' | 'warning' | 'skipped';

/** One validation rule and what it found. Safe to show: samples hold keys and fields that may be shown, no more. */
export interface Finding {
  /** The check's id, stable over time, e.g. `unique-tenant-ids`. */
  readonly check: string;
  readonly title: string;
  readonly status: FindingStatus;
  /** How many records violate the rule; 0 when passed, null when it was not counted (skipped). */
  readonly count: number | null;
  /** At most five violations, each a short text. */
  readonly samples: readonly string[];
  /** Why it was skipped, or what to do about it. */
  readonly advice?: string;
}
