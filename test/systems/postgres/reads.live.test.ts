import { jest } from '@jest/globals';
import type { Row, ScanQuery } from '../../../src/systems/system.ts';
import { createFreshDatabase, type FreshDatabase, systemAt } from './fresh-database.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;

beforeAll(async () => {
  db = await createFreshDatabase();
  await db.sql(`CREATE SCHEMA app; CREATE TABLE app."Odd.Names" (
      "Key" text COLLATE "en-x-icu" PRIMARY KEY, id uuid UNIQUE, n bigint, amount numeric, at timestamptz, tags text[], doc jsonb);
    INSERT INTO app."Odd.Names" ("Key", n) VALUES ('b', 1), ('B', 2), ('ä', 3), ('a', 9007199254740993), ('😀', 5), (E'\\uFF5E', 6), ('_', 7);
    UPDATE app."Odd.Names" SET id = '00000000-0000-4000-8000-000000000001', amount = 1.50, at = '2026-01-02 03:04:05.678901+02',
      tags = '{x,NULL}', doc = '{"a": [1, null]}' WHERE "Key" = 'b';
    CREATE TABLE many AS SELECT 'k' || n AS k FROM generate_series(1, 4500) n; ALTER TABLE many ADD PRIMARY KEY (k)`);
});
afterAll(() => db.drop());

async function scanned(query: ScanQuery): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of db.system.scan?.(query) ?? []) rows.push(row);
  return rows;
}
const odd = 'app."Odd.Names"';

describe('reading a database', () => {
  it('scans in code point order whatever the column’s collation, from any key on', async () => {
    const keys = (await scanned({ collection: odd, key: 'Key', fields: [] })).map((row) => row.key);
    expect(keys).toEqual(['B', '_', 'a', 'b', 'ä', '\uFF5E', '😀']);
    const later = await scanned({ collection: odd, key: 'Key', fields: ['n'], after: 'a', where: '"Key" <> \'ä\'' });
    expect(later).toEqual([
      { key: 'b', values: { n: 1 } },
      { key: '\uFF5E', values: { n: 6 } },
      { key: '😀', values: { n: 5 } },
    ]);
  });

  it('scans many pages without losing or repeating a record', async () => {
    const keys = (await scanned({ collection: 'many', key: 'k', fields: [] })).map((row) => row.key);
    expect(keys).toHaveLength(4500);
    expect(keys).toEqual([...new Set(keys)].sort());
  });

  it('gives values as JSON, and numbers that JavaScript cannot hold as texts', async () => {
    const fields = ['n', 'id', 'amount', 'at', 'tags', 'doc'];
    const found = await db.system.lookup?.({ collection: odd, by: 'Key', fields }, ['b', 'a', 'none']);
    expect(found?.get('b')).toEqual({
      n: 1,
      id: '00000000-0000-4000-8000-000000000001',
      amount: '1.50',
      at: '2026-01-02T01:04:05.678901+00:00',
      tags: ['x', null],
      doc: { a: [1, null] },
    });
    expect(found?.get('a')).toMatchObject({ n: '9007199254740993', id: null });
    expect(found?.size).toBe(2);
  });

  it('does not find what cannot be a key, and does not fail on it', async () => {
    const keys = ['not-a-uuid', '00000000-0000-4000-8000-000000000001', "'; DROP TABLE many"];
    expect((await db.system.lookup?.({ collection: odd, by: 'id', fields: ['n'] }, keys))?.size).toBe(1);
  });

  it('counts violations and shows at most five', async () => {
    const found = await db.system.violations?.(`SELECT k FROM many WHERE k LIKE 'k1%' ORDER BY k;`);
    expect(found).toMatchObject({ count: 1111, samples: [{ k: 'k1' }, { k: 'k10' }, {}, {}, {}] });
    expect(await db.system.violations?.('SELECT 1 AS a WHERE false -- none')).toEqual({ count: 0, samples: [] });
  });

  it.each([
    'DELETE FROM many RETURNING k',
    'WITH d AS (DELETE FROM many RETURNING k) SELECT * FROM d',
    'SELECT 1; DELETE FROM many',
    'SELECT 1) SELECT 2 --',
    'SELECT pg_sleep(0)',
    "SELECT nextval('nothing')",
    'SELECT k FROM many FOR UPDATE',
    'SELECT nothing FROM many',
    'SELECT 1 /* open',
  ])('refuses %p as a check', async (statement) => {
    await expect(db.system.violations?.(statement)).rejects.toMatchObject({ code: 'invalid-statement' });
    expect(await db.sql('SELECT count(*)::int AS n FROM many')).toEqual([{ n: 4500 }]);
  });
});

describe('a database that cannot be asked', () => {
  it('names the reason: password, database, port', async () => {
    const wrong = systemAt(db.at({ password: 'wrong-secret' }));
    await expect(wrong.identity()).rejects.toMatchObject({
      code: 'wrong-password',
      message: expect.not.stringContaining('wrong-secret'),
    });
    const none = systemAt(db.at({ database: 'test_no_such' }));
    await expect(none.identity()).rejects.toMatchObject({ code: 'unreachable' });
    const closed = db.at({});
    closed.port = '1';
    const unreachable = systemAt(closed);
    await expect(unreachable.identity()).rejects.toMatchObject({ code: 'unreachable', retryable: true });
    expect(await unreachable.checkHealth()).toMatchObject({
      up: false,
      note: expect.stringContaining('nothing listens'),
    });
    await Promise.all([wrong, none, unreachable].map((system) => system.close()));
  });

  it('has the identity of its server, and is healthy', async () => {
    expect(await db.system.identity()).toMatch(/^\d{15,}$/);
    expect(await db.second().identity()).toBe(await db.system.identity());
    expect(await db.system.checkHealth()).toMatchObject({ up: true, version: expect.stringMatching(/^\d+/) });
  });

  it('names the right that is missing', async () => {
    const user = `${db.name}_reader`;
    await db.sql(`CREATE ROLE ${user} LOGIN PASSWORD 'pw'`);
    const reader = systemAt(db.at({ user, password: 'pw' }));
    await expect(reader.advanceFence?.({ environment: 'x', token: 1 })).rejects.toMatchObject({
      code: 'missing-rights',
    });
    await reader.close();
    await db.sql(`DROP ROLE ${user}`);
  });
});
