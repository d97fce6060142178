import type { Environment } from '../plans/environment.ts';
import type { Plan } from '../plans/plan.ts';
import { planBackup, planMigration, planRestore, planValidation } from '../plans/plan-actions.ts';
import { planRollback } from '../plans/plan-rollback.ts';
import { Failure } from '../shared/failure.ts';
import type { BackupView, RunRequest } from './door.ts';
import { findLaterWriters } from './later-writers.ts';
import { performedRun } from './performed-run.ts';
import type { LeaseView, RunRecords } from './run-records.ts';

export type MakePlan = (
  environment: Environment,
  request: Pick<RunRequest, 'action' | 'subject'>,
  backupId: string,
) => Promise<Plan>;

/** What an action would do here and now. The same function makes the plan again before the start. */
export function createMakePlan(
  records: RunRecords,
  listBackups: (environment: string) => Promise<readonly BackupView[]>,
): MakePlan {
  return async (environment, { action, subject }, backupId) => {
    switch (action) {
      case 'backup':
        return planBackup(environment, backupId);
      case 'validate':
        return planValidation(environment);
      case 'migrate':
        return planMigration(environment, subject, backupId);
      case 'restore':
        return planRestore(environment, await findBackup(listBackups, environment, subject), backupId);
      case 'rollback':
        return planRollbackOf(records, environment, subject);
    }
  };
}

/** The parked run that a rollback or restore may take the environment over from; null when none. */
export async function parkedSubject(
  records: RunRecords,
  request: Pick<RunRequest, 'action' | 'subject'>,
  holder: LeaseView | null,
): Promise<string | null> {
  if (holder?.status !== 'parked') return null;
  if (request.action === 'restore') return holder.runId;
  if (request.action !== 'rollback') return null;
  const run = await records.find(request.subject);
  return run?.id ?? null;
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

async function planRollbackOf(records: RunRecords, environment: Environment, runId: string): Promise<Plan> {
  const run = await records.find(runId);
  if (!run || run.environment !== environment.name) {
    throw new Failure({
      code: 'unknown-run',
      message: `There is no run ${runId} in ${environment.name}.`,
      advice: '`/tas runs` lists them. Nothing was changed.',
    });
  }
  if (run.status !== 'done' && run.status !== 'parked') {
    throw new Failure({
      code: 'precondition-failed',
      message: `${runId} is ${run.status}: only a run that is done or parked can be undone.`,
      advice: '`/tas runs` shows which are. Nothing was changed.',
    });
  }
  if (run.undoneBy !== null) {
    throw new Failure({
      code: 'stale',
      message: `${runId} was undone or superseded by ${run.undoneBy}.`,
      advice: `To take that back, undo it: \`/tas rollback ${run.undoneBy}\`. Nothing was changed.`,
    });
  }
  const later = await findLaterWriters(records, environment, run);
  if (later[0]) {
    throw new Failure({
      code: 'conflict',
      message: `${later.join(', ')} changed the same fields after ${runId}.`,
      advice: `Undo ${later[0]} first. Nothing was changed.`,
    });
  }
  return planRollback(environment, performedRun(run));
}
