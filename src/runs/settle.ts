import type { BackupView } from './door.ts';
import type { RunRecords, StoredRun } from './run-records.ts';
import { standsStill } from './run-status.ts';

/** What a finished run means for others: which runs it undid, and which a restore made meaningless. May run twice. */
export async function settle(
  records: RunRecords,
  listBackups: (environment: string) => Promise<readonly BackupView[]>,
  run: StoredRun,
): Promise<void> {
  if (run.plan.action === 'rollback') await settleRollback(records, run);
  if (run.plan.action === 'restore') {
    const set = (await listBackups(run.environment)).find((candidate) => candidate.id === run.plan.subject);
    if (set) await records.markSuperseded(run.environment, new Date(set.createdAt), run.id);
    await closeParked(records, run);
  }
}

async function settleRollback(records: RunRecords, run: StoredRun): Promise<void> {
  const undone = await records.find(run.plan.subject);
  // Single conflicts that were taken leave the run as undone as it was.
  if (!undone || run.plan.takes) return;
  await records.markUndone(undone.id, run.id);
  // An undo that is undone makes the run that it had undone count again.
  if (undone.plan.action === 'rollback' && !undone.plan.takes) await records.markUndone(undone.plan.subject, null);
  if (standsStill(undone.status)) await close(records, undone, run.id);
}

async function closeParked(records: RunRecords, run: StoredRun): Promise<void> {
  const statuses = ['parked', 'paused'] as const;
  for (const still of await records.list({ environment: run.environment, statuses, limit: 10 })) {
    await close(records, still, run.id);
  }
}

async function close(records: RunRecords, { id, status }: StoredRun, by: string): Promise<void> {
  // A paused run that was undone cannot be resumed any more: it stops first.
  if (status === 'paused') await records.move(id, 'parked', { type: 'asked', text: `stops: undone by ${by}` });
  await records.move(id, 'closed', { type: 'closed', text: `undone by ${by}` }, { undoneBy: by });
}
