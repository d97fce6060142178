import type { Plan } from '../plans/plan.ts';
import type { Finding } from '../systems/finding.ts';

/** What evidence is taken from: a run as it is stored. */
export interface RunFacts {
  readonly id: string;
  readonly environment: string;
  readonly status: string;
  readonly plan: Plan;
  readonly requester: { readonly id: string };
  /** Times are ISO 8601. */
  readonly requestedAt: string;
  /** When what was voted for may start no more. */
  readonly expiresAt: string;
  readonly votes: readonly unknown[];
  readonly steps: readonly StepFact[];
  /** Findings of the checks that the run carried out. */
  readonly findings: readonly Finding[];
  readonly backupId: string | null;
  readonly undoneBy: string | null;
}

export interface StepFact {
  readonly stepId: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  readonly done: number;
  /** ISO 8601; null = not yet. */
  readonly endedAt: string | null;
}

/** A backup set of the environment. */
export interface BackupFact {
  readonly id: string;
  readonly createdAt: string;
  /** Null = it was not restored and checked yet. */
  readonly proven: { readonly at: string; readonly seconds: number } | null;
}

/** What the bot sees of one thing. */
export type Evidence =
  | { readonly seen: true; readonly at: string | null; readonly text: string }
  /** `lost` = it was there, and is no longer (undone), or it failed. */
  | { readonly seen: false; readonly lost: boolean; readonly text: string }
  /** This run has nothing of the sort. */
  | { readonly seen: 'absent' };
