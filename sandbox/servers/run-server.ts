import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../src/shared/failure.ts';
import { chooseFreePort, isPortFree } from './ports.ts';
import { findRunning, startDetached, stopProcess } from './process.ts';
import { logFile, pidFile, type Server, type ServerContext } from './server.ts';
import { endpointsOf, type SandboxState } from './state.ts';

/** Takes a running server as it is, or starts it; comes back when it serves. `keep` stores what changed in the state. */
export async function ensureRunning(
  server: Server,
  context: ServerContext,
  keep: (change: (state: SandboxState) => SandboxState) => Promise<SandboxState>,
): Promise<void> {
  const { folder, task } = context;
  const pid = await findRunning(pidFile(folder, server.name));
  if (pid !== null && (await becomesReady(server, context.state, folder, 20_000)) === null) {
    task.done(`runs already (process ${pid})`);
    return;
  }
  await stopServer(server, folder, context.state);
  let state = await withFreePort(server, context.state, keep);
  const changes = await server.prepare({ ...context, state });
  state = await keep((current) => ({ ...current, ...changes, ports: { ...current.ports, ...changes.ports } }));
  await start(server, { ...context, state });
}

/** Ends the server in an orderly way; nothing where it does not run. */
export async function stopServer(server: Server, folder: string, state: SandboxState): Promise<void> {
  const outcome = await stopProcess(pidFile(folder, server.name), server.endsWithinMs);
  if (outcome === 'ended') await server.ended?.({ folder, state });
}

/** Makes the server's data anew: in place where that is quick, else by starting with an empty folder. */
export async function resetServer(server: Server, context: ServerContext): Promise<void> {
  context.task.begin('emptying');
  if (!(await server.wipe(endpointsOf(context.folder, context.state)))) {
    await stopServer(server, context.folder, context.state);
    for (const data of server.dataFolders(context)) await rm(data, { recursive: true, force: true });
    await server.prepare(context);
    await start(server, context);
  }
  context.task.done('is empty');
}

/** A process that ends at once gets more tries: the helpers of one that was killed may hold its data a moment longer. */
async function start(server: Server, context: ServerContext): Promise<void> {
  const { folder, state, task } = context;
  task.begin('starting', server.name === 'neo4j' ? 20_000 : 3_000);
  await mkdir(join(folder, 'run'), { recursive: true });
  await mkdir(join(folder, 'logs'), { recursive: true });
  let why: string | null = null;
  for (let tries = 0; tries < 4; tries += 1) {
    if (tries > 0) await pause(1_000);
    await startDetached({
      ...(await server.describe(context)),
      pidFile: pidFile(folder, server.name),
      logFile: logFile(folder, server.name),
    });
    why = await becomesReady(server, state, folder, server.readyWithinMs);
    if (why !== processEnded) break;
  }
  if (why === null) return task.done(`serves on port ${state.ports[server.name]}`);
  await stopProcess(pidFile(folder, server.name), 2_000);
  const log = await readFile(logFile(folder, server.name), 'utf8').catch(() => '');
  throw new Failure({
    code: 'unreachable',
    message: `${server.title} did not start: ${why}\n${log.trimEnd().split('\n').slice(-8).join('\n')}`,
    advice: `Its whole log is ${logFile(folder, server.name)}. Mend the cause and bring the sandbox up again.`,
    retryable: true,
  });
}

const processEnded = 'its process has ended.';

/** Null as soon as the server serves; why it does not after `withinMs`, or at once when its process has gone. */
async function becomesReady(
  server: Server,
  state: SandboxState,
  folder: string,
  withinMs: number,
): Promise<string | null> {
  const end = Date.now() + withinMs;
  for (;;) {
    if ((await findRunning(pidFile(folder, server.name))) === null) return processEnded;
    const why = await server.check(endpointsOf(folder, state), true);
    if (why === null) return null;
    if (Date.now() > end) return why;
    await pause(150);
  }
}

/** The port of old, unless something else has taken it while the server was down. */
async function withFreePort(
  server: Server,
  state: SandboxState,
  keep: (change: (state: SandboxState) => SandboxState) => Promise<SandboxState>,
): Promise<SandboxState> {
  if (await isPortFree(state.ports[server.name])) return state;
  const port = await chooseFreePort(Object.values(state.ports));
  return keep((current) => ({ ...current, ports: { ...current.ports, [server.name]: port } }));
}
