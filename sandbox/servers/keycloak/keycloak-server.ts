import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../src/shared/failure.ts';
import type { PostgresEndpoint } from '../endpoints.ts';
import { readGivenEndpoints } from '../given-endpoints.ts';
import { chooseFreePort, isPortFree } from '../ports.ts';
import type { Server } from '../server.ts';
import { endpointsOf, type SandboxState, storeEndpointsOf } from '../state.ts';
import { requireTool } from '../toolbox.ts';
import { ensureKeycloakDatabase, keycloakDatabase } from './keycloak-database.ts';
import { homeIn, keycloakProgram, quickly, startArguments } from './keycloak-program.ts';
import { ensureRealm, makeRealmAnew } from './realm.ts';

/** Keycloak with the platform's realm, on the platform's PostgreSQL. */
export const keycloakServer: Server = {
  name: 'keycloak',
  title: 'Keycloak',
  readyWithinMs: 300_000,
  endsWithinMs: 30_000,
  missingTools: () => keycloakProgram.missingTools(),
  async prepare({ folder, state, task }) {
    await requireTool('java', task);
    const distribution = await homeIn(await keycloakProgram.fetch(task));
    await layOut(homeFolder(folder), distribution);
    const before = state.ports['keycloak.management'];
    const usable = before !== undefined && (await isPortFree(before));
    return {
      ports: {
        ...state.ports,
        'keycloak.management': usable ? before : await chooseFreePort(Object.values(state.ports)),
      },
    };
  },
  async describe({ folder, state, task }) {
    const java = await requireTool('java', task);
    const home = homeFolder(folder);
    task.begin('waiting for PostgreSQL', 10_000);
    const database = await awaitDatabase(state);
    task.begin('starting', 30_000);
    await writeFile(confFile(folder), keycloakConf(state, database), { mode: 0o600 });
    const { user, password } = endpointsOf(folder, state).keycloak;
    return {
      command: java,
      args: [
        '-Xms64m',
        '-Xmx384m',
        '-XX:MaxMetaspaceSize=256m',
        ...(state.jit === 'quick' ? quickly : ['-XX:+UseSerialGC']),
        ...(await keycloakProgram.archiveOptions(java, state)),
        ...startArguments(home, confFile(folder)),
      ],
      mark: confFile(folder),
      stopSignal: 'SIGTERM',
      cwd: home,
      // Only heeded while there is no administrator yet.
      env: { KC_BOOTSTRAP_ADMIN_USERNAME: user, KC_BOOTSTRAP_ADMIN_PASSWORD: password },
    };
  },
  async check({ keycloak }) {
    try {
      const ready = await fetch(`${keycloak.managementUrl}/health/ready`, { signal: AbortSignal.timeout(2_000) });
      await ready.arrayBuffer();
      return ready.ok ? await ensureRealm(keycloak) : `health answers ${ready.status}`;
    } catch (error) {
      if (error instanceof Failure) throw error;
      return error instanceof Error ? error.message : 'no answer';
    }
  },
  async wipe({ keycloak }) {
    await makeRealmAnew(keycloak);
    return true;
  },
  // Its data lies in PostgreSQL.
  dataFolders: () => [],
  ended: ({ state }) => keycloakProgram.keepArchive(state),
};

function homeFolder(folder: string): string {
  return join(folder, 'keycloak');
}

function confFile(folder: string): string {
  return join(homeFolder(folder), 'conf/sandbox.conf');
}

/** A home whose programs are the cache's and whose data is its own. */
async function layOut(home: string, distribution: string): Promise<void> {
  for (const name of ['conf', 'data']) await mkdir(join(home, name), { recursive: true });
  for (const name of ['lib', 'providers', 'themes']) {
    await rm(join(home, name), { force: true });
    await symlink(join(distribution, name), join(home, name));
  }
}

/** The servers start side by side: Keycloak waits until its database can be made. Somebody else's comes second. */
async function awaitDatabase(state: SandboxState): Promise<PostgresEndpoint> {
  const own = storeEndpointsOf(state).postgres;
  const given = readGivenEndpoints(process.env).postgres;
  for (const [endpoint, withinMs] of [
    [own, given ? 20_000 : 90_000] as const,
    ...(given ? [[given, 20_000] as const] : []),
  ]) {
    const end = Date.now() + withinMs;
    while (Date.now() < end) {
      if ((await ensureKeycloakDatabase(endpoint)) === null) return endpoint;
      await pause(200);
    }
  }
  throw new Failure({
    code: 'unreachable',
    message: "Keycloak waits for the platform's PostgreSQL in vain.",
    advice: 'Bring PostgreSQL up with it: --only postgres,keycloak.',
    retryable: true,
  });
}

/** `cache=local`: without it the server opens ports for others to join it. */
function keycloakConf({ ports }: SandboxState, { host, port, user, password }: PostgresEndpoint): string {
  return `${[
    `db-url=jdbc:postgresql://${host}:${port}/${keycloakDatabase}`,
    `db-username=${user}`,
    `db-password=${password}`,
    'db-pool-initial-size=1',
    'db-pool-max-size=20',
    'cache=local',
    'http-enabled=true',
    'http-host=127.0.0.1',
    `http-port=${ports.keycloak}`,
    'http-management-host=127.0.0.1',
    `http-management-port=${ports['keycloak.management']}`,
    'hostname-strict=false',
    'log-level=warn',
  ].join('\n')}\n`;
}
