import { jest } from '@jest/globals';
import { asAdmin, createFreshDatabase, type FreshDatabase, systemAt } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const rename = { table: 'files', from: 'owner', to: 'owner_id' };
const drop = { table: 'files', column: 'owner' };

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS files CASCADE;
    DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM pg_proc WHERE proname ~ '^_tas_mirror_' LOOP
      EXECUTE 'DROP FUNCTION ' || f; END LOOP; END $$;
    CREATE TABLE files (id int PRIMARY KEY, owner numeric NOT NULL DEFAULT 7, name text);
    INSERT INTO files SELECT n, n + 0.10 FROM generate_series(1, 10) n`);
});

const renameColumn = () => kindOf(db.system, 'postgres.rename-column');
const dropColumn = () => kindOf(db.system, 'postgres.drop-column');
const rows = (columns = '*', where = 'true') => db.sql(`SELECT ${columns} FROM files WHERE ${where} ORDER BY id`);
const columns = async () =>
  (
    await db.sql(
      `SELECT attname AS n FROM pg_attribute WHERE attrelid = 'files'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1`,
    )
  ).map((row) => String(row.n).replace(/_tas_kept_[0-9a-f]{6}_/, '_tas_kept_…_'));
const triggers = () => db.sql(`SELECT tgname FROM pg_trigger WHERE tgrelid = 'files'::regclass`);
const functions = () => db.sql(`SELECT proname FROM pg_proc WHERE proname ~ '^_tas_mirror_'`);
const table = () =>
  db.sql(`SELECT pg_get_expr(adbin, adrelid) AS d, attname AS n, attnotnull AS full FROM pg_attribute
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'files'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 2`);
const conflicts = (run: string) => db.system.journal?.conflicts(run, 'data.step', 9);

describe('postgres.rename-column', () => {
  it('previews what it fills, keeps both names equal whoever writes which, and undo loses nothing written to either', async () => {
    const before = await rows();
    const preview = await renameColumn().preview(renameColumn().input.parse(rename), contextOf('p'));
    expect(preview).toMatchObject({ count: 11, exact: true, findings: [], undoClass: 'reversible' });
    expect(doneBy(await perform(renameColumn(), rename, contextOf('run-a', {}, { cap: 11 })))).toBe(11);
    expect(await rows('id, owner, owner_id AS name')).toEqual(before.map((row) => ({ ...row, name: row.owner })));
    const verified = await renameColumn().verify?.(renameColumn().input.parse(rename), contextOf('x'));
    expect(verified?.map(({ status }) => status)).toEqual(['passed', 'passed']);

    await db.sql(`INSERT INTO files (id, owner) VALUES (11, 1.50); INSERT INTO files (id, owner_id) VALUES (12, 2.5);
      INSERT INTO files (id) VALUES (13); UPDATE files SET owner = 20 WHERE id = 1; UPDATE files SET owner_id = 30 WHERE id = 2;
      UPDATE files SET name = 'x' WHERE id = 3; UPDATE files SET owner_id = 3.100 WHERE id = 3; UPDATE files SET owner = 8, owner_id = 9 WHERE id = 4`);
    const now = await rows('id, owner::text, owner_id::text', 'id IN (1, 2, 3, 4) OR id > 10');
    expect(now.map((row) => [row.id, row.owner, row.owner_id])).toEqual([
      [1, '20', '20'],
      [2, '30', '30'],
      [3, '3.100', '3.100'],
      [4, '9', '9'],
      [11, '1.50', '1.50'],
      [12, '2.5', '2.5'],
      [13, '7', '7'],
    ]);

    expect(doneBy(await perform(renameColumn(), rename, contextOf('run-b')))).toBe(0);
    expect(await undo(renameColumn(), rename, contextOf('run-x'), 'run-b')).toMatchObject({ done: 0 });
    expect(await columns()).toContain('owner_id');
    const last = await rows('id, owner::text, name');
    expect(await undo(renameColumn(), rename, contextOf('run-u'), 'run-a')).toMatchObject({
      done: 1,
      kept: 0,
      missing: 0,
    });
    expect(await columns()).toEqual(['id', 'name', 'owner']);
    expect(await rows('id, owner::text, name')).toEqual(last);
    expect([await triggers(), await functions()]).toEqual([[], []]);
    expect(await undo(renameColumn(), rename, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await rows('id', 'owner::text IS DISTINCT FROM owner_id::text')).toEqual([]);
    expect(await triggers()).toHaveLength(1);
  });

  it('loses no write of applications that go on while it fills, and fills every row', async () => {
    await db.sql('INSERT INTO files SELECT n FROM generate_series(101, 400) n');
    const [old, young] = [await db.connect(), await db.connect()];
    const writing = [1, 2, 3].map(async (n) => {
      for (let id = 101; id < 200; id += 3) await old.query('UPDATE files SET owner = $1 WHERE id = $2', [n, id]);
    });
    const performing = perform(renameColumn(), rename, contextOf('run-a'), 20);
    const answers = await performing;
    for (let id = 102; id < 200; id += 3) await young.query('UPDATE files SET owner_id = 5000 WHERE id = $1', [id]);
    await Promise.all(writing);
    expect(answers.at(-1)?.cursor).toBeNull();
    expect(await rows('id', 'owner::text IS DISTINCT FROM owner_id::text')).toEqual([]);
    expect(await rows('DISTINCT owner::int AS o, 1 AS id', 'id > 100 AND id < 200 AND id % 3 = 0')).toEqual([
      { o: 5000, id: 1 },
    ]);
  });

  it('is carried out and undone by an owner who is no superuser', async () => {
    await db.sql(
      `DROP ROLE IF EXISTS owner_only; CREATE ROLE owner_only LOGIN PASSWORD 'o'; ALTER TABLE files OWNER TO owner_only`,
    );
    await asAdmin(db.url, `GRANT CREATE ON DATABASE ${db.name} TO owner_only`);
    const system = systemAt(db.at({ user: 'owner_only', password: 'o' }));
    try {
      const kind = kindOf(system, 'postgres.rename-column');
      const [found] = (await kind.preview(kind.input.parse(rename), contextOf('p'))).findings;
      expect(found).toMatchObject({ check: 'rights', samples: ['CREATE'] });
      await db.sql(/GRANT [^;]*;/.exec(found?.advice ?? '')?.[0] ?? 'no statement');
      expect(doneBy(await perform(kind, rename, contextOf('run-a')))).toBe(11);
      const table = kindOf(system, 'postgres.drop-table');
      expect(doneBy(await perform(table, { table: 'files' }, contextOf('run-t')))).toBe(1);
      expect(await undo(table, { table: 'files' }, contextOf('run-tu'), 'run-t')).toMatchObject({ done: 1 });
      expect(doneBy(await perform(kindOf(system, 'postgres.drop-column'), drop, contextOf('run-b')))).toBe(1);
      expect(await undo(kindOf(system, 'postgres.drop-column'), drop, contextOf('run-u'), 'run-b')).toMatchObject({
        done: 1,
      });
      expect(await undo(kind, rename, contextOf('run-v'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
      expect(await columns()).toEqual(['id', 'name', 'owner']);
    } finally {
      await system.close();
      await db.sql('DROP OWNED BY owner_only CASCADE; DROP ROLE owner_only');
    }
  });

  it('answers again what it answered when a batch is called again, and its undo from the middle leaves nothing', async () => {
    const input = renameColumn().input.parse(rename);
    const other = kindOf(db.second(), 'postgres.rename-column');
    const first = { index: 0, cursor: null, done: 0, size: 4 };
    const begun = await renameColumn().performBatch(input, first, contextOf('run-a'));
    expect(await other.performBatch(input, first, contextOf('run-a'))).toEqual(begun);
    const second = { index: 1, cursor: begun.cursor, done: 1, size: 4 };
    expect(await other.performBatch(input, second, contextOf('run-a'))).toEqual({ cursor: { after: '4' }, done: 4 });
    expect(await other.performBatch(input, second, contextOf('run-a'))).toEqual({ cursor: { after: '4' }, done: 4 });
    // A row that was not reached yet bears the old name's value alone, and that one is never lost.
    await db.sql(`UPDATE files SET name = 'y' WHERE id = 9; UPDATE files SET owner_id = 5 WHERE id = 10`);
    expect(await rows('owner::text, owner_id::text', 'id > 8')).toEqual([
      { owner: '9.10', owner_id: '9.10' },
      { owner: '5', owner_id: '5' },
    ]);
    // Rows that were not reached differ: undo must not take them for writes past the trigger.
    await undo(renameColumn(), rename, contextOf('run-u'), 'run-a');
    expect(await columns()).toEqual(['id', 'name', 'owner']);
  });

  it('keeps the new column where others wrote past the trigger or built upon it', async () => {
    await perform(renameColumn(), rename, contextOf('run-a'));
    await db.sql('CREATE VIEW shown AS SELECT owner_id FROM files');
    expect(await undo(renameColumn(), rename, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await conflicts('run-u')).toMatchObject([{ reason: 'referred-to', theirs: 'view shown' }]);
    await db.sql(
      `DROP VIEW shown; SET session_replication_role = replica; UPDATE files SET owner_id = 99 WHERE id = 5`,
    );
    const undoes = { runId: 'run-a', stepId: 'data.step' };
    expect(
      await renameColumn().previewUndo?.(renameColumn().input.parse(rename), contextOf('p', {}, { undoes })),
    ).toMatchObject({
      count: 0,
      findings: [{ check: 'kept-by-undo', count: 1, samples: ['files owner owner: changed-since'] }],
    });
    expect(await undo(renameColumn(), rename, contextOf('run-w'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await rows('owner_id::int', 'id = 5')).toEqual([{ owner_id: 99 }]);
    expect(await triggers()).toHaveLength(1);
  });

  it('refuses a name that is taken, a table without a key, and warns of what is not copied', async () => {
    const look = (input: object) => renameColumn().preview(renameColumn().input.parse(input), contextOf('p'));
    expect((await look({ ...rename, to: 'name' })).findings).toMatchObject([
      { check: 'rename-possible', status: 'failed' },
    ]);
    await db.sql('CREATE INDEX by_owner ON files (owner); CREATE TABLE keyless (a int)');
    expect((await look(rename)).findings).toMatchObject([
      { check: 'not-copied', status: 'warning', samples: ['index by_owner'] },
    ]);
    expect((await look({ table: 'keyless', from: 'a', to: 'b' })).findings).toMatchObject([
      { check: 'rename-possible' },
    ]);
    await db.sql('DROP TABLE keyless');
  });

  it('lets other steps write to the mirrored table: our own trigger is no side effect', async () => {
    await perform(renameColumn(), rename, contextOf('run-a'));
    const backfill = kindOf(db.system, 'postgres.backfill-column');
    const input = { table: 'files', key: 'id', where: 'id < 4', columns: { owner_id: '100' } };
    expect((await backfill.preview(input, contextOf('p'))).findings).toEqual([]);
    expect(doneBy(await perform(backfill, input, contextOf('run-b')))).toBe(3);
    expect(await rows('owner::int', 'id < 4')).toEqual([{ owner: 100 }, { owner: 100 }, { owner: 100 }]);
    expect(await undo(backfill, input, contextOf('run-u'), 'run-b')).toMatchObject({ done: 3, kept: 0 });
    expect(await rows('owner::text', 'id = 1')).toEqual([{ owner: '1.10' }]);
  });
});

describe('postgres.drop-column after postgres.rename-column', () => {
  beforeEach(async () => {
    await perform(renameColumn(), rename, contextOf('run-a'));
  });

  it('takes trigger and old name away; undo brings both back with what was written to the new name since', async () => {
    const before = await table();
    const preview = await dropColumn().preview(dropColumn().input.parse(drop), contextOf('p'));
    expect(preview).toMatchObject({
      count: 1,
      undoClass: 'reversible-until',
      findings: [{ check: 'kept-aside', status: 'warning', count: 10 }],
    });
    expect(doneBy(await perform(dropColumn(), drop, contextOf('run-b', {}, { cap: 1 })))).toBe(1);
    expect(await columns()).toEqual(['_tas_kept_…_owner', 'id', 'name', 'owner_id']);
    expect([await triggers(), await functions()]).toEqual([[], []]);
    await db.sql(`INSERT INTO files (id) VALUES (11); INSERT INTO files (id, owner_id) VALUES (12, 1.20);
      UPDATE files SET owner_id = 55 WHERE id = 1; DELETE FROM files WHERE id = 2`);
    expect(await rows('owner_id::text', 'id = 11')).toEqual([{ owner_id: '7' }]);

    expect(await undo(dropColumn(), drop, contextOf('run-u'), 'run-b')).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await rows('id, owner::text', 'id IN (1, 3) OR id > 10')).toEqual([
      { id: 1, owner: '55' },
      { id: 3, owner: '3.10' },
      { id: 11, owner: '7' },
      { id: 12, owner: '1.20' },
    ]);
    expect(await rows('id', 'owner::text IS DISTINCT FROM owner_id::text')).toEqual([]);
    expect(await table()).toEqual(before);
    await db.sql('INSERT INTO files (id, owner) VALUES (20, 1); INSERT INTO files (id, owner_id) VALUES (21, 2)');
    expect(await rows('owner::int, owner_id::int', 'id > 19')).toEqual([
      { owner: 1, owner_id: 1 },
      { owner: 2, owner_id: 2 },
    ]);

    expect(await undo(dropColumn(), drop, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1, kept: 0 });
    expect(await columns()).toEqual(['_tas_kept_…_owner', 'id', 'name', 'owner_id']);
    expect(await undo(dropColumn(), drop, contextOf('run-w'), 'run-v')).toMatchObject({ done: 1, kept: 0 });
    expect(await undo(renameColumn(), rename, contextOf('run-z'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await columns()).toEqual(['id', 'name', 'owner']);
    expect(await rows('owner::text', 'id = 1')).toEqual([{ owner: '55' }]);
  });

  it('is never undone in the wrong order: the rename stays while its second half stands', async () => {
    await perform(dropColumn(), drop, contextOf('run-b'));
    expect(await undo(renameColumn(), rename, contextOf('run-u'), 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await columns()).toContain('owner_id');
    expect(dropColumn().writes?.(drop)).toEqual([{ collection: 'files', field: 'owner' }]);
    expect(renameColumn().writes?.(renameColumn().input.parse(rename))).toContainEqual({
      collection: 'files',
      field: 'owner',
    });
  });

  it('never writes into a column of others that has taken the old name', async () => {
    await perform(dropColumn(), drop, contextOf('run-b'));
    await db.sql('ALTER TABLE files ADD owner numeric DEFAULT 1; UPDATE files SET owner_id = 500');
    expect(await undo(dropColumn(), drop, contextOf('run-u'), 'run-b')).toMatchObject({ done: 0 });
    expect(await db.sql('SELECT DISTINCT owner::int, owner_id::int FROM files')).toEqual([{ owner: 1, owner_id: 500 }]);
    expect(await conflicts('run-u')).toEqual(
      expect.arrayContaining([expect.objectContaining({ reason: 'value-taken' })]),
    );
  });

  it('refuses where the two differ, and nothing is half done', async () => {
    await db.sql(`SET session_replication_role = replica; UPDATE files SET owner_id = 99 WHERE id = 5`);
    const preview = await dropColumn().preview(dropColumn().input.parse(drop), contextOf('p'));
    expect(preview.findings[0]).toMatchObject({ check: 'columns-equal', status: 'failed' });
    await expect(perform(dropColumn(), drop, contextOf('run-b'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    expect(await triggers()).toHaveLength(1);
  });

  it('is undone from where it was killed, with what was written between', async () => {
    const input = dropColumn().input.parse(drop);
    let cursor = (
      await dropColumn().performBatch(input, { index: 0, cursor: null, done: 0, size: 4 }, contextOf('run-b'))
    ).cursor;
    await db.sql(
      `UPDATE files SET owner = 41 WHERE id = 1; UPDATE files SET owner_id = 42 WHERE id = 2; INSERT INTO files (id) VALUES (11)`,
    );
    cursor = (await dropColumn().performBatch(input, { index: 1, cursor, done: 0, size: 4 }, contextOf('run-b')))
      .cursor;
    expect(cursor).toEqual({ walk: '4' });
    await undo(dropColumn(), drop, contextOf('run-u'), 'run-b');
    expect(await rows('owner::text, owner_id::text', 'id IN (1, 2, 11)')).toEqual([
      { owner: '41', owner_id: '41' },
      { owner: '42', owner_id: '42' },
      { owner: '7', owner_id: '7' },
    ]);
    const owner = (await table()).find(({ n }) => n === 'owner');
    expect(owner).toMatchObject({ d: '7', full: true });
  });
});
