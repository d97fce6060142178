import { jest } from '@jest/globals';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, type OtherRecords, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
const graph: OtherRecords = {
  Document: [1, 2, 3, 4, 5, 6].map((n) => ({ job: id(n), space_id: n === 6 ? null : `space_${n}`, size: n * 10 })),
};
const byLookup = {
  table: 'files',
  key: 'id',
  where: 'space_id IS NULL',
  lookup: { system: 'graph', collection: 'Document', by: 'job', match: 'id' },
  columns: { space_id: 'space_id' },
};
const byExpression = {
  table: 'files',
  key: 'id',
  where: "path LIKE 'p%'",
  columns: { space_id: "'space_' || nullif(right(path, 1), '8')", size: 'coalesce(size, 7)' },
};

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS audit, files CASCADE;
    CREATE TABLE files (id uuid PRIMARY KEY, path text, space_id text, size bigint);
    INSERT INTO files (id, path) SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'p' || n FROM generate_series(1, 8) n;
    UPDATE files SET space_id = 'own' WHERE path = 'p2'`);
});

const rows = () => db.sql('SELECT path, space_id, size FROM files ORDER BY id');
const backfill = () => kindOf(db.system, 'postgres.backfill-column');
const preview = (input: object, others = graph) =>
  backfill().preview(backfill().input.parse(input), contextOf('run-a', others));

describe('postgres.backfill-column from another system', () => {
  it('previews exactly, fills only what is missing and found, and nothing the second time', async () => {
    const seen = await preview(byLookup);
    expect(seen).toMatchObject({ count: 4, exact: true, findings: [] });
    expect(seen.samples[0]).toEqual({
      collection: 'files',
      key: id(1),
      before: { space_id: null },
      after: { space_id: 'space_1' },
    });
    expect(doneBy(await perform(backfill(), byLookup, contextOf('run-a', graph)))).toBe(4);
    const spaces = (await rows()).map((row) => row.space_id);
    expect(spaces).toEqual(['space_1', 'own', 'space_3', 'space_4', 'space_5', null, null, null]);
    expect(await backfill().verify?.(backfill().input.parse(byLookup), contextOf('x', graph))).toMatchObject([
      { status: 'passed' },
    ]);
    expect(doneBy(await perform(backfill(), byLookup, contextOf('run-b', graph)))).toBe(0);
  });

  it('previews a column that an earlier step adds, and values that an earlier step writes', async () => {
    await db.sql('ALTER TABLE files DROP COLUMN space_id');
    expect(await preview(byLookup)).toMatchObject({ count: 5 });
    const empty = { Document: (graph.Document ?? []).map((record) => ({ ...record, space_id: null })) };
    const previewFrom = { system: 'graph', collection: 'Document', key: 'job', where: 'space_id' };
    expect(await preview({ ...byLookup, previewFrom }, empty)).toMatchObject({ count: 6, keysHash: '' });
  });

  it('writes numbers into columns of their type, and sees two spellings of one value as no change', async () => {
    const input = { ...byLookup, where: 'true', columns: { size: 'size' } };
    expect(doneBy(await perform(backfill(), input, contextOf('run-a', graph)))).toBe(6);
    expect(await preview(input)).toMatchObject({ count: 0 });
  });
});

describe('postgres.backfill-column from texts with fields of another system', () => {
  const byTemplate = {
    ...byLookup,
    where: "path ~ '^p'",
    columns: { path: 's3://bucket/{space_id}/{size}/{path:last}', space_id: '{space_id}' },
  };
  const documents = {
    Document: (graph.Document ?? []).map((record) => ({ ...record, path: `old/${record.space_id}.txt` })),
  };

  it('previews what it fills in, and leaves rows alone of which a field has no value', async () => {
    const seen = await preview(byTemplate, documents);
    expect(seen.count).toBe(5);
    expect(seen.samples[0]).toMatchObject({
      before: { path: 'p1', space_id: null },
      after: { path: 's3://bucket/space_1/10/space_1.txt', space_id: 'space_1' },
    });
    const before = await rows();
    expect(doneBy(await perform(backfill(), byTemplate, contextOf('run-a', documents)))).toBe(5);
    expect((await rows()).slice(4, 6).map((row) => row.path)).toEqual(['s3://bucket/space_5/50/space_5.txt', 'p6']);
    expect(doneBy(await perform(backfill(), byTemplate, contextOf('run-b', documents)))).toBe(0);
    await undo(backfill(), byTemplate, contextOf('undo-a'), 'run-a');
    expect(await rows()).toEqual(before);
  });
});

describe('postgres.backfill-column by an expression', () => {
  it('writes only columns that get a value, and the undo brings the table back exactly', async () => {
    const before = await rows();
    expect(await preview(byExpression)).toMatchObject({ count: 8 });
    expect(doneBy(await perform(backfill(), byExpression, contextOf('run-a')))).toBe(8);
    const after = await rows();
    expect(after[7]).toEqual({ path: 'p8', space_id: null, size: '7' });
    expect(await undo(backfill(), byExpression, contextOf('run-u'), 'run-a')).toMatchObject({
      done: 8,
      kept: 0,
      missing: 0,
    });
    expect(await rows()).toEqual(before);
    expect(await undo(backfill(), byExpression, contextOf('run-v'), 'run-u')).toMatchObject({ done: 8, kept: 0 });
    expect(await rows()).toEqual(after);
  });

  it('refuses a predicate that the server cannot read, volatile functions and second statements', async () => {
    for (const where of [
      'nothing_here = 1',
      'true) OR (true',
      'true; DROP TABLE files',
      'pg_terminate_backend(1)',
      "set_config('a.b','c',true) = ''",
    ]) {
      await expect(preview({ ...byExpression, where })).rejects.toMatchObject({ code: 'invalid-statement' });
    }
  });

  it('refuses triggers that write elsewhere, and lets those through that only compute the row', async () => {
    await db.sql(`ALTER TABLE files ADD touched timestamptz;
      CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.touched := now(); RETURN new; END';
      CREATE TRIGGER touch BEFORE UPDATE ON files FOR EACH ROW EXECUTE FUNCTION touch()`);
    expect((await preview(byExpression)).findings).toEqual([]);
    await db.sql(`CREATE TABLE audit (id uuid);
      CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (new.id); RETURN new; END';
      CREATE TRIGGER tell AFTER UPDATE ON files FOR EACH ROW EXECUTE FUNCTION tell()`);
    expect((await preview(byExpression)).findings).toMatchObject([{ check: 'no-side-effects', samples: ['tell'] }]);
    await expect(perform(backfill(), byExpression, contextOf('run-a'))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
  });
});

describe('undo of postgres.backfill-column', () => {
  const undoA = (changes = {}) => undo(backfill(), byExpression, contextOf('run-u', {}, changes), 'run-a');
  const conflicts = () => db.system.journal?.conflicts('run-u', 'data.step', 20);

  beforeEach(async () => {
    await perform(backfill(), byExpression, contextOf('run-a'));
  });

  it('keeps what users wrote since, field by field, and restores the rest', async () => {
    await db.sql(`UPDATE files SET space_id = 'user' WHERE path = 'p1'; DELETE FROM files WHERE path = 'p3'`);
    expect(await undoA()).toMatchObject({ done: 7, kept: 1, missing: 1 });
    expect((await rows())[0]).toEqual({ path: 'p1', space_id: 'user', size: null });
    expect(await conflicts()).toEqual(
      expect.arrayContaining([
        {
          collection: 'files',
          key: id(1),
          field: 'space_id',
          reason: 'changed-since',
          base: null,
          ours: 'space_1',
          theirs: 'user',
        },
        {
          collection: 'files',
          key: id(3),
          field: 'space_id',
          reason: 'missing',
          base: null,
          ours: 'space_3',
          theirs: null,
        },
      ]),
    );
  });

  it('keeps values that newer records refer to, and the fields that are coupled with them', async () => {
    const coupled = [['space_id', 'size'].map((field) => ({ system: 'relational', collection: 'files', field }))];
    const held = async (field: { field: string }, values: readonly string[]) =>
      new Set(field.field === 'space_id' ? values.filter((value) => value === 'space_4') : []);
    expect(await undoA({ held, coupled })).toMatchObject({ done: 7, kept: 2 });
    expect((await rows())[3]).toEqual({ path: 'p4', space_id: 'space_4', size: '7' });
    expect((await conflicts())?.map(({ field, reason }) => [field, reason])).toEqual([
      ['space_id', 'referred-to'],
      ['size', 'coupled'],
    ]);
  });

  it('keeps a field that is coupled with one which another step of the run wrote', async () => {
    await db.sql('ALTER TABLE files ADD tenant text');
    const other = { table: 'files', key: 'id', where: "path = 'p5'", columns: { tenant: "'t5'" } };
    await perform(backfill(), other, { ...contextOf('run-a'), stepId: 'data.other' });
    await db.sql(`UPDATE files SET space_id = 'user' WHERE path = 'p5'`);
    const coupled = [['space_id', 'tenant'].map((field) => ({ system: 'relational', collection: 'files', field }))];
    const context = { ...contextOf('run-u', {}, { coupled }), stepId: 'data.other' };
    expect(await undo(backfill(), other, context, 'run-a')).toMatchObject({ done: 0, kept: 1 });
    expect(await db.system.journal?.conflicts('run-u', 'data.other', 9)).toMatchObject([
      { field: 'tenant', reason: 'coupled' },
    ]);
  });

  it('tells who holds a value that cannot come back, and restores all others', async () => {
    await db.sql('CREATE UNIQUE INDEX one_size ON files (size) WHERE size > 7');
    const numbered = { ...byExpression, columns: { size: 'right(path, 1)::bigint + 100' } };
    await perform(backfill(), numbered, contextOf('run-n'));
    await perform(backfill(), { ...numbered, columns: { size: 'size + 100' } }, contextOf('run-m'));
    await db.sql(`INSERT INTO files VALUES ('${id(9)}', 'q9', null, 104)`);
    expect(await undo(backfill(), numbered, contextOf('run-u'), 'run-m')).toMatchObject({ done: 7, kept: 1 });
    expect(await conflicts()).toMatchObject([
      { key: id(4), field: 'size', reason: 'value-taken', theirs: { value: '204', holder: id(9) } },
    ]);
    expect((await rows()).map((row) => row.size)).toEqual([
      '101',
      '102',
      '103',
      '204',
      '105',
      '106',
      '107',
      '108',
      '104',
    ]);
  });
});
