import { statfs } from 'node:fs/promises';
import { sayBytes } from '../../shared/bytes-text.ts';
import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import type { Database, Session } from './database.ts';
import { quoteName } from './identifiers.ts';

/** The oldest server that the statements of the steps are written for. */
const OLDEST_VERSION = 13;
/** So many times what is needed must be free. */
const SPARE = 2;
/** Kinds that make schemas: what they keep aside lies in one of its own. */
const makingSchemas: readonly string[] = ['postgres.drop-table'];

/** What a plan needs of the server and the connected user, looked at for real. Rights on tables are the kinds' previews'. */
export async function preflight(
  database: Database,
  dataFolder: string | null,
  needs: PreflightNeeds,
): Promise<readonly Finding[]> {
  const found = await database.transact({ readOnly: true, statementTimeout: 30_000 }, async (session) => [
    ...(await checkServer(session)),
    await checkJournalRights(session, needs),
  ]);
  return [...found, await checkDisk(dataFolder, needs.bytes)];
}

async function checkServer(session: Session): Promise<Finding[]> {
  const [row] = await session.rows(
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS version,
       pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') AS read_only`,
    [],
  );
  const recent = Number(row?.major) >= OLDEST_VERSION;
  const standby = row?.standby === 't';
  const readOnly = row?.read_only === 'on';
  const why = standby ? 'it is a standby' : 'its transactions are read-only by default';
  return [
    recent
      ? passed('server-version', `PostgreSQL ${row?.version}`)
      : failed(
          'server-version',
          `PostgreSQL ${row?.version} is too old: ${OLDEST_VERSION} is needed`,
          'Upgrade the server.',
        ),
    standby || readOnly
      ? failed(
          'server-writable',
          `The server cannot be written: ${why}`,
          standby
            ? 'Name the primary in the configuration.'
            : 'Set default_transaction_read_only off for the database and the user.',
        )
      : passed('server-writable', 'The server can be written'),
  ];
}

/** The journal's schema is made by the first run: that, or all of what is there, must be allowed. */
async function checkJournalRights(session: Session, needs: PreflightNeeds): Promise<Finding> {
  const [row] = await session.rows(
    `SELECT current_user::text AS user, current_database()::text AS database,
       has_database_privilege(current_database(), 'CREATE') AS makes,
       to_regnamespace('tas_journal') IS NOT NULL AS there,
       coalesce((SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')
         FROM pg_catalog.pg_namespace WHERE nspname = 'tas_journal'), false) AS uses,
       (SELECT string_agg(c.relname, ', ' ORDER BY 1) FROM pg_catalog.pg_class c WHERE c.relnamespace = to_regnamespace('tas_journal')
         AND c.relkind = 'r' AND NOT (SELECT bool_and(has_table_privilege(c.oid, p))
           FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p)) AS closed`,
    [],
  );
  const grantee = quoteName(row?.user ?? '');
  const database = `GRANT CREATE ON DATABASE ${quoteName(row?.database ?? '')} TO ${grantee};`;
  const statements: string[] = [];
  const makes = row?.makes === 't';
  if (!makes && (row?.there !== 't' || needs.uses.some((use) => makingSchemas.includes(use))))
    statements.push(database);
  if (row?.there === 't' && row.uses !== 't') statements.push(`GRANT ALL ON SCHEMA tas_journal TO ${grantee};`);
  if (row?.closed) statements.push(`GRANT ALL ON ALL TABLES IN SCHEMA tas_journal TO ${grantee};`);
  if (statements.length === 0) return passed('journal-rights', 'The journal can be written');
  return failed(
    'journal-rights',
    `User ${row?.user} may not keep a journal in ${row?.database}, and nothing is changed without one`,
    `As a superuser: ${statements.join(' ')}`,
  );
}

async function checkDisk(dataFolder: string | null, bytes: number): Promise<Finding> {
  const title = 'Free disk of the server';
  const skipped = (advice: string): Finding => {
    return { check: 'free-disk', title, status: 'skipped', count: null, samples: [], advice };
  };
  if (dataFolder === null) {
    return skipped(
      'A client cannot ask for it; where the bot sees the data folder, name it as dataFolder in the configuration.',
    );
  }
  const disk = await statfs(dataFolder).catch((error: { code?: string }) => error.code ?? 'unknown');
  if (typeof disk === 'string') return skipped(`The data folder cannot be looked at (${disk}).`);
  const free = disk.bavail * disk.bsize;
  if (free >= SPARE * bytes) return passed('free-disk', `${title}: ${sayBytes(free)}, needed ${sayBytes(bytes)}`);
  return failed(
    'free-disk',
    `${title}: ${sayBytes(free)}, and journal and log need ${sayBytes(bytes)}`,
    `Free at least ${sayBytes(SPARE * bytes)}, ${SPARE} times what is needed.`,
  );
}

function passed(check: string, title: string): Finding {
  return { check, title, status: 'passed', count: 0, samples: [] };
}

function failed(check: string, title: string, advice: string): Finding {
  return { check, title, status: 'failed', count: 1, samples: [], advice };
}
