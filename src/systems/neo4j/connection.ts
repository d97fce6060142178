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

interface WorkOptions {
  readonly signal?: AbortSignal;
  /** What is written into SHOW TRANSACTIONS, so that an operator sees whose transaction holds a lock. */
  readonly label?: string;
  /** Not taken up again after any failure: for work that must not be done twice and has no key to find out by. */
  readonly once?: boolean;
}

/** A long reading transaction's streams: rows as they come, bounded in memory. */
type StreamRows = (statement: string, parameters?: Parameters) => AsyncIterable<Values>;

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
  /** One long reading transaction, without limit of time; not taken up again. */
  survey<T>(work: (transaction: GraphTransaction, stream: StreamRows) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A statement in a transaction of its own (schema, `CALL … IN TRANSACTIONS`); only such as may be carried out twice. */
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
async function persist<T>(
  attempt: () => Promise<T>,
  place: Place,
  logger: Logger,
  { signal, once }: WorkOptions,
): Promise<T> {
  const began = Date.now();
  for (let tried = 1; ; tried++) {
    refuseAborted(signal, place);
    try {
      return await attempt();
    } catch (error) {
      const again = error instanceof Neo4jError && neo4j.isRetryableError(error);
      const tired = isLost(error) ? tried >= LOST_ATTEMPTS : Date.now() - began > PATIENCE;
      if (!again || tired || once) throw asFailure(error, place);
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

/** How SHOW TRANSACTIONS tells the bot's from others', for those that may take long. */
const OWN = { metadata: { application: 'tas' } } as const;

type Mode = 'READ' | 'WRITE';

/** Sessions on one database. */
interface Sessions {
  readonly place: Place;
  open(mode: Mode): Session;
  /** A session for one use, closed after it. */
  once<T>(mode: Mode, use: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

function openSessions(options: ConnectOptions): Sessions {
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
  const database = options.database ? { database: options.database } : {};
  const open = (mode: Mode) => driver.session({ defaultAccessMode: mode, bookmarkManager, ...database });
  return {
    place: { name: options.name, address: options.url.replace(/^[^/]*\/\//, '').replace(/^.*@/, '') },
    open,
    async once(mode, use) {
      const session = open(mode);
      try {
        return await use(session);
      } finally {
        await session.close().catch(() => undefined);
      }
    },
    close: () => driver.close(),
  };
}

/** One long reading transaction; see `Connection.survey`. */
async function survey<T>(
  { place, once }: Sessions,
  work: (transaction: GraphTransaction, stream: StreamRows) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return once('READ', async (session) => {
    const transaction = await session.beginTransaction({ timeout: 0, ...OWN });
    const run: GraphTransaction['run'] = async (statement, parameters = {}) =>
      rowsOf((await transaction.run(statement, parameters)).records);
    const stream: StreamRows = async function* (statement, parameters = {}) {
      for await (const record of transaction.run(statement, parameters)) {
        refuseAborted(signal, place);
        yield [...record.values()];
      }
    };
    try {
      return await work({ run }, stream);
    } finally {
      await transaction.close().catch(() => undefined);
    }
  });
}

async function* streamRecords(
  { place, open }: Sessions,
  statement: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): AsyncGenerator<GraphRecord> {
  const session = open('READ');
  try {
    for await (const record of session.run(statement, parameters, OWN)) {
      refuseAborted(signal, place);
      yield record;
    }
  } catch (error) {
    throw asFailure(error, place);
  } finally {
    await session.close().catch(() => undefined);
  }
}

async function ping({ once }: Sessions): Promise<{ version: string; latencyMs: number }> {
  const began = performance.now();
  const statement = 'CALL dbms.components() YIELD name, versions RETURN versions[0]';
  const answer = await once('READ', async (session) => session.run(statement, {}, { timeout: 5000 }));
  return { version: String(answer.records[0]?.get(0)), latencyMs: Math.round(performance.now() - began) };
}

interface ConnectOptions {
  readonly name: string;
  /** bolt:// or neo4j://, with +s for TLS. */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
  readonly database?: string;
  readonly logger: Logger;
}

/** Opens nothing yet: the first use connects. */
export function connect(options: ConnectOptions): Connection {
  const sessions = openSessions(options);
  const { place, once } = sessions;
  const transact = <T>(mode: Mode, work: (transaction: GraphTransaction) => Promise<T>, how: WorkOptions = {}) =>
    persist(() => once(mode, (session) => inTransaction(session, work, place, how)), place, options.logger, how);
  const mapped = <T>(work: Promise<T>) => work.catch((error: unknown) => Promise.reject(asFailure(error, place)));
  return {
    place,
    read: (work, how) => transact('READ', work, how),
    write: (work, how) => transact('WRITE', work, how),
    async *stream(statement, parameters, signal) {
      for await (const record of streamRecords(sessions, statement, parameters, signal)) yield [...record.values()];
    },
    async *streamObjects(statement) {
      for await (const record of streamRecords(sessions, statement)) yield record.toObject();
    },
    survey: (work, signal) => mapped(survey(sessions, work, signal)),
    command: (statement, parameters = {}) => {
      const run = async (session: Session) => rowsOf((await session.run(statement, parameters, OWN)).records);
      return persist(() => once('WRITE', run), place, options.logger, {});
    },
    // Not mapped: whoever composed the statement turns the position into the file's.
    explain: (statement) => once('READ', async (session) => (await session.run(`EXPLAIN ${statement}`)).summary),
    ping: () => mapped(ping(sessions)),
    close: () => sessions.close(),
  };
}
