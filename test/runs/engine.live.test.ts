import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type Engine, startEngine } from '../../src/runs/engine.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { isOver } from '../../src/runs/run-status.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { type BotDatabase, createBotDatabase, newRun, until } from '../storage/fresh-bot-database.ts';
import { createItemWorld, type ItemWorld, itemSchema, type Moment } from './item-world.ts';

jest.setTimeout(60_000);

const count = 1_600;
let bot: BotDatabase;
let world: ItemWorld;
let moment: Moment;
let nextWorld = 1;
let environment: string;
let workers: ChildProcess[] = [];
let engine: Engine | null = null;

beforeEach(async () => {
  bot = await createBotDatabase();
  await bot.sql(itemSchema);
  await bot.sql('insert into item (id) select generate_series(1, $1::int)', [count]);
  environment = `items-${nextWorld++}`;
  moment = () => undefined;
  world = createItemWorld(environment, bot.url.reveal(), bot.records, (index, when) => moment(index, when));
});
afterEach(async () => {
  for (const worker of workers) {
    if (worker.exitCode !== null || worker.signalCode !== null) continue;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  }
  workers = [];
  await engine?.stop();
  engine = null;
  await world.close();
  await bot.drop();
});

/** Stores a run that waits for a worker. */
async function ask(): Promise<string> {
  const run = newRun({ plan: await world.plan(), queued: true });
  await bot.records.create(run);
  return run.id;
}

async function start(): Promise<void> {
  engine = await startEngine({
    databaseUrl: bot.url,
    executorId: 'worker-test',
    deps: world.deps,
    logger: createLogger('silent'),
  });
}

