import type { ValidationReport } from '../notices/notice.ts';

/** Reports of scheduled validations, in the bot's database. */
export interface ReportStore {
  /** False when the run has been reported before. */
  add(report: ValidationReport, told: boolean): Promise<boolean>;
  find(runId: string): Promise<ValidationReport | null>;
  /** The schedule's last one before a time; null = there is none. */
  lastBefore(schedule: string, at: string): Promise<ValidationReport | null>;
  /** When the schedule last told something: ISO 8601; null = never. */
  lastTold(schedule: string): Promise<string | null>;
  /** Oldest first, at most `limit`, until a time and with it. */
  history(schedule: string, until: string, limit: number): Promise<readonly ValidationReport[]>;
  /** Notes which findings of a report were fixed later. */
  markFixed(runId: string, keys: readonly string[], at: string): Promise<ValidationReport | null>;
}
