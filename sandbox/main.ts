import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../src/shared/failure.ts';
import { startBotSession } from './bot-session.ts';
import { showConsole } from './console/show-console.ts';
import { type SeedKind, seed } from './seed/seed.ts';
import type { Endpoints } from './servers/endpoints.ts';
import { refuseHeldData } from './servers/given-data.ts';
import { readGivenEndpoints } from './servers/given-endpoints.ts';
import { withLock } from './servers/lock.ts';
import { createProgress, type Progress } from './servers/progress.ts';
import { bringUp, emptyStores, markSeeded, noSandbox, readStatus, takeDown } from './servers/sandbox.ts';
import { type ServerGroup, serverGroups, storeGroups } from './servers/servers.ts';
import { defaultFolder } from './servers/state.ts';
import { showStatus } from './show-status.ts';

const usage = `npm run sandbox [-- console|up|down|status|reset]

  console  brings the stores up and fills them, starts the bot in a simulated Slack, and serves the workspace as a page
           until Ctrl-C; this is what happens without a word
  up       brings real Neo4j, PostgreSQL (two clusters) and MinIO up on free ports of this machine
  status   says what runs, and every endpoint with user and password
  reset    empties the stores and fills them again
  down     ends the servers and removes all that they left, data included

  --only kafka,postgres,…       which servers (up): ${Object.keys(serverGroups).join(', ')};
                                by default the stores: ${storeGroups.join(', ')}
  --seed demo|messy|N           what the stores are filled with: a demo, one with all irregularities, or N users (up, reset)
  --jit full                    Neo4j's JVM optimises fully, for measurements; it starts later (up)
  --docker                      containers by compose.yaml instead of local processes (up)
  --port N                      where the page is served; by default a free port (console)
  --json                        the answer as one JSON object

The sandbox lies in .sandbox/ of the project, or in $TAS_SANDBOX_DIR. Stores that TEST_NEO4J_URL, TEST_POSTGRES_URL,
TEST_BOT_POSTGRES_URL and TEST_MINIO_URL name are used in place of its own; they are never ended or emptied.`;

interface Request {
  readonly only: readonly ServerGroup[] | undefined;
  readonly seed: SeedKind | undefined;
  readonly jit: 'quick' | 'full';
  readonly docker: boolean;
  readonly json: boolean;
  /** Where the console is served; 0 = a free port. */
  readonly port: number;
}

const folder = defaultFolder();
const given = readGivenEndpoints(process.env);

const verbs: { readonly [verb: string]: (request: Request, progress: Progress) => Promise<number> } = {
  async up(request, progress) {
    const { only, jit, docker } = request;
    if (request.seed !== undefined && !storeGroups.every((group) => (only ?? storeGroups).includes(group)))
      throw wrongUse(`--seed fills all stores: --only must name ${storeGroups.join(', ')} too`);
    const endpoints = await bringUp({ folder, given, jit, docker, progress, ...(only === undefined ? {} : { only }) });
    if (request.seed !== undefined) await fillOnce(endpoints, request.seed, progress);
    return show(request.json, progress);
  },
  async console({ only, seed: kind, jit, docker, port }, progress) {
    const endpoints = await bringUp({ folder, given, jit, docker, progress, ...(only === undefined ? {} : { only }) });
    const seeded = (await readStatus(folder, given))?.seeded ?? null;
    if (kind !== undefined || seeded === null) await fillOnce(endpoints, kind ?? 'demo', progress);
    const open = async (): Promise<void> => {
      const task = progress.task('console');
      task.begin('starting the bot in a simulated Slack', 10_000);
      const session = await startBotSession(folder, endpoints);
      task.done('the bot is up');
      progress.stop();
      await showConsole(session, { port, say }).finally(() => session.stop());
    };
    await withLock(join(folder, 'console.lock'), open, refuseSecond);
    say('The stores go on; they end with: npm run sandbox -- down');
    return 0;
  },
  async down(request, progress) {
    const wasThere = await takeDown(folder, progress);
    progress.stop();
    say(
      request.json
        ? JSON.stringify({ folder, removed: wasThere })
        : wasThere
          ? 'The sandbox is gone.'
          : 'There is none.',
    );
    return 0;
  },
  status: (request, progress) => show(request.json, progress),
  async reset(request, progress) {
    if (Object.keys(given).length > 0) throw wrongUse('reset empties stores, and TEST_* names stores of somebody else');
    const before = await readStatus(folder);
    if (before === null) throw noSandbox(folder);
    await bringUp({ folder, progress });
    await emptyStores(folder, progress);
    const kind = request.seed ?? before.seeded;
    if (kind !== null) await fill(before.endpoints, kind, progress);
    return show(request.json, progress);
  },
};

