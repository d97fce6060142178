import { jest } from '@jest/globals';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const check = { table: 'files', name: 'size_is_sane', check: 'size >= 0 -- bytes' };
const notNull = { table: 'files', column: 'size' };

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files CASCADE;
    CREATE TABLE files (id int PRIMARY KEY, size int, status text); INSERT INTO files VALUES (1, 10, 'a'), (2, 20, 'b')`);
});

const addCheck = () => kindOf(db.system, 'postgres.add-check');
const setNotNull = () => kindOf(db.system, 'postgres.set-not-null');
const look = (kind: ReturnType<typeof addCheck>, input: object) =>
  kind.preview(kind.input.parse(input), contextOf('p'));
const checks = () =>
  db.sql(`SELECT conname AS name, convalidated AS valid FROM pg_constraint
    WHERE conrelid = 'files'::regclass AND contype = 'c' ORDER BY 1`);
const isNotNull = async () =>
  (await db.sql(`SELECT attnotnull AS n FROM pg_attribute WHERE attrelid = 'files'::regclass AND attname = 'size'`))[0]
    ?.n;

describe('postgres.add-check', () => {
  it('adds, validates, is taken the second time, dropped by undo, and comes back by the undo of the undo', async () => {
    expect(await look(addCheck(), check)).toMatchObject({ count: 1, findings: [], undoClass: 'reversible' });
    expect(await db.sql(`SELECT to_regnamespace('tas_journal') AS made`)).toEqual([{ made: null }]);
    expect(await perform(addCheck(), check, contextOf('run-a'))).toEqual([
      { cursor: 'validate', done: 1 },
      { cursor: null, done: 0 },
    ]);
    expect(await checks()).toEqual([{ name: 'size_is_sane', valid: true }]);
    expect(await addCheck().verify?.(addCheck().input.parse(check), contextOf('x'))).toMatchObject([
      { status: 'passed' },
    ]);
    expect(await look(addCheck(), check)).toMatchObject({ count: 0, findings: [] });
    expect(doneBy(await perform(addCheck(), check, contextOf('run-b')))).toBe(0);
    expect(await undo(addCheck(), check, contextOf('run-x'), 'run-b')).toMatchObject({ done: 0, kept: 0 });
    expect(await undo(addCheck(), check, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await checks()).toEqual([]);
    expect(await undo(addCheck(), check, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await checks()).toEqual([{ name: 'size_is_sane', valid: true }]);
  });

  it('takes an equal check that is spelled otherwise, and refuses another one of its name', async () => {
    const spelled = { table: 'files', name: 'known', check: `status IN ('a', 'b')` };
    await perform(addCheck(), spelled, contextOf('run-a'));
    expect(await look(addCheck(), { ...spelled, check: `status = ANY (ARRAY['a','b'])` })).toMatchObject({ count: 0 });
    const other = { ...spelled, check: `status IN ('a', 'b', 'c')` };
    expect((await look(addCheck(), other)).findings).toMatchObject([{ check: 'check-possible', status: 'failed' }]);
    await expect(perform(addCheck(), other, contextOf('run-b'))).rejects.toMatchObject({ code: 'precondition-failed' });
  });

  it('counts the rows that break it and names them by key, before anything changes and once more at the run', async () => {
    await db.sql('INSERT INTO files VALUES (3, -1), (4, NULL), (5, -5)');
    expect((await look(addCheck(), check)).findings).toMatchObject([
      { check: 'rows-fulfil-check', status: 'failed', count: 2, samples: ['3', '5'] },
    ]);
    expect((await look(addCheck(), { ...check, mended: true })).findings).toMatchObject([{ status: 'warning' }]);
    await expect(perform(addCheck(), check, contextOf('run-a'))).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await checks()).toEqual([]);
    expect(await db.sql(`SELECT to_regnamespace('tas_journal') AS made`)).toEqual([{ made: null }]);
  });

  it('is not validated by the undo of the undo where rows were written that break it, and says so', async () => {
    await perform(addCheck(), check, contextOf('run-a'));
    await undo(addCheck(), check, contextOf('run-u'), 'run-a');
    await db.sql('INSERT INTO files VALUES (6, -6)');
    expect(await undo(addCheck(), check, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 1 });
    expect(await checks()).toEqual([{ name: 'size_is_sane', valid: false }]);
    expect(await db.sql('SELECT count(*)::int AS n FROM files')).toEqual([{ n: 3 }]);
  });

  it('leaves a check alone that others put in its place', async () => {
    await perform(addCheck(), check, contextOf('run-a'));
    await db.sql('ALTER TABLE files DROP CONSTRAINT size_is_sane, ADD CONSTRAINT size_is_sane CHECK (size > 5)');
    expect(await undo(addCheck(), check, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await checks()).toEqual([{ name: 'size_is_sane', valid: true }]);
    expect(await db.system.journal?.conflicts('run-u', 'data.step', 5)).toMatchObject([{ reason: 'changed-since' }]);
  });

  it('refuses what is no condition, subqueries, volatile functions and a second statement', async () => {
    for (const bad of [
      'size >',
      'size >= 0; DROP TABLE files',
      'pg_sleep(1) IS NULL',
      'size > (SELECT 1)',
      'count(*) > 1',
      '0) OR (1=1',
    ]) {
      await expect(look(addCheck(), { ...check, check: bad })).rejects.toMatchObject({ code: 'invalid-statement' });
    }
    expect((await look(addCheck(), { ...check, check: 'later > 0' })).findings).toMatchObject([
      { check: 'columns-to-come', status: 'warning', samples: ['later'] },
    ]);
    await expect(perform(addCheck(), { ...check, check: 'later > 0' }, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
  });
});

describe('postgres.set-not-null', () => {
  it('sets it through a validated check that it takes away, and undo and its undo go there and back', async () => {
    expect(await look(setNotNull(), notNull)).toMatchObject({ count: 1, findings: [] });
    expect(doneBy(await perform(setNotNull(), notNull, contextOf('run-a')))).toBe(1);
    expect(await isNotNull()).toBe(true);
    expect(await checks()).toEqual([]);
    expect(doneBy(await perform(setNotNull(), notNull, contextOf('run-b')))).toBe(0);
    expect(await undo(setNotNull(), notNull, contextOf('run-x'), 'run-b')).toMatchObject({ done: 0 });
    expect(await isNotNull()).toBe(true);
    expect(await undo(setNotNull(), notNull, contextOf('run-u'), 'run-a')).toMatchObject({
      done: 1,
      kept: 0,
      missing: 0,
    });
    expect(await isNotNull()).toBe(false);
    expect(await checks()).toEqual([]);
    expect(await undo(setNotNull(), notNull, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await isNotNull()).toBe(true);
    expect(await checks()).toEqual([]);
  });

  it('names rows without a value before anything changes', async () => {
    await db.sql('INSERT INTO files VALUES (3, NULL), (4, NULL)');
    expect((await look(setNotNull(), notNull)).findings).toMatchObject([
      { check: 'column-full', status: 'failed', count: 2, samples: ['3', '4'] },
    ]);
    await expect(perform(setNotNull(), notNull, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    expect(await checks()).toEqual([]);
  });

  it('is undone from where it was killed, and goes on from there when it is called again', async () => {
    const input = setNotNull().input.parse(notNull);
    const batch = (index: number, cursor: string | null) => ({ index, cursor, done: 0, size: 10 });
    await setNotNull().performBatch(input, batch(0, null), contextOf('run-a'));
    expect(await checks()).toEqual([{ name: '_tas_full_size', valid: false }]);
    const other = kindOf(db.second(), 'postgres.set-not-null');
    expect(await other.performBatch(input, batch(0, null), contextOf('run-a'))).toEqual({
      cursor: 'validate',
      done: 0,
    });
    expect(await other.performBatch(input, batch(1, 'validate'), contextOf('run-a'))).toEqual({
      cursor: 'set',
      done: 0,
    });
    await undo(setNotNull(), notNull, contextOf('run-u'), 'run-a');
    expect(await checks()).toEqual([]);
    expect(await isNotNull()).toBe(false);
  });

  it('does not come back by the undo of the undo where others left it empty, and leaves nothing of its own', async () => {
    await perform(setNotNull(), notNull, contextOf('run-a'));
    await undo(setNotNull(), notNull, contextOf('run-u'), 'run-a');
    await db.sql('INSERT INTO files VALUES (7, NULL)');
    expect((await undo(setNotNull(), notNull, contextOf('run-v'), 'run-u')).kept).toBeGreaterThan(0);
    expect(await isNotNull()).toBe(false);
    expect(await checks()).toEqual([]);
    await db.sql('INSERT INTO files VALUES (8, NULL)');
  });
});
