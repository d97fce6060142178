import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Failure } from '../../../src/shared/failure.ts';
import type { PostgresEndpoint } from '../endpoints.ts';
import { runProgram } from '../run-program.ts';
import type { Server, ServerContext } from '../server.ts';
import { type SandboxState, storeEndpointsOf } from '../state.ts';
import { findTool, requireTool } from '../toolbox.ts';
import { asServerUser, serverUser } from './server-user.ts';

/** A cluster of its own with one database and its owner, who is the cluster's superuser. */
function createPostgresServer(name: 'postgres' | 'botPostgres', title: string): Server {
  const dataFolder = (state: SandboxState): string => join(state.postgresFolder, name);
  return {
    name,
    title,
    readyWithinMs: 60_000,
    endsWithinMs: 20_000,
    async missingTools() {
      return (await findTool('postgres')) === null ? ['postgres'] : [];
    },
    async prepare(context) {
      const tools = await requireTool('postgres', context.task);
      await makeCluster(dataFolder(context.state), tools, storeEndpointsOf(context.state)[name], context);
      return { postgresTools: tools };
    },
    async describe({ state }) {
      const data = dataFolder(state);
      const settings = [...common, ...(state.fast ? fast : [])].flatMap((setting) => ['-c', setting]);
      const server = join(state.postgresTools ?? '', 'postgres');
      return {
        ...(await asServerUser(server, ['-D', data, '-p', String(state.ports[name]), ...settings])),
        mark: data,
        // Fast shutdown; SIGTERM would wait for every client to leave.
        stopSignal: 'SIGINT',
        cwd: state.postgresFolder,
      };
    },
    check: (endpoints) => ensureDatabase(endpoints[name]),
    async wipe(endpoints) {
      await dropDatabases(endpoints[name]);
      return (await ensureDatabase(endpoints[name])) === null;
    },
    dataFolders: ({ state }) => [dataFolder(state)],
  };
}

/** The platform's cluster: database `tas_shared`. */
export const platformPostgres: Server = createPostgresServer('postgres', 'PostgreSQL');
/** The bot's own: point-in-time recovery rewinds whole clusters, so the bot's memory lies in another. */
export const botPostgres: Server = createPostgresServer('botPostgres', "the bot's PostgreSQL");

const common = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'logging_collector=off',
  'max_connections=200',
  'max_wal_size=2GB',
  'log_line_prefix=%m [%p] %u@%d ',
];
/** A crash of the machine loses everything: right for tests, wrong for all else. */
const fast = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum_naptime=10min'];

/** initdb into a folder that gets its name when it is whole, so that a killed one leaves no half cluster. */
async function makeCluster(data: string, tools: string, endpoint: PostgresEndpoint, context: ServerContext) {
  if (await exists(join(data, 'PG_VERSION'))) return;
  context.task.begin('making the cluster', 3_000);
  const owner = await serverUser();
  const parent = context.state.postgresFolder;
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await chmod(parent, 0o700);
  if (owner !== null) await chown(parent, owner.uid, owner.gid);
  // A name of its own: an initdb whose caller was killed may still be writing.
  const draft = `${data}.${randomBytes(4).toString('hex')}`;
  const passwordFile = `${draft}.password`;
  await writeFile(passwordFile, endpoint.password, { mode: 0o600 });
  if (owner !== null) await chown(passwordFile, owner.uid, owner.gid);
  const locale = process.platform === 'linux' ? 'C.UTF-8' : 'en_US.UTF-8';
  const args = ['-D', draft, '-U', endpoint.user, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256'];
  const initdb = await asServerUser(join(tools, 'initdb'), [...args, '-E', 'UTF8', `--locale=${locale}`, '--no-sync']);
  try {
    await runProgram(initdb.command, initdb.args, { cwd: parent });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, data);
}

/** Makes the endpoint's database where it is missing; null when it is there, else why the server does not serve. */
async function ensureDatabase(endpoint: PostgresEndpoint): Promise<string | null> {
  return withClient(endpoint, async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [endpoint.database]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(endpoint.database)}`);
    return null;
  }).catch((error: Error & { code?: string }) => {
    // Another starter of the same sandbox made the database in between.
    if (error.code === '42P04') return null;
    if (error.code !== '28P01') return error.message;
    throw new Failure({
      code: 'wrong-password',
      message: `PostgreSQL on port ${endpoint.port} does not take the password.`,
      advice: 'Correct TEST_*_URL; for a server of the sandbox itself: take it down and up again.',
    });
  });
}

/** All but Keycloak's, which runs on it and empties its own. */
async function dropDatabases(endpoint: PostgresEndpoint): Promise<void> {
  await withClient(endpoint, async (client) => {
    const databases = await client.query<{ datname: string }>(
      "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'keycloak')",
    );
    for (const { datname } of databases.rows) {
      await client.query(`DROP DATABASE ${pg.escapeIdentifier(datname)} WITH (FORCE)`);
    }
  });
}

/** The cluster's maintenance database: the sandbox's own may not exist yet. */
async function withClient<T>(endpoint: PostgresEndpoint, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, user, password } = endpoint;
  const client = new pg.Client({ host, port, user, password, database: 'postgres', connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
