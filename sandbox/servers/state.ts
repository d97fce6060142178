import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../src/shared/failure.ts';
import type { Endpoints, StoreEndpoints } from './endpoints.ts';
import { chooseFreePort } from './ports.ts';
import { describeProcess } from './process-identity.ts';

const serverNames = [
  'neo4j',
  'postgres',
  'botPostgres',
  'minio',
  'kubernetes',
  'keycloak',
  'kafka',
  'redis',
  'prometheus',
  'embeddings',
  'platform',
] as const;
export type ServerName = (typeof serverNames)[number];

const port = z.number().int().min(1).max(65_535);
const password = z.string().min(16);

/** The same for each server. */
export function eachServer<T>(value: T): Record<ServerName, T> {
  return Object.fromEntries(serverNames.map((name) => [name, value])) as Record<ServerName, T>;
}

/** What a sandbox remembers between calls, in `state.json` of its folder, readable by its owner only. */
const stateSchema = z.strictObject({
  version: z.literal(1),
  /** Random; part of every name outside the folder. */
  id: z.string().regex(/^[0-9a-f]{12}$/),
  means: z.enum(['local', 'docker']),
  /** Fast but unsafe settings, for tests. */
  fast: z.boolean(),
  /** `quick` starts Neo4j sooner; `full` lets the JVM optimise, for measurements. */
  jit: z.enum(['quick', 'full']),
  /** The process that wants the sandbox gone when it ends; null = it stays until it is taken down. */
  owner: z.strictObject({ pid: z.number().int(), started: z.string() }).nullable(),
  /** One a server; what a server listens on besides goes by `<server>.<what>`. */
  ports: z.object(eachServer(port)).catchall(port),
  passwords: z.strictObject(eachServer(password)),
  /** Where both PostgreSQL clusters have their data: outside of the folder where the server may not run as root. */
  postgresFolder: z.string(),
  /** PostgreSQL's programs; null where none were needed yet or the PATH has them. */
  postgresTools: z.string().nullable(),
  /** What the data was made from; null = nothing was put in. */
  seeded: z.union([z.enum(['demo', 'messy']), z.number().int()]).nullable(),
});

export type SandboxState = z.infer<typeof stateSchema>;

/** What is settled when a sandbox is made and not changed later. */
export type SandboxTraits = Pick<SandboxState, 'means' | 'fast' | 'jit'> & { readonly temporary: boolean };

/** The folder of the sandbox that the command line means: `$TAS_SANDBOX_DIR`, else `.sandbox/` of the project. */
export function defaultFolder(): string {
  return resolve(process.env.TAS_SANDBOX_DIR || join(import.meta.dirname, '../../.sandbox'));
}

/** Where downloads and builds are kept for every sandbox of this user. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tas-bot');
}

/** Reads a sandbox's state; null where the folder holds none. Throws `invalid-config` for one that does not fit. */
export async function readState(folder: string): Promise<SandboxState | null> {
  const text = await readFile(join(folder, 'state.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const parsed = stateSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Failure({
    code: 'invalid-config',
    message: `${join(folder, 'state.json')} is no sandbox's state of this version.`,
    advice: 'Take the sandbox down with the version that made it, or point TAS_SANDBOX_DIR to another folder.',
  });
}

