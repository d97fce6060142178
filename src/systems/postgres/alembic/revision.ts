import { Failure } from '../../../shared/failure.ts';
import type { Session } from '../database.ts';
import { parseTableName, quoteTable } from '../identifiers.ts';

/** The revision that the database is at; `base` where none stands there. Throws `precondition-failed` for several (branches). */
export async function readRevision(session: Session, versionTable: string): Promise<string> {
  const table = quoteTable(parseTableName(versionTable));
  const [there] = await session.rows('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  if (there?.there !== 't') return 'base';
  const rows = await session.rows<{ version: string }>(
    `SELECT version_num::text AS version FROM ${table} ORDER BY 1`,
    [],
  );
  if (rows.length <= 1) return rows[0]?.version ?? 'base';
  throw new Failure({
    code: 'precondition-failed',
    message: `${versionTable} holds several revisions: ${rows
      .map(({ version }) => version)
      .slice(0, 5)
      .join(', ')}.`,
    advice: 'Steps go between single revisions: merge the branches first.',
  });
}

/** Whether an alembic that an earlier call started, and that outlived it, is still at work. */
export async function hasSession(session: Session, name: string): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND application_name = $1 LIMIT 1`,
    [name],
  );
  return rows.length > 0;
}

/** Ends sessions of an alembic that was killed: a server that waits for a lock does not see that its client has gone. */
export async function endSessions(session: Session, name: string): Promise<void> {
  await session.rows(
    `SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = current_database() AND usename = current_user AND application_name = $1`,
    [name],
  );
}
