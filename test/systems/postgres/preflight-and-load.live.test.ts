import { tmpdir } from 'node:os';
import { jest } from '@jest/globals';
import type { Finding } from '../../../src/systems/finding.ts';
import type { System } from '../../../src/systems/system.ts';
import { asAdmin, createFreshDatabase, type FreshDatabase, systemAt } from './fresh-database.ts';
import { contextOf, kindOf, type OtherRecords, perform } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files CASCADE;
    CREATE TABLE files (id int PRIMARY KEY, tenant text, space text); INSERT INTO files SELECT n, 't' || n % 2 FROM generate_series(1, 20) n`);
});

const statuses = (findings: readonly Finding[] = []) =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]));
const failedOf = (findings: readonly Finding[] = []) => findings.filter(({ status }) => status === 'failed');
const needs = { uses: ['postgres.backfill-column'], bytes: 1000 };

async function asPoor(work: (system: System) => Promise<void>): Promise<void> {
  await db.sql(`CREATE ROLE poor LOGIN PASSWORD 'poor'; GRANT SELECT ON files TO poor`);
  const system = systemAt(db.at({ user: 'poor', password: 'poor' }));
  try {
    await work(system);
  } finally {
    await system.close();
    await db.sql('DROP OWNED BY poor CASCADE; DROP ROLE poor');
  }
}

describe('preflight', () => {
  it('passes where all is well, and says why it cannot see the disk', async () => {
    const findings = await db.system.preflight?.(needs);
    expect(statuses(findings)).toEqual({
      'server-version': 'passed',
      'server-writable': 'passed',
      'journal-rights': 'passed',
      'free-disk': 'skipped',
    });
    expect(findings?.at(-1)?.advice).toContain('dataFolder');
    expect(await db.sql(`SELECT to_regnamespace('tas_journal') AS made`)).toEqual([{ made: null }]);
  });

  it('looks at the free disk where it sees the data folder: twice what is needed', async () => {
    const seeing = db.second({ dataFolder: tmpdir() });
    expect(statuses(await seeing.preflight?.(needs))).toMatchObject({ 'free-disk': 'passed' });
    const [found] = failedOf(await seeing.preflight?.({ ...needs, bytes: 1e18 }));
    expect(found).toMatchObject({ check: 'free-disk', advice: expect.stringContaining('2 times') });
    const blind = db.second({ dataFolder: '/no/such/folder' });
    expect(statuses(await blind.preflight?.(needs))).toMatchObject({ 'free-disk': 'skipped' });
  });

  it('finds a user who may not keep a journal, and says what to run; having run it, it passes', async () => {
    await asPoor(async (system) => {
      const [found] = failedOf(await system.preflight?.(needs));
      expect(found).toMatchObject({ check: 'journal-rights', status: 'failed' });
      const grant = /GRANT CREATE ON DATABASE .* TO "poor";/.exec(found?.advice ?? '')?.[0];
      await db.sql(grant ?? 'no statement');
      expect(failedOf(await system.preflight?.(needs))).toEqual([]);
    });
  });

  it('finds a journal of another user that this one may not write', async () => {
    await db.system.advanceFence?.({ environment: 'sandbox', token: 1 });
    await asPoor(async (system) => {
      const [found] = failedOf(await system.preflight?.(needs));
      expect(found?.advice).toContain('GRANT ALL ON SCHEMA tas_journal');
      for (const grant of found?.advice?.match(/GRANT [^;]*;/g) ?? []) await db.sql(grant);
      expect(failedOf(await system.preflight?.(needs))).toEqual([]);
      expect(failedOf(await system.preflight?.({ ...needs, uses: ['postgres.drop-table'] }))).toHaveLength(1);
    });
  });

  it('finds a database that is read-only by default', async () => {
    await asAdmin(db.url, `ALTER DATABASE ${db.name} SET default_transaction_read_only = on`);
    try {
      expect(failedOf(await db.second().preflight?.(needs))).toMatchObject([{ check: 'server-writable' }]);
    } finally {
      await asAdmin(db.url, `ALTER DATABASE ${db.name} RESET default_transaction_read_only`);
    }
  });

  it('tells of rights on tables in the previews of the kinds that need them', async () => {
    await asPoor(async (system) => {
      const backfill = kindOf(system, 'postgres.backfill-column');
      const input = { table: 'files', key: 'id', where: 'true', columns: { space: "'s'" } };
      const [found] = (await backfill.preview(input, contextOf('p'))).findings;
      expect(found).toMatchObject({ check: 'rights', status: 'failed', samples: ['UPDATE'] });
      await db.sql(/GRANT [^;]*;/.exec(found?.advice ?? '')?.[0] ?? 'no statement');
      expect((await backfill.preview(input, contextOf('p'))).findings).toEqual([]);
      const insert = kindOf(system, 'postgres.insert-rows');
      const rows = { table: 'files', key: 'id', from: { system: 'graph', collection: 'File', key: 'id' }, columns: {} };
      expect((await insert.preview(rows, contextOf('p'))).findings).toMatchObject([{ samples: ['INSERT', 'DELETE'] }]);
    });
  });
});

describe('load', () => {
  it('grows with sessions that wait for locks, and names them', async () => {
    const holder = await db.connect();
    await holder.query('BEGIN; LOCK TABLE files');
    const waiting = await Promise.all(Array.from({ length: 6 }, () => db.connect()));
    const answers = waiting.map((client) => client.query('SELECT count(*) FROM files'));
    try {
      await waitFor(async () => ((await db.system.load?.())?.strain ?? 0) > 1);
      expect(await db.system.load?.()).toMatchObject({ why: '6 sessions wait for locks' });
    } finally {
      await holder.query('COMMIT');
      await Promise.all(answers);
    }
    await waitFor(async () => ((await db.system.load?.())?.strain ?? 9) < 1);
  });
});

describe('the version of the data model', () => {
  const fence = { environment: 'sandbox', token: 3 };
  const second = { version: '2.0', runId: 'run-a', at: '2026-11-23T03:00:00.000Z' };

  it('is nothing at first, is what was written last, and goes away again', async () => {
    const model = db.system.dataModel;
    expect(await model?.read()).toBeNull();
    await model?.write({ ...second, version: '1.0' }, fence);
    await model?.write(second, fence);
    expect(await db.second().dataModel?.read()).toEqual(second);
    await model?.write(null, fence);
    expect(await model?.read()).toBeNull();
  });

  it('is refused to a process that lost its lease, and does not count in the fingerprint', async () => {
    const before = await db.system.fingerprint?.();
    await db.system.dataModel?.write(second, fence);
    await expect(db.system.dataModel?.write(null, { ...fence, token: 2 })).rejects.toMatchObject({ code: 'fenced' });
    expect(await db.system.dataModel?.read()).toEqual(second);
    expect(await db.system.fingerprint?.()).toEqual(before);
  });
});

describe('a canary', () => {
  const backfill = () => kindOf(db.system, 'postgres.backfill-column');
  const input = { table: 'files', key: 'id', where: 'id < 11 -- half', columns: { space: "'s' || id" } };

  it('narrows a backfill to its own records, and a predicate that would break out of it is refused', async () => {
    const narrowed = backfill().narrow?.(input, (system, collection) =>
      system === null && collection === 'files' ? "tenant = 't1'" : null,
    );
    expect(await perform(backfill(), narrowed ?? null, contextOf('run-a'), 50)).toEqual([{ cursor: null, done: 5 }]);
    expect(await db.sql('SELECT DISTINCT tenant FROM files WHERE space IS NOT NULL')).toEqual([{ tenant: 't1' }]);
    expect(backfill().narrow?.(input, () => null)).toEqual(input);
    expect(() => backfill().narrow?.(input, () => 'true) OR (true')).toThrow('parenthesis was never opened');
  });

  it('narrows what rows are inserted for in the language of its source; steps of the schema stay as they are', async () => {
    const insert = kindOf(db.system, 'postgres.insert-rows');
    const from = { system: 'graph', collection: 'File', key: 'id', where: 'n.a = ")" OR n.b' };
    const rows = { table: 'files', key: 'id', from, previewFrom: { ...from, collection: 'Later' }, columns: {} };
    const narrowed = insert.narrow?.(rows, (system, collection) =>
      system === 'graph' && collection === 'File' ? 'n.t = 1' : null,
    );
    expect(narrowed).toMatchObject({
      from: { where: '(\nn.a = ")" OR n.b\n) AND (\nn.t = 1\n)' },
      previewFrom: { collection: 'Later', where: from.where },
    });
    expect(() => insert.narrow?.(rows, () => 'true) OR (true')).toThrow('do not balance');
    const schema = [
      'add-column',
      'add-foreign-key',
      'add-check',
      'set-not-null',
      'create-index',
      'rename-column',
      'drop-column',
      'drop-table',
    ];
    for (const name of schema) expect(kindOf(db.system, `postgres.${name}`).narrow?.({}, () => 'x')).toBeNull();
  });
});

describe('counting in a preview', () => {
  it('stops when the time is over and says that it is a lower bound', async () => {
    await db.sql('INSERT INTO files SELECT n FROM generate_series(100, 20000) n');
    const backfill = kindOf(db.system, 'postgres.backfill-column');
    const input = { table: 'files', key: 'id', where: 'true', columns: { space: "'s'" } };
    expect(await backfill.preview(input, contextOf('p'))).toMatchObject({ count: 19_921, exact: true });
    const hurried = await backfill.preview(input, { ...contextOf('p'), countForMs: 1 });
    expect(hurried).toMatchObject({ exact: false, keysHash: '' });
    expect(hurried.count).toBeLessThan(19_921);
    const others: OtherRecords = { File: Array.from({ length: 5000 }, (_, n) => ({ id: String(n + 50_000) })) };
    const insert = kindOf(db.system, 'postgres.insert-rows');
    const rows = { table: 'files', key: 'id', from: { system: 'graph', collection: 'File', key: 'id' }, columns: {} };
    expect(await insert.preview(rows, contextOf('p', others))).toMatchObject({ count: 5000, exact: true });
    const partly = await insert.preview(rows, { ...contextOf('p', others), countForMs: 0 });
    expect(partly).toMatchObject({ exact: false, count: 1000 });
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) if (Date.now() > end) throw new Error('it never came');
}