function spawnWorker(death = ''): ChildProcess {
  const script = join(import.meta.dirname, 'engine-worker.ts');
  const worker = spawn(process.execPath, ['--no-warnings', script, environment, death], {
    env: { ...process.env, WORKER_DATABASE: bot.url.reveal() },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  workers.push(worker);
  return worker;
}

const ended = (id: string): Promise<StoredRun> =>
  until(`the end of ${id}`, async () => {
    const run = await bot.records.find(id);
    return run !== null && (isOver(run.status) || run.status === 'parked') ? run : null;
  });
/** How many items were written how often. */
const written = async (): Promise<unknown> =>
  bot.sql('select written as times, count(*)::int as items from item group by written order by written');
const eventsOf = async (id: string): Promise<unknown[]> =>
  (await bot.sql(`select type from tas.run_event where run_id = $1 and type <> 'progress' order by id`, [id])).map(
    ({ type }) => type,
  );
const once1 = [{ times: 1, items: count }];
const story = ['requested', 'started', 'changing', 'stage-started', 'step-started', 'step-done', 'done'];

describe('the engine', () => {
  it('carries out what was enqueued before it started, and what comes afterwards', async () => {
    const first = await ask();
    await start();
    expect((await ended(first)).status).toBe('done');
    expect(await written()).toEqual(once1);
    const second = await ask();
    expect(await ended(second)).toMatchObject({
      status: 'done',
      failure: null,
      steps: [{ stepId: 'data.write', state: 'done', done: count, batches: 7 }],
    });
    expect(await written()).toEqual([{ times: 2, items: count }]);
    expect(await eventsOf(second)).toEqual(story);
  });

  it('lets one of two runs of an environment have it, and tells the other', async () => {
    const ids = [await ask(), await ask(), await ask()];
    const asked = new Set<string>();
    moment = () => void asked.add('worked');
    await start();
    const runs = await Promise.all(ids.map(ended));
    const done = runs.filter(({ status }) => status === 'done').length;
    expect(done).toBeGreaterThanOrEqual(1);
    for (const run of runs.filter(({ status }) => status !== 'done')) {
      expect(run).toMatchObject({ status: 'voided', failure: { code: 'environment-busy' } });
    }
    expect(await written()).toEqual([{ times: done, items: count }]);
  });

  it('parks a run on a bug, with an id and nothing of the bug', async () => {
    moment = () => {
      throw new TypeError('alice@example.org is not a function');
    };
    const id = await ask();
    await start();
    const run = await ended(id);
    expect(run).toMatchObject({ status: 'parked', failure: { code: 'step-failed' } });
    expect(JSON.stringify(run.failure)).not.toContain('alice');
    moment = () => undefined;
    expect(await bot.records.enqueueRetry(id)).toBe(true);
    expect((await ended(id)).status).toBe('done');
    expect(await written()).toEqual(once1);
  });

  it('survives that its connections to its own database are cut in the middle of a run', async () => {
    const cut = new Set<number>();
    let cutting: Promise<unknown> = Promise.resolve();
    moment = (index, when) => {
      if (when !== 'after' || index % 2 === 0 || cut.has(index)) return;
      cut.add(index);
      cutting = bot.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
      cutting.catch(() => undefined);
    };
    const id = await ask();
    await start();
    const run = await until('the end', async () => {
      const found = await bot.records.find(id).catch(() => null);
      return found !== null && (isOver(found.status) || found.status === 'parked') ? found : null;
    });
    await cutting.catch(() => undefined);
    expect(cut.size).toBeGreaterThanOrEqual(2);
    expect(run).toMatchObject({ status: 'done', failure: null });
    expect(await written()).toEqual(once1);
  }, 60_000);
});

const erin = { id: 'UERIN', name: 'erin' };
const paused = (id: string): Promise<StoredRun> =>
  until(`${id} to stand still`, async () => {
    const run = await bot.records.find(id);
    return run?.status === 'paused' ? run : null;
  });

describe('a run that is paused', () => {
  it('holds no worker, and goes on from where it stood when it is resumed', async () => {
    let asked: Promise<unknown> | null = null;
    const id = await ask();
    moment = (index, when) => {
      if (index === 1 && when === 'before') asked ??= bot.records.askToHalt(id, 'pause', erin);
    };
    await start();
    const still = await paused(id);
    expect(await asked).toBe('asked');
    expect(still.control.pause).toBe('erin asked for it');
    const done = still.steps[0]?.done ?? 0;
    expect(done).toBeGreaterThanOrEqual(500);
    expect(done).toBeLessThan(count);
    const [work] = await bot.sql('select status from dbos.workflow_status where workflow_uuid = $1', [id]);
    expect(work?.status).toBe('SUCCESS');
    expect(await bot.records.resume(id, erin)).toBe(true);
    expect(await ended(id)).toMatchObject({ status: 'done', attempt: 2, steps: [{ state: 'done', done: count }] });
    expect(await written()).toEqual(once1);
    expect(await bot.records.leaseHolder(environment)).toBeNull();
  });

  it('while its worker is killed, and whose next one is killed as well, writes nothing twice', async () => {
    const id = await ask();
    const first = spawnWorker('2:after');
    await once(first, 'exit');
    expect(await bot.records.askToHalt(id, 'pause', erin)).toBe('asked');
    const second = spawnWorker('3:after');
    const still = await paused(id);
    // The batch that was kept last was never counted: its store answers it from the journal.
    expect(still.steps[0]).toMatchObject({ state: 'running', done: 500, batches: 2 });
    await bot.records.resume(id, erin);
    const [, signal] = await once(second, 'exit');
    expect(signal).toBe('SIGKILL');
    spawnWorker();
    expect(await ended(id)).toMatchObject({
      status: 'done',
      attempt: 2,
      failure: null,
      steps: [{ state: 'done', done: count, batches: 7 }],
    });
    expect(await written()).toEqual(once1);
    expect(await eventsOf(id)).toEqual([...story.slice(0, 5), 'asked', 'paused', 'resumed', ...story.slice(3)]);
  }, 60_000);
});

describe('a worker process that is killed', () => {
  it('in the middle of its batches, again and again, is followed by one that ends the run with nothing done twice', async () => {
    const id = await ask();
    const tokens: number[] = [];
    for (const death of ['0:before', '0:after', '2:after', '3:before', '6:after']) {
      const worker = spawnWorker(death);
      const [, signal] = await once(worker, 'exit');
      expect(signal).toBe('SIGKILL');
      expect((await bot.records.find(id))?.status).toBe('running');
      tokens.push(Number((await bot.sql('select token from item_fence'))[0]?.token));
    }
    spawnWorker();
    expect(await ended(id)).toMatchObject({
      status: 'done',
      failure: null,
      steps: [{ state: 'done', done: count, batches: 7 }],
    });
    expect(await written()).toEqual(once1);
    expect(await eventsOf(id)).toEqual(story);
    tokens.push(Number((await bot.sql('select token from item_fence'))[0]?.token));
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b));
    expect(await bot.records.leaseHolder(environment)).toBeNull();
  }, 120_000);
});
