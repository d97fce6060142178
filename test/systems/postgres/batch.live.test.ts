import { jest } from '@jest/globals';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const input = { table: 'files', key: 'id', where: 'space IS NULL', columns: { space: "'s' || id" } };

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files, notes;
    CREATE TABLE files (id int PRIMARY KEY, space text, email text); INSERT INTO files SELECT n FROM generate_series(1, 9) n;
    UPDATE files SET email = 'someone@example.org' WHERE id = 1`);
});

const backfill = () => kindOf(db.system, 'postgres.backfill-column');
const batch = (changes = {}) => ({ index: 0, cursor: null, done: 0, size: 3, ...changes });
const filled = async () =>
  (await db.sql('SELECT id FROM files WHERE space IS NOT NULL ORDER BY id')).map((row) => row.id);
const journal = () => {
  if (!db.system.journal) throw new Error('no journal');
  return db.system.journal;
};

describe('a batch', () => {
  it('returns what the first call committed when it is called again, and does nothing twice', async () => {
    const first = await backfill().performBatch(input, batch(), contextOf('run-a'));
    expect(first).toEqual({ cursor: '3', done: 3 });
    await db.sql('UPDATE files SET space = NULL WHERE id = 1');
    const other = kindOf(db.second(), 'postgres.backfill-column');
    expect(await other.performBatch(input, batch(), contextOf('run-a'))).toEqual(first);
    expect(await filled()).toEqual([2, 3]);
  });

  it('waits for a transaction that a killed process left behind, and takes what that one commits', async () => {
    await db.system.advanceFence?.({ environment: 'sandbox', token: 1 });
    const zombie = await db.connect();
    await zombie.query(`BEGIN; INSERT INTO tas_journal.batch (run_id, step_id, "index", summary)
      VALUES ('run-a', 'data.step', 0, '{"result": {"cursor": "9", "done": 7}}')`);
    const waiting = backfill().performBatch(input, batch(), contextOf('run-a'));
    await waitFor(
      async () => (await db.sql(`SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'`)).length > 0,
    );
    await zombie.query('COMMIT');
    expect(await waiting).toEqual({ cursor: '9', done: 7 });
    expect(await filled()).toEqual([]);
  });

  it('does its work itself when the killed process rolled back', async () => {
    await db.system.advanceFence?.({ environment: 'sandbox', token: 1 });
    const zombie = await db.connect();
    await zombie.query(
      `BEGIN; INSERT INTO tas_journal.batch (run_id, step_id, "index") VALUES ('run-a', 'data.step', 0)`,
    );
    const waiting = backfill().performBatch(input, batch(), contextOf('run-a'));
    await waitFor(
      async () => (await db.sql(`SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'`)).length > 0,
    );
    await zombie.query('ROLLBACK');
    expect(await waiting).toEqual({ cursor: '3', done: 3 });
  });

  it('refuses a process that lost its lease, and keeps nothing of it', async () => {
    await db.system.advanceFence?.({ environment: 'sandbox', token: 5 });
    await db.system.advanceFence?.({ environment: 'sandbox', token: 3 });
    await expect(backfill().performBatch(input, batch(), contextOf('run-a'))).rejects.toMatchObject({ code: 'fenced' });
    expect(await filled()).toEqual([]);
    expect(await db.sql('SELECT * FROM tas_journal.batch')).toEqual([]);
    const newer = { ...contextOf('run-a'), fence: { environment: 'sandbox', token: 6 } };
    expect(await backfill().performBatch(input, batch(), newer)).toMatchObject({ done: 3 });
  });

  it('waits for users, and leaves a row alone that no longer fits', async () => {
    const user = await db.connect();
    await user.query(`BEGIN; UPDATE files SET space = 'user' WHERE id = 2`);
    const waiting = backfill().performBatch(input, batch(), contextOf('run-a'));
    await waitFor(async () => (await db.sql('SELECT 1 FROM pg_locks WHERE NOT granted')).length > 0);
    await user.query('COMMIT');
    // Another row takes its place in the batch.
    expect(await waiting).toEqual({ cursor: '4', done: 3 });
    expect(await db.sql('SELECT space FROM files WHERE id = 2')).toEqual([{ space: 'user' }]);
    await undo(backfill(), input, contextOf('run-u'), 'run-a');
    expect(await filled()).toEqual([2]);
  });

  it('is tried again when its connection is cut', async () => {
    const user = await db.connect();
    await user.query('BEGIN; SELECT * FROM files FOR UPDATE');
    const waiting = backfill().performBatch(input, batch({ size: 9 }), contextOf('run-a'));
    const blocked = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await waitFor(async () => (await db.sql(blocked)).length > 0);
    await db.sql(`SELECT pg_terminate_backend(pid) FROM (${blocked}) b`);
    await user.query('ROLLBACK');
    expect(await waiting).toMatchObject({ done: 9 });
  });

  it('writes nothing in the clear but keys and names', async () => {
    await perform(backfill(), { ...input, where: 'true', columns: { email: "'new' || id" } }, contextOf('run-a'));
    const [row] = await db.sql(
      `SELECT summary::text AS summary, encode(body, 'escape') AS body FROM tas_journal.batch WHERE "index" = 0`,
    );
    expect(JSON.parse(String(row?.summary))).toMatchObject({ columns: ['email'], firstKey: '1', lastKey: '3' });
    expect(`${String(row?.summary)}${String(row?.body)}`).not.toContain('someone');
  });

  it('names no values when a constraint stops it', async () => {
    await db.sql('ALTER TABLE files ADD UNIQUE (email)');
    const same = { ...input, columns: { email: "'someone@example.org'" } };
    const failure = await perform(backfill(), same, contextOf('run-a')).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: 'step-failed', message: expect.stringContaining('Key (email)=(…hidden…)') });
    expect((failure as Error).message).not.toContain('someone');
  });
});

