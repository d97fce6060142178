import type { Run } from '../runs/run.ts';

/** Each is what a run of that action does. */
export const scheduledActions = ['validate', 'backup', 'drill', 'retention', 'self-check'] as const;
export type ScheduledAction = (typeof scheduledActions)[number];

/** The reason of runs that a schedule asks for. */
export const reasonOf = (id: string): string => `schedule ${id}`;

/** What is told by the report of a schedule; its run says something only where it fails. */
export const reportedActions: readonly string[] = ['validate', 'self-check'] satisfies ScheduledAction[];

export function isToldByReport({ reason, plan }: Pick<Run, 'reason' | 'plan'>): boolean {
  return reportedActions.includes(plan.action) && /^schedule sch-[0-9a-f]{8}$/.test(reason ?? '');
}

export interface Editor {
  readonly id: string;
  readonly name: string;
}

/** Something that the bot asks for at set times, in the name of whoever said what it does. */
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
  /** Null = nobody, or that was not noted. */
  readonly pausedBy: Editor | null;
  /** Who last said what it does and when: it asks in this name. Pausing and running it changes nothing of that. */
  readonly editor: Editor;
  /** Ids of all who ever did: none of them may approve what it asks for. */
  readonly editors: readonly string[];
  /** Its name in the configuration; null = people made it. */
  readonly configured: string | null;
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
  /** Null resumes it. False when it is gone. */
  pause(id: string, by: Editor | null, nextAt: Date | null): Promise<boolean>;
  /** Makes it due now, once. False when it is gone or paused. */
  runNow(id: string, by: Editor, now: Date): Promise<boolean>;
  /**
   * Makes those of the configuration what these are, in one transaction: pauses stay, and so does the next time of those whose
   * times are as they were; those that are not named are removed.
   */
  configure(schedules: readonly Schedule[], at: Date): Promise<void>;
  remove(id: string): Promise<boolean>;
  /** Those that are due and not paused. */
  due(now: Date): Promise<readonly Schedule[]>;
  /**
   * Takes one time of a schedule and sets when it comes due next, in one transaction. False when another replica has it.
   * A claim that nobody settled for two minutes may be taken again: its replica died.
   */
  claim(id: string, dueAt: Date, nextAt: Date | null, now: Date): Promise<boolean>;
  /** The person who asked for that time by hand; null = it came due by itself. */
  runBy(id: string, dueAt: Date): Promise<Editor | null>;
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
