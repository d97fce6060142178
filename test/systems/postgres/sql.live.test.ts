import { jest } from '@jest/globals';
import type { StepPreview } from '../../../src/systems/system.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files, notes, seen CASCADE;
    CREATE TABLE files (id int PRIMARY KEY, status text, size int NOT NULL DEFAULT 0, twice int GENERATED ALWAYS AS (size * 2) STORED);
    CREATE TABLE notes (id int PRIMARY KEY, file int, note text);
    INSERT INTO files (id, status, size) SELECT n, CASE WHEN n % 2 = 0 THEN 'processed' ELSE 'new' END, n FROM generate_series(1, 10) n;
    INSERT INTO notes SELECT n, n, 'n' || n FROM generate_series(1, 4) n`);
});

const kind = () => kindOf(db.system, 'postgres.sql');
const look = (input: object): Promise<StepPreview> => kind().preview(kind().input.parse(input), contextOf('p'));
const lookBack = (input: object, runId: string) =>
  kind().previewUndo?.(kind().input.parse(input), contextOf('p', {}, { undoes: { runId, stepId: 'data.step' } }));
const files = () => db.sql('SELECT id, status, size, twice FROM files ORDER BY id');
const conflicts = (run: string) => db.system.journal?.conflicts(run, 'data.step', 9);
const failed = ({ findings }: StepPreview) => findings.filter(({ status }) => status === 'failed');

const complete = { statements: `UPDATE files SET status = 'completed', size = size + 100 WHERE status = 'processed'` };
const clean = { statements: 'DELETE FROM files AS f USING notes n WHERE n.file = f.id AND f.size > 1' };

describe('postgres.sql, an UPDATE journaled row by row', () => {
  it('is counted exactly and shown before and after, and the preview writes nothing', async () => {
    expect(await look(complete)).toMatchObject({
      effect: 'changes',
      count: 5,
      exact: true,
      undoClass: 'reversible',
      locks: [],
      findings: [],
      samples: expect.arrayContaining([
        {
          collection: 'files',
          key: '2',
          before: { status: 'processed', size: '2' },
          after: { status: 'completed', size: '102' },
        },
      ]),
    });
    expect(await db.sql(`SELECT count(*)::int AS n FROM files WHERE status = 'completed'`)).toEqual([{ n: 0 }]);
    expect(await db.sql(`SELECT to_regnamespace('tas_journal') AS j`)).toEqual([{ j: null }]);
  });

  it('goes batch by batch, each once whoever asks again, and back and forth', async () => {
    const before = await files();
    const results = await perform(kind(), complete, contextOf('run-a', {}, { cap: 5 }), 2);
    expect(results.map(({ done }) => done)).toEqual([2, 2, 1]);
    const after = await files();
    expect(after[1]).toEqual({ id: 2, status: 'completed', size: 102, twice: 204 });
    const input = kind().input.parse(complete);
    const again = await kindOf(db.second(), 'postgres.sql').performBatch(
      input,
      { index: 1, cursor: '4', done: 2, size: 2 },
      contextOf('run-a'),
    );
    expect(again).toEqual(results[1]);
    expect(await files()).toEqual(after);
    expect(doneBy(await perform(kind(), complete, contextOf('run-b')))).toBe(0);
    expect(await undo(kind(), complete, contextOf('run-u'), 'run-a')).toMatchObject({ done: 5, kept: 0, missing: 0 });
    expect(await files()).toEqual(before);
    expect(await undo(kind(), complete, contextOf('run-v'), 'run-u')).toMatchObject({ done: 5 });
    expect(await files()).toEqual(after);
  });

  it('keeps what others wrote since, and says so beforehand', async () => {
    await perform(kind(), complete, contextOf('run-a'));
    await db.sql(`UPDATE files SET status = 'archived' WHERE id = 4; DELETE FROM files WHERE id = 6`);
    expect(await lookBack(complete, 'run-a')).toMatchObject({
      count: 4,
      findings: [{ check: 'kept-by-undo', samples: ['files 4 status: changed-since'] }, { check: 'gone-before-undo' }],
    });
    expect(await undo(kind(), complete, contextOf('run-u'), 'run-a')).toMatchObject({ done: 4, missing: 1 });
    expect((await files()).filter(({ id }) => id === 2 || id === 4)).toEqual([
      { id: 2, status: 'processed', size: 2, twice: 4 },
      { id: 4, status: 'archived', size: 4, twice: 8 },
    ]);
    expect(await conflicts('run-u')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          key: '4',
          field: 'status',
          base: 'processed',
          ours: 'completed',
          theirs: 'archived',
        }),
      ]),
    );
  });

  it('writes no row that others changed so that its condition holds no longer', async () => {
    const other = await db.connect();
    await other.query(`BEGIN; UPDATE files SET status = 'mine' WHERE id = 4`);
    const running = perform(kind(), complete, contextOf('run-a'), 100);
    await waiting();
    await other.query('COMMIT');
    expect(doneBy(await running)).toBe(4);
    expect((await files())[3]).toMatchObject({ status: 'mine', size: 4 });
  });

  it('is refused beyond the cap, and nothing of the batch stays', async () => {
    const before = await files();
    await expect(perform(kind(), complete, contextOf('run-a', {}, { cap: 4 }), 100)).rejects.toMatchObject({
      code: 'over-cap',
    });
    expect(await files()).toEqual(before);
  });

  it('is refused for a process that lost its lease', async () => {
    await db.system.advanceFence?.({ environment: 'sandbox', token: 7 });
    await expect(perform(kind(), complete, contextOf('run-a'))).rejects.toMatchObject({ code: 'fenced' });
    expect(await look(complete)).toMatchObject({ count: 5 });
  });

  it('that reads what it writes goes all at once, and gives what the statement alone gives', async () => {
    const self = {
      statements:
        'UPDATE files SET size = (SELECT max(size) FROM files) - size WHERE size < (SELECT avg(size) FROM files)',
    };
    expect(await look(self)).toMatchObject({
      count: 5,
      undoClass: 'reversible',
      samples: expect.arrayContaining([expect.objectContaining({ after: { size: '9' } })]),
    });
    const before = await files();
    await perform(kind(), self, contextOf('run-a'), 2);
    expect((await files()).slice(0, 6).map(({ size }) => size)).toEqual([9, 8, 7, 6, 5, 6]);
    await undo(kind(), self, contextOf('run-u'), 'run-a');
    expect(await files()).toEqual(before);
  });

  it('is refused where a trigger would write what no journal sees', async () => {
    await db.sql(`CREATE TABLE seen (id int); CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END';
      CREATE TRIGGER note BEFORE UPDATE ON files FOR EACH ROW EXECUTE FUNCTION note()`);
    expect(failed(await look(complete))).toMatchObject([{ check: 'no-side-effects', samples: ['note'] }]);
    await expect(perform(kind(), complete, contextOf('run-a'))).rejects.toMatchObject({ code: 'precondition-failed' });
  });

  it('takes names and values whatever they hold', async () => {
    await db.sql(`DROP SCHEMA IF EXISTS "odd; schema" CASCADE; CREATE SCHEMA "odd; schema"; CREATE TABLE "odd; schema"."t""able." ("i d" text PRIMARY KEY, "ü" text);
      INSERT INTO "odd; schema"."t""able." VALUES ('a''b', 'x'), ('{"c"}', 'x'), ('😀', 'x'), ('', 'x')`);
    const odd = {
      statements: `UPDATE "odd; schema"."t""able." SET "ü" = '); DROP TABLE files; --' WHERE "odd; schema"."t""able."."ü" = 'x' -- end`,
    };
    expect(await look(odd)).toMatchObject({ count: 4, findings: [] });
    expect(doneBy(await perform(kind(), odd, contextOf('run-a'), 3))).toBe(4);
    expect(await undo(kind(), odd, contextOf('run-u'), 'run-a')).toMatchObject({ done: 4 });
    expect(await db.sql(`SELECT DISTINCT "ü" FROM "odd; schema"."t""able."`)).toEqual([{ ü: 'x' }]);
    expect(await files()).toHaveLength(10);
  });
});

describe('postgres.sql, a DELETE journaled row by row', () => {
  it('binds the vote to the very rows', async () => {
    const first = await look(clean);
    expect(first).toMatchObject({ effect: 'destroys', count: 3, exact: true, undoClass: 'reversible', findings: [] });
    expect(first.samples[0]).toMatchObject({ key: '2', before: { status: 'processed', twice: '4' }, after: {} });
    await db.sql('UPDATE notes SET file = 9 WHERE file = 4');
    const other = await look(clean);
    expect(other.count).toBe(3);
    expect(other.keysHash).not.toBe(first.keysHash);
  });

  it('brings the rows back, and takes them again; one that others made anew stays theirs', async () => {
    const before = await files();
    expect(doneBy(await perform(kind(), clean, contextOf('run-a'), 2))).toBe(3);
    expect((await files()).map(({ id }) => id)).toEqual([1, 5, 6, 7, 8, 9, 10]);
    await db.sql(`INSERT INTO files VALUES (3, 'theirs', 3)`);
    expect(await undo(kind(), clean, contextOf('run-u'), 'run-a')).toMatchObject({ done: 2, kept: 1 });
    expect((await files())[2]).toMatchObject({ id: 3, status: 'theirs' });
    await db.sql(`UPDATE files SET status = 'new' WHERE id = 3`);
    expect(await files()).toEqual(before);
    expect(await undo(kind(), clean, contextOf('run-v'), 'run-u')).toMatchObject({ done: 2 });
    expect((await files()).map(({ id }) => id)).toEqual([1, 3, 5, 6, 7, 8, 9, 10]);
  });

  it('is refused where a foreign key would delete rows of its own', async () => {
    await db.sql('ALTER TABLE notes ADD FOREIGN KEY (file) REFERENCES files ON DELETE CASCADE');
    expect(failed(await look(clean))).toMatchObject([{ check: 'no-side-effects' }]);
    await expect(perform(kind(), clean, contextOf('run-a'))).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await files()).toHaveLength(10);
  });
});

describe('postgres.sql with an inverse', () => {
  const index = {
    statements: `ALTER TABLE files ADD COLUMN note text;\nUPDATE files SET note = 'made' WHERE id < 4;\nINSERT INTO notes (id, note) SELECT id + 100, note FROM notes`,
    inverse: 'DELETE FROM notes WHERE id > 100; ALTER TABLE files DROP COLUMN note',
  };

  it('says what cannot be known yet, what it locks, and writes nothing', async () => {
    const seen = await look(index);
    expect(seen).toMatchObject({ effect: 'changes', undoClass: 'reversible', exact: false });
    expect(seen.locks).toEqual([
      'files: nobody reads or writes it until the transaction ends',
      'notes: the rows that it writes, until the transaction ends',
    ]);
    expect(seen.findings).toMatchObject([
      { check: 'things-to-come', samples: ['line 2: column "note" of relation "files" does not exist'] },
    ]);
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 4 }]);
  });

  it('runs once, whoever asks again, and its inverse once; undo of the undo runs it again', async () => {
    expect(doneBy(await perform(kind(), index, contextOf('run-a')))).toBe(8);
    expect(doneBy(await perform(kindOf(db.second(), 'postgres.sql'), index, contextOf('run-a')))).toBe(8);
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 8 }]);
    expect(await lookBack(index, 'run-a')).toMatchObject({
      effect: 'destroys',
      count: 8,
      findings: [{ check: 'conflicts-unknown', status: 'warning' }],
    });
    expect(await undo(kind(), index, contextOf('run-u'), 'run-a')).toMatchObject({ done: 5 });
    expect(await undo(kind(), index, contextOf('run-u'), 'run-a')).toMatchObject({ done: 5 });
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 4 }]);
    await undo(kind(), index, contextOf('run-v'), 'run-u');
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 8 }]);
    await undo(kind(), index, contextOf('run-w'), 'run-v');
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 4 }]);
  });

  it('is taken back as a whole where a later statement fails, which is named with its line', async () => {
    const broken = { ...index, statements: `${index.statements};\nUPDATE files SET nothing = 1 WHERE id = 1` };
    await expect(perform(kind(), broken, contextOf('run-a'))).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringMatching(/statements, line 4, column 18: column "nothing".*does not exist/),
    });
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 4 }]);
    await perform(kind(), index, contextOf('run-a'));
    expect(await undo(kind(), index, contextOf('run-u'), 'run-a')).toMatchObject({ done: 5 });
  });

  it('does nothing where the step never came to commit', async () => {
    expect(await undo(kind(), index, contextOf('run-u'), 'run-none')).toMatchObject({ done: 0, kept: 0, missing: 0 });
    expect(await lookBack(index, 'run-none')).toMatchObject({ count: 0 });
  });

  it('waits for a strong lock in short tries and then names who holds it', async () => {
    const holder = await db.connect();
    await holder.query('BEGIN; SELECT count(*) FROM files');
    const hurried = kindOf(db.second({ lockAttempts: 1 }), 'postgres.sql');
    await expect(perform(hurried, index, contextOf('run-a'))).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('idle in transaction'),
    });
    await holder.query('COMMIT');
    expect(doneBy(await perform(hurried, index, contextOf('run-a')))).toBe(8);
  });

  it('gives a statement up at its time limit', async () => {
    const slow = {
      statements: 'INSERT INTO notes SELECT n, 0, repeat(md5(n::text), 9) FROM generate_series(100, 90000000) n',
      inverse: 'DELETE FROM notes WHERE id > 99',
      timeLimit: 1,
    };
    await expect(perform(kind(), slow, contextOf('run-a'))).rejects.toMatchObject({ code: 'timed-out' });
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 4 }]);
  });
});

describe('postgres.sql, what it says and refuses', () => {
  it('wants an inverse or oneWay, and says why the rows are not journaled', async () => {
    expect(failed(await look({ statements: 'INSERT INTO notes VALUES (9, 9, NULL)' }))).toMatchObject([
      { check: 'undo-said', title: expect.stringContaining('no UPDATE or DELETE') },
    ]);
    await db.sql('CREATE TABLE seen (id int)');
    expect(failed(await look({ statements: 'DELETE FROM seen WHERE id = 1' }))).toMatchObject([
      { check: 'undo-said', title: expect.stringContaining('seen has no primary key') },
    ]);
    expect(failed(await look({ statements: 'UPDATE files SET id = id + 1' }))).toMatchObject([
      { check: 'undo-said', title: expect.stringContaining('primary key itself') },
    ]);
    await expect(
      perform(kind(), { statements: 'INSERT INTO notes VALUES (9, 9, NULL)' }, contextOf('run-a')),
    ).rejects.toMatchObject({
      code: 'precondition-failed',
    });
  });

  it('advises against an inverse where the rows could be journaled', async () => {
    const { findings } = await look({
      ...complete,
      inverse: `UPDATE files SET status = 'processed' WHERE status = 'completed'`,
    });
    expect(findings).toContainEqual(expect.objectContaining({ check: 'rows-can-be-journaled', status: 'warning' }));
  });

  it('trusts no inverse where it cannot be told what the statement does', async () => {
    const block = { statements: `DO $$ BEGIN DELETE FROM files; END $$`, inverse: 'SELECT 1' };
    const seen = await look(block);
    expect(seen.effect).toBe('destroys');
    expect(failed(seen)).toMatchObject([{ check: 'effect-known', samples: [expect.stringContaining('DO block')] }]);
    await expect(perform(kind(), block, contextOf('run-a'))).rejects.toMatchObject({ code: 'precondition-failed' });
    const accepted = { statements: block.statements, oneWay: true };
    expect(await look(accepted)).toMatchObject({ effect: 'destroys', exact: false, undoClass: 'one-way' });
    await perform(kind(), accepted, contextOf('run-a'));
    expect(await files()).toEqual([]);
    expect(failed((await lookBack(accepted, 'run-a')) as StepPreview)).toMatchObject([{ check: 'undo-said' }]);
    await expect(undo(kind(), accepted, contextOf('run-u'), 'run-a')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('sees a function of the database that may do something', async () => {
    await db.sql(
      `CREATE OR REPLACE FUNCTION purge(int) RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM notes; SELECT 1'`,
    );
    const seen = await look({ statements: 'SELECT purge(1)' });
    expect(seen.effect).toBe('destroys');
    expect(failed(seen)).toMatchObject([{ check: 'effect-known', samples: [expect.stringContaining('purge')] }]);
    expect(failed(await look({ statements: 'SELECT not_there(1)' }))).toMatchObject([{ check: 'effect-known' }]);
    expect(await db.sql('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 4 }]);
  });

  it('keeps no setting in a connection that others use afterwards', async () => {
    const block = { statements: `DO $$ BEGIN EXECUTE 'SET ' || 'search_path = pg_catalog'; END $$`, oneWay: true };
    await perform(kind(), block, contextOf('run-a'));
    expect(await look(complete)).toMatchObject({ count: 5 });
  });

  it('reads what only reads, with nothing to undo', async () => {
    const reading = { statements: 'SELECT count(*) FROM files; SHOW server_version' };
    expect(await look(reading)).toMatchObject({ effect: 'reads', count: 0, undoClass: 'reversible', findings: [] });
    expect(await perform(kind(), reading, contextOf('run-a'))).toEqual([{ cursor: null, done: 0 }]);
    expect(await undo(kind(), reading, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0 });
    await expect(look({ statements: 'SELECT nothing FROM files' })).rejects.toMatchObject({
      code: 'invalid-statement',
    });
    expect(await db.sql(`SELECT to_regclass('tas_journal.batch') AS j`)).toEqual([{ j: null }]);
  });

  it('counts rows that go with their table, and estimates what it cannot count', async () => {
    expect(await look({ statements: 'TRUNCATE files, notes', oneWay: true })).toMatchObject({
      count: 14,
      exact: true,
      effect: 'destroys',
    });
    expect(await look({ statements: 'DROP TABLE files', oneWay: true })).toMatchObject({ count: 10, exact: true });
    await db.sql('ANALYZE files; ANALYZE notes');
    const merge = 'MERGE INTO notes n USING files f ON n.file = f.id WHEN MATCHED THEN UPDATE SET note = f.status';
    expect(await look({ statements: merge, oneWay: true })).toMatchObject({
      exact: false,
      effect: 'changes',
      count: 4,
    });
    expect(
      await look({ statements: merge, oneWay: true, count: 'SELECT count(*) FROM notes JOIN files f ON f.id = file' }),
    ).toMatchObject({
      exact: true,
      count: 4,
    });
  });

  it('takes a counting statement only that reads and gives one number', async () => {
    const step = { statements: 'TRUNCATE files', oneWay: true };
    await expect(look({ ...step, count: 'DELETE FROM files' })).rejects.toMatchObject({ code: 'invalid-statement' });
    await expect(look({ ...step, count: 'SELECT id FROM files' })).rejects.toMatchObject({ code: 'invalid-statement' });
    await expect(look({ ...step, count: 'SELECT 1; SELECT 2' })).rejects.toMatchObject({ code: 'invalid-statement' });
    expect(await look({ ...step, count: 'SELECT 3' })).toMatchObject({ count: 3, exact: true });
  });

  it('writes no values of records into what it says', async () => {
    await db.sql(`UPDATE notes SET note = 'very secret'`);
    const clash = { statements: `INSERT INTO notes SELECT id, file, note FROM notes`, oneWay: true };
    const error = await perform(kind(), clash, contextOf('run-a')).catch((thrown: Error) => thrown);
    expect(String((error as Error).message)).toContain('(…hidden…)');
    expect(String((error as Error).message)).not.toContain('secret');
  });
});

/** Waits until a session waits for a lock. */
async function waiting(): Promise<void> {
  for (;;) {
    const [row] = await db.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (row?.n) return;
  }
}