describe('the journal', () => {
  it('tells the values a step wrote, batch by batch', async () => {
    await perform(backfill(), input, contextOf('run-a'));
    const batches: string[][] = [];
    for await (const values of journal().writtenValues('run-a', 'data.step', 'space')) batches.push([...values]);
    expect(batches).toEqual([
      ['s1', 's2', 's3'],
      ['s4', 's5', 's6'],
      ['s7', 's8', 's9'],
    ]);
    for await (const _values of journal().writtenValues('run-none', 'data.step', 'space'))
      throw new Error('none expected');
  });

  it('tells foreign references from those which the run wrote itself', async () => {
    await db.sql('CREATE TABLE notes (id int PRIMARY KEY, space text)');
    expect(await journal().foreignReferences('run-a', 'notes', 'space', ['s1'])).toEqual(new Set());
    await perform(backfill(), input, contextOf('run-a'));
    await db.sql(`INSERT INTO notes VALUES (1, 's4'); INSERT INTO files VALUES (10, 's2')`);
    const values = ['s1', 's2', 's4'];
    expect(await journal().foreignReferences('run-a', 'notes', 'space', values)).toEqual(new Set(['s4']));
    expect(await journal().foreignReferences('run-a', 'files', 'space', values)).toEqual(new Set(['s2']));
    expect(await journal().foreignReferences('run-b', 'files', 'space', values)).toEqual(new Set(values));
    expect(await journal().foreignReferences('run-a', 'files', 'no_such_column', values)).toEqual(new Set());
  });

  it('survives a run of many batches with all counts right', async () => {
    await db.sql('INSERT INTO files SELECT n FROM generate_series(10, 5000) n');
    expect(doneBy(await perform(backfill(), input, contextOf('run-a'), 300))).toBe(5000);
    expect(await undo(backfill(), input, contextOf('run-u'), 'run-a')).toMatchObject({ done: 5000, kept: 0 });
    expect(await filled()).toEqual([]);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000;
  while (!(await condition())) if (Date.now() > end) throw new Error('it never came');
}
