import { Failure } from '../shared/failure.ts';
import type { RunRecords, StoredRun } from './run-records.ts';

/** A run that somebody has named. Throws `unknown-run`. */
export async function findRun(records: Pick<RunRecords, 'find'>, runId: string): Promise<StoredRun> {
  const run = await records.find(runId);
  if (run) return run;
  throw new Failure({
    code: 'unknown-run',
    message: `There is no run ${runId}.`,
    advice: '`/tas runs` lists them. Nothing was changed.',
  });
}
