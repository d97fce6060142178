import type { Reference } from '../migrations/migration.ts';
import type { Json } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import type { Kept } from '../systems/kept-tally.ts';
import type { Effect, FieldRef, Sample, UndoClass } from '../systems/system.ts';

export type Action =
  | 'backup'
  | 'restore'
  | 'migrate'
  | 'validate'
  | 'rollback'
  | 'release'
  | 'maintenance'
  | 'drill'
  | 'retention'
  | 'self-check';

/** Actions that look and hold no environment: what they find is their result, and stops nothing. */
export const looking: readonly Action[] = ['validate', 'drill', 'self-check'];

/** How long a step takes, and where the figure comes from. */
export interface Estimate {
  readonly seconds: number;
  /** `measured` = from earlier runs of the same step kind, scaled by the count; `guessed` = from the kind's usual rate. */
  readonly from: 'measured' | 'guessed';
}

/** `release` gives up for good what a step of an earlier run kept aside. */
export type StepMode = 'perform' | 'undo' | 'release';

/** A conflict of an undo that people decided to restore all the same. */
export interface TakenConflict extends FieldRef {
  readonly key: string;
}

/** What a migration's file says of itself, for those who vote. */
export interface PlanAbout {
  /** Data-model versions. */
  readonly from: string;
  readonly to: string;
  /** The feature flag that guards what the migration brings; null = none. */
  readonly flag: string | null;
  readonly contact: string;
}

/** The time in which a run may start. */
export interface PlanWindow {
  readonly id: string;
  /** ISO 8601 */
  readonly from: string;
  readonly until: string;
}

/** Maintenance mode, as a window turns it on and off. */
export interface MaintenanceWish {
  readonly window: string;
  /** The configured system that holds it. */
  readonly system: string;
  readonly on: boolean;
  /** What users read. */
  readonly message: string;
  /** ISO 8601; null = not told. */
  readonly until: string | null;
}

/** One use of a step kind in a plan. Its samples are masked. */
export interface PlanStep {
  /** Unique in the plan: `<stage>.<step>`. */
  readonly id: string;
  readonly title: string;
  /** The configured system's name; null for the bot's own kinds that span systems (backup, checks). */
  readonly system: string | null;
  /** The step kind's name. */
  readonly use: string;
  readonly mode: StepMode;
  readonly input: Json;
  readonly effect: Effect;
  readonly undoClass: UndoClass;
  readonly count: number;
  readonly exact: boolean;
  readonly keysHash: string;
  readonly schemaHash: string;
  readonly samples: readonly Sample[];
  readonly locks: readonly string[];
  readonly bytes: number;
  /** The run stops before it and asks for a vote on what it would do then. */
  readonly ownApproval: boolean;
  /** Null for steps that only read and were never measured. */
  readonly estimate: Estimate | null;
  /** For mode undo: what would stay as it is. Absent where the kind cannot tell beforehand. */
  readonly kept?: Kept;
  /** For modes undo and release: whose step it undoes, or gives up. */
  readonly undoes: { readonly runId: string; readonly stepId: string } | null;
}

export interface PlanStage {
  readonly id: string;
  readonly title: string;
  /** Carried out even when an earlier stage failed (scale services back up). */
  readonly always: boolean;
  readonly steps: readonly PlanStep[];
}

/** What a request would do here and now. Its canonical JSON is what people sign. */
export interface Plan {
  readonly version: 1;
  /** Version of the engine that will carry it out. */
  readonly engine: string;
  readonly environment: string;
  readonly action: Action;
  /** The migration's id, the backup set's id, the id of the run that is undone or released, `on` or `off` and the window's id; empty for backup and validate. */
  readonly subject: string;
  readonly title: string;
  /** SHA-256 of the migration's content; empty where there is none. */
  readonly contentHash: string;
  /** Each system's server, by configured name. */
  readonly identities: { readonly [system: string]: string };
  /** SHA-256 of the environment's configuration without secrets. */
  readonly configHash: string;
  /** The one tenant (or other canary) that it is narrowed to; null = everything. */
  readonly canary: string | null;
  /** Of a migration; absent for everything else. */
  readonly about?: PlanAbout;
  /** Of a rollback: only these conflicts are undone, whatever stands there now; absent = the usual undo. */
  readonly takes?: readonly TakenConflict[];
  /** Minutes after which the run, stopped while services are down, undoes itself; absent = it does not. The vote covers that. */
  readonly undoAfterMinutes?: number;
  /** Days after the run's end for which what it keeps aside can be brought back; absent in plans of older versions. */
  readonly holdDays?: number;
  /** Ids of others who had a part in asking: their votes do not carry it. Absent = nobody else. */
  readonly alsoAskedBy?: readonly string[];
  /** The newest proven backup set when the plan was made; null = none is, absent = not looked for. Time in ISO 8601. */
  readonly lastProven?: { readonly set: string; readonly createdAt: string; readonly provenAt: string } | null;
  /** It starts only in this window; absent = at once. */
  readonly window?: PlanWindow;
  /** Of the action maintenance. */
  readonly maintenance?: MaintenanceWish;
  readonly stages: readonly PlanStage[];
  readonly references: readonly Reference[];
  readonly coupled: readonly (readonly FieldRef[])[];
  /** What was looked at before: failed ones refuse the plan. */
  readonly findings: readonly Finding[];
  /** All steps together; null or absent = not known. */
  readonly estimate?: Estimate | null;
  readonly totals: { readonly adds: number; readonly changes: number; readonly destroys: number };
  readonly undoClass: UndoClass;
}

/** Whether a run of it leaves something that an undo takes back. */
export function isUndoable({ action }: Pick<Plan, 'action'>): boolean {
  return action === 'migrate' || action === 'rollback';
}

/** What was asked for, as it was asked: `migrate space-isolation`, `backup`. */
export function sayAsked({ action, subject }: Pick<Plan, 'action' | 'subject'>): string {
  return `${action} ${subject}`.trim();
}
