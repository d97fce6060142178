import { jest } from '@jest/globals';
import { createFreshDatabase, type FreshDatabase, systemAt } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const column = { table: 'files', column: 'space_id', type: 'varchar(40)' };
const foreignKey = {
  table: 'files',
  name: 'files_space',
  column: 'space_id',
  references: { table: 'spaces', column: 'id' },
};

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files, spaces CASCADE;
    CREATE TABLE files (id int PRIMARY KEY); CREATE TABLE spaces (id varchar(40) PRIMARY KEY);
    INSERT INTO files VALUES (1), (2); INSERT INTO spaces VALUES ('s1')`);
});

const addColumn = () => kindOf(db.system, 'postgres.add-column');
const addKey = () => kindOf(db.system, 'postgres.add-foreign-key');
const columns = async () =>
  (
    await db.sql(
      `SELECT attname AS n FROM pg_attribute WHERE attrelid = 'files'::regclass AND attnum > 0 AND NOT attisdropped`,
    )
  ).map((r) => r.n);
const keys = () =>
  db.sql(
    `SELECT conname AS name, convalidated AS valid, confdeltype AS on_delete FROM pg_constraint WHERE conrelid = 'files'::regclass AND contype = 'f'`,
  );

describe('postgres.add-column', () => {
  it('adds once, is dropped by undo and comes back by the undo of the undo', async () => {
    expect(await addColumn().preview(column, contextOf('a'))).toMatchObject({ count: 1, findings: [] });
    expect(doneBy(await perform(addColumn(), column, contextOf('run-a')))).toBe(1);
    expect(doneBy(await perform(addColumn(), column, contextOf('run-b')))).toBe(0);
    expect(await undo(addColumn(), column, contextOf('run-x'), 'run-b')).toMatchObject({ done: 0, kept: 0 });
    expect(await columns()).toEqual(['id', 'space_id']);
    expect(await undo(addColumn(), column, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await columns()).toEqual(['id']);
    expect(await undo(addColumn(), column, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1 });
    expect(await addColumn().verify?.(column, contextOf('x'))).toMatchObject([{ status: 'passed' }]);
  });

  it('keeps a column that holds values of others, or that others use', async () => {
    await perform(addColumn(), column, contextOf('run-a'));
    await db.sql(`UPDATE files SET space_id = 'user'`);
    expect(await undo(addColumn(), column, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await db.system.journal?.conflicts('run-u', 'data.step', 5)).toMatchObject([
      { reason: 'changed-since', theirs: 2 },
    ]);
    await db.sql('UPDATE files SET space_id = NULL; CREATE INDEX by_space ON files (space_id)');
    expect(await undo(addColumn(), column, contextOf('run-w'), 'run-a')).toMatchObject({ kept: 1 });
    expect(await db.system.journal?.conflicts('run-w', 'data.step', 5)).toMatchObject([
      { reason: 'referred-to', theirs: 'index by_space' },
    ]);
  });

  it('refuses a column of another type and a type that is none', async () => {
    await db.sql('ALTER TABLE files ADD space_id uuid');
    const preview = await addColumn().preview(column, contextOf('a'));
    expect(preview.findings).toMatchObject([{ check: 'column-type', status: 'failed' }]);
    await expect(perform(addColumn(), column, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    await expect(addColumn().preview({ ...column, type: 'no_such_type' }, contextOf('a'))).rejects.toMatchObject({
      code: 'invalid-statement',
    });
    expect(addColumn().input.safeParse({ ...column, type: 'text; DROP TABLE files' }).success).toBe(false);
  });

  it('steps aside for those who wait behind it, and gets its turn', async () => {
    const reader = await db.connect();
    await reader.query('BEGIN; SELECT * FROM files');
    const adding = perform(addColumn(), column, contextOf('run-a'));
    // A reader behind the waiting ALTER gets through because that one gives up after two seconds.
    const started = performance.now();
    await waitFor(
      async () =>
        (await db.sql(`SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'`)).length > 0,
    );
    await db.sql('SELECT count(*) FROM files');
    expect(performance.now() - started).toBeLessThan(4000);
    await reader.query('COMMIT');
    expect(doneBy(await adding)).toBe(1);
  });
});

