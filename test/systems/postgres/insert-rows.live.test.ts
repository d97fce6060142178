import { jest } from '@jest/globals';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, type OtherRecords, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const graph: OtherRecords = {
  Space: Array.from({ length: 10 }, (_, n) => ({ id: `space_${n}`, tenant_id: `tenant_${n}`, tags: ['a"b', 'c\\d'] })),
  User: [
    { id: 'u1', space_id: null },
    { id: 'u2', space_id: 'space_1' },
    { id: 'u3', space_id: null },
  ],
};
const input = {
  table: 'spaces',
  key: 'id',
  from: { system: 'graph', collection: 'Space', key: 'id' },
  columns: { tenant_id: 'tenant_id', tags: 'tags', origin: { value: 'graph' } },
};

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS notes, spaces;
    CREATE TABLE spaces (id text COLLATE "en-x-icu" PRIMARY KEY, tenant_id text, tags text[], origin text, made serial,
      shown text GENERATED ALWAYS AS (upper(id)) STORED);
    INSERT INTO spaces (id, tenant_id) VALUES ('space_3', 'mine'), ('space_7', 'mine'), ('Zed', 'mine')`);
});

const rows = () => db.sql('SELECT * FROM spaces ORDER BY id COLLATE "C"');
const insert = () => kindOf(db.system, 'postgres.insert-rows');

describe('postgres.insert-rows', () => {
  it('previews exactly what it then adds, and adds nothing the second time', async () => {
    const context = contextOf('run-a', graph);
    const preview = await insert().preview(insert().input.parse(input), context);
    expect(preview).toMatchObject({ count: 8, exact: true, findings: [], undoClass: 'reversible' });
    expect(preview.samples[0]).toMatchObject({ key: 'space_0', after: { tenant_id: 'tenant_0', origin: 'graph' } });
    expect(await db.sql(`SELECT to_regnamespace('tas_journal') AS made`)).toEqual([{ made: null }]);
    expect(doneBy(await perform(insert(), input, context))).toBe(8);
    expect((await rows()).find((row) => row.id === 'space_4')?.tags).toEqual(['a"b', 'c\\d']);
    expect((await rows()).find((row) => row.id === 'space_3')?.tenant_id).toBe('mine');
    expect(await insert().verify?.(insert().input.parse(input), context)).toMatchObject([{ status: 'passed' }]);
    expect(doneBy(await perform(insert(), input, contextOf('run-b', graph)))).toBe(0);
  });

  it('counts the sources that an earlier step is going to make', async () => {
    const previewFrom = { system: 'graph', collection: 'User', key: 'id', where: 'space_id' };
    const preview = await insert().preview({ ...input, previewFrom }, contextOf('run-a', graph));
    expect(preview).toMatchObject({ count: 10, keysHash: '' });
  });

  it('undoes, and undoes the undo to the very same rows', async () => {
    const before = await rows();
    await perform(insert(), input, contextOf('run-a', graph));
    const after = await rows();
    expect(await undo(insert(), input, contextOf('run-u'), 'run-a')).toMatchObject({ done: 8, kept: 0, missing: 0 });
    expect(await rows()).toEqual(before);
    expect(await undo(insert(), input, contextOf('run-v'), 'run-u')).toMatchObject({ done: 8, kept: 0, missing: 0 });
    expect(await rows()).toEqual(after);
    expect(await undo(insert(), input, contextOf('run-w'), 'run-v')).toMatchObject({ done: 8 });
    expect(await rows()).toEqual(before);
  });

  it('keeps rows that users changed or refer to, and tells of those that are gone', async () => {
    await perform(insert(), input, contextOf('run-a', graph));
    await db.sql(`CREATE TABLE notes (id int PRIMARY KEY, space_id text COLLATE "en-x-icu" REFERENCES spaces ON DELETE CASCADE);
      INSERT INTO notes VALUES (1, 'space_5'); UPDATE spaces SET origin = 'user' WHERE id = 'space_0';
      DELETE FROM spaces WHERE id = 'space_9'`);
    const held = contextOf(
      'run-u',
      {},
      {
        held: async (field, values) =>
          new Set(field.field === 'tenant_id' ? values.filter((value) => value === 'tenant_2') : []),
      },
    );
    const parsed = insert().input.parse(input);
    const preview = await insert().previewUndo?.(parsed, { ...held, undoes: { runId: 'run-a', stepId: 'data.step' } });
    expect(preview).toMatchObject({
      count: 4,
      findings: [
        {
          check: 'kept-by-undo',
          status: 'warning',
          count: 3,
          samples: expect.arrayContaining(['spaces space_0 origin: changed-since']),
        },
        { check: 'gone-before-undo', status: 'warning', count: 1, samples: ['spaces space_9 id: missing'] },
      ],
    });
    expect(await undo(insert(), input, held, 'run-a')).toMatchObject({ done: 4, kept: 3, missing: 1 });
    expect((await rows()).map((row) => row.id)).toEqual(['Zed', 'space_0', 'space_2', 'space_3', 'space_5', 'space_7']);
    expect(await db.sql('SELECT id FROM notes')).toHaveLength(1);
    const conflicts = await db.system.journal?.conflicts('run-u', 'data.step', 10);
    expect(conflicts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          key: 'space_0',
          field: 'origin',
          reason: 'changed-since',
          ours: 'graph',
          theirs: 'user',
        }),
        expect.objectContaining({ key: 'space_5', field: 'id', reason: 'referred-to' }),
        expect.objectContaining({ key: 'space_2', field: 'tenant_id', reason: 'referred-to' }),
        expect.objectContaining({ key: 'space_9', reason: 'missing' }),
      ]),
    );
    expect(conflicts).toHaveLength(4);
  });

  it('refuses tables whose triggers do more than the journal sees', async () => {
    await db.sql(`CREATE TABLE notes (id text);
      CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes VALUES (new.id); RETURN new; END';
      CREATE TRIGGER audit AFTER INSERT ON spaces FOR EACH ROW EXECUTE FUNCTION audit()`);
    const preview = await insert().preview(insert().input.parse(input), contextOf('run-a', graph));
    expect(preview.findings).toMatchObject([{ check: 'no-side-effects', status: 'failed', samples: ['audit'] }]);
  });

  it('fails beyond the approved count and keeps nothing of that batch', async () => {
    const capped = { ...contextOf('run-a', graph), cap: 4 };
    await expect(perform(insert(), input, capped)).rejects.toMatchObject({ code: 'over-cap' });
    expect(await rows()).toHaveLength(3 + 3);
  });

  it('names columns that must have a value and get none', async () => {
    await db.sql(
      'ALTER TABLE spaces ADD COLUMN owner text NOT NULL DEFAULT 1; ALTER TABLE spaces ALTER owner DROP DEFAULT',
    );
    const preview = await insert().preview(insert().input.parse(input), contextOf('run-a', graph));
    expect(preview.findings).toMatchObject([{ check: 'columns-writable', samples: ['owner'] }]);
  });

  it('names keys that the table cannot hold before anything changes', async () => {
    await db.sql('CREATE TABLE notes (id uuid PRIMARY KEY)');
    const preview = await insert().preview({ ...input, table: 'notes', columns: {} }, contextOf('run-a', graph));
    expect(preview.findings).toMatchObject([
      { check: 'columns-writable', status: 'failed', samples: expect.arrayContaining(['space_0']) },
    ]);
  });
});
