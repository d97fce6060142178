import type pg from 'pg';
import type { Firing, FiringOutcome, Schedule, ScheduledAction, ScheduleStore } from '../schedules/schedule.ts';
import type { Database } from './database.ts';

interface Row {
  id: string;
  environment: string;
  action: ScheduledAction;
  cron: string;
  time_zone: string;
  quiet: boolean;
  paused: boolean;
  editor_id: string;
  editor_name: string;
  editors: string[];
  paused_by_id: string | null;
  paused_by_name: string | null;
  configured: string | null;
  next_at: Date | null;
}

type FiringRow = Row & { due_at: Date; outcome: FiringOutcome; run_id: string | null };

/** A schedule with all who had a say in it. */
const columns = `s.*, (select coalesce(array_agg(editor_id order by at, editor_id), '{}') from tas.schedule_editor e where e.schedule_id = s.id) as editors`;

/** Arbitrary, but the same for ever. */
const configureLock = 7_282_023;
/** Milliseconds after which a claim is taken for that of a replica that died. */
const claimLasts = 2 * 60_000;

/** Schedules in the bot's own PostgreSQL. */
export function createScheduleStore(database: Database): ScheduleStore {
  return { ...createSchedules(database), ...createFirings(database) };
}

type Firings = Pick<
  ScheduleStore,
  'claim' | 'runBy' | 'settle' | 'unsettled' | 'lastRun' | 'unreported' | 'markReported'
>;

function createSchedules(database: Database): Omit<ScheduleStore, keyof Firings> {
  const { pool } = database;
  return {
    async list(environment) {
      const { rows } = await pool.query<Row & Partial<FiringRow>>(
        `select ${columns}, f.due_at, f.outcome, f.run_id from tas.schedule s left join lateral
           (select * from tas.schedule_firing where schedule_id = s.id order by due_at desc limit 1) f on true
          where $1::text is null or s.environment = $1 order by s.id`,
        [environment],
      );
      return rows.map((row) => ({ ...toSchedule(row), last: toFiring(row) }));
    },
    async find(id) {
      const { rows } = await pool.query<Row>(`select ${columns} from tas.schedule s where id = $1`, [id]);
      return rows[0] === undefined ? null : toSchedule(rows[0]);
    },
    add: (schedule, at) => database.tx((client) => insert(client, schedule, at)),
    async pause(id, by, nextAt) {
      const { rowCount } = await pool.query(
        `update tas.schedule set paused = $2, paused_by_id = $3, paused_by_name = $4, next_at = $5, run_by_id = null, run_by_name = null where id = $1`,
        [id, by !== null, by?.id ?? null, by?.name ?? null, nextAt],
      );
      return rowCount === 1;
    },
    async runNow(id, by, now) {
      const { rowCount } = await pool.query(
        'update tas.schedule set next_at = $4, run_by_id = $2, run_by_name = $3 where id = $1 and not paused',
        [id, by.id, by.name, now],
      );
      return rowCount === 1;
    },
    configure: (schedules, at) =>
      database.tx(async (client) => {
        // Two bots that start at once do so one after the other.
        await client.query('select pg_advisory_xact_lock($1)', [configureLock]);
        await client.query('delete from tas.schedule where configured is not null and id <> all($1)', [
          schedules.map(({ id }) => id),
        ]);
        for (const schedule of schedules) await insert(client, schedule, at);
      }),
    async remove(id) {
      return (await pool.query('delete from tas.schedule where id = $1', [id])).rowCount === 1;
    },
    async due(now) {
      const { rows } = await pool.query<Row>(
        `select ${columns} from tas.schedule s where not paused and next_at <= $1 order by id`,
        [now],
      );
      return rows.map(toSchedule);
    },
  };
}

