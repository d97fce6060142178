import type pg from 'pg';
import { isOver, runStatuses } from '../runs/run-status.ts';

const open = runStatuses.filter((status) => !isOver(status));

/**
 * Backup sets that runs of the environment may need: those of runs that are not over, taken, restored or tried by them; and
 * those that were taken before changes which may still be undone, `holdDays` from their end on.
 */
export async function findNeededSets(
  pool: pg.Pool,
  environment: string,
  holdDays: number,
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(
    `select distinct set_id as id from tas.run r,
       unnest(array[r.backup_id, case when r.action in ('restore', 'drill') then r.subject end]) as sets(set_id)
      where r.environment = $1 and set_id is not null and (r.status = any($2)
         or (r.action not in ('backup', 'validate', 'drill') and r.ended_at > now() - make_interval(days => $3)))`,
    [environment, open, holdDays],
  );
  return new Set(rows.map(({ id }) => id));
}
