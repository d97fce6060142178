import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import type { Secret } from '../shared/secret.ts';

const migrationsFolder = join(import.meta.dirname, 'migrations');
/** Arbitrary, but the same for ever: two bots that start at once migrate one after the other. */
const migrationLock = 7_282_019;

/** The bot's own PostgreSQL. `tx` commits when its function returns and rolls back when it throws. */
export interface Database {
  readonly pool: pg.Pool;
  tx<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** PostgreSQL's system_identifier: who the server is. */
  identity(): Promise<string>;
  close(): Promise<void>;
}

/** Connects and brings the schema `tas` up to date. Throws `unreachable` when the server does not answer. */
export async function openDatabase(url: Secret, logger: Logger): Promise<Database> {
  const pool = new pg.Pool({ connectionString: url.reveal(), max: 8, connectionTimeoutMillis: 10_000 });
  pool.on('error', (error) => logger.warn({ error: error.message }, 'the bot lost an idle database connection'));
  try {
    await migrate(pool);
  } catch (error) {
    await pool.end();
    if (error instanceof Failure) throw error;
    throw new Failure({
      code: 'unreachable',
      message: "The bot's own database does not answer.",
      advice: 'Check bot.database in the configuration and that its PostgreSQL is up. No run was touched.',
      retryable: true,
      cause: error,
    });
  }
  return {
    pool,
    tx: (work) => transaction(pool, work),
    async identity() {
      const { rows } = await pool.query<{ id: string }>(
        'select system_identifier::text as id from pg_control_system()',
      );
      return rows[0]?.id ?? '';
    },
    close: () => pool.end(),
  };
}

async function transaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that is lost between two queries says so by an event; without a listener that would end the process.
  const lost = (error: Error): void => {
    broken = error;
  };
  client.on('error', lost);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.off('error', lost);
    client.release(broken);
  }
}

async function migrate(pool: pg.Pool): Promise<void> {
  const files = (await readdir(migrationsFolder)).filter((file) => file.endsWith('.sql')).sort();
  await transaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    await client.query('create schema if not exists tas');
    await client.query(
      'create table if not exists tas.schema_version (file text primary key, sha256 text not null, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ file: string; sha256: string }>(
      'select file, sha256 from tas.schema_version',
    );
    const applied = new Map(rows.map((row) => [row.file, row.sha256]));
    for (const file of files) await applyFile(client, file, applied.get(file));
    refuseNewer([...applied.keys()], files);
  });
}

async function applyFile(client: pg.PoolClient, file: string, appliedHash: string | undefined): Promise<void> {
  const text = await readFile(join(migrationsFolder, file), 'utf8');
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (appliedHash === sha256) return;
  if (appliedHash !== undefined) {
    throw new Failure({
      code: 'precondition-failed',
      message: `The bot's own schema was made by another content of ${file}.`,
      advice: 'Run the version of the bot that made it, or restore that file. Nothing was changed.',
    });
  }
  await client.query(text);
  await client.query('insert into tas.schema_version (file, sha256) values ($1, $2)', [file, sha256]);
}

function refuseNewer(applied: readonly string[], known: readonly string[]): void {
  const unknown = applied.filter((file) => !known.includes(file));
  if (unknown.length === 0) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `The bot's own database is newer than this bot: it knows ${unknown.join(', ')}.`,
    advice: 'Start the newer version of the bot. Nothing was changed.',
  });
}
