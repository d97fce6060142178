import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { Failure } from '../../../src/shared/failure.ts';
import type { Neo4jEndpoint } from '../endpoints.ts';
import type { Server } from '../server.ts';
import type { SandboxState } from '../state.ts';
import { requireTool } from '../toolbox.ts';
import { apocConf, neo4jConf } from './neo4j-conf.ts';
import { neo4jJars } from './neo4j-program.ts';
import { wipeGraph } from './wipe-graph.ts';

/** The password that a new database has before ours is set. */
const initialPassword = 'neo4j';
const unauthorized = 'Neo.ClientError.Security.Unauthorized';

/** Neo4j Community with APOC core, Bolt only. */
export const neo4jServer: Server = {
  name: 'neo4j',
  title: 'Neo4j',
  readyWithinMs: 240_000,
  endsWithinMs: 45_000,
  missingTools: () => neo4jJars.missingTools(),
  async prepare({ folder, state, task }) {
    await requireTool('java', task);
    const lib = await neo4jJars.fetch(task);
    const home = homeFolder(folder);
    for (const name of ['conf', 'import', 'data', 'logs']) await mkdir(join(home, name), { recursive: true });
    await writeFile(join(home, 'conf/neo4j.conf'), neo4jConf(state.ports.neo4j));
    await writeFile(join(home, 'conf/apoc.conf'), apocConf);
    const plugins = join(home, 'plugins');
    await rm(plugins, { recursive: true, force: true });
    await mkdir(plugins);
    const jars = (await readdir(lib)).filter((name) => /^apoc-.*\.jar$/.test(name));
    for (const jar of jars) await symlink(join(lib, jar), join(plugins, jar));
    return {};
  },
  async describe({ folder, state, task }) {
    const java = await requireTool('java', task);
    const home = homeFolder(folder);
    return {
      command: java,
      args: [...(await javaOptions(java, state)), `--home-dir=${home}`, `--config-dir=${join(home, 'conf')}`],
      mark: `--home-dir=${home}`,
      stopSignal: 'SIGTERM',
      cwd: home,
    };
  },
  check: ({ neo4j: endpoint }, own) =>
    withDriver(endpoint, endpoint.password, (driver) => check(endpoint, driver, own)),
  wipe: ({ neo4j: endpoint }) => withDriver(endpoint, endpoint.password, wipeGraph),
  dataFolders: ({ folder }) => [join(homeFolder(folder), 'data')],
  ended: ({ state }) => neo4jJars.keepArchive(state),
};

function homeFolder(folder: string): string {
  return join(folder, 'neo4j');
}

async function javaOptions(java: string, state: SandboxState): Promise<string[]> {
  const heap = process.env.TAS_SANDBOX_NEO4J_HEAP || '1g';
  const opens = ['java.nio', 'java.io', 'sun.nio.ch'].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
  return [
    '-cp',
    join(await neo4jJars.lib(), '*'),
    '-Xms256m',
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    ...(state.jit === 'quick' ? ['-XX:TieredStopAtLevel=1'] : []),
    ...(await neo4jJars.archiveOptions(java, state)),
    ...opens,
    '-Dlog4j2.disable.jmx=true',
    '-Dfile.encoding=UTF-8',
    'org.neo4j.server.CommunityEntryPoint',
  ];
}

/** Asks a question: a port that is open is no server that answers. Sets our password on a new database of our own. */
async function check(endpoint: Neo4jEndpoint, driver: Driver, own: boolean): Promise<string | null> {
  try {
    await driver.executeQuery('RETURN apoc.version()', {}, { database: 'neo4j' });
    return null;
  } catch (error) {
    if (!(error instanceof Neo4jError)) throw error;
    if (error.code !== unauthorized) return error.message;
    if (own) return setPassword(endpoint);
    throw wrongPassword(endpoint);
  }
}

async function setPassword(endpoint: Neo4jEndpoint): Promise<string | null> {
  return withDriver(endpoint, initialPassword, async (driver) => {
    try {
      const change = 'ALTER CURRENT USER SET PASSWORD FROM $old TO $new';
      const passwords = { old: initialPassword, new: endpoint.password };
      await driver.executeQuery(change, passwords, { database: 'system' });
      return 'the password was set just now';
    } catch (error) {
      if (!(error instanceof Neo4jError)) throw error;
      if (error.code !== unauthorized) return error.message;
      throw wrongPassword(endpoint);
    }
  });
}

function wrongPassword(endpoint: Neo4jEndpoint): Failure {
  return new Failure({
    code: 'wrong-password',
    message: `Neo4j at ${endpoint.url} does not take the password.`,
    advice: 'Correct TEST_NEO4J_PASSWORD; for a server of the sandbox itself: take it down and up again.',
  });
}

async function withDriver<T>(
  { url, user }: Neo4jEndpoint,
  password: string,
  work: (driver: Driver) => Promise<T>,
): Promise<T> {
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password), {
    connectionTimeout: 3_000,
    connectionAcquisitionTimeout: 5_000,
    maxTransactionRetryTime: 0,
    telemetryDisabled: true,
  });
  try {
    return await work(driver);
  } finally {
    await driver.close();
  }
}
