import { Failure } from '../../shared/failure.ts';
import type { Database, Session } from './database.ts';
import { isServerError } from './errors.ts';
import { parseTableName, quoteTable } from './identifiers.ts';

const SHOWN = 3;

/** A lock that was not free in time as a failure that names who holds it; any other error comes back as it is. */
export async function nameHolders(
  database: Database,
  tables: readonly string[],
  error: unknown,
  waitsForSnapshots = false,
): Promise<unknown> {
  if (tables.length === 0 || !isServerError(error) || error.code !== '55P03') return error;
  const holders = await database.transact({ readOnly: true }, (session) =>
    findHolders(session, tables, waitsForSnapshots),
  );
  const { system } = database.place;
  const who = holders.length === 0 ? 'whoever held it is gone by now' : `held by ${holders.join('; ')}`;
  return new Failure({
    code: 'timed-out',
    message: `${system}: no lock on ${tables.join(', ')} could be had in several tries: ${who}.`,
    advice:
      'Nothing of this batch was kept, and nobody waits behind it. Let these sessions finish, or end them with pg_terminate_backend(pid); then retry.',
    retryable: true,
    cause: error,
  });
}

/** Who holds locks on the tables (or any snapshot), longest first. Never what they run. */
async function findHolders(session: Session, tables: readonly string[], snapshots: boolean): Promise<string[]> {
  const names = [...tables.map((table) => quoteTable(parseTableName(table))), 'tas_journal.batch', 'tas_journal.fence'];
  const rows = await session.rows<{ pid: string; who: string; state: string | null; age: string | null }>(
    `SELECT a.pid::text, coalesce(a.usename, a.backend_type) AS who, a.state,
       floor(extract(epoch FROM clock_timestamp() - a.xact_start))::text AS age
     FROM pg_catalog.pg_stat_activity a
     WHERE a.pid <> pg_backend_pid() AND a.datname = current_database() AND ($2::boolean AND a.backend_xmin IS NOT NULL OR EXISTS (
       SELECT FROM pg_catalog.pg_locks l WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation'
         AND l.relation IN (SELECT to_regclass(n) FROM unnest($1::text[]) n)))
     ORDER BY a.xact_start NULLS LAST LIMIT ${SHOWN}`,
    [names, snapshots],
  );
  return rows.map(({ pid, who, state, age }) => {
    const since = age === null ? '' : ` for ${age} s`;
    // Other users' states are shown to members of pg_read_all_stats only.
    return `pid ${pid} (${who}, ${state ?? 'state not shown to this user'}${since})`;
  });
}
