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
  next_at: Date | null;
}

type FiringRow = Row & { due_at: Date; outcome: FiringOutcome; run_id: string | null };

/** Milliseconds after which a claim is taken for that of a replica that died. */
const claimLasts = 2 * 60_000;

/** Schedules in the bot's own PostgreSQL. */
export function createScheduleStore(database: Database): ScheduleStore {
  return { ...createSchedules(database), ...createFirings(database) };
}

type Firings = Pick<ScheduleStore, 'claim' | 'settle' | 'unsettled' | 'lastRun' | 'unreported' | 'markReported'>;

function createSchedules({ pool }: Database): Omit<ScheduleStore, keyof Firings> {
  return {
    async list(environment) {
      const { rows } = await pool.query<Row & Partial<FiringRow>>(
        `select s.*, f.due_at, f.outcome, f.run_id from tas.schedule s left join lateral
           (select * from tas.schedule_firing where schedule_id = s.id order by due_at desc limit 1) f on true
          where $1::text is null or s.environment = $1 order by s.id`,
        [environment],
      );
      return rows.map((row) => ({ ...toSchedule(row), last: toFiring(row) }));
    },
    async find(id) {
      const { rows } = await pool.query<Row>('select * from tas.schedule where id = $1', [id]);
      return rows[0] === undefined ? null : toSchedule(rows[0]);
    },
    async add({ id, environment, action, cron, zone, quiet, paused, editor, nextAt }, at) {
      await pool.query(
        `insert into tas.schedule (id, environment, action, cron, time_zone, quiet, paused, editor_id, editor_name, edited_at, next_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [id, environment, action, cron, zone, quiet, paused, editor.id, editor.name, at, nextAt],
      );
    },
    async pause(id, paused, nextAt, editor, at) {
      const { rowCount } = await pool.query(
        `update tas.schedule set paused = $2, next_at = $3, editor_id = $4, editor_name = $5, edited_at = $6 where id = $1`,
        [id, paused, nextAt, editor.id, editor.name, at],
      );
      return rowCount === 1;
    },
    async remove(id) {
      return (await pool.query('delete from tas.schedule where id = $1', [id])).rowCount === 1;
    },
    async due(now) {
      const { rows } = await pool.query<Row>(
        'select * from tas.schedule where not paused and next_at <= $1 order by id',
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
          `insert into tas.schedule_firing (schedule_id, due_at, claimed_at, outcome)
           select id, $2, $3, 'claimed' from tas.schedule where id = $1
           on conflict (schedule_id, due_at) do update set claimed_at = excluded.claimed_at
             where tas.schedule_firing.outcome = 'claimed' and tas.schedule_firing.claimed_at < $4`,
          [id, dueAt, now, stale],
        );
        // Whoever came later must not set it back.
        await client.query('update tas.schedule set next_at = $3 where id = $1 and next_at <= $2', [id, dueAt, nextAt]);
        return rowCount === 1;
      }),
    async settle(id, dueAt, outcome, runId) {
      await pool.query(
        'update tas.schedule_firing set outcome = $3, run_id = $4 where schedule_id = $1 and due_at = $2',
        [id, dueAt, outcome, runId],
      );
    },
    async unsettled(now) {
      const { rows } = await pool.query<FiringRow>(
        `select s.*, f.due_at from tas.schedule_firing f join tas.schedule s on s.id = f.schedule_id
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
        `select s.*, f.due_at, f.run_id from tas.schedule_firing f join tas.schedule s on s.id = f.schedule_id
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

function toSchedule(row: Row): Schedule {
  const { id, environment, action, cron, time_zone: zone, quiet, paused, next_at: nextAt } = row;
  const editor = { id: row.editor_id, name: row.editor_name };
  return { id, environment, action, cron, zone, quiet, paused, editor, nextAt: nextAt?.toISOString() ?? null };
}

function toFiring({ due_at: dueAt, outcome, run_id: runId }: Partial<FiringRow>): Firing | null {
  if (!dueAt || !outcome) return null;
  return { dueAt: dueAt.toISOString(), outcome, runId: runId ?? null };
}
