import { jest } from '@jest/globals';
import pg from 'pg';
import { Failure } from '../../src/shared/failure.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { createEmptyDatabase, type EmptyDatabase } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

const logger = createLogger('silent');
const opened: Database[] = [];
let empty: EmptyDatabase;

async function open(url = empty.url): Promise<Database> {
  const database = await openDatabase(url, logger);
  opened.push(database);
  return database;
}

async function applied(database: Database): Promise<string[]> {
  return (await database.pool.query('select file from tas.schema_version order by file')).rows.map(({ file }) => file);
}

beforeEach(async () => {
  empty = await createEmptyDatabase();
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  await empty.drop();
});

describe("the bot's own database", () => {
  it('gets its schema at the first start and keeps it at the next', async () => {
    const first = await open();
    const files = await applied(first);
    expect(files).toEqual(expect.arrayContaining(['0001-runs.sql', '0002-outbox.sql', '0003-control.sql']));
    const { rows: before } = await first.pool.query('select * from tas.schema_version order by file');
    const second = await open();
    expect((await second.pool.query('select * from tas.schema_version order by file')).rows).toEqual(before);
  });

  it('is migrated once when two bots start at once', async () => {
    const all = await Promise.all([open(), open(), open()]);
    for (const database of all) expect(await applied(database)).toEqual(await applied(all[0] as Database));
  });

  it('is refused when a migration that was applied has other content now', async () => {
    const database = await open();
    await database.pool.query(`update tas.schema_version set sha256 = repeat('0', 64) where file = '0001-runs.sql'`);
    await expect(open()).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('0001-runs.sql'),
    });
  });

  it('is refused when a newer bot has migrated it, and nothing of it is touched', async () => {
    const database = await open();
    await database.pool.query(`insert into tas.schema_version (file, sha256) values ('9999-future.sql', 'x')`);
    await database.pool.query(`delete from tas.schema_version where file = '0002-outbox.sql'`);
    await database.pool.query('drop table tas.outbox_cursor, tas.post, tas.button, tas.group_member');
    const before = await applied(database);
    await expect(open()).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('9999-future.sql'),
    });
    expect(await applied(database)).toEqual(before);
    expect(before).not.toContain('0002-outbox.sql');
    const { rows } = await database.pool.query(`select to_regclass('tas.post') as post`);
    expect(rows[0].post).toBeNull();
  });

  it('leaves no connection behind when it is refused', async () => {
    const database = await open();
    await database.pool.query(`insert into tas.schema_version (file, sha256) values ('9999-future.sql', 'x')`);
    await expect(openDatabase(empty.url, logger)).rejects.toThrow(Failure);
    const { rows } = await database.pool.query(
      'select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(rows[0].n).toBe(0);
  });

  it('is named as unreachable when nobody listens, without its password', async () => {
    const error = await openDatabase(new Secret('postgresql://u:hunter2@127.0.0.1:1/x'), logger).catch((e) => e);
    expect(error).toBeInstanceOf(Failure);
    expect(error.code).toBe('unreachable');
    expect(JSON.stringify(error.report())).not.toContain('hunter2');
  });

  it('says who the server is', async () => {
    expect(await (await open()).identity()).toMatch(/^\d{15,20}$/);
  });
});

describe('a transaction', () => {
  it('commits what it did, or nothing of it', async () => {
    const database = await open();
    await database.pool.query('create table t (n int)');
    expect(
      await database.tx(async (client) => {
        await client.query('insert into t values (1)');
        return 'answer';
      }),
    ).toBe('answer');
    const failing = database.tx(async (client) => {
      await client.query('insert into t values (2)');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await database.pool.query('select n from t')).rows).toEqual([{ n: 1 }]);
  });

  it('whose connection breaks does not spoil the pool', async () => {
    const database = await open();
    const broken = database.tx(async (client) => {
      const { rows } = await client.query('select pg_backend_pid() as pid');
      // Nobody asks anything at the moment when it is lost.
      const lost = new Promise((resolve) => client.once('end', resolve));
      const other = new pg.Client({ connectionString: empty.url.reveal() });
      await other.connect();
      await other.query('select pg_terminate_backend($1)', [rows[0].pid]);
      await other.end();
      await lost;
      await client.query('select 1');
    });
    await expect(broken).rejects.toThrow();
    for (let i = 0; i < 10; i += 1) expect((await database.pool.query('select 1 as x')).rows).toEqual([{ x: 1 }]);
  });
});