describe('a lock that is not free', () => {
  it('is named with who holds it and never what he runs, when several tries were in vain; nothing is kept', async () => {
    const holder = await db.connect();
    const [{ pid }] = (await holder.query('SELECT pg_backend_pid() AS pid')).rows as [{ pid: number }];
    await holder.query(`BEGIN; SELECT 'secret' FROM files`);
    const hurried = kindOf(db.second({ lockAttempts: 2 }), 'postgres.add-column');
    const failure = await perform(hurried, column, contextOf('run-a')).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'timed-out',
      retryable: true,
      message: expect.stringMatching(new RegExp(`files.*pid ${pid} \\(.*idle in transaction for \\d+ s\\)`)),
      advice: expect.stringContaining('pg_terminate_backend'),
    });
    expect(JSON.stringify(failure)).not.toContain('secret');
    expect(await columns()).toEqual(['id']);
    await holder.query('COMMIT');
    expect(doneBy(await perform(hurried, column, contextOf('run-a')))).toBe(1);
  });
});

describe('a user without the rights', () => {
  it('is told before anything runs which right on which table, and what to run', async () => {
    await db.sql(`DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD 'poor'; GRANT SELECT ON files TO poor`);
    const system = systemAt(db.at({ user: 'poor', password: 'poor' }));
    try {
      const [found] = (await kindOf(system, 'postgres.add-column').preview(column, contextOf('p'))).findings;
      expect(found).toMatchObject({
        check: 'rights',
        status: 'failed',
        title: expect.stringContaining('poor may not own'),
      });
      expect(found?.advice).toContain('GRANT "');
      const key = (await kindOf(system, 'postgres.add-foreign-key').preview(foreignKey, contextOf('p'))).findings;
      expect(key).toMatchObject([{ check: 'rights' }, { check: 'rights', samples: ['REFERENCES', 'SELECT'] }]);
      expect(key[1]?.advice).toContain('GRANT REFERENCES, SELECT ON "spaces" TO "poor";');
    } finally {
      await system.close();
      await db.sql('DROP OWNED BY poor; DROP ROLE poor');
    }
  });
});

describe('postgres.add-foreign-key', () => {
  beforeEach(() => db.sql(`ALTER TABLE files ADD space_id varchar(40); UPDATE files SET space_id = 's1' WHERE id = 1`));

  it('adds, validates, is dropped by undo and comes back by the undo of the undo', async () => {
    expect(await addKey().preview(foreignKey, contextOf('a'))).toMatchObject({ count: 1, findings: [] });
    const results = await perform(addKey(), foreignKey, contextOf('run-a'));
    expect(results).toEqual([
      { cursor: 'validate', done: 1 },
      { cursor: null, done: 0 },
    ]);
    expect(await keys()).toEqual([{ name: 'files_space', valid: true, on_delete: 'a' }]);
    expect(await addKey().verify?.(foreignKey, contextOf('x'))).toMatchObject([{ status: 'passed' }]);
    expect(await undo(addKey(), foreignKey, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await keys()).toEqual([]);
    expect(await undo(addKey(), foreignKey, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await keys()).toEqual([{ name: 'files_space', valid: true, on_delete: 'a' }]);
  });

  it('takes one of the same meaning under another name, and undo leaves that alone', async () => {
    await db.sql('ALTER TABLE files ADD CONSTRAINT theirs FOREIGN KEY (space_id) REFERENCES spaces');
    expect(await addKey().preview(foreignKey, contextOf('a'))).toMatchObject({ count: 0, findings: [] });
    expect(doneBy(await perform(addKey(), foreignKey, contextOf('run-a')))).toBe(0);
    expect(await undo(addKey(), foreignKey, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0 });
    expect(await keys()).toMatchObject([{ name: 'theirs' }]);
  });

  it('finds orphans before anything changes, and one that would delete', async () => {
    await db.sql(`UPDATE files SET space_id = 'lost' WHERE id = 2`);
    const preview = await addKey().preview(foreignKey, contextOf('a'));
    expect(preview.findings).toMatchObject([{ check: 'no-orphans', status: 'failed', count: 1, samples: ['lost'] }]);
    await db.sql(
      `UPDATE files SET space_id = NULL; ALTER TABLE files ADD CONSTRAINT c FOREIGN KEY (space_id) REFERENCES spaces ON DELETE CASCADE`,
    );
    expect((await addKey().preview(foreignKey, contextOf('a'))).findings).toMatchObject([
      { check: 'foreign-key-possible' },
    ]);
  });

  it('is previewed where the column comes by an earlier step', async () => {
    await db.sql('ALTER TABLE files DROP space_id');
    expect(await addKey().preview(foreignKey, contextOf('a'))).toMatchObject({ count: 1, findings: [] });
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000;
  while (!(await condition())) if (Date.now() > end) throw new Error('it never came');
}
