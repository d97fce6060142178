import { setTimeout as pause } from 'node:timers/promises';
import neo4j, {
  type Driver,
  type Record as GraphRecord,
  Neo4jError,
  type ResultSummary,
  type Session,
  type Transaction,
} from 'neo4j-driver';
import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Secret } from '../../shared/secret.ts';
import { asFailure, type Place } from './error.ts';

export type Parameters = { readonly [name: string]: unknown };
/** One row's values in the order of the statement's RETURN; integers are bigint. */
export type Values = readonly unknown[];

/** An open transaction. */
export interface GraphTransaction {
  run(statement: string, parameters?: Parameters): Promise<Values[]>;
}

export interface WorkOptions {
  readonly signal?: AbortSignal;
  /** What is written into SHOW TRANSACTIONS, so that an operator sees whose transaction holds a lock. */
  readonly label?: string;
}

/** The only way to the server: transactions that are taken up again when they may be, and errors without values. */
export interface Connection {
  readonly place: Place;
  /** One transaction that the server keeps from writing. */
  read<T>(work: (transaction: GraphTransaction) => Promise<T>, options?: WorkOptions): Promise<T>;
  /** One transaction; `work` may be called again when the server or the network failed, so it keeps nothing. */
  write<T>(work: (transaction: GraphTransaction) => Promise<T>, options?: WorkOptions): Promise<T>;
  /** Rows as they come, bounded in memory; never taken up again. */
  stream(statement: string, parameters?: Parameters, signal?: AbortSignal): AsyncGenerator<Values>;
  /** The same, each row as an object by column. */
  streamObjects(statement: string): AsyncGenerator<{ readonly [column: string]: unknown }>;
  /** One statement outside of a transaction of ours: schema changes and `CALL … IN TRANSACTIONS`. */
  command(statement: string, parameters?: Parameters): Promise<Values[]>;
  /** What the server would do, without doing it. */
  explain(statement: string): Promise<ResultSummary>;
  /** Asks once, without waiting; the server's answer time in ms. */
  ping(): Promise<{ version: string; latencyMs: number }>;
  close(): Promise<void>;
}

/** Longest time that one batch's transaction may take: a lock that is never given up must not hold a run for ever. */
const TRANSACTION_LIMIT = 5 * 60_000;
const PATIENCE = 30_000;
const LOST_ATTEMPTS = 5;

function isLost(error: unknown): boolean {
  const code = (error as { code?: unknown })?.code;
  return code === 'ServiceUnavailable' || code === 'SessionExpired';
}

export function refuseAborted(signal: AbortSignal | undefined, place: Place): void {
  if (!signal?.aborted) return;
  throw new Failure({
    code: 'cancelled',
    message: `${place.name}: stopped as asked; the open transaction was rolled back.`,
    advice: 'What was committed before stays; the run can go on from there.',
    retryable: true,
  });
}

/** Calls `attempt` again on deadlocks and the like for half a minute, and a few times when the connection is lost. */
async function persist<T>(attempt: () => Promise<T>, place: Place, logger: Logger, signal?: AbortSignal): Promise<T> {
  const began = Date.now();
  for (let tried = 1; ; tried++) {
    refuseAborted(signal, place);
    try {
      return await attempt();
    } catch (error) {
      const again = error instanceof Neo4jError && neo4j.isRetryableError(error);
      const tired = isLost(error) ? tried >= LOST_ATTEMPTS : Date.now() - began > PATIENCE;
      if (!again || tired) throw asFailure(error, place);
      logger.warn({ system: place.name, code: error.code, tried }, 'transaction is tried again');
      await pause(Math.min(50 * 2 ** tried, 2000) * (0.75 + Math.random() / 2));
    }
  }
}

function rowsOf(records: readonly GraphRecord[]): Values[] {
  return records.map((record) => [...record.values()]);
}

