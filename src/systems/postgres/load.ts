import { availableParallelism } from 'node:os';
import type { Load } from '../system.ts';
import type { Database } from './database.ts';

/** Seconds that a replica may lag behind. */
const LAG_LIMIT = 10;
/** Sessions that may wait for locks at once. */
const WAITING_LIMIT = 5;
/** Share of max_connections that may be taken, and that may be at work at once. */
const CONNECTED_LIMIT = 0.9;
const ACTIVE_LIMIT = 0.5;
/** Sessions at work for each core, where the server runs on this machine. */
const ACTIVE_PER_CORE = 4;
/** Seconds that the oldest transaction of others may be open. It slows a run down, and never stops it by itself. */
const OLDEST_LIMIT = 600;
const OLDEST_MOST = 0.9;

/** How loaded the server is, measured against the limits above; the worst of them counts. */
export async function readLoad(database: Database, onThisMachine: boolean): Promise<Load> {
  const [row] = await database.transact({ readOnly: true, statementTimeout: 3000, lockTimeout: 1000 }, (session) =>
    session.rows(
      // Locks are shown to everybody; states and ages of other users' sessions to pg_read_all_stats only.
      `SELECT (SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
           WHERE NOT l.granted AND a.datname = current_database()) AS waiting,
         count(*) FILTER (WHERE state = 'active') AS active, count(*) AS connected,
         current_setting('max_connections') AS most,
         floor(extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE datname = current_database()))) AS oldest,
         (SELECT floor(extract(epoch FROM max(replay_lag))) FROM pg_catalog.pg_stat_replication) AS lag
       FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'tas-bot'`,
      [],
    ),
  );
  const figure = (name: string): number => Number(row?.[name] ?? 0);
  const most = Math.max(1, figure('most'));
  const workers = Math.max(
    1,
    Math.min(most * ACTIVE_LIMIT, onThisMachine ? availableParallelism() * ACTIVE_PER_CORE : most),
  );
  const oldest = Math.min(OLDEST_MOST, figure('oldest') / OLDEST_LIMIT);
  const strains: [number, string][] = [
    [figure('lag') / LAG_LIMIT, `a replica lags ${figure('lag')} s behind`],
    [figure('waiting') / WAITING_LIMIT, `${figure('waiting')} sessions wait for locks`],
    [figure('connected') / (most * CONNECTED_LIMIT), `${figure('connected')} of ${most} connections are taken`],
    [figure('active') / workers, `${figure('active')} sessions are at work`],
    [oldest, `the oldest transaction is open for ${figure('oldest')} s`],
  ];
  const [strain, why] = strains.reduce((worst, next) => (next[0] > worst[0] ? next : worst));
  return { strain, why: strain > 0 ? why : null };
}
