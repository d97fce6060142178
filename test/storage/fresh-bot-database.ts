import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { NewRun, RunRecords } from '../../src/runs/run-records.ts';
import { type Clock, systemClock } from '../../src/shared/clock.ts';
import { digestOf, type Json } from '../../src/shared/json.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { openRunQueue, type RunQueueClient } from '../../src/storage/run-queue-client.ts';
import { createRunStore } from '../../src/storage/run-store.ts';
import { liveStores } from '../live-stores.ts';
import { samplePlan } from '../sample-run.ts';

/** An empty database of its own on the bot's cluster. */
export interface EmptyDatabase {
  readonly name: string;
  readonly url: Secret;
  drop(): Promise<void>;
}

export async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const url = new URL(liveStores().botPostgres.url);
  const name = `test_bot_${randomBytes(5).toString('hex')}`;
  await asAdmin(`create database ${name}`);
  url.pathname = `/${name}`;
  return { name, url: new Secret(url.href), drop: () => asAdmin(`drop database if exists ${name} with (force)`) };
}

/** The bot's memory on a database of its own, as one process has it. */
export interface BotDatabase extends EmptyDatabase {
  readonly database: Database;
  readonly queue: RunQueueClient;
  readonly records: RunRecords;
  /** Rows of a query. */
  sql(text: string, values?: readonly unknown[]): Promise<{ [column: string]: unknown }[]>;
}

export async function createBotDatabase(clock: Clock = systemClock): Promise<BotDatabase> {
  const empty = await createEmptyDatabase();
  const database = await openDatabase(empty.url, createLogger('silent'));
  const queue = await openRunQueue(empty.url);
  return {
    ...empty,
    database,
    queue,
    records: createRunStore({ database, url: empty.url, queue, clock }),
    sql: async (text, values = []) => (await database.pool.query(text, [...values])).rows,
    async drop() {
      await queue.close();
      await database.close();
      await empty.drop();
    },
  };
}

/** A run to be stored; ids count up, so that they sort by time. */
export function newRun(over: Partial<NewRun> = {}): NewRun {
  const plan = over.plan ?? samplePlan();
  return {
    id: `run-${String(nextRun++).padStart(10, '0')}`,
    plan,
    digest: digestOf(plan as unknown as Json),
    requester: { id: 'UALICE', name: 'alice' },
    reason: null,
    votesNeeded: 1,
    sequenceBase: '1700000000000000',
    requestedAt: new Date('2026-11-20T09:55:00.000Z'),
    expiresAt: new Date('2126-11-20T10:55:00.000Z'),
    backupId: null,
    queued: false,
    ...over,
  };
}

let nextRun = 1;

/** Waits until a condition holds, at most 20 seconds. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: liveStores().botPostgres.url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
