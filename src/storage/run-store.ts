import pg from 'pg';
import type { RunEventType } from '../runs/run.ts';
import type { NewRun, RunDetail, RunRecords } from '../runs/run-records.ts';
import { isOver, mayMove, type RunStatus } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import type { Secret } from '../shared/secret.ts';
import type { Database } from './database.ts';
import { createEarlierRuns } from './earlier-runs.ts';
import { createLeaseStore } from './lease-store.ts';
import type { RunQueueClient } from './run-queue-client.ts';
import { readRuns, readVotes, toEvent } from './run-rows.ts';

const channel = 'tas_run_event';
/** Events commit in the order of their ids, so that a reader who follows the ids misses none. */
const eventLock = 7_282_020;

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
    ...createHolds(pool),
    ...createEarlierRuns(pool),
    ...createEvents(deps),
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
        `update tas.run set undone_by = $3 where environment = $1 and id <> $3 and ended_at > $2 and undone_by is null
            and status in ('done', 'parked', 'closed') and action in ('migrate', 'rollback', 'restore', 'release')`,
        [environment, after, by],
      );
    },
    addVote: (runId, vote) => insertVote(pool, runId, vote),
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
    async saveStep(runId, step) {
      await pool.query(
        `insert into tas.run_step (run_id, step_id, state, done, kept, missing, batches, started_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (run_id, step_id) do update set state = excluded.state, done = excluded.done, kept = excluded.kept,
           missing = excluded.missing, batches = excluded.batches,
           started_at = coalesce(tas.run_step.started_at, excluded.started_at), ended_at = excluded.ended_at`,
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
): Pick<RunRecords, 'create' | 'move' | 'voteAndMove' | 'enqueueRetry' | 'expireOverdue'> {
  const { database, clock, queue } = deps;
  return {
    create: (run) =>
      database.tx(async (client) => {
        await insertRun(client, run);
        await writeEvent(client, clock, run.id, 'requested', null);
        if (run.queued) await queue.enqueue(client, run.id, 1);
      }),
    move: (runId, to, event, detail) =>
      database.tx(async (client) => {
        if (!(await changeStatus(client, clock, runId, to, detail))) return false;
        await writeEvent(client, clock, runId, event.type, event.text);
        return true;
      }),
    voteAndMove: (runId, vote, decide) =>
      database.tx(async (client) => {
        const status = await lockStatus(client, runId);
        if (status !== 'planned') return 'over';
        if (!(await insertVote(client, runId, vote))) return 'doubled';
        await writeEvent(client, clock, runId, 'voted', `${vote.voter.name}: ${vote.choice}`);
        const decision = decide((await readVotes(client, [runId])).get(runId) ?? []);
        if (decision === 'wait') return decision;
        await changeStatus(client, clock, runId, decision, {});
        await writeEvent(client, clock, runId, decision === 'queued' ? 'approved' : 'rejected', vote.reason);
        if (decision === 'queued') await queue.enqueue(client, runId, 1);
        return decision;
      }),
    enqueueRetry: (runId) =>
      database.tx(async (client) => {
        // A queued run may start too, but by its own workflow: a second one would carry it out twice.
        if ((await lockStatus(client, runId)) !== 'parked') return false;
        await changeStatus(client, clock, runId, 'running', {});
        const { rows } = await client.query<{ attempt: number }>(
          'update tas.run set attempt = attempt + 1, failure = null, ended_at = null where id = $1 returning attempt',
          [runId],
        );
        await writeEvent(client, clock, runId, 'resumed', 'retried from where it stopped');
        await queue.enqueue(client, runId, rows[0]?.attempt ?? 2);
        return true;
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
    listen: (wake) => listen(deps.url, wake),
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

async function insertRun(client: pg.PoolClient, run: NewRun): Promise<void> {
  await client.query(
    `insert into tas.run (id, environment, action, subject, status, requester_id, requester_name, reason, plan, digest,
       votes_needed, sequence_base, requested_at, expires_at, backup_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      run.id,
      run.plan.environment,
      run.plan.action,
      run.plan.subject,
      run.queued ? 'queued' : 'planned',
      run.requester.id,
      run.requester.name,
      run.reason,
      JSON.stringify(run.plan),
      run.digest,
      run.votesNeeded,
      run.sequenceBase,
      run.requestedAt,
      run.expiresAt,
      run.backupId,
    ],
  );
}

async function lockStatus(client: pg.PoolClient, runId: string): Promise<RunStatus | null> {
  const { rows } = await client.query<{ status: RunStatus }>('select status from tas.run where id = $1 for update', [
    runId,
  ]);
  return rows[0]?.status ?? null;
}

async function changeStatus(
  client: pg.PoolClient,
  clock: Clock,
  runId: string,
  to: RunStatus,
  detail: RunDetail = {},
): Promise<boolean> {
  const from = await lockStatus(client, runId);
  if (from === null || !mayMove(from, to)) return false;
  const now = clock.now();
  await client.query(
    `update tas.run set status = $2, failure = coalesce($3, failure), undone_by = coalesce($4, undone_by),
       -- Runs of an environment follow each other, so a base from the start is greater than all ids generated before.
       sequence_base = case when $5 and started_at is null then $8 else sequence_base end,
       started_at = case when $5 then coalesce(started_at, $6) else started_at end,
       ended_at = case when $7 then $6 else ended_at end
     where id = $1`,
    [
      runId,
      to,
      detail.failure === undefined ? null : JSON.stringify(detail.failure),
      detail.undoneBy ?? null,
      to === 'running',
      now,
      isOver(to) || to === 'parked',
      String(BigInt(now.getTime()) * 1000n),
    ],
  );
  return true;
}

async function insertVote(
  client: pg.Pool | pg.PoolClient,
  runId: string,
  vote: Parameters<RunRecords['addVote']>[1],
): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into tas.vote (run_id, voter_id, voter_name, choice, digest, reason, at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [runId, vote.voter.id, vote.voter.name, vote.choice, vote.digest, vote.reason, vote.at],
  );
  return rowCount === 1;
}

async function writeEvent(
  client: pg.PoolClient,
  clock: Clock,
  runId: string,
  type: RunEventType,
  text: string | null,
  once: string | null = null,
): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [eventLock]);
  await client.query(
    'insert into tas.run_event (run_id, at, type, text, once) values ($1, $2, $3, $4, $5) on conflict do nothing',
    [runId, clock.now(), type, text, once],
  );
  await client.query(`notify ${channel}`);
}

/** A connection of its own that listens; reconnects by itself and wakes then, since it may have missed something. */
async function listen(url: Secret, wake: () => void): Promise<() => Promise<void>> {
  let client: pg.Client | null = null;
  let stopped = false;
  const connect = async (): Promise<void> => {
    if (stopped) return;
    const next = new pg.Client({ connectionString: url.reveal() });
    next.on('notification', wake);
    next.on('error', () => undefined);
    next.on('end', () => {
      if (!stopped) setTimeout(() => void connect().catch(() => undefined), 1000).unref();
    });
    client = next;
    await next.connect();
    await next.query(`listen ${channel}`);
    wake();
  };
  const stop = async (): Promise<void> => {
    stopped = true;
    await client?.end();
  };
  await connect().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return stop;
}
