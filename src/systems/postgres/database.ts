import pg from 'pg';
import type { Logger } from '../../shared/logger.ts';
import type { Secret } from '../../shared/secret.ts';
import { type ErrorPlace, isLostConnection, toFailure } from './errors.ts';

/** Where a database is and who asks. */
export interface DatabaseOptions {
  /** The system's configured name, for messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
  readonly logger: Logger;
}

export type Parameter = string | number | boolean | null | readonly (string | null)[];

/** One connection inside of a transaction. Every value comes as PostgreSQL's own text; null is null. */
export interface Session {
  /** One statement, by the extended protocol, where the server itself refuses a second one. */
  rows<Row extends object = { [column: string]: string | null }>(
    sql: string,
    values: readonly Parameter[],
  ): Promise<Row[]>;
  /** One statement, likewise; answers how many rows it wrote, 0 where it writes none. */
  change(sql: string): Promise<number>;
  /** The column's type as the server describes it, for `SELECT` statements of one column. */
  resultType(sql: string): Promise<{ oid: number; modifier: number }>;
}

/** How a transaction is to run; times in milliseconds. */
export interface TransactionOptions {
  readonly readOnly?: boolean;
  /** One snapshot for all statements. */
  readonly repeatable?: boolean;
  readonly lockTimeout?: number;
  /** 0 = none. */
  readonly statementTimeout?: number;
}

/** The pool of connections to one database. */
export interface Database {
  readonly place: ErrorPlace;
  /** Driver errors come out as they are, for retries; `guard` makes failures of them. */
  transact<T>(options: TransactionOptions, work: (session: Session) => Promise<T>): Promise<T>;
  /** Statements outside of a transaction block, each by itself (CONCURRENTLY), with the same limits. */
  outside<T>(
    options: Pick<TransactionOptions, 'lockTimeout' | 'statementTimeout'>,
    work: (session: Session) => Promise<T>,
  ): Promise<T>;
  /** One statement outside of a transaction block (CREATE DATABASE). */
  execute(sql: string): Promise<void>;
  /** Runs work and turns driver errors into failures that name system and place. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /** Drops all connections; the next call opens new ones. */
  reset(): void;
  close(): Promise<void>;
}

// Text forms that lose nothing and do not hang on the settings of the server or the role.
const settings = {
  TimeZone: 'UTC',
  DateStyle: 'ISO,MDY',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  client_encoding: 'UTF8',
  search_path: 'public',
};

/** Opens no connection yet. */
export function createDatabase(options: DatabaseOptions): Database {
  const { name: system, host, port, database, user } = options;
  const place = { system, host, port, database, user };
  let pool = createPool(options);

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let broken = false;
    const notice = (): void => {
      broken = true;
    };
    // While a client is out of the pool, a broken connection is told to its own listeners only.
    client.on('error', notice);
    try {
      return await work(client);
    } catch (error) {
      broken ||= isLostConnection(error);
      throw error;
    } finally {
      client.off('error', notice);
      client.release(broken);
    }
  }

  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toFailure(error, place);
    }
  };

  return {
    place,
    guard,
    transact: (how, work) => withClient((client) => runTransaction(client, how, work)),
    outside: (how, work) => withClient((client) => runOutside(client, how, work)),
    execute: (sql) =>
      withClient(async (client) => {
        await client.query(sql);
      }),
    reset() {
      const old = pool;
      pool = createPool(options);
      // Not waited for: what is still at work there may itself wait for the one who resets.
      old.end().catch(() => undefined);
    },
    async close() {
      if (!pool.ending) await pool.end();
    },
  };
}

function createPool(options: DatabaseOptions): pg.Pool {
  const { host, port, database, user, password, logger } = options;
  const pool = new pg.Pool({
    host,
    port,
    database,
    user,
    password: () => password.reveal(),
    max: 6,
    connectionTimeoutMillis: 8000,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
    keepAlive: true,
    application_name: 'tas-bot',
    options: Object.entries(settings)
      .map(([key, value]) => `-c ${key}=${value}`)
      .join(' '),
    types: { getTypeParser: () => (value: string | Buffer) => value.toString() },
  });
  pool.on('error', (error) => logger.warn({ host, port, database, reason: error.message }, 'idle connection lost'));
  return pool;
}

async function runTransaction<T>(
  client: pg.PoolClient,
  how: TransactionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const isolation = how.repeatable ? 'REPEATABLE READ' : 'READ COMMITTED';
  await client.query(
    `BEGIN ISOLATION LEVEL ${isolation} ${how.readOnly ? 'READ ONLY' : 'READ WRITE'};
     SET LOCAL lock_timeout = ${how.lockTimeout ?? 10_000}; SET LOCAL statement_timeout = ${how.statementTimeout ?? 120_000};
     SET LOCAL idle_in_transaction_session_timeout = 0`,
  );
  try {
    const result = await work(createSession(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (!isLostConnection(error)) await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function runOutside<T>(
  client: pg.PoolClient,
  how: TransactionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  await client.query(
    `SET lock_timeout = ${how.lockTimeout ?? 10_000}; SET statement_timeout = ${how.statementTimeout ?? 120_000}`,
  );
  try {
    return await work(createSession(client));
  } finally {
    await client
      .query('RESET lock_timeout; RESET statement_timeout; SELECT pg_advisory_unlock_all()')
      .catch(() => undefined);
  }
}

function createSession(client: pg.PoolClient): Session {
  const ask = (sql: string, values: readonly Parameter[]): Promise<pg.QueryResult> => {
    const query = { text: sql, values: [...values], queryMode: 'extended' };
    return client.query(query);
  };
  return {
    rows: async <Row extends object>(sql: string, values: readonly Parameter[]) =>
      (await ask(sql, values)).rows as Row[],
    change: async (sql) => {
      const { command, rowCount } = await ask(sql, []);
      return /^(INSERT|UPDATE|DELETE|MERGE)$/.test(command) ? (rowCount ?? 0) : 0;
    },
    async resultType(sql) {
      const field = (await ask(sql, [])).fields[0];
      if (!field) throw new Error('the statement returns no column');
      return { oid: field.dataTypeID, modifier: field.dataTypeModifier };
    },
  };
}