async function inTransaction<T>(
  session: Session,
  work: (transaction: GraphTransaction) => Promise<T>,
  place: Place,
  options: WorkOptions,
): Promise<T> {
  const metadata = options.label ? { metadata: { application: 'tas', work: options.label } } : {};
  const transaction: Transaction = await session.beginTransaction({ timeout: TRANSACTION_LIMIT, ...metadata });
  try {
    const result = await work({
      async run(statement, parameters = {}) {
        refuseAborted(options.signal, place);
        return rowsOf((await transaction.run(statement, parameters)).records);
      },
    });
    await transaction.commit();
    return result;
  } catch (error) {
    if (transaction.isOpen()) await transaction.rollback().catch(() => undefined);
    throw error;
  }
}

/** Opens nothing yet: the first use connects. `url` is bolt:// or neo4j://, with +s for TLS. */
export function connect(options: {
  name: string;
  url: string;
  user: string;
  password: Secret;
  database?: string;
  logger: Logger;
}): Connection {
  const { name, logger } = options;
  const place: Place = { name, address: options.url.replace(/^[^/]*\/\//, '').replace(/^.*@/, '') };
  const driver: Driver = neo4j.driver(options.url, neo4j.auth.basic(options.user, options.password.reveal()), {
    useBigInt: true,
    telemetryDisabled: true,
    connectionTimeout: 5000,
    connectionAcquisitionTimeout: 30_000,
    maxConnectionPoolSize: 10,
    fetchSize: 1000,
    notificationFilter: { minimumSeverityLevel: 'OFF' },
    userAgent: 'tas-bot',
  });
  // One server needs none; behind a cluster's router each session then sees what the one before committed.
  const bookmarkManager = neo4j.bookmarkManager();
  const open = (mode: 'READ' | 'WRITE') =>
    driver.session({
      defaultAccessMode: mode,
      bookmarkManager,
      ...(options.database ? { database: options.database } : {}),
    });
  const once = async <T>(mode: 'READ' | 'WRITE', use: (session: Session) => Promise<T>): Promise<T> => {
    const session = open(mode);
    try {
      return await use(session);
    } finally {
      await session.close().catch(() => undefined);
    }
  };
  const transact = <T>(
    mode: 'READ' | 'WRITE',
    work: (transaction: GraphTransaction) => Promise<T>,
    work_: WorkOptions = {},
  ) => persist(() => once(mode, (session) => inTransaction(session, work, place, work_)), place, logger, work_.signal);
  const mapped = <T>(work: Promise<T>) => work.catch((error: unknown) => Promise.reject(asFailure(error, place)));
  async function* records(
    statement: string,
    parameters: Parameters = {},
    signal?: AbortSignal,
  ): AsyncGenerator<GraphRecord> {
    const session = open('READ');
    try {
      for await (const record of session.run(statement, parameters)) {
        refuseAborted(signal, place);
        yield record;
      }
    } catch (error) {
      throw asFailure(error, place);
    } finally {
      await session.close().catch(() => undefined);
    }
  }
  return {
    place,
    read: (work, work_) => transact('READ', work, work_),
    write: (work, work_) => transact('WRITE', work, work_),
    async *stream(statement, parameters, signal) {
      for await (const record of records(statement, parameters, signal)) yield [...record.values()];
    },
    async *streamObjects(statement) {
      for await (const record of records(statement)) yield record.toObject();
    },
    command: (statement, parameters = {}) =>
      mapped(once('WRITE', async (session) => rowsOf((await session.run(statement, parameters)).records))),
    // Not mapped: whoever composed the statement turns the position into the file's.
    explain: (statement) => once('READ', async (session) => (await session.run(`EXPLAIN ${statement}`)).summary),
    async ping() {
      const began = performance.now();
      const ask = (session: Session) =>
        session.run('CALL dbms.components() YIELD name, versions RETURN versions[0]', {}, { timeout: 5000 });
      const answer = await mapped(once('READ', ask));
      return { version: String(answer.records[0]?.get(0)), latencyMs: Math.round(performance.now() - began) };
    },
    close: () => driver.close(),
  };
}