/** Two bots on one database would both take up the same runs. */
function refuseSecond(pid: number): never {
  throw new Failure({
    code: 'precondition-failed',
    message: `The console of this sandbox is open already, in process ${pid}.`,
    advice: 'Use that one, end it with Ctrl-C, or name another sandbox in TAS_SANDBOX_DIR.',
  });
}

/** Fills stores that hold no seed yet: what somebody did to the data since is lost by `reset` only. */
async function fillOnce(endpoints: Endpoints, kind: SeedKind, progress: Progress): Promise<void> {
  const seeded = (await readStatus(folder, given))?.seeded ?? null;
  if (seeded === kind)
    return progress.task('seed').done(`the stores are filled already (${kind}); reset fills them again`);
  if (seeded !== null) throw wrongUse(`the stores are filled already (${seeded}): use reset --seed ${kind}`);
  await refuseHeldData(given);
  await fill(endpoints, kind, progress);
}

async function fill(endpoints: Endpoints, kind: SeedKind, progress: Progress): Promise<void> {
  const task = progress.task('seed');
  task.begin(`filling the stores (${kind})`);
  await markSeeded(folder, null);
  await seed(endpoints, { kind, onProgress: (line) => task.count(line) });
  await markSeeded(folder, kind);
  task.done(`the stores are filled (${kind})`);
}

async function show(json: boolean, progress: Progress): Promise<number> {
  const status = await readStatus(folder, given);
  progress.stop();
  if (status === null) throw noSandbox(folder);
  say(json ? JSON.stringify(status, null, 2) : showStatus(status));
  return 0;
}

function readRequest(args: string[]): { verb: string; request: Request } {
  const { values, positionals } = parse(args);
  const [verb = 'console', ...more] = positionals;
  if (more.length > 0) throw wrongUse(`"${more.join(' ')}" is too much`);
  const only = values.only?.split(',').map((name) => {
    if (!Object.hasOwn(serverGroups, name)) throw wrongUse(`--only knows ${Object.keys(serverGroups).join(', ')}`);
    return name as ServerGroup;
  });
  if (values.jit !== undefined && values.jit !== 'full' && values.jit !== 'quick')
    throw wrongUse('--jit is quick or full');
  return {
    verb: values.help ? 'help' : verb,
    request: {
      only,
      seed: values.seed === undefined ? undefined : readSeed(values.seed),
      jit: values.jit ?? 'quick',
      docker: values.docker ?? false,
      json: values.json ?? false,
      port: readPort(values.port),
    },
  };
}

function parse(args: string[]) {
  const options = {
    only: { type: 'string' },
    seed: { type: 'string' },
    jit: { type: 'string' },
    docker: { type: 'boolean' },
    json: { type: 'boolean' },
    port: { type: 'string' },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw wrongUse(error instanceof Error ? error.message : 'this cannot be read');
  }
}

function readSeed(text: string): SeedKind {
  if (text === 'demo' || text === 'messy') return text;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw wrongUse('--seed is demo, messy or a number of users');
}

function readPort(text = '0'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw wrongUse('--port is a number below 65536');
}

function wrongUse(what: string): Failure {
  return new Failure({ code: 'wrong-use', message: `${what}.`, advice: 'See: npm run sandbox -- --help' });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<number> {
  const progress = createProgress(process.stderr);
  try {
    const { verb, request } = readRequest(process.argv.slice(2));
    const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (act !== undefined) return await act(request, progress);
    progress.stop();
    say(usage);
    return verb === 'help' ? 0 : 2;
  } catch (error) {
    progress.stop();
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${error.message}\n${error.advice}\n`);
    return error.code === 'wrong-use' ? 2 : 1;
  }
}

process.exitCode = await main();
