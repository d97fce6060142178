import type { Run } from '../runs/run.ts';

export type ScheduledAction = 'validate' | 'backup';
export const scheduledActions: readonly ScheduledAction[] = ['validate', 'backup'];

/** The reason of runs that a schedule asks for. */
export const reasonOf = (id: string): string => `schedule ${id}`;

/** What a schedule validates is told in its report: its run says something only where it fails. */
export function isToldByReport({ reason, plan }: Pick<Run, 'reason' | 'plan'>): boolean {
  return plan.action === 'validate' && /^schedule sch-[0-9a-f]{8}$/.test(reason ?? '');
}

/** Something that the bot asks for at set times, in the name of whoever edited it last. */
export interface Schedule {
  /** `sch-` and eight characters. */
  readonly id: string;
  readonly environment: string;
  readonly action: ScheduledAction;
  /** `0 3 * * *`, by the clock of the zone. */
  readonly cron: string;
  readonly zone: string;
  /** True = a report that would say nothing new is left out, but for a weekly sign of life. */
  readonly quiet: boolean;
  readonly paused: boolean;
  readonly editor: { readonly id: string; readonly name: string };
  /** ISO 8601; null = it does not come due any more. */
  readonly nextAt: string | null;
}

/** `claimed` = a replica has taken it and not said what became of it. */
export type FiringOutcome = 'claimed' | 'asked' | 'skipped' | 'refused';

/** A time at which a schedule came due, and what became of it. */
export interface Firing {
  readonly dueAt: string;
  readonly outcome: FiringOutcome;
  readonly runId: string | null;
}

export interface ScheduleStore {
  /** In the order of their ids. */
  list(environment: string | null): Promise<readonly (Schedule & { readonly last: Firing | null })[]>;
  find(id: string): Promise<Schedule | null>;
  add(schedule: Schedule, at: Date): Promise<void>;
  /** False when it is gone. */
  pause(id: string, paused: boolean, nextAt: Date | null, editor: Schedule['editor'], at: Date): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  /** Those that are due and not paused. */
  due(now: Date): Promise<readonly Schedule[]>;
  /**
   * Takes one time of a schedule and sets when it comes due next, in one transaction. False when another replica has it.
   * A claim that nobody settled for two minutes may be taken again: its replica died.
   */
  claim(id: string, dueAt: Date, nextAt: Date | null, now: Date): Promise<boolean>;
  settle(id: string, dueAt: Date, outcome: Exclude<FiringOutcome, 'claimed'>, runId: string | null): Promise<void>;
  /** Claims that nobody settled for two minutes. */
  unsettled(now: Date): Promise<readonly { readonly schedule: Schedule; readonly dueAt: Date }[]>;
  /** The last run that it asked for; null = none. */
  lastRun(id: string): Promise<string | null>;
  /** Runs that schedules asked for and that nothing was reported of yet, oldest first. */
  unreported(): Promise<readonly { readonly schedule: Schedule; readonly dueAt: Date; readonly runId: string }[]>;
  /** False when another replica has reported it. */
  markReported(id: string, dueAt: Date): Promise<boolean>;
}
