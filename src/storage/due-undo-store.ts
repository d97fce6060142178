import type { RunRecords } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import type { Database } from './database.ts';
import { insertRun } from './insert-run.ts';
import { writeEvent } from './run-changes.ts';
import type { RunQueueClient } from './run-queue-client.ts';
import { readRuns } from './run-rows.ts';

interface Deps {
  readonly database: Database;
  readonly queue: RunQueueClient;
  readonly clock: Clock;
}

/** Runs that undo themselves. */
export function createDueUndoStore({
  database,
  clock,
  queue,
}: Deps): Pick<RunRecords, 'undoDue' | 'dropUndoDue' | 'createDueUndo'> {
  const { pool } = database;
  return {
    undoDue: (now) => readRuns(pool, `where status = 'parked' and undo_due <= $1 order by undo_due limit 20`, [now]),
    async dropUndoDue(runId) {
      await pool.query('update tas.run set undo_due = null where id = $1', [runId]);
    },
    createDueUndo: (undo, runId, now) =>
      database.tx(async (client) => {
        const { rowCount } = await client.query(
          `update tas.run set undo_due = null where id = $1 and status = 'parked' and undo_due <= $2`,
          [runId, now],
        );
        if (rowCount !== 1) return false;
        await insertRun(client, undo);
        await writeEvent(client, clock, undo.id, 'requested', null);
        await queue.enqueue(client, undo.id, 1);
        return true;
      }),
  };
}
