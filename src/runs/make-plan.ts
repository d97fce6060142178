import type { Environment } from '../plans/environment.ts';
import type { Plan, PlanWindow, TakenConflict } from '../plans/plan.ts';
import {
  planBackup,
  planDrill,
  planRestore,
  planRetention,
  planSelfCheck,
  planValidation,
} from '../plans/plan-actions.ts';
import { planMaintenance } from '../plans/plan-maintenance.ts';
import { planMigration } from '../plans/plan-migration.ts';
import { planRelease } from '../plans/plan-release.ts';
import { type Holds, planRollback, planTakes } from '../plans/plan-rollback.ts';
import { type Clock, systemClock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { BackupView, RunRequest } from './door.ts';
import { findLaterWriters } from './later-writers.ts';
import { performedRun } from './performed-run.ts';
import type { LeaseView, RunRecords, StoredRun } from './run-records.ts';
import { standsStill } from './run-status.ts';

export type MakePlan = (
  environment: Environment,
  request: Pick<RunRequest, 'action' | 'subject' | 'canary' | 'takes' | 'maintenance'> & {
    readonly standsStill?: boolean;
    /** An id, or what a stored plan says of it. */
    readonly window?: string | PlanWindow | null;
  },
  backupId: string,
  /** Of a rollback: what newer records refer to, where that has just been looked for. */
  holds?: Promise<Holds>,
) => Promise<Plan>;

/** What an action would do here and now. The same function makes the plan again before the start. */
export function createMakePlan(
  records: RunRecords,
  listBackups: (environment: string) => Promise<readonly BackupView[]>,
  clock: Clock = systemClock,
): MakePlan {
  return async (environment, request, backupId, holds) => {
    const { action, subject, canary = null, takes = [], standsStill = false } = request;
    switch (action) {
      case 'backup':
        return planBackup(environment, backupId);
      case 'validate':
        return planValidation(environment);
      case 'retention':
        return planRetention(environment);
      case 'self-check':
        return planSelfCheck(environment);
      case 'drill':
        return planDrill(environment, await setToTry(listBackups, environment, subject));
      case 'migrate':
        return planMigration(environment, subject, backupId, canary, standsStill);
      case 'restore':
        return planRestore(environment, await findBackup(listBackups, environment, subject), backupId);
      case 'rollback':
        return planRollbackOf(records, environment, subject, takes, holds);
      case 'release':
        return planReleaseOf(records, environment, subject, backupId, clock.now());
      case 'maintenance':
        return planMaintenance(environment, request.maintenance ?? null);
    }
  };
}

/** The run, standing still, that a rollback or restore may take the environment over from; null when none. */
export async function parkedSubject(
  records: RunRecords,
  request: Pick<RunRequest, 'action' | 'subject'>,
  holder: LeaseView | null,
): Promise<string | null> {
  if (holder === null || !standsStill(holder.status)) return null;
  if (request.action === 'restore') return holder.runId;
  if (request.action !== 'rollback') return null;
  const run = await records.find(request.subject);
  return run?.id ?? null;
}

/** A drill that names none means the newest. */
async function setToTry(
  listBackups: (environment: string) => Promise<readonly BackupView[]>,
  environment: Environment,
  id: string,
): Promise<string> {
  if (id !== '') return (await findBackup(listBackups, environment, id)).id;
  const [newest] = await listBackups(environment.name);
  if (newest) return newest.id;
  throw new Failure({
    code: 'unknown-backup',
    message: `${environment.name} has no backup set that could be tried.`,
    advice: `Make one: \`/tas backup env:${environment.name}\`. Nothing was changed.`,
  });
}

async function findBackup(
  listBackups: (environment: string) => Promise<readonly BackupView[]>,
  environment: Environment,
  id: string,
): Promise<BackupView> {
  const sets = await listBackups(environment.name);
  const set = sets.find((candidate) => candidate.id === id);
  if (set) return set;
  throw new Failure({
    code: 'unknown-backup',
    message: `There is no backup set ${id} of ${environment.name}.`,
    advice: `The newest are: ${
      sets
        .slice(0, 3)
        .map((candidate) => candidate.id)
        .join(', ') || 'none'
    }. Nothing was changed.`,
  });
}

/** A run that was carried out and still counts. Throws `unknown-run`, `precondition-failed` or `stale`. */
export async function findUndoable(records: RunRecords, environment: Environment, runId: string): Promise<StoredRun> {
  const run = await findCarriedOut(records, environment, runId);
  if (run.undoneBy === null) return run;
  throw new Failure({
    code: 'stale',
    message: `${runId} was undone or superseded by ${run.undoneBy}.`,
    advice: `To take that back, undo it: \`/tas rollback ${run.undoneBy}\`. Nothing was changed.`,
  });
}

async function findCarriedOut(records: RunRecords, environment: Environment, runId: string): Promise<StoredRun> {
  const run = await records.find(runId);
  if (!run || run.environment !== environment.name) {
    throw new Failure({
      code: 'unknown-run',
      message: `There is no run ${runId} in ${environment.name}.`,
      advice: '`/tas runs` lists them. Nothing was changed.',
    });
  }
  if (run.status === 'done' || run.status === 'closed' || standsStill(run.status)) return run;
  throw new Failure({
    code: 'precondition-failed',
    message: `${runId} is ${run.status}: only a run that is done or stopped can be undone.`,
    advice:
      run.status === 'running'
        ? `Stop it first: \`/tas stop ${runId}\`. Then it is undone from where it stands. Nothing was changed.`
        : '`/tas runs` shows which are. Nothing was changed.',
  });
}

async function planRollbackOf(
  records: RunRecords,
  environment: Environment,
  runId: string,
  takes: readonly TakenConflict[],
  holds: Promise<Holds> | undefined,
): Promise<Plan> {
  const run =
    takes.length > 0 ? await findUndone(records, environment, runId) : await findUndoable(records, environment, runId);
  const released = await records.findRelease(runId);
  if (released !== null) {
    throw new Failure({
      code: 'precondition-failed',
      message: `${runId} can no longer be undone: ${released} gave up what it had kept aside.`,
      advice: 'Restore a backup set instead (`/tas backup list` names them). Nothing was changed.',
    });
  }
  // What the undo wrote counts as later: it is what the conflicts were left by.
  const later = await findLaterWriters(records, environment, run);
  const others = later.filter((id) => takes.length === 0 || id !== run.undoneBy);
  if (others[0]) {
    throw new Failure({
      code: 'conflict',
      message: `${others.join(', ')} changed the same fields after ${runId}.`,
      advice: `Undo ${others[0]} first. Nothing was changed.`,
    });
  }
  const performed = performedRun(run);
  const plan =
    takes.length > 0
      ? await planTakes(environment, performed, takes)
      : await planRollback(environment, performed, holds);
  return withAuthorsOf(run, plan);
}

/** Conflicts are what an undo left. Throws `precondition-failed` for a run that was not undone. */
async function findUndone(records: RunRecords, environment: Environment, runId: string): Promise<StoredRun> {
  const run = await findCarriedOut(records, environment, runId);
  const undoing = run.undoneBy === null ? null : await records.find(run.undoneBy);
  if (undoing?.plan.action === 'rollback') return run;
  throw new Failure({
    code: 'precondition-failed',
    message: `${runId} was not undone, so there is no conflict to take.`,
    advice: `Undo it first: \`/tas rollback ${runId}\`. What it keeps can be taken then. Nothing was changed.`,
  });
}

/** Gives up what a run kept aside. Nothing is aside any more once the run was undone, rewound or released. */
async function planReleaseOf(
  records: RunRecords,
  environment: Environment,
  runId: string,
  backupId: string,
  now: Date,
): Promise<Plan> {
  const run = await findUndoable(records, environment, runId);
  const earlier = await records.findRelease(runId);
  const before = earlier === null ? null : await records.find(earlier);
  // The one that is asked about again before it starts has not begun; one that stopped on the way is retried.
  if (before !== null && before.status !== 'running') {
    throw new Failure({
      code: 'stale',
      message: `${before.id} gives up what ${runId} kept aside: it is ${before.status}.`,
      advice: '`/tas runs` shows it. Nothing was changed.',
    });
  }
  const performed = { ...performedRun(run), endedAt: run.endedAt ?? now.toISOString() };
  return withAuthorsOf(run, await planRelease(environment, performed, backupId, now));
}

/** What is done and given up by an undo or a release was written by who wrote the migration's file: he approves neither. */
function withAuthorsOf({ plan: { alsoAskedBy } }: StoredRun, plan: Plan): Plan {
  return alsoAskedBy === undefined ? plan : { ...plan, alsoAskedBy };
}
