import type pg from 'pg';
import type { RunRecords } from '../runs/run-records.ts';
import { isOver, type RunStatus, runStatuses } from '../runs/run-status.ts';

type Leases = Pick<RunRecords, 'acquireLease' | 'renewLease' | 'parkLease' | 'releaseLease' | 'leaseHolder'>;

const leaseSeconds = 60;
/** A run that is over holds nothing, even where a crash came between its end and the release of its lease. */
const over = runStatuses.filter(isOver);

/** The lease of an environment: one changing run at a time, and a token that grows with every acquisition. */
export function createLeaseStore(pool: pg.Pool): Leases {
  return {
    async acquireLease(environment, runId, inherit) {
      await pool.query(
        `insert into tas.environment_lease (environment, run_id, token, state, since, expires_at)
         values ($1, null, 0, 'free', now(), now()) on conflict do nothing`,
        [environment],
      );
      // An expired lease of another run is not simply taken: its run is still open, and a person decides what becomes of it.
      const { rows } = await pool.query<{ token: string }>(
        `update tas.environment_lease l
            set run_id = $2, token = token + 1, state = 'held', expires_at = now() + make_interval(secs => $4),
                since = case when l.run_id = $2 then l.since else now() end
          where environment = $1 and (state = 'free' or run_id = $2 or run_id = $3
                or exists (select from tas.run r where r.id = l.run_id and r.status = any($5)))
          returning token`,
        [environment, runId, inherit, leaseSeconds, over],
      );
      const token = rows[0]?.token;
      if (token !== undefined) return { token: Number(token) };
      const holder = await this.leaseHolder(environment);
      return holder === null ? this.acquireLease(environment, runId, inherit) : { holder };
    },
    async renewLease(environment, runId) {
      const { rowCount } = await pool.query(
        `update tas.environment_lease set expires_at = now() + make_interval(secs => $3) where environment = $1 and run_id = $2`,
        [environment, runId, leaseSeconds],
      );
      return rowCount === 1;
    },
    async parkLease(environment, runId) {
      await pool.query(`update tas.environment_lease set state = 'parked' where environment = $1 and run_id = $2`, [
        environment,
        runId,
      ]);
    },
    async releaseLease(environment, runId) {
      await pool.query(
        `update tas.environment_lease set state = 'free', run_id = null, expires_at = now() where environment = $1 and run_id = $2`,
        [environment, runId],
      );
    },
    async leaseHolder(environment) {
      const { rows } = await pool.query<{ run_id: string; status: RunStatus; since: Date }>(
        `select l.run_id, r.status, l.since from tas.environment_lease l join tas.run r on r.id = l.run_id
          where l.environment = $1 and l.state <> 'free' and r.status <> all($2)`,
        [environment, over],
      );
      const row = rows[0];
      return row === undefined ? null : { runId: row.run_id, status: row.status, since: row.since.toISOString() };
    },
  };
}
