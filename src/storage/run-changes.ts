import type pg from 'pg';
import type { Asker } from '../runs/control-records.ts';
import type { RunEventType } from '../runs/run.ts';
import type { RunDetail } from '../runs/run-records.ts';
import { isOver, mayMove, type RunStatus } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import type { RunQueueClient } from './run-queue-client.ts';

export const eventChannel = 'tas_run_event';
/** Events commit in the order of their ids, so that a reader who follows the ids misses none. */
const eventLock = 7_282_020;

interface ChangeDeps {
  readonly clock: Clock;
  readonly queue: RunQueueClient;
}

interface GoingOn {
  readonly from: 'parked' | 'paused';
  readonly text: string;
  readonly by?: Asker;
  readonly what?: string;
}

/** Takes a run that stands still up again, as its next attempt. False when it does not stand still in that way. */
export async function goOn(deps: ChangeDeps, client: pg.PoolClient, runId: string, how: GoingOn): Promise<boolean> {
  if ((await lockStatus(client, runId)) !== how.from) return false;
  if (how.by !== undefined && how.what !== undefined) await writeRequest(client, deps.clock, runId, how.what, how.by);
  await changeStatus(client, deps.clock, runId, 'running', {});
  const { rows } = await client.query<{ attempt: number }>(
    `update tas.run set attempt = attempt + 1, failure = null, ended_at = null, errors = 0
      where id = $1 returning attempt`,
    [runId],
  );
  await writeEvent(client, deps.clock, runId, 'resumed', how.text);
  await deps.queue.enqueue(client, runId, rows[0]?.attempt ?? 2);
  return true;
}

/** False when the same was asked of this attempt before. */
export async function writeRequest(
  client: pg.PoolClient,
  clock: Clock,
  runId: string,
  what: string,
  by: Asker,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into tas.run_request (run_id, attempt, what, by_id, by_name, at)
     select id, attempt, $2, $3, $4, $5 from tas.run where id = $1 on conflict do nothing`,
    [runId, what, by.id, by.name, clock.now()],
  );
  return rowCount === 1;
}

/**
 * The status, with the row locked until the transaction ends; null when there is no such run. The weaker lock lets others
 * write events of the run meanwhile: they hold the events' lock, which we want next.
 */
export async function lockStatus(client: pg.PoolClient, runId: string): Promise<RunStatus | null> {
  const { rows } = await client.query<{ status: RunStatus }>(
    'select status from tas.run where id = $1 for no key update',
    [runId],
  );
  return rows[0]?.status ?? null;
}

/** Goes by the table of legal moves; false = nothing was changed. */
export async function changeStatus(
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
       ended_at = case when $7 then $6 else ended_at end,
       pause = $9, waits = null, undo_due = $10
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
      to === 'paused' ? (detail.pause ?? null) : null,
      to === 'parked' ? (detail.undoDue ?? null) : null,
    ],
  );
  return true;
}

export async function writeEvent(
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
  await client.query(`notify ${eventChannel}`);
}
