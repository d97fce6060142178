import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { Failure } from '../../../src/shared/failure.ts';
import type { Server } from '../server.ts';
import { endpointsOf, type SandboxState } from '../state.ts';
import { findTool, requireTool } from '../toolbox.ts';
import { apocConf, neo4jConf } from './neo4j-conf.ts';
import { classArchive, fetchNeo4j, isNeo4jThere, neo4jFolder } from './neo4j-program.ts';
import { wipeGraph } from './wipe-graph.ts';

/** The password that a new database has before ours is set. */
const initialPassword = 'neo4j';

/** Neo4j Community with APOC core, Bolt only. */
export const neo4jServer: Server = {
  name: 'neo4j',
  title: 'Neo4j',
  readyWithinMs: 240_000,
  endsWithinMs: 45_000,
  async missingTools() {
    const java = (await findTool('java')) === null;
    const maven = !(await isNeo4jThere()) && (await findTool('maven')) === null;
    return [...(java ? (['java'] as const) : []), ...(maven ? (['maven'] as const) : [])];
  },
  async prepare({ folder, state, task }) {
    await requireTool('java', task);
    const lib = await fetchNeo4j(task);
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
  check: (state) => withDriver(state, endpointsOf(state).neo4j.password, (driver) => checkPassword(state, driver)),
  wipe: (state) => withDriver(state, endpointsOf(state).neo4j.password, wipeGraph),
  dataFolders: ({ folder }) => [join(homeFolder(folder), 'data')],
  async ended({ state }) {
    const archive = await classArchive((await findTool('java')) ?? 'java');
    // Nothing to take over where the server had an archive, or another one's is there already: it may be in use.
    const own = `${archive.path}.${state.id}`;
    if (archive.isThere) await rm(own, { force: true });
    else await rename(own, archive.path).catch(() => undefined);
  },
};

function homeFolder(folder: string): string {
  return join(folder, 'neo4j');
}

async function javaOptions(java: string, state: SandboxState): Promise<string[]> {
  const archive = await classArchive(java);
  const heap = process.env.TAS_SANDBOX_NEO4J_HEAP || '1g';
  const opens = ['java.nio', 'java.io', 'sun.nio.ch'].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
  return [
    '-cp',
    join(await neo4jFolder(), 'lib/*'),
    '-Xms256m',
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    ...(state.jit === 'quick' ? ['-XX:TieredStopAtLevel=1'] : []),
    archive.isThere ? `-XX:SharedArchiveFile=${archive.path}` : `-XX:ArchiveClassesAtExit=${archive.path}.${state.id}`,
    '-Xlog:cds=off',
    '-Xlog:cds+dynamic=off',
    ...opens,
    '-Dlog4j2.disable.jmx=true',
    '-Dfile.encoding=UTF-8',
    'org.neo4j.server.CommunityEntryPoint',
  ];
}

/** True questions only: a port that is open is no server that answers. Sets our password on a new database. */
async function checkPassword(state: SandboxState, driver: Driver): Promise<string | null> {
  try {
    await driver.executeQuery('RETURN apoc.version()', {}, { database: 'neo4j' });
    return null;
  } catch (error) {
    if (!(error instanceof Neo4jError)) throw error;
    if (error.code === 'Neo.ClientError.Security.Unauthorized') return setPassword(state);
    return error.message;
  }
}

async function setPassword(state: SandboxState): Promise<string | null> {
  const { password } = endpointsOf(state).neo4j;
  return withDriver(state, initialPassword, async (driver) => {
    try {
      const change = 'ALTER CURRENT USER SET PASSWORD FROM $old TO $new';
      await driver.executeQuery(change, { old: initialPassword, new: password }, { database: 'system' });
      return 'the password was set just now';
    } catch (error) {
      if (!(error instanceof Neo4jError)) throw error;
      if (error.code !== 'Neo.ClientError.Security.Unauthorized') return error.message;
      throw new Failure({
        code: 'wrong-password',
        message: `Neo4j on port ${state.ports.neo4j} does not take the sandbox's password.`,
        advice: 'Take the sandbox down and up again: its data was made with another password.',
      });
    }
  });
}

async function withDriver<T>(state: SandboxState, password: string, work: (driver: Driver) => Promise<T>): Promise<T> {
  const { url, user } = endpointsOf(state).neo4j;
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
