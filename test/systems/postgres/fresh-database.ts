import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { createLogger } from '../../../src/shared/logger.ts';
import { createSeal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import type { PostgresOptions } from '../../../src/systems/postgres/postgres-options.ts';
import { createPostgresSystem } from '../../../src/systems/postgres/postgres-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';

type Cell = string | number | boolean | null | Date | Buffer | object;

/** A database of its own on the platform's cluster, the system over it, and a second connection as a user has it. */
export interface FreshDatabase {
  readonly name: string;
  readonly url: URL;
  readonly system: System;
  /** Runs SQL as the superuser. */
  sql(text: string, values?: readonly Cell[]): Promise<{ [column: string]: Cell }[]>;
  /** Another system over the same database, as a second process has it. */
  second(changes?: Partial<PostgresOptions>): System;
  /** A connection of its own, for open transactions; ended with the database. */
  connect(): Promise<pg.Client>;
  /** A URL of another user or database on the same server. */
  at(changes: { user?: string; password?: string; database?: string }): URL;
  drop(): Promise<void>;
}

const sealKey = createHash('sha256').update('only for tests').digest();

/** The system over a database by URL. `changes` to how it is set up: its patience, its data folder. */
export function systemAt(url: URL, name = 'relational', changes: Partial<PostgresOptions> = {}): System {
  return createPostgresSystem({
    name,
    host: url.hostname,
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    password: new Secret(decodeURIComponent(url.password)),
    seal: createSeal(sealKey),
    logger: createLogger('silent'),
    ...changes,
  });
}

/** Makes a database; `drop` removes it with all that a restore may have left beside it. */
export async function createFreshDatabase(): Promise<FreshDatabase> {
  const server = new URL(liveStores().postgres.url);
  const name = `test_${randomBytes(5).toString('hex')}`;
  const at: FreshDatabase['at'] = ({ user, password, database }) => {
    const url = new URL(server);
    url.pathname = `/${database ?? name}`;
    if (user !== undefined) url.username = user;
    if (password !== undefined) url.password = password;
    return url;
  };
  await asAdmin(server, `CREATE DATABASE ${name}`);
  const url = at({});
  const systems: System[] = [];
  const clients: pg.Client[] = [];
  const open = (changes: Partial<PostgresOptions> = {}): System => {
    const system = systemAt(url, 'relational', changes);
    systems.push(system);
    return system;
  };
  return {
    name,
    url,
    system: open(),
    second: open,
    at,
    sql: (text, values = []) => ask(url, text, values),
    async connect() {
      const client = new pg.Client({ connectionString: url.href });
      client.on('error', () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    },
    async drop() {
      await Promise.all(systems.map((system) => system.close()));
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      const left = await ask(server, 'SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [name]);
      for (const { datname } of left) await asAdmin(server, `DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    },
  };
}

/** Runs one statement as the superuser in the database `postgres`. */
export async function asAdmin(server: URL, text: string): Promise<{ [column: string]: Cell }[]> {
  const url = new URL(server);
  url.pathname = '/postgres';
  return ask(url, text, []);
}

async function ask(url: URL, text: string, values: readonly Cell[]): Promise<{ [column: string]: Cell }[]> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const result = await client.query<{ [column: string]: Cell }>(text, values.length > 0 ? [...values] : undefined);
    return result.rows;
  } finally {
    await client.end();
  }
}
