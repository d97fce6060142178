import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/shared/failure.ts';
import { composeDown, composeUp, isDockerThere } from './compose.ts';
import type { Endpoints } from './endpoints.ts';
import type { GivenEndpoints } from './given-endpoints.ts';
import { withLock } from './lock.ts';
import { findRunning, stopProcess } from './process.ts';
import { type Progress, silentProgress } from './progress.ts';
import { ensureRunning, resetServer, stopServer } from './run-server.ts';
import { pidFile, type Server } from './server.ts';
import { type ServerGroup, serverGroups, servers, storeGroups } from './servers.ts';
import { createState, endpointsOf, readState, type SandboxState, type ServerName, writeState } from './state.ts';

export interface BringUpOptions {
  readonly folder: string;
  /** Absent = the stores. The others keep their ports, but do not run. */
  readonly only?: readonly ServerGroup[];
  /** Stores that somebody else runs; those of ours are not started. */
  readonly given?: GivenEndpoints;
  /** True = containers even where local programs are there. */
  readonly docker?: boolean;
  /** Unsafe but fast settings, for tests. */
  readonly fast?: boolean;
  /** `full` lets Neo4j's JVM optimise, for measurements; it starts later. */
  readonly jit?: 'quick' | 'full';
  /** True = the sandbox belongs to this process; whoever finds it orphaned may take it down. */
  readonly temporary?: boolean;
  readonly progress?: Progress;
}

export interface ServerStatus {
  readonly running: boolean;
  /** Null for what does not run, runs in a container or is somebody else's. */
  readonly pid: number | null;
}

export interface SandboxStatus {
  readonly folder: string;
  readonly means: SandboxState['means'];
  readonly seeded: SandboxState['seeded'];
  readonly servers: { readonly [Name in ServerName]: ServerStatus };
  readonly endpoints: Endpoints;
}

/**
 * Brings the servers up and comes back when all of them serve. Called again it takes what runs as it is and starts the
 * rest; a call that was killed can be repeated. Throws one `Failure` that names everything that went wrong.
 */
export async function bringUp(options: BringUpOptions): Promise<Endpoints> {
  const progress = options.progress ?? silentProgress;
  return withSandboxLock(options.folder, async () => {
    const wanted = selectServers(options);
    const state = (await readState(options.folder)) ?? (await create(options, wanted));
    if (options.docker === true && state.means === 'local') throw notContainers(options.folder);
    const final =
      state.means === 'docker'
        ? await composeUp(options.folder, state, wanted, progress.task('docker'))
        : await runLocally(options, state, wanted, progress);
    const endpoints = { ...endpointsOf(options.folder, final), ...options.given };
    await prepareGiven(options.given ?? {}, endpoints);
    return endpoints;
  });
}

/** Ends every process of the sandbox and removes all that it made, data included. True where there was one. */
export async function takeDown(folder: string, progress: Progress = silentProgress): Promise<boolean> {
  if ((await readState(folder)) === null) return false;
  return withSandboxLock(folder, async () => {
    const state = await readState(folder);
    if (state === null) return false;
    if (state.means === 'docker') await composeDown(folder, state);
    await stopOthers(folder);
    const ends = servers.map(async (server) => {
      const task = progress.task(server.title);
      if ((await findRunning(pidFile(folder, server.name))) === null) return;
      task.begin('ending');
      await stopServer(server, folder, state);
      task.done('has ended');
    });
    await throwAll(await Promise.allSettled(ends));
    await rm(state.postgresFolder, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    return true;
  });
}

/** What runs and where it is, somebody else's servers included; null where there is no sandbox. */
export async function readStatus(folder: string, given: GivenEndpoints = {}): Promise<SandboxStatus | null> {
  const state = await readState(folder);
  if (state === null) return null;
  const endpoints = { ...endpointsOf(folder, state), ...given };
  const ask = async (server: Server): Promise<[ServerName, ServerStatus]> => {
    const own = !isGiven(server, given);
    const pid = own && state.means === 'local' ? await findRunning(pidFile(folder, server.name)) : null;
    const mayRun = pid !== null || !own || state.means === 'docker';
    const why = mayRun ? await server.check(endpoints, own).catch((error: Error) => error.message) : 'it is not there';
    return [server.name, { running: why === null, pid }];
  };
  const running = Object.fromEntries(await Promise.all(servers.map(ask)));
  return {
    folder,
    means: state.means,
    seeded: state.seeded,
    servers: running as SandboxStatus['servers'],
    endpoints,
  };
}

/** Empties all stores of the sandbox; they keep running, or are started anew where that is quicker. */
export async function emptyStores(folder: string, progress: Progress = silentProgress): Promise<void> {
  await withSandboxLock(folder, async () => {
    const state = await readState(folder);
    if (state === null) throw noSandbox(folder);
    await writeState(folder, { ...state, seeded: null });
    const work = servers.map(async (server) => {
      if (!(await isPart(server, folder, state))) return;
      const task = progress.task(server.title);
      if (state.means === 'local') return resetServer(server, { folder, state, task });
      if (!(await server.wipe(endpointsOf(folder, state))))
        throw new Error(`${server.title} has too much data: take it down and up again`);
    });
    await throwAll(await Promise.allSettled(work));
  });
}

/** A sandbox has the servers that were named when it came up: what does not run holds nothing. */
async function isPart({ name }: Server, folder: string, { means }: SandboxState): Promise<boolean> {
  if (means === 'local') return (await findRunning(pidFile(folder, name))) !== null;
  return storeGroups.some((group) => serverGroups[group].some((part) => part === name));
}

/** Remembers what the data was made from. */
export async function markSeeded(folder: string, seeded: SandboxState['seeded']): Promise<void> {
  await withSandboxLock(folder, async () => {
    const state = await readState(folder);
    if (state !== null) await writeState(folder, { ...state, seeded });
  });
}

export function noSandbox(folder: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `There is no sandbox in ${folder}.`,
    advice: 'Bring one up first: npm run sandbox -- up.',
  });
}