/** Writes the state as a whole or not at all. */
export async function writeState(folder: string, state: SandboxState): Promise<void> {
  const path = join(folder, 'state.json');
  await writeFile(`${path}.new`, `${JSON.stringify(stateSchema.parse(state), null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Makes the folder and the state of a new sandbox. Throws `wrong-use` where the folder holds something else. */
export async function createState(folder: string, traits: SandboxTraits): Promise<SandboxState> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const strange = (await readdir(folder)).filter((name) => !name.startsWith('state.json'));
  if (strange.length > 0) {
    throw new Failure({
      code: 'wrong-use',
      message: `${folder} is not empty and holds no sandbox.`,
      advice: 'Point TAS_SANDBOX_DIR to an empty folder or to one that does not exist: "down" removes it as a whole.',
    });
  }
  await chmod(folder, 0o700);
  const id = randomBytes(6).toString('hex');
  const ports = eachServer(0);
  for (const name of serverNames) ports[name] = await chooseFreePort(Object.values(ports));
  const secret = (): string => randomBytes(18).toString('base64url').replaceAll(/[-_]/g, 'x');
  const self = await describeProcess(process.pid);
  const state: SandboxState = {
    version: 1,
    id,
    means: traits.means,
    fast: traits.fast,
    jit: traits.jit,
    owner: traits.temporary && self !== null ? { pid: process.pid, started: self.started } : null,
    ports,
    passwords: Object.fromEntries(serverNames.map((name) => [name, secret()])) as Record<ServerName, string>,
    postgresFolder: process.getuid?.() === 0 ? join('/var/tmp', `tas-sandbox-${id}`) : join(folder, 'postgres'),
    postgresTools: null,
    seeded: null,
  };
  await writeState(folder, state);
  return state;
}

/** True where the process that wanted this sandbox for itself has gone without taking it down. */
export async function isOrphaned(state: SandboxState): Promise<boolean> {
  if (state.owner === null) return false;
  return (await describeProcess(state.owner.pid))?.started !== state.owner.started;
}

/** Where the sandbox's own stores are. */
export function storeEndpointsOf(state: SandboxState): StoreEndpoints {
  const postgres = (name: 'postgres' | 'botPostgres', user: string, database: string) => ({
    url: `postgresql://${user}:${state.passwords[name]}@127.0.0.1:${state.ports[name]}/${database}`,
    host: '127.0.0.1',
    port: state.ports[name],
    database,
    user,
    password: state.passwords[name],
    toolsFolder: state.postgresTools,
  });
  return {
    neo4j: { url: `bolt://127.0.0.1:${state.ports.neo4j}`, user: 'neo4j', password: state.passwords.neo4j },
    postgres: postgres('postgres', 'tasuser', 'tas_shared'),
    botPostgres: postgres('botPostgres', 'tas_bot', 'tas_bot'),
    minio: {
      url: `http://127.0.0.1:${state.ports.minio}`,
      accessKey: 'sandbox',
      secretKey: state.passwords.minio,
      bucket: 'aether-storage',
    },
  };
}

/** Where all of its servers are. */
export function endpointsOf(folder: string, state: SandboxState): Endpoints {
  const url = (name: string): string => `http://127.0.0.1:${state.ports[name] ?? 0}`;
  const { ports, passwords } = state;
  return {
    ...storeEndpointsOf(state),
    kubernetes: { kubeconfig: join(folder, 'kubernetes/kubeconfig'), url: `https://127.0.0.1:${ports.kubernetes}` },
    keycloak: {
      url: url('keycloak'),
      managementUrl: url('keycloak.management'),
      realm: 'aether',
      user: 'admin',
      password: passwords.keycloak,
    },
    kafka: {
      brokers: [`127.0.0.1:${ports.kafka}`],
      securedBrokers: [`127.0.0.1:${ports['kafka.secured'] ?? 0}`],
      password: passwords.kafka,
    },
    redis: { host: '127.0.0.1', port: ports.redis, password: passwords.redis },
    prometheus: { url: url('prometheus') },
    embeddings: { url: `${url('embeddings')}/v1`, apiKey: passwords.embeddings },
    platform: { url: url('platform'), apiKey: passwords.platform },
    vectors: { root: join(folder, 'vectors') },
  };
}

/** Folders of test sandboxes in the system's temporary folder. */
export async function listTestFolders(): Promise<string[]> {
  const names = await readdir(tmpdir()).catch(() => []);
  return names.filter((name) => name.startsWith('tas-test-')).map((name) => join(tmpdir(), name));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
