import type pg from 'pg';
import type { AppliedMigration, MigrationLedger, Rehearsal } from '../migrations/ledger.ts';
import { changedSteps } from '../plans/find-holds.ts';
import { performedRun } from '../runs/performed-run.ts';
import { readRuns } from './run-rows.ts';

/** The runs of one environment as the ledger of its migrations; `rehearsedIn` = environments that count as rehearsals. */
export function createLedgerStore(pool: pg.Pool, environment: string, rehearsedIn: readonly string[]): MigrationLedger {
  return {
    async applied(migrationId): Promise<AppliedMigration[]> {
      // Whatever became of the run: what it has begun to change stands until it is undone or superseded.
      const runs = await readRuns(
        pool,
        `where environment = $1 and action = 'migrate' and subject = $2 and undone_by is null and started_at is not null
          order by started_at desc`,
        [environment, migrationId],
      );
      return runs
        .filter((run) => changedSteps(performedRun(run)).length > 0)
        .map((run) => ({
          runId: run.id,
          contentHash: run.plan.contentHash,
          at: run.startedAt ?? run.requestedAt,
          canary: run.plan.canary ?? null,
        }));
    },
    async rehearsal(contentHash): Promise<Rehearsal | null> {
      const { rows } = await pool.query<RehearsalRow>(
        `select run.environment, run.id, run.ended_at, undo.id as undo_id,
                extract(epoch from run.ended_at - run.started_at)::float8 as seconds,
                extract(epoch from undo.ended_at - undo.started_at)::float8 as undo_seconds
           from tas.run run join tas.run undo on undo.id = run.undone_by
          where run.action = 'migrate' and run.status = 'done' and run.plan ->> 'contentHash' = $1
            and run.plan ->> 'canary' is null and run.environment = any($2) and run.environment <> $3
            and undo.action = 'rollback' and undo.status = 'done'
          order by run.ended_at desc limit 1`,
        [contentHash, rehearsedIn, environment],
      );
      return rows[0] ? toRehearsal(rows[0]) : null;
    },
    async lineage(runId) {
      let origin = runId;
      let undone = false;
      for (;;) {
        const { rows } = await pool.query<{ subject: string }>(
          `select subject from tas.run where id = $1 and action = 'rollback'`,
          [origin],
        );
        if (!rows[0]) return { origin, undone };
        origin = rows[0].subject;
        undone = !undone;
      }
    },
  };
}

interface RehearsalRow {
  environment: string;
  id: string;
  ended_at: Date;
  undo_id: string;
  seconds: number;
  undo_seconds: number;
}

function toRehearsal(row: RehearsalRow): Rehearsal {
  return {
    environment: row.environment,
    runId: row.id,
    at: row.ended_at.toISOString(),
    seconds: row.seconds,
    undoneBy: row.undo_id,
    undoSeconds: row.undo_seconds,
  };
}
