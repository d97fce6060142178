import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBotSession } from '../sandbox/bot-session.ts';
import { seed } from '../sandbox/seed/seed.ts';
import type { Endpoints } from '../sandbox/servers/endpoints.ts';
import { createProgress } from '../sandbox/servers/progress.ts';
import { bringUp, takeDown } from '../sandbox/servers/sandbox.ts';
import { type ServerGroup, storeGroups } from '../sandbox/servers/servers.ts';
import { measureClicks } from './clicks/clicks.ts';
import { describeKinds } from './kinds/describe-kinds.ts';
import { type KindsRequest, measureKinds } from './kinds/kinds.ts';
import { type MigrationRun, runMigration } from './migration-run.ts';
import { measurePlatform, type PlatformRequest } from './platform/platform.ts';
import { describeRuns, type Part, recordResults } from './results.ts';

const usage = `npm run bench -- [--only run,kinds,platform,clicks] [--record] [options]
  --only     run: acknowledgement and memory in whole runs; kinds: step kinds beside what people write by hand;
             platform: services stopped and started beside kubectl, datasets beside a loop in Python
             clicks: a thousand clicks and commands of fifty people during a run, beside an app that only acknowledges
  --record   writes the figures into bench/README.md
  --users    20000,200000: sizes of the whole runs
  --idle     60: commands before each run
  --records  50000: records of each kind
  --pairs    3: rounds of each kind, after a warm-up
  --objects  3000: small objects
  --million  1000000: records for the memory of a kind
  --rate     100: operations of the applications a second, on each store
  --vectors  20000: vectors that are copied
  --texts    1000: texts that are embedded
  --names    all: kinds whose name holds one of these parts; \`memory\` and \`load\` are names as well`;

interface Request extends KindsRequest, PlatformRequest {
  readonly users: readonly number[];
  readonly only: readonly string[];
  readonly idle: number;
}

const started = Date.now();

function say(line: string): void {
  process.stdout.write(`[${Math.round((Date.now() - started) / 1000)} s] ${line}\n`);
}

async function fill(endpoints: Endpoints, users: number): Promise<void> {
  const progress = createProgress(process.stderr);
  const task = progress.task('seed');
  task.begin(`filling the stores (${users} users)`);
  const { nodes, ms } = await seed(endpoints, { kind: users, onProgress: (line) => task.count(line) });
  progress.stop();
  say(`filled with ${JSON.stringify(nodes)} in ${Math.round(ms / 1000)} s`);
}

async function measureRuns(folder: string, endpoints: Endpoints, { users, idle }: Request): Promise<string> {
  const runs: MigrationRun[] = [];
  for (const count of users) {
    await fill(endpoints, count);
    // A process of its own for each size: what one run needed must not be counted for the next.
    const session = await startBotSession(join(folder, 'bot'), endpoints);
    try {
      runs.push(await runMigration(session, endpoints, count, idle));
    } finally {
      await session.stop();
    }
    say(`${count} users: peak ${runs.at(-1)?.after.peak.toFixed(0)} MiB, ${runs.at(-1)?.seconds.toFixed(0)} s`);
  }
  return describeRuns(runs);
}

async function measure(folder: string, request: Request, tell: (part: Part, text: string) => Promise<void>) {
  const progress = createProgress(process.stderr);
  const also: readonly ServerGroup[] = request.only.includes('platform') ? ['kubernetes', 'embeddings'] : [];
  const endpoints = await bringUp({ folder, only: [...storeGroups, ...also], jit: 'full', temporary: true, progress });
  progress.stop();
  // The kinds first: they want stores without anything else in them.
  if (request.only.includes('kinds')) {
    await tell('kinds', describeKinds(await measureKinds(endpoints, folder, request, say)));
  }
  if (request.only.includes('platform')) {
    const contests = await measurePlatform(endpoints, request, say);
    await tell('platform', describeKinds({ contests, memory: [], load: null }));
  }
  if (request.only.includes('clicks')) {
    await fill(endpoints, request.users[0] ?? 20_000);
    await tell('clicks', await measureClicks(folder, endpoints, say));
  }
  if (request.only.includes('run')) await tell('run', await measureRuns(folder, endpoints, request));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '20000,200000' },
      only: { type: 'string', default: 'run,kinds,platform' },
      idle: { type: 'string', default: '60' },
      records: { type: 'string', default: '50000' },
      pairs: { type: 'string', default: '3' },
      objects: { type: 'string', default: '3000' },
      million: { type: 'string', default: '1000000' },
      rate: { type: 'string', default: '100' },
      vectors: { type: 'string', default: '20000' },
      texts: { type: 'string', default: '1000' },
      names: { type: 'string', default: '' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const folder = join(tmpdir(), `tas-bench-${process.pid}`);
  const request: Request = {
    users: values.users.split(',').map(Number),
    only: values.only.split(','),
    idle: Number(values.idle),
    records: Number(values.records),
    pairs: Number(values.pairs),
    objects: Number(values.objects),
    million: Number(values.million),
    rate: Number(values.rate),
    vectors: Number(values.vectors),
    texts: Number(values.texts),
    names: values.names.split(',').filter((name) => name !== ''),
  };
  try {
    await measure(folder, request, async (part, text) => {
      process.stdout.write(`\n${text}\n\n`);
      if (values.record) await recordResults(part, text);
    });
  } finally {
    await takeDown(folder);
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`the bench stopped: ${(error as Error).stack ?? String(error)}\n`);
    process.exit(1);
  },
);
