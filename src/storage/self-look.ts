import { statfs } from 'node:fs/promises';
import type pg from 'pg';
import type { SelfLook } from '../schedules/self-look.ts';

/** Minutes after which it is long. */
const long = { queue: 15, telling: 10, silence: 2 };
const most = 20;

/** Looks at the bot's own memory, as far as it is about an environment; judged by the database's own clock. */
export async function lookAtSelf(pool: pg.Pool, environment: string): Promise<SelfLook> {
  const begun = performance.now();
  const { rows } = await pool.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  const milliseconds = Math.round(performance.now() - begun);
  const names = async (sql: string, values: readonly unknown[]): Promise<string[]> => {
    const found = await pool.query<{ name: string }>(`${sql} limit ${most}`, [...values]);
    return found.rows.map(({ name }) => name);
  };
  const silent = `interval '${long.silence} minutes'`;
  return {
    database: { milliseconds, bytes: Number(rows[0]?.bytes ?? 0), freeBytes: await freeOf(pool) },
    leases: await names(
      `select run_id as name from tas.environment_lease where environment = $1 and state = 'held' and expires_at < now() - ${silent}`,
      [environment],
    ),
    // A run that was told to be lost, and of which nothing was heard since.
    lost: await names(
      `select r.id as name from tas.run r join lateral
         (select type from tas.run_event e where e.run_id = r.id order by e.id desc limit 1) last on last.type = 'lost'
        where r.environment = $1 and r.status = 'running' order by r.id`,
      [environment],
    ),
    // One that is bound to a window is queued when that begins.
    queued: await names(
      `select r.id as name from tas.run r join lateral
         (select at from tas.run_event e where e.run_id = r.id order by e.id desc limit 1) last
           on last.at < now() - interval '${long.queue} minutes'
        where r.environment = $1 and r.status = 'queued' and coalesce((r.plan -> 'window' ->> 'from')::timestamptz, now()) <= now() order by r.id`,
      [environment],
    ),
    untold: await names(
      `select topic as name from tas.notice where id > coalesce((select notice_id from tas.notice_cursor), 0)
          and added_at < now() - interval '${long.telling} minutes' order by id`,
      [],
    ),
    refused: await names(
      `select topic as name from tas.notice where refused is not null and added_at > now() - interval '1 day' order by id`,
      [],
    ),
    pages: await names(
      `select key as name from tas.page where delivered < version and (state = 'raised' or tried)
          and raised_at < now() - interval '${long.telling} minutes' order by raised_at`,
      [],
    ),
  };
}

/** Where the server runs on this machine and says where its data lies. */
async function freeOf(pool: pg.Pool): Promise<number | null> {
  try {
    const { rows } = await pool.query<{ folder: string; here: boolean }>(
      `select current_setting('data_directory') as folder,
         coalesce(inet_server_addr() << '127.0.0.0/8' or inet_server_addr() = '::1', true) as here`,
    );
    if (rows[0]?.here !== true) return null;
    const { bavail, bsize } = await statfs(rows[0].folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
