import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBotSession } from '../sandbox/bot-session.ts';
import { seed } from '../sandbox/seed/seed.ts';
import type { Endpoints } from '../sandbox/servers/endpoints.ts';
import { createProgress } from '../sandbox/servers/progress.ts';
import { bringUp, takeDown } from '../sandbox/servers/sandbox.ts';
import { type MigrationRun, runMigration } from './migration-run.ts';
import { measureRate, type RateFigures } from './rate.ts';
import { describeResults, recordResults } from './results.ts';

const usage = `npm run bench -- [--users 20000,200000] [--only run,rate] [--pairs 3] [--idle 60] [--record]
  --users   sizes of the whole runs; the rate is measured on the last one
  --only    run: acknowledgement and memory in whole runs; rate: against apoc.periodic.iterate
  --pairs   pairs of the rate, after a warm-up
  --idle    commands before each run
  --record  writes the figures into bench/README.md`;

interface Request {
  readonly users: readonly number[];
  readonly only: readonly string[];
  readonly pairs: number;
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

async function measure(folder: string, { users, only, pairs, idle }: Request): Promise<string> {
  const progress = createProgress(process.stderr);
  const endpoints = await bringUp({ folder, jit: 'full', temporary: true, progress });
  progress.stop();
  const runs: MigrationRun[] = [];
  let rate: RateFigures | null = null;
  for (const count of only.includes('run') ? users : users.slice(-1)) {
    await fill(endpoints, count);
    if (!only.includes('run')) continue;
    // A process of its own for each size: what one run needed must not be counted for the next.
    const session = await startBotSession(join(folder, 'bot'), endpoints);
    try {
      runs.push(await runMigration(session, endpoints, count, idle));
    } finally {
      await session.stop();
    }
    say(`${count} users: peak ${runs.at(-1)?.after.peak.toFixed(0)} MiB, ${runs.at(-1)?.seconds.toFixed(0)} s`);
  }
  if (only.includes('rate')) rate = await measureRate(endpoints, pairs, say);
  return describeResults({ runs, rate });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '20000,200000' },
      only: { type: 'string', default: 'run,rate' },
      pairs: { type: 'string', default: '3' },
      idle: { type: 'string', default: '60' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const folder = join(tmpdir(), `tas-bench-${process.pid}`);
  const request: Request = {
    users: values.users.split(',').map(Number),
    only: values.only.split(','),
    pairs: Number(values.pairs),
    idle: Number(values.idle),
  };
  try {
    const text = await measure(folder, request);
    process.stdout.write(`\n${text}\n`);
    if (values.record) await recordResults(text);
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
