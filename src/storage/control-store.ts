import type { ControlRecords, Orphan } from '../runs/control-records.ts';
import type { RunStatus } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import type { Database } from './database.ts';
import { changeStatus, goOn, lockStatus, writeEvent, writeRequest } from './run-changes.ts';
import type { RunQueueClient } from './run-queue-client.ts';
import { readPoints } from './run-rows.ts';

interface Deps {
  readonly database: Database;
  readonly queue: RunQueueClient;
  readonly clock: Clock;
}

type Control = Omit<ControlRecords, 'openGate' | 'newestGate' | 'voteOnGate'>;

/** What is asked of runs while they go on, in the bot's own PostgreSQL. */
export function createControlStore(deps: Deps): Control {
  const { database, clock } = deps;
  const { pool } = database;
  return {
    ...createOrphans(deps),
    ...createDecisions(deps),
    askToHalt: (runId, what, by) =>
      database.tx(async (client) => {
        if ((await lockStatus(client, runId)) !== 'running') return 'over';
        if (!(await writeRequest(client, clock, runId, what, by))) return 'again';
        await writeEvent(client, clock, runId, 'asked', `${by.name} asked to ${what} at the next batch`);
        return 'asked';
      }),
    async readControl(runId, attempt) {
      const { rows } = await pool.query<ControlRow>(
        // `stop` sorts behind `pause` and goes before it.
        `select r.status, r.attempt, r.pace, q.what, q.by_name from tas.run r
           left join lateral (
             select what, by_name from tas.run_request
              where run_id = r.id and attempt = r.attempt and what in ('pause', 'stop') order by what desc limit 1) q on true
          where r.id = $1`,
        [runId],
      );
      const row = rows[0];
      const mine = row?.status === 'running' && row.attempt === attempt;
      const asked = row?.what && row.by_name !== null ? { what: row.what, by: row.by_name } : null;
      return { mine, asked, pace: row?.pace ?? 1 };
    },
    resume: (runId, by) =>
      database.tx((client) =>
        goOn(deps, client, runId, { from: 'paused', text: `resumed by ${by.name}`, by, what: 'resume' }),
      ),
    tellWait: (runId, why) =>
      database.tx(async (client) => {
        await client.query('update tas.run set waits = $2 where id = $1', [runId, why]);
        await writeEvent(client, clock, runId, 'progress', why);
      }),
    async countError(runId) {
      const { rows } = await pool.query<{ errors: number }>(
        'update tas.run set errors = errors + 1 where id = $1 returning errors',
        [runId],
      );
      return rows[0]?.errors ?? 0;
    },
    points: (runId) => readPoints(pool, runId),
  };
}

/** What takes effect at once, without the engine. */
function createDecisions({ database, clock }: Deps): Pick<Control, 'stopPaused' | 'withdraw' | 'changePace'> {
  return {
    stopPaused: (runId, by, failure) =>
      database.tx(async (client) => {
        if ((await lockStatus(client, runId)) !== 'paused') return false;
        await writeRequest(client, clock, runId, 'stop', by);
        await client.query(`update tas.step_gate set state = 'replaced' where run_id = $1 and state = 'open'`, [runId]);
        await changeStatus(client, clock, runId, 'parked', { failure });
        await writeEvent(client, clock, runId, 'failed', failure.message);
        return true;
      }),
    withdraw: (runId, by) =>
      database.tx(async (client) => {
        const status = await lockStatus(client, runId);
        if (status !== 'planned' && status !== 'queued') return false;
        await writeRequest(client, clock, runId, 'cancel', by);
        await changeStatus(client, clock, runId, 'closed', {});
        await writeEvent(client, clock, runId, 'closed', `withdrawn by ${by.name}, nothing was changed`);
        return true;
      }),
    changePace: (runId, from, to, by) =>
      database.tx(async (client) => {
        const status = await lockStatus(client, runId);
        if (status !== 'running' && status !== 'paused') return false;
        const { rowCount } = await client.query('update tas.run set pace = $3 where id = $1 and pace = $2', [
          runId,
          from,
          to,
        ]);
        if (rowCount !== 1) return false;
        await writeRequest(client, clock, runId, to < from ? 'slower' : 'faster', by);
        await writeEvent(client, clock, runId, 'asked', `${by.name} set the pace to ${to}`);
        return true;
      }),
  };
}

interface ControlRow {
  status: RunStatus;
  attempt: number;
  pace: number;
  what: 'pause' | 'stop' | null;
  by_name: string | null;
}

/** A lease is renewed every 15 seconds for 60: this long after its end nobody renews it any more. */
const grace = '30 seconds';

function createOrphans({ database, queue, clock }: Deps): Pick<ControlRecords, 'orphans' | 'parkOrphan'> {
  return {
    async orphans() {
      const { rows } = await database.pool.query<{
        id: string;
        environment: string;
        attempt: number;
        silent: number;
      }>(
        `select r.id, r.environment, r.attempt,
                coalesce(extract(epoch from now() - l.expires_at), 0)::float8 as silent
           from tas.run r left join tas.environment_lease l on l.run_id = r.id and l.state = 'held'
          where r.status = 'running' and (l.run_id is null or l.expires_at < now() - interval '${grace}')`,
      );
      const found: Orphan[] = [];
      for (const { id, environment, attempt, silent } of rows) {
        found.push({ runId: id, environment, attempt, silent, work: await queue.workOf(id, attempt) });
      }
      return found;
    },
    parkOrphan: ({ runId, environment, attempt }, failure) =>
      database.tx(async (client) => {
        await lockStatus(client, runId);
        const { rowCount } = await client.query(
          `select from tas.run where id = $1 and status = 'running' and attempt = $2`,
          [runId, attempt],
        );
        if (rowCount !== 1) return false;
        // The token grows, so that the worker is refused by the stores as soon as anybody else writes to them.
        await client.query(
          `update tas.environment_lease set state = 'parked', token = token + 1 where environment = $1 and run_id = $2`,
          [environment, runId],
        );
        await changeStatus(client, clock, runId, 'parked', { failure });
        await writeEvent(client, clock, runId, 'failed', failure.message);
        return true;
      }),
  };
}