/** The lock lies beside the folder, so that removing the folder does not remove it under a waiting process. */
async function withSandboxLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return withLock(`${folder}.lock`, work);
}

function selectServers(options: BringUpOptions): readonly Server[] {
  const groups = options.only ?? storeGroups;
  const names = groups.flatMap((group): readonly ServerName[] => serverGroups[group]);
  return servers.filter((server) => names.includes(server.name) && !isGiven(server, options.given ?? {}));
}

function isGiven({ name }: Server, given: GivenEndpoints): boolean {
  return (given as { readonly [server: string]: unknown })[name] !== undefined;
}

/** Containers where they are asked for, or where a local program is missing and an engine answers. */
async function create(options: BringUpOptions, wanted: readonly Server[]): Promise<SandboxState> {
  let means: SandboxState['means'] = 'local';
  if (options.docker) {
    if (!(await isDockerThere())) throw noDocker();
    means = 'docker';
  } else {
    const missing = (await Promise.all(wanted.map((server) => server.missingTools()))).flat();
    if (missing.length > 0 && (await isDockerThere())) means = 'docker';
  }
  return createState(options.folder, {
    means,
    fast: options.fast ?? false,
    jit: options.jit ?? 'quick',
    temporary: options.temporary ?? false,
  });
}

async function runLocally(
  options: BringUpOptions,
  first: SandboxState,
  wanted: readonly Server[],
  progress: Progress,
): Promise<SandboxState> {
  let state = first;
  let saved: Promise<unknown> = Promise.resolve();
  // One write after another: the servers start side by side and each may add to the state.
  const keep = async (change: (current: SandboxState) => SandboxState): Promise<SandboxState> => {
    state = change(state);
    saved = saved.then(() => writeState(options.folder, state));
    await saved;
    return state;
  };
  await mkdir(join(options.folder, 'run'), { recursive: true });
  const starts = wanted.map((server) =>
    ensureRunning(server, { folder: options.folder, state: first, task: progress.task(server.title) }, keep),
  );
  await throwAll(await Promise.allSettled(starts));
  return state;
}

/** Somebody else's servers get the database or the bucket where it is missing; nothing else is done to them. */
async function prepareGiven(given: GivenEndpoints, endpoints: Endpoints): Promise<void> {
  for (const server of servers.filter((server) => isGiven(server, given))) {
    const why = await server.check(endpoints, false);
    if (why === null) continue;
    throw new Failure({
      code: 'unreachable',
      message: `${server.title}, which TEST_* names, cannot be used: ${why}`,
      advice: 'Correct the TEST_* variables, or unset them: then the sandbox starts servers of its own.',
      retryable: true,
    });
  }
}

/** Processes that run on top of the servers, such as the bot: they go first. */
async function stopOthers(folder: string): Promise<void> {
  const names = (await readdir(join(folder, 'run')).catch(() => [])).filter((name) => name.endsWith('.pid'));
  const own = servers.map(({ name }) => `${name}.pid`);
  const others = names.filter((name) => !own.includes(name));
  await Promise.all(others.map((name) => stopProcess(join(folder, 'run', name), 15_000)));
}

async function throwAll(results: readonly PromiseSettledResult<unknown>[]): Promise<void> {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (errors.length === 0) return;
  const bug = errors.find((error) => !(error instanceof Failure));
  if (bug !== undefined) throw bug;
  const failures = errors as Failure[];
  if (failures.length === 1) throw failures[0];
  throw new Failure({
    code: failures[0]?.code ?? 'step-failed',
    message: [...new Set(failures.map(({ message }) => message))].join('\n'),
    advice: [...new Set(failures.map(({ advice }) => advice))].join('\n'),
    retryable: failures.every(({ retryable }) => retryable),
  });
}

function notContainers(folder: string): Failure {
  return new Failure({
    code: 'wrong-use',
    message: `The sandbox in ${folder} runs as local processes.`,
    advice: 'Take it down first (npm run sandbox -- down), or leave --docker out.',
  });
}

function noDocker(): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: 'No Docker engine answers.',
    advice: 'Start it, or leave --docker out: then the servers run as local processes.',
  });
}
