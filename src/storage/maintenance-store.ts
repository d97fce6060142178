import type { StatusPost, Window, WindowState, WindowStore } from '../maintenance/window.ts';
import type { Database } from './database.ts';

interface WindowRow {
  id: string;
  environment: string;
  starts_at: Date;
  ends_at: Date;
  zone: string;
  reason: string;
  migration: string | null;
  state: WindowState;
  created_by_id: string;
  created_by_name: string;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  remark: string | null;
}

interface PostRow {
  id: string;
  window_id: string;
  environment: string;
  body: StatusPost['body'];
  attempts: number;
}

/** Arbitrary, but the same for ever: windows are made one after the other, so that none overlaps another. */
const windowLock = 7_282_021;

/** Maintenance windows in the bot's own PostgreSQL. */
export function createMaintenanceStore(database: Database): WindowStore {
  return { ...createWindows(database), ...createPosts(database) };
}

type Posts = Pick<WindowStore, 'addPost' | 'claimPosts' | 'settlePost' | 'postponePost'>;

function createWindows(database: Database): Omit<WindowStore, keyof Posts> {
  const { pool } = database;
  return {
    create: (window) =>
      database.tx(async (client) => {
        await client.query('select pg_advisory_xact_lock($1)', [windowLock]);
        const { rows } = await client.query<WindowRow>(
          `select * from tas.maintenance_window where environment = $1 and state in ('scheduled', 'active')
             and starts_at < $3 and (ends_at > $2 or state = 'active' and $2 <= $4) order by starts_at limit 1`,
          [window.environment, window.from, window.to, window.createdAt],
        );
        if (rows[0]) return toWindow(rows[0]);
        const { id, environment, from, to, zone, reason, migration, createdBy, createdAt } = window;
        await client.query(
          `insert into tas.maintenance_window (id, environment, starts_at, ends_at, zone, reason, migration, state,
             created_by_id, created_by_name, created_at) values ($1, $2, $3, $4, $5, $6, $7, 'scheduled', $8, $9, $10)`,
          [id, environment, from, to, zone, reason, migration, createdBy.id, createdBy.name, createdAt],
        );
        return null;
      }),
    async find(id) {
      const { rows } = await pool.query<WindowRow>('select * from tas.maintenance_window where id = $1', [id]);
      return rows[0] === undefined ? null : toWindow(rows[0]);
    },
    async list(environment, since) {
      const { rows } = await pool.query<WindowRow>(
        `select * from tas.maintenance_window where ($1::text is null or environment = $1)
           and (state in ('scheduled', 'active') or ended_at > $2) order by starts_at, id limit 200`,
        [environment, since],
      );
      return rows.map(toWindow);
    },
    async boundTo(environment, migration) {
      const { rows } = await pool.query<WindowRow>(
        `select * from tas.maintenance_window where environment = $1 and migration = $2
           and state in ('scheduled', 'active') order by starts_at limit 1`,
        [environment, migration],
      );
      return rows[0] === undefined ? null : toWindow(rows[0]);
    },
    start: (id, at) =>
      database.tx(async (client) => {
        await client.query('select pg_advisory_xact_lock($1)', [windowLock]);
        const { rowCount } = await client.query(
          `update tas.maintenance_window w set state = 'active', started_at = $2, starts_at = least(starts_at, $2)
            where id = $1 and state = 'scheduled' and ends_at > $2 and not exists (
              select from tas.maintenance_window o where o.environment = w.environment and o.state = 'active')`,
          [id, at],
        );
        return rowCount === 1;
      }),
    async finish(id, to, at, remark) {
      const { rowCount } = await pool.query(
        `update tas.maintenance_window set state = $2, ended_at = $3, remark = $4 where id = $1 and state = $5`,
        [id, to, at, remark, to === 'ended' ? 'active' : 'scheduled'],
      );
      return rowCount === 1;
    },
    async runsOf(id) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from (
           select id, requested_at from tas.run where plan ? 'window' and plan -> 'window' ->> 'id' = $1
           union select id, requested_at from tas.run where plan ? 'maintenance' and plan -> 'maintenance' ->> 'window' = $1
         ) bound order by requested_at, id`,
        [id],
      );
      return rows.map((row) => row.id);
    },
    async keep(name, holder, now, until) {
      const { rowCount } = await pool.query(
        `insert into tas.keeper (name, holder, until) values ($1, $2, $4)
         on conflict (name) do update set holder = excluded.holder, until = excluded.until
           where tas.keeper.holder = excluded.holder or tas.keeper.until <= $3`,
        [name, holder, now, until],
      );
      return rowCount === 1;
    },
  };
}

function createPosts(database: Database): Posts {
  const { pool } = database;
  return {
    addPost: ({ id, windowId, environment, body }, at) =>
      database.tx(async (client) => {
        const { rowCount } = await client.query(
          `insert into tas.status_page_post (id, window_id, environment, body, next_at) values ($1, $2, $3, $4, $5)
           on conflict do nothing`,
          [id, windowId, environment, JSON.stringify(body), at],
        );
        if (rowCount !== 1) return;
        await client.query(
          `update tas.status_page_post set state = 'overtaken' where window_id = $1 and id <> $2 and state = 'waiting'
             and (claimed_until is null or claimed_until <= $3)`,
          [windowId, id, at],
        );
      }),
    async claimPosts(now) {
      const { rows } = await pool.query<PostRow>(
        `update tas.status_page_post p set claimed_until = $1::timestamptz + interval '1 minute'
          where p.id in (select distinct on (environment) id from tas.status_page_post o where state = 'waiting'
                            and not exists (select from tas.status_page_post n where n.window_id = o.window_id and n.number > o.number)
                          order by environment, number)
            and p.state = 'waiting' and p.next_at <= $1 and (p.claimed_until is null or p.claimed_until <= $1) returning p.*`,
        [now],
      );
      return rows.map((row) => ({
        id: row.id,
        windowId: row.window_id,
        environment: row.environment,
        body: row.body,
        attempts: row.attempts,
      }));
    },
    async settlePost(id, state) {
      await pool.query('update tas.status_page_post set state = $2, claimed_until = null where id = $1', [id, state]);
    },
    async postponePost(id, next) {
      await pool.query(
        'update tas.status_page_post set attempts = attempts + 1, next_at = $2, claimed_until = null where id = $1',
        [id, next],
      );
    },
  };
}

function toWindow(row: WindowRow): Window {
  const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString());
  return {
    id: row.id,
    environment: row.environment,
    from: row.starts_at.toISOString(),
    to: row.ends_at.toISOString(),
    zone: row.zone,
    reason: row.reason,
    migration: row.migration,
    state: row.state,
    createdBy: { id: row.created_by_id, name: row.created_by_name },
    createdAt: row.created_at.toISOString(),
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
    remark: row.remark,
  };
}
