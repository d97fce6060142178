import { jest } from '@jest/globals';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const byOwner = { table: 'files', name: 'files_by_owner', columns: ['owner', 'id'] };
const uniquePath = {
  table: 'files',
  name: 'files_path',
  expressions: ['lower(path)'],
  unique: true,
  where: 'NOT gone',
};

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files CASCADE;
    CREATE TABLE files (id int PRIMARY KEY, owner text, path text, gone bool NOT NULL DEFAULT false);
    INSERT INTO files SELECT n, 'o' || n % 7, 'p' || n FROM generate_series(1, 500) n`);
});

const createIndex = () => kindOf(db.system, 'postgres.create-index');
const parse = (input: object) => createIndex().input.parse(input);
const look = (input: object) => createIndex().preview(parse(input), contextOf('p'));
const batch = { index: 0, cursor: null, done: 0, size: 10 };
const indexes = () =>
  db.sql(`SELECT indexrelid::regclass::text AS name, indisvalid AS valid, indisunique AS "unique" FROM pg_index
    WHERE indrelid = 'files'::regclass AND NOT indisprimary ORDER BY 1`);
const definition = async () =>
  (
    await db.sql(
      `SELECT pg_get_indexdef(indexrelid) AS d FROM pg_index WHERE indrelid = 'files'::regclass AND NOT indisprimary`,
    )
  )[0]?.d;
/** An invalid index, as a build that was killed leaves it. */
const leaveInvalid = async () => {
  await db.sql(`INSERT INTO files VALUES (901, 'x', 'same'), (902, 'x', 'SAME')`);
  await expect(
    db.sql('CREATE UNIQUE INDEX CONCURRENTLY files_path ON files (lower(path)) WHERE NOT gone'),
  ).rejects.toThrow();
  await db.sql('DELETE FROM files WHERE id > 900');
  expect(await indexes()).toEqual([{ name: 'files_path', valid: false, unique: true }]);
};

describe('postgres.create-index', () => {
  it('is made beside the writers, taken the second time, dropped by undo, and comes back by the undo of the undo', async () => {
    expect(await look(byOwner)).toMatchObject({ count: 1, findings: [], undoClass: 'reversible' });
    expect(doneBy(await perform(createIndex(), byOwner, contextOf('run-a')))).toBe(1);
    const made = await definition();
    expect(made).toContain('(owner, id)');
    expect(await createIndex().verify?.(parse(byOwner), contextOf('x'))).toMatchObject([{ status: 'passed' }]);
    expect(await look(byOwner)).toMatchObject({ count: 0, findings: [] });
    expect(doneBy(await perform(createIndex(), byOwner, contextOf('run-b')))).toBe(0);
    expect(await undo(createIndex(), byOwner, contextOf('run-x'), 'run-b')).toMatchObject({ done: 0, kept: 0 });
    expect(await indexes()).toHaveLength(1);
    expect(
      await createIndex().previewUndo?.(
        parse(byOwner),
        contextOf('run-u', {}, { undoes: { runId: 'run-a', stepId: 'data.step' } }),
      ),
    ).toMatchObject({ count: 1, findings: [] });
    expect(await undo(createIndex(), byOwner, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await indexes()).toEqual([]);
    expect(await undo(createIndex(), byOwner, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await definition()).toBe(made);
  });

  it('goes on writing while it is built: nobody waits', async () => {
    const user = await db.connect();
    await user.query('BEGIN; UPDATE files SET owner = owner WHERE id = 1');
    const making = perform(createIndex(), byOwner, contextOf('run-a'));
    await waitFor(async () => (await db.sql('SELECT 1 FROM pg_stat_progress_create_index')).length > 0);
    await db.sql(`UPDATE files SET owner = 'new' WHERE id = 2; INSERT INTO files VALUES (1000, 'new', 'new')`);
    await user.query('COMMIT');
    expect(doneBy(await making)).toBe(1);
    expect(await indexes()).toEqual([{ name: 'files_by_owner', valid: true, unique: false }]);
  });

  it('names the duplicates under a unique index, how many and where, and changes nothing', async () => {
    await db.sql(
      `INSERT INTO files VALUES (901, 'x', 'same', false), (902, 'x', 'SAME', false), (903, 'x', 'P1', false), (904, 'x', 'P2', true),
      (905, 'x', NULL, false), (906, 'x', NULL, false)`,
    );
    expect((await look(uniquePath)).findings).toMatchObject([
      { check: 'values-are-unique', status: 'failed', count: 2, samples: ['2 rows: 1 | 903', '2 rows: 901 | 902'] },
    ]);
    await expect(perform(createIndex(), uniquePath, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    expect(await indexes()).toEqual([]);
    expect(await db.sql(`SELECT to_regnamespace('tas_journal') AS made`)).toEqual([{ made: null }]);
  });

  it('drops an invalid one that a killed try left, makes it again, and undo drops it', async () => {
    await leaveInvalid();
    expect(await look(uniquePath)).toMatchObject({ count: 1, findings: [] });
    expect(doneBy(await perform(createIndex(), uniquePath, contextOf('run-a')))).toBe(1);
    expect(await indexes()).toEqual([{ name: 'files_path', valid: true, unique: true }]);
    expect(await undo(createIndex(), uniquePath, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1 });
    expect(await indexes()).toEqual([]);
  });

  it('goes on with its intent after it was killed between intent and act', async () => {
    await killAfterIntent();
    expect(await indexes()).toEqual([]);
    const other = kindOf(db.second(), 'postgres.create-index');
    expect(await other.performBatch(parse(byOwner), batch, contextOf('run-a'))).toEqual({ cursor: null, done: 1 });
    expect(await indexes()).toEqual([{ name: 'files_by_owner', valid: true, unique: false }]);
    expect(await undo(createIndex(), byOwner, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await indexes()).toEqual([]);
  });

  it('undoes a run that was killed between intent and act, whatever of it stands there', async () => {
    await killAfterIntent();
    expect(await undo(createIndex(), byOwner, contextOf('run-u'), 'run-a')).toMatchObject({
      done: 0,
      kept: 0,
      missing: 0,
    });
    await db.sql('CREATE INDEX files_by_owner ON files (owner, id)');
    expect(await undo(createIndex(), byOwner, contextOf('run-w'), 'run-a')).toMatchObject({ done: 1 });
    expect(await indexes()).toEqual([]);
  });

  it('waits for an earlier process that the server still works for', async () => {
    await killAfterIntent();
    const zombie = await db.connect();
    await zombie.query(`SELECT pg_advisory_lock(hashtextextended('index of files', 7305811920))`);
    const making = createIndex().performBatch(parse(byOwner), batch, contextOf('run-a'));
    await waitFor(
      async () =>
        (await db.sql(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory%' AND state = 'idle'`))
          .length > 0,
    );
    expect(await indexes()).toEqual([]);
    await zombie.end();
    expect(await making).toEqual({ cursor: null, done: 1 });
  });

  it('keeps an index that others changed or built a constraint on, and tells of one that is gone', async () => {
    await perform(createIndex(), uniqueId, contextOf('run-a'));
    await db.sql('ALTER TABLE files ADD CONSTRAINT owners UNIQUE USING INDEX files_owner_id');
    await db.sql('ALTER INDEX owners RENAME TO files_owner_id');
    expect(await undo(createIndex(), uniqueId, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await db.system.journal?.conflicts('run-u', 'data.step', 5)).toMatchObject([{ reason: 'referred-to' }]);
    await db.sql('ALTER TABLE files DROP CONSTRAINT files_owner_id; CREATE INDEX files_owner_id ON files (path)');
    expect(await undo(createIndex(), uniqueId, contextOf('run-w'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await db.system.journal?.conflicts('run-w', 'data.step', 5)).toMatchObject([{ reason: 'changed-since' }]);
    await db.sql('DROP INDEX files_owner_id');
    expect(await undo(createIndex(), uniqueId, contextOf('run-y'), 'run-a')).toMatchObject({ done: 0, missing: 1 });
  });

  it('refuses a taken name, warns of an equal one, and reads columns that are still to come', async () => {
    await db.sql('CREATE INDEX files_by_owner ON files (owner)');
    expect((await look(byOwner)).findings).toMatchObject([{ check: 'index-possible', status: 'failed' }]);
    expect((await look({ ...byOwner, name: 'again', columns: ['owner'] })).findings).toMatchObject([
      { check: 'index-is-new', status: 'warning', samples: ['files_by_owner'] },
    ]);
    expect((await look({ ...byOwner, name: 'next', columns: ['space_id'] })).findings).toMatchObject([
      { check: 'columns-to-come', status: 'warning' },
    ]);
    expect(createIndex().input.safeParse({ ...byOwner, expressions: ['id'] }).success).toBe(false);
    await expect(look({ ...uniquePath, expressions: ['id); DROP TABLE files'] })).rejects.toMatchObject({
      code: 'invalid-statement',
    });
  });

  it('gives up in time where an old transaction does not end, names it, and leaves nothing behind', async () => {
    const holder = await db.connect();
    const [{ pid }] = (await holder.query('SELECT pg_backend_pid() AS pid')).rows as [{ pid: number }];
    await holder.query('BEGIN; UPDATE files SET owner = owner WHERE id = 1');
    const hurried = kindOf(db.second({ concurrentTimeout: 300 }), 'postgres.create-index');
    await expect(hurried.performBatch(parse(byOwner), batch, contextOf('run-a'))).rejects.toMatchObject({
      code: 'timed-out',
      retryable: true,
      message: expect.stringContaining(`pid ${pid} (`),
    });
    await holder.query('COMMIT');
    expect(await hurried.performBatch(parse(byOwner), batch, contextOf('run-a'))).toEqual({ cursor: null, done: 1 });
    expect(await indexes()).toEqual([{ name: 'files_by_owner', valid: true, unique: false }]);
  });
});

const uniqueId = { table: 'files', name: 'files_owner_id', columns: ['owner', 'id'], unique: true };

/** The intent is committed, and the process dies before it acts. */
async function killAfterIntent(): Promise<void> {
  const dying = new AbortController();
  const zombie = await db.connect();
  await zombie.query(`SELECT pg_advisory_lock(hashtextextended('index of files', 7305811920))`);
  const killed = createIndex().performBatch(parse(byOwner), batch, contextOf('run-a', {}, { signal: dying.signal }));
  killed.catch(() => undefined);
  await waitFor(async () => {
    const [row] = await db.sql(`SELECT to_regclass('tas_journal.batch') IS NOT NULL AS made`);
    return row?.made === true && (await db.sql('SELECT 1 FROM tas_journal.batch WHERE body IS NOT NULL')).length > 0;
  });
  dying.abort();
  await expect(killed).rejects.toMatchObject({ code: 'cancelled' });
  await zombie.end();
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) if (Date.now() > end) throw new Error('it never came');
}
