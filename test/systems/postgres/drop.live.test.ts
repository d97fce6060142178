import { jest } from '@jest/globals';
import type { ReleaseContext } from '../../../src/systems/system.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const status = { table: 'files', column: 'status' };
const files = { table: 'files' };

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files, notes CASCADE;
    DO $$ DECLARE n text; BEGIN FOR n IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^tas_kept_' LOOP
      EXECUTE 'DROP SCHEMA ' || n || ' CASCADE'; END LOOP; END $$;
    CREATE TABLE files (id serial PRIMARY KEY, status text NOT NULL CHECK (status <> ''), size int NOT NULL DEFAULT 0);
    CREATE INDEX files_size ON files (size); INSERT INTO files (status, size) SELECT 's' || n, n FROM generate_series(1, 5) n`);
});

const dropColumn = () => kindOf(db.system, 'postgres.drop-column');
const dropTable = () => kindOf(db.system, 'postgres.drop-table');
const look = (kind: ReturnType<typeof dropColumn>, input: object) =>
  kind.preview(kind.input.parse(input), contextOf('p'));
const columns = async () =>
  (
    await db.sql(
      `SELECT attname AS n FROM pg_attribute WHERE attrelid = 'files'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1`,
    )
  ).map((row) => String(row.n).replace(/_tas_kept_[0-9a-f]{6}_/, '_tas_kept_…_'));
const shape = () =>
  db.sql(`SELECT attname AS n, attnotnull AS full, (SELECT json_agg(conname || convalidated ORDER BY 1) FROM pg_constraint
    WHERE conrelid = attrelid AND conkey = ARRAY[attnum] AND contype = 'c') AS checks
    FROM pg_attribute WHERE attrelid = 'files'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1`);
const conflicts = (run: string) => db.system.journal?.conflicts(run, 'data.step', 9);
const releasing = (runId: string, releases: string): ReleaseContext => ({
  ...contextOf(runId),
  releases: { runId: releases, stepId: 'data.step' },
});
const release = (kind: ReturnType<typeof dropColumn>, input: object, context: ReleaseContext) =>
  kind.releaseBatch?.(kind.input.parse(input), { index: 0, cursor: null, done: 0, size: 9 }, context);

describe('postgres.drop-column', () => {
  it('keeps the column aside so that new versions can insert without it, and undo brings all of it back', async () => {
    const before = await shape();
    expect(await look(dropColumn(), status)).toMatchObject({
      count: 1,
      undoClass: 'reversible-until',
      findings: [{ check: 'kept-aside', status: 'warning', count: 5 }],
    });
    expect(doneBy(await perform(dropColumn(), status, contextOf('run-a', {}, { cap: 1 })))).toBe(1);
    expect(await columns()).toEqual(['_tas_kept_…_status', 'id', 'size']);
    expect(doneBy(await perform(dropColumn(), status, contextOf('run-b')))).toBe(0);
    await db.sql('INSERT INTO files (size) VALUES (6); DELETE FROM files WHERE size = 6');
    expect(await undo(dropColumn(), status, contextOf('run-u'), 'run-a')).toMatchObject({
      done: 1,
      kept: 0,
      missing: 0,
    });
    expect(await shape()).toEqual(before);
    expect(await db.sql('SELECT status FROM files ORDER BY id')).toEqual(
      [1, 2, 3, 4, 5].map((n) => ({ status: `s${n}` })),
    );
    expect(await undo(dropColumn(), status, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await columns()).toEqual(['_tas_kept_…_status', 'id', 'size']);
    await db.sql('INSERT INTO files (size) VALUES (7)');
  });

  it('comes back without NOT NULL where rows were written since that have no value, and says so', async () => {
    await perform(dropColumn(), status, contextOf('run-a'));
    await db.sql('INSERT INTO files (size) VALUES (6)');
    expect(await undo(dropColumn(), status, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1 });
    expect(await db.sql('SELECT status FROM files WHERE size > 4 ORDER BY id')).toEqual([
      { status: 's5' },
      { status: null },
    ]);
    expect((await shape()).find(({ n }) => n === 'status')).toEqual({
      n: 'status',
      full: false,
      checks: ['files_status_checktrue'],
    });
    expect(await conflicts('run-u')).toEqual(
      expect.arrayContaining([expect.objectContaining({ field: 'status', reason: 'changed-since' })]),
    );
  });

  it('stays aside where the name is taken again', async () => {
    await perform(dropColumn(), status, contextOf('run-a'));
    await db.sql(`ALTER TABLE files ADD status int DEFAULT 3`);
    const undoes = { runId: 'run-a', stepId: 'data.step' };
    expect(
      await dropColumn().previewUndo?.(dropColumn().input.parse(status), contextOf('p', {}, { undoes })),
    ).toMatchObject({
      count: 0,
      findings: [{ check: 'kept-by-undo', samples: ['files status status: value-taken'] }],
    });
    expect(await undo(dropColumn(), status, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0 });
    expect(await conflicts('run-u')).toEqual(
      expect.arrayContaining([expect.objectContaining({ reason: 'value-taken' })]),
    );
    expect(await columns()).toEqual(['_tas_kept_…_status', 'id', 'size', 'status']);
    expect(await db.sql('SELECT DISTINCT status FROM files')).toEqual([{ status: 3 }]);
  });

  it('refuses while others depend on it, and names them', async () => {
    await db.sql(`CREATE VIEW shown AS SELECT size FROM files; ALTER TABLE files ADD twice int GENERATED ALWAYS AS (size * 2) STORED;
      CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.size := 1; RETURN NEW; END';
      CREATE TRIGGER stamp BEFORE UPDATE ON files FOR EACH ROW EXECUTE FUNCTION stamp();
      CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(size) FROM files'`);
    const { findings } = await look(dropColumn(), { table: 'files', column: 'size' });
    expect(findings[0]).toMatchObject({
      check: 'nothing-depends',
      status: 'failed',
      samples: ['default value for column twice of table files', 'index files_size', 'view shown', 'trigger "stamp"'],
    });
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'functions-mention',
        status: 'warning',
        samples: expect.arrayContaining(['total()']),
      }),
    );
    await expect(perform(dropColumn(), { table: 'files', column: 'size' }, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    expect(await columns()).toContain('size');
    await db.sql('DROP FUNCTION stamp CASCADE; DROP FUNCTION total');
  });

  it('is given up for good by its release only; undo finds nothing then and says so', async () => {
    await perform(dropColumn(), status, contextOf('run-a'));
    const input = dropColumn().input.parse(status);
    expect(await dropColumn().previewRelease?.(input, releasing('p', 'run-a'))).toMatchObject({
      count: 1,
      undoClass: 'one-way',
      findings: [],
    });
    expect(await columns()).toContain('_tas_kept_…_status');
    expect(await release(dropColumn(), status, releasing('run-r', 'run-a'))).toEqual({ cursor: null, done: 1 });
    expect(await release(dropColumn(), status, releasing('run-r', 'run-a'))).toEqual({ cursor: null, done: 1 });
    expect(await release(dropColumn(), status, releasing('run-s', 'run-a'))).toEqual({ cursor: null, done: 0 });
    expect(await columns()).toEqual(['id', 'size']);
    expect(await undo(dropColumn(), status, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0 });
    expect(await conflicts('run-u')).toEqual(expect.arrayContaining([expect.objectContaining({ reason: 'missing' })]));
  });

  it('is not released after it was undone', async () => {
    await perform(dropColumn(), status, contextOf('run-a'));
    await undo(dropColumn(), status, contextOf('run-u'), 'run-a');
    expect(
      await dropColumn().previewRelease?.(dropColumn().input.parse(status), releasing('p', 'run-a')),
    ).toMatchObject({ count: 0 });
    expect(await release(dropColumn(), status, releasing('run-r', 'run-a'))).toEqual({ cursor: null, done: 0 });
    expect(await db.sql('SELECT count(status)::int AS n FROM files')).toEqual([{ n: 5 }]);
  });
});

