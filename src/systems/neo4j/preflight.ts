import { statfs } from 'node:fs/promises';
import { sayBytes } from '../../shared/bytes-text.ts';
import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import type { Connection } from './connection.ts';

/** The first version with type predicates (`IS :: STRING`) and COLLECT subqueries, which the kinds use. */
const LEAST_VERSION = [5, 9] as const;
/** A batch takes about a second; with less time than this the server would cut some of them off. */
const LEAST_TIMEOUT_S = 30;
/** How many times the estimated bytes have to be free. */
const ROOM = 2;

function finding(check: string, title: string, status: Finding['status'], advice?: string): Finding {
  const count = status === 'skipped' ? null : status === 'passed' ? 0 : 1;
  return { check, title, status, count, samples: [], ...(advice === undefined ? {} : { advice }) };
}

async function checkVersion(connection: Connection): Promise<Finding> {
  const { version } = await connection.ping();
  const [major, minor] = version.split('.').map((part) => Number.parseInt(part, 10)) as [number, number];
  const [least, leastMinor] = LEAST_VERSION;
  const title = `Neo4j ${version} is ${least}.${leastMinor} or later`;
  // After 5.26 versions are years: 2025.01.
  if (major > least || (major === least && minor >= leastMinor)) return finding('neo4j-version', title, 'passed');
  return finding('neo4j-version', title, 'failed', `Upgrade the server to ${least}.26 before the migration.`);
}

/** No kind needs APOC by itself; expressions of a migration may use its functions. */
async function checkApoc(connection: Connection, { uses }: PreflightNeeds): Promise<Finding[]> {
  const rows = await connection.read((transaction) =>
    transaction.run("SHOW FUNCTIONS YIELD name WHERE name = 'apoc.version' RETURN name"),
  );
  if (rows.length > 0) return [finding('apoc-there', 'APOC is installed', 'passed')];
  if (!uses.some((use) => /(properties|property|nodes|relationships|cypher)$/.test(use))) return [];
  const advice = 'No step needs it, but expressions that use apoc.* functions will be refused.';
  return [finding('apoc-there', 'APOC is installed', 'warning', advice)];
}

/** Carries the trial to its end and then takes it back: nothing of it stays. */
class TakenBack extends Error {}

/** Whether the user may write records and schema: tried in transactions that are taken back. Makes no new names either. */
async function checkRights(connection: Connection): Promise<Finding> {
  const title = `The user may read, write and change the schema of ${connection.place.name}`;
  const attempt = async (statement: string) => {
    const trial = connection.write(
      async (transaction) => {
        await transaction.run(statement);
        throw new TakenBack();
      },
      { once: true, label: 'preflight' },
    );
    await trial.catch((error: unknown) => {
      if (!(error instanceof TakenBack)) throw error;
    });
  };
  try {
    await attempt('CREATE (n) DELETE n');
    await attempt('DROP INDEX _tas_preflight IF EXISTS');
    return finding('rights', title, 'passed');
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'unreachable') throw error;
    const advice = `${error.message} ${error.advice}`;
    return finding('rights', title, 'failed', advice);
  }
}

async function readSettings(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.read((transaction) =>
    transaction.run(
      `SHOW SETTINGS YIELD name, value WHERE name IN ['db.transaction.timeout', 'db.tx_log.rotation.retention_policy']
       RETURN name, value`,
    ),
  );
  return new Map(rows.map(([name, value]) => [String(name), String(value)]));
}

/** Seconds of a setting such as `90s`, `1m30s`, `500ms`; 0 = no limit. */
function secondsOf(text: string): number {
  const unit: { readonly [name: string]: number } = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
  return [...text.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
    (sum, [, n, u]) => sum + Number(n) * (unit[u as string] ?? 0),
    0,
  );
}

async function checkSettings(connection: Connection): Promise<Finding[]> {
  const settings = await readSettings(connection).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'missing-rights') return null;
    throw error;
  });
  const title = 'Transactions may take as long as a batch needs';
  if (settings === null) {
    const advice = 'The user may not see the settings of the server (SHOW SETTINGS).';
    return [finding('transaction-timeout', title, 'skipped', advice)];
  }
  const timeout = secondsOf(settings.get('db.transaction.timeout') ?? '0s');
  if (timeout === 0 || timeout >= LEAST_TIMEOUT_S) return [finding('transaction-timeout', title, 'passed')];
  const advice = `db.transaction.timeout is ${timeout} s: raise it to ${LEAST_TIMEOUT_S} s or more, or batches are cut off and done again.`;
  return [finding('transaction-timeout', title, 'warning', advice)];
}

/** Said before the trial of rights, which a database that only reads refuses as well. */
async function checkWritable(connection: Connection): Promise<Finding> {
  const [info] = await connection.read((transaction) => transaction.run('CALL db.info() YIELD name RETURN name'));
  const name = String(info?.[0]);
  // Not in a transaction: the server answers it from another database.
  const [row] = await connection.command(
    'SHOW DATABASE $name YIELD access, currentStatus RETURN access, currentStatus',
    {
      name,
    },
  );
  const title = `The database ${name} may be written to`;
  if (row === undefined || (row[0] === 'read-write' && row[1] === 'online'))
    return finding('database-writable', title, 'passed');
  const advice = `It is ${String(row[1])}, access ${String(row[0])}: see server.databases.read_only and server.databases.default_to_read_only.`;
  return finding('database-writable', title, 'failed', advice);
}

async function checkDisk(folder: string | undefined, { bytes }: PreflightNeeds): Promise<Finding> {
  const wanted = ROOM * bytes;
  const title = `${sayBytes(wanted)} are free where the graph lies`;
  if (folder === undefined) {
    const advice = `Neo4j does not tell its free disk. Where the bot can see it, name it (dataFolder); else see yourself that ${sayBytes(wanted)} are free.`;
    return finding('free-disk', title, 'skipped', advice);
  }
  try {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free >= wanted) return finding('free-disk', title, 'passed');
    const advice = `Only ${sayBytes(free)} are free; journal and transaction log need ${sayBytes(bytes)}, and as much again to be safe.`;
    return finding('free-disk', title, 'failed', advice);
  } catch {
    const advice =
      'The configured dataFolder cannot be read: correct it, or leave it out where the bot cannot see the disk.';
    return finding('free-disk', title, 'failed', advice);
  }
}

/** Whether the server is fit for a plan: a finding each. Writes nothing that stays. */
export async function preflight(
  connection: Connection,
  needs: PreflightNeeds,
  dataFolder: string | undefined,
): Promise<readonly Finding[]> {
  return [
    await checkVersion(connection),
    ...(await checkApoc(connection, needs)),
    await checkWritable(connection),
    await checkRights(connection),
    ...(await checkSettings(connection)),
    await checkDisk(dataFolder, needs),
  ];
}