function createFirings(database: Database): Firings {
  const { pool } = database;
  return {
    claim: (id, dueAt, nextAt, now) =>
      database.tx(async (client) => {
        const stale = new Date(now.getTime() - claimLasts);
        const { rowCount } = await client.query(
          `insert into tas.schedule_firing (schedule_id, due_at, claimed_at, outcome, run_by_id, run_by_name)
           select id, $2, $3, 'claimed', run_by_id, run_by_name from tas.schedule where id = $1
           on conflict (schedule_id, due_at) do update set claimed_at = excluded.claimed_at
             where tas.schedule_firing.outcome = 'claimed' and tas.schedule_firing.claimed_at < $4`,
          [id, dueAt, now, stale],
        );
        // Whoever came later must not set it back.
        await client.query(
          'update tas.schedule set next_at = $3, run_by_id = null, run_by_name = null where id = $1 and next_at <= $2',
          [id, dueAt, nextAt],
        );
        return rowCount === 1;
      }),
    async runBy(id, dueAt) {
      const { rows } = await pool.query<{ id: string; name: string }>(
        `select run_by_id as id, coalesce(run_by_name, run_by_id) as name from tas.schedule_firing
          where schedule_id = $1 and due_at = $2 and run_by_id is not null`,
        [id, dueAt],
      );
      return rows[0] ?? null;
    },
    async settle(id, dueAt, outcome, runId) {
      await pool.query(
        'update tas.schedule_firing set outcome = $3, run_id = $4 where schedule_id = $1 and due_at = $2',
        [id, dueAt, outcome, runId],
      );
    },
    async unsettled(now) {
      const { rows } = await pool.query<FiringRow>(
        `select ${columns}, f.due_at from tas.schedule_firing f join tas.schedule s on s.id = f.schedule_id
          where f.outcome = 'claimed' and f.claimed_at < $1 order by f.due_at`,
        [new Date(now.getTime() - claimLasts)],
      );
      return rows.map((row) => ({ schedule: toSchedule(row), dueAt: row.due_at }));
    },
    async lastRun(id) {
      const { rows } = await pool.query<{ run_id: string }>(
        `select run_id from tas.schedule_firing where schedule_id = $1 and run_id is not null order by due_at desc limit 1`,
        [id],
      );
      return rows[0]?.run_id ?? null;
    },
    async unreported() {
      const { rows } = await pool.query<FiringRow & { run_id: string }>(
        `select ${columns}, f.due_at, f.run_id from tas.schedule_firing f join tas.schedule s on s.id = f.schedule_id
          where f.outcome = 'asked' and not f.reported order by f.due_at`,
      );
      return rows.map((row) => ({ schedule: toSchedule(row), dueAt: row.due_at, runId: row.run_id }));
    },
    async markReported(id, dueAt) {
      const { rowCount } = await pool.query(
        'update tas.schedule_firing set reported = true where schedule_id = $1 and due_at = $2 and not reported',
        [id, dueAt],
      );
      return rowCount === 1;
    },
  };
}

/** One of the configuration that is there already keeps whether it is paused, and when it is due unless its times changed. */
async function insert(client: pg.PoolClient, schedule: Schedule, at: Date): Promise<void> {
  const { id, environment, action, cron, zone, quiet, paused, editor, editors, configured, nextAt } = schedule;
  await client.query(
    `insert into tas.schedule as s
       (id, environment, action, cron, time_zone, quiet, paused, editor_id, editor_name, edited_at, next_at, configured)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict (id) do update set action = excluded.action, cron = excluded.cron, time_zone = excluded.time_zone,
       quiet = excluded.quiet, edited_at = excluded.edited_at, next_at = case when s.paused then null
         when s.cron = excluded.cron and s.time_zone = excluded.time_zone then s.next_at else excluded.next_at end
       where s.configured = excluded.configured`,
    [id, environment, action, cron, zone, quiet, paused, editor.id, editor.name, at, nextAt, configured],
  );
  await client.query(
    `insert into tas.schedule_editor (schedule_id, editor_id, at) select $1, unnest($2::text[]), $3 on conflict do nothing`,
    [id, editors, at],
  );
}

function toSchedule(row: Row): Schedule {
  const { id, environment, action, cron, time_zone: zone, quiet, paused, configured, editors, next_at: nextAt } = row;
  return {
    id,
    environment,
    action,
    cron,
    zone,
    quiet,
    paused,
    pausedBy: row.paused_by_id === null ? null : { id: row.paused_by_id, name: row.paused_by_name ?? '' },
    editor: { id: row.editor_id, name: row.editor_name },
    editors,
    configured,
    nextAt: nextAt?.toISOString() ?? null,
  };
}

function toFiring({ due_at: dueAt, outcome, run_id: runId }: Partial<FiringRow>): Firing | null {
  if (!dueAt || !outcome) return null;
  return { dueAt: dueAt.toISOString(), outcome, runId: runId ?? null };
}