describe('postgres.drop-table', () => {
  const there = async () => (await db.sql(`SELECT to_regclass('files') IS NOT NULL AS t`))[0]?.t;
  const kept = () => db.sql(`SELECT nspname FROM pg_namespace WHERE nspname ~ '^tas_kept_'`);

  it('keeps the table aside with all that belongs to it, and undo and its undo go there and back', async () => {
    expect(await look(dropTable(), files)).toMatchObject({
      count: 1,
      undoClass: 'reversible-until',
      findings: [{ check: 'kept-aside', status: 'warning', count: 5 }],
    });
    expect(doneBy(await perform(dropTable(), files, contextOf('run-a', {}, { cap: 1 })))).toBe(1);
    expect(await there()).toBe(false);
    expect(doneBy(await perform(dropTable(), files, contextOf('run-b')))).toBe(0);
    expect(await undo(dropTable(), files, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0, missing: 0 });
    await db.sql(`INSERT INTO files (status) VALUES ('new')`);
    expect(await db.sql('SELECT max(id) AS n FROM files')).toEqual([{ n: 6 }]);
    expect(await kept()).toEqual([]);
    expect(await undo(dropTable(), files, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1 });
    expect(await there()).toBe(false);
    expect(await undo(dropTable(), files, contextOf('run-w'), 'run-v')).toMatchObject({ done: 1 });
    expect(await db.sql('SELECT count(*)::int AS n FROM files')).toEqual([{ n: 6 }]);
  });

  it('stays aside where the name is taken again', async () => {
    await perform(dropTable(), files, contextOf('run-a'));
    await db.sql(`CREATE TABLE files (id serial PRIMARY KEY); INSERT INTO files DEFAULT VALUES`);
    expect(await undo(dropTable(), files, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await conflicts('run-u')).toMatchObject([{ reason: 'value-taken' }]);
    expect(await columns()).toEqual(['id']);
    expect(await kept()).toHaveLength(1);
  });

  it('refuses while others refer to it', async () => {
    await db.sql('CREATE TABLE notes (file int REFERENCES files); CREATE VIEW shown AS SELECT id FROM files');
    const { findings } = await look(dropTable(), files);
    expect(findings[0]).toMatchObject({
      check: 'nothing-depends',
      status: 'failed',
      samples: ['constraint notes_file_fkey on table notes', 'view shown'],
    });
    await expect(perform(dropTable(), files, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    expect(await there()).toBe(true);
  });

  it('is given up for good by its release only', async () => {
    await perform(dropTable(), files, contextOf('run-a'));
    expect(await release(dropTable(), files, releasing('run-r', 'run-a'))).toEqual({ cursor: null, done: 1 });
    expect(await kept()).toEqual([]);
    expect(await undo(dropTable(), files, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, missing: 1 });
  });

  it('waits for its lock in short tries and then names who holds it', async () => {
    const holder = await db.connect();
    await holder.query('BEGIN; SELECT count(*) FROM files');
    const hurried = kindOf(db.second({ lockAttempts: 1 }), 'postgres.drop-table');
    await expect(perform(hurried, files, contextOf('run-a'))).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('idle in transaction'),
    });
    await holder.query('COMMIT');
    expect(doneBy(await perform(hurried, files, contextOf('run-a')))).toBe(1);
  });
});
