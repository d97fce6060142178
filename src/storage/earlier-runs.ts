import type pg from 'pg';
import type { MeasuredRate } from '../plans/estimate.ts';
import type { RunRecords } from '../runs/run-records.ts';

/** Newest runs that are looked at: older ones were measured on other data. */
const lookBack = 200;

/** What earlier runs say to later ones. */
export function createEarlierRuns(pool: pg.Pool): Pick<RunRecords, 'rates' | 'findRelease'> {
  return {
    rates: () => readRates(pool),
    async findRelease(runId) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from tas.run where action = 'release' and subject = $1 and undone_by is null
            and started_at is not null and status <> 'voided' order by requested_at limit 1`,
        [runId],
      );
      return rows[0]?.id ?? null;
    },
  };
}

/**
 * How fast steps went. A run that was retried or paused says nothing: its steps' times have the waiting in them.
 */
async function readRates(pool: pg.Pool): Promise<readonly MeasuredRate[]> {
  const { rows } = await pool.query<MeasuredRate>(
    `with newest as (
       select id, environment, plan from tas.run r
        where started_at is not null and attempt = 1 and status in ('done', 'parked', 'closed')
          and not exists (select from tas.run_event e where e.run_id = r.id and e.type = 'paused')
        order by requested_at desc limit $1)
     select newest.environment, coalesce(step ->> 'system', step -> 'input' ->> 'system') as system,
            step ->> 'use' as use, step ->> 'mode' as mode, count(*)::int as steps,
            sum(did.done + did.kept + did.missing)::float8 as records,
            sum(extract(epoch from did.ended_at - did.started_at))::float8 as seconds
       from newest
      cross join lateral jsonb_array_elements(newest.plan -> 'stages') stage
      cross join lateral jsonb_array_elements(stage -> 'steps') step
       join tas.run_step did on did.run_id = newest.id and did.step_id = step ->> 'id'
      where did.state = 'done' and did.ended_at > did.started_at
      group by 1, 2, 3, 4`,
    [lookBack],
  );
  return rows;
}
