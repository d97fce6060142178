import type pg from 'pg';
import type { RunRecords } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import type { Secret } from '../shared/secret.ts';
import { insertChecklist } from './checklist-store.ts';
import { createControlStore } from './control-store.ts';
import type { Database } from './database.ts';
import { createDueUndoStore } from './due-undo-store.ts';
import { createEarlierRuns } from './earlier-runs.ts';
import { createGateStore } from './gate-store.ts';
import { insertRun } from './insert-run.ts';
import { createLeaseStore } from './lease-store.ts';
import { createLedgerStore } from './ledger-store.ts';
import { listen } from './listen.ts';
import { changeStatus, eventChannel, goOn, lockStatus, writeEvent } from './run-changes.ts';
import type { RunQueueClient } from './run-queue-client.ts';
import { readRuns, toEvent } from './run-rows.ts';
import { createVoteStore } from './vote-store.ts';

interface Deps {
  readonly database: Database;
  readonly url: Secret;
  readonly queue: RunQueueClient;
  readonly clock: Clock;
}

/** Runs in the bot's own PostgreSQL. */
export function createRunStore(deps: Deps): RunRecords {
  const { pool } = deps.database;
  return {
    ...createLeaseStore(pool),
    ...createMoves(deps),
    ...createVoteStore(deps),
    ...createDueUndoStore(deps),
    ...createControlStore(deps),
    ...createGateStore(deps),
    ...createHolds(pool),
    ...createEarlierRuns(pool),
    ...createEvents(deps),
    ledger: (environment, rehearsedIn) => createLedgerStore(pool, environment, rehearsedIn),
    async find(runId) {
      return (await readRuns(pool, 'where id = $1', [runId]))[0] ?? null;
    },
    list: ({ environment, statuses, limit }) =>
      readRuns(
        pool,
        'where ($1::text is null or environment = $1) and ($2::text[] is null or status = any($2)) order by requested_at desc, id desc limit $3',
        [environment ?? null, statuses ?? null, limit],
      ),
    async markUndone(runId, by) {
      await pool.query('update tas.run set undone_by = $2 where id = $1', [runId, by]);
    },
    async markSuperseded(environment, after, by) {
      await pool.query(
        `update tas.run set undone_by = $3 where environment = $1 and id <> $3 and (ended_at > $2 or status = 'paused') and undone_by is null
            and status in ('done', 'parked', 'paused', 'closed') and action in ('migrate', 'rollback', 'restore', 'release')`,
        [environment, after, by],
      );
    },
    async addFindings(runId, findings) {
      // The later finding of the same check wins: a check that ran twice after a crash is reported once.
      await pool.query(
        `update tas.run set findings = (
           select coalesce(jsonb_agg(f order by n), '[]') from (
             select f, n from jsonb_array_elements(findings) with ordinality old(f, n)
              where not exists (select from jsonb_array_elements($2::jsonb) new(g) where g ->> 'check' = f ->> 'check')
             union all
             select g, 1000 + m from jsonb_array_elements($2::jsonb) with ordinality new(g, m)) both_)
         where id = $1`,
        [runId, JSON.stringify(findings)],
      );
    },
    async saveStep(runId, step, place = null) {
      await pool.query(
        `insert into tas.run_step (run_id, step_id, state, done, kept, missing, batches, started_at, ended_at, place)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (run_id, step_id) do update set state = excluded.state, done = excluded.done, kept = excluded.kept,
           missing = excluded.missing, batches = excluded.batches,
           started_at = coalesce(tas.run_step.started_at, excluded.started_at), ended_at = excluded.ended_at,
           place = excluded.place`,
        [
          runId,
          step.stepId,
          step.state,
          step.done,
          step.kept,
          step.missing,
          step.batches,
          step.startedAt,
          step.endedAt,
          place === null ? null : JSON.stringify(place),
        ],
      );
    },
    async sawUp(environment, system, at) {
      await pool.query(
        `insert into tas.system_seen (environment, system, last_up_at) values ($1, $2, $3)
         on conflict (environment, system) do update set last_up_at = excluded.last_up_at`,
        [environment, system, at],
      );
    },
    async lastUp(environment) {
      const { rows } = await pool.query<{ system: string; last_up_at: Date }>(
        'select system, last_up_at from tas.system_seen where environment = $1',
        [environment],
      );
      return new Map(rows.map((row) => [row.system, row.last_up_at.toISOString()]));
    },
  };
}

function createMoves(
  deps: Deps,
): Pick<RunRecords, 'create' | 'move' | 'openToStart' | 'enqueueRetry' | 'expireOverdue'> {
  const { database, clock, queue } = deps;
  return {
    create: (run) =>
      database.tx(async (client) => {
        await insertRun(client, run);
        if (run.checklist && run.checklist.length > 0) await insertChecklist(client, run.id, run.checklist);
        await writeEvent(client, clock, run.id, 'requested', null);
        if (run.queued && run.plan.window === undefined) await queue.enqueue(client, run.id, 1);
      }),
    move: (runId, to, event, detail) =>
      database.tx(async (client) => {
        if (!(await changeStatus(client, clock, runId, to, detail))) return false;
        await writeEvent(client, clock, runId, event.type, event.text);
        return true;
      }),
    openToStart: (runId) =>
      database.tx(async (client) => {
        if ((await lockStatus(client, runId)) !== 'queued') return false;
        await queue.enqueue(client, runId, 1);
        return true;
      }),
    enqueueRetry: (runId, by) =>
      database.tx((client) => {
        const text = by === undefined ? 'retried from where it stopped' : `retried by ${by.name} from where it stopped`;
        // A queued run may start too, but by its own workflow: a second one would carry it out twice.
        return goOn(deps, client, runId, { from: 'parked', text, ...(by === undefined ? {} : { by, what: 'retry' }) });
      }),
    async expireOverdue(now) {
      const { rows } = await database.pool.query<{ id: string }>(
        `select id from tas.run where status = 'planned' and expires_at <= $1`,
        [now],
      );
      let count = 0;
      for (const { id } of rows) {
        const moved = await this.move(id, 'expired', { type: 'expired', text: 'nobody approved it in time' });
        if (moved) count += 1;
      }
      return count;
    },
  };
}

function createEvents(deps: Deps): Pick<RunRecords, 'event' | 'events' | 'listen'> {
  const { pool } = deps.database;
  return {
    event: (runId, type, text, once) =>
      deps.database.tx((client) => writeEvent(client, deps.clock, runId, type, text, once)),
    async events(afterId, limit) {
      const { rows } = await pool.query('select * from tas.run_event where id > $1 order by id limit $2', [
        afterId,
        limit,
      ]);
      return rows.map(toEvent);
    },
    listen: (wake) => listen(deps.url, eventChannel, wake),
  };
}

function createHolds(pool: pg.Pool): Pick<RunRecords, 'saveHolds' | 'held'> {
  return {
    async saveHolds(runId, field, values) {
      await pool.query(
        `insert into tas.undo_hold (run_id, system, collection, field, value)
         select $1, $2, $3, $4, unnest($5::text[]) on conflict do nothing`,
        [runId, field.system, field.collection, field.field, values],
      );
    },
    async held(runId, field, values) {
      const { rows } = await pool.query<{ value: string }>(
        `select value from tas.undo_hold where run_id = $1 and system = $2 and collection = $3 and field = $4 and value = any($5)`,
        [runId, field.system, field.collection, field.field, values],
      );
      return new Set(rows.map((row) => row.value));
    },
  };
}
