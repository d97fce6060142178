import { jest } from '@jest/globals';
import type { Json } from '../../../src/shared/json.ts';
import type { Conflict, StepKind, UndoBatchResult, UndoContext } from '../../../src/systems/system.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, kindOf, type OtherRecords, perform, undo } from './step-life.ts';

jest.setTimeout(60_000);

let db: FreshDatabase;
const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

beforeAll(async () => {
  db = await createFreshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.sql(`DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP TABLE IF EXISTS rooms, files, spaces CASCADE;
    CREATE TABLE files (id uuid PRIMARY KEY, path text, space_id text, size bigint);
    INSERT INTO files SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'p' || n, 'old' || n FROM generate_series(1, 8) n;
    CREATE TABLE spaces (id text PRIMARY KEY, name text, loud text GENERATED ALWAYS AS (upper(name)) STORED)`);
});

const fill = {
  table: 'files',
  key: 'id',
  where: 'true',
  columns: { space_id: "replace(space_id, 'old', 'space_')", size: 'coalesce(size, 7)' },
};
const backfill = () => kindOf(db.system, 'postgres.backfill-column');
const files = () => db.sql('SELECT path, space_id, size FROM files ORDER BY id');
const spaceIds = async () => (await files()).map((row) => row.space_id);
const conflicts = (run: string): Promise<readonly Conflict[]> =>
  db.system.journal?.conflicts(run, 'data.step', 20) ?? Promise.resolve([]);

/** The context of a run that takes these conflicts, each as `Collection.field:key`. */
function taking(run: string, names: readonly string[], changes: Partial<UndoContext> = {}): UndoContext {
  const force = (collection: string, key: string, field: string) => names.includes(`${collection}.${field}:${key}`);
  return contextOf(run, {}, { ...changes, force });
}

async function previewOf(kind: StepKind, input: Json, context: UndoContext, undone: string) {
  const preview = await kind.previewUndo?.(kind.input.parse(input), {
    ...context,
    undoes: { runId: undone, stepId: context.stepId },
  });
  if (!preview) throw new Error('no undo');
  return preview;
}

describe('a conflict of postgres.backfill-column that is taken', () => {
  const one = [`files.space_id:${id(1)}`];
  const take = (names = one, changes: Partial<UndoContext> = {}): Promise<UndoBatchResult> =>
    undo(backfill(), fill, taking('run-t', names, changes), 'run-a');

  beforeEach(async () => {
    await perform(backfill(), fill, contextOf('run-a'));
    await db.sql(`UPDATE files SET space_id = 'theirs' || right(path, 1) WHERE path IN ('p1', 'p2', 'p6')`);
    expect(await undo(backfill(), fill, contextOf('run-u'), 'run-a')).toMatchObject({ done: 8, kept: 3 });
    expect(await spaceIds()).toEqual(['theirs1', 'theirs2', 'old3', 'old4', 'old5', 'theirs6', 'old7', 'old8']);
  });

  it('goes back alone; what others wrote elsewhere stays, and is not told again', async () => {
    expect(await previewOf(backfill(), fill, taking('run-t', one), 'run-a')).toMatchObject({
      count: 1,
      kept: { counts: {} },
      findings: [],
      samples: [{ collection: 'files', key: id(1), before: { space_id: 'theirs1' }, after: { space_id: 'old1' } }],
    });
    expect(await take()).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await spaceIds()).toEqual(['old1', 'theirs2', 'old3', 'old4', 'old5', 'theirs6', 'old7', 'old8']);
    expect(await conflicts('run-t')).toEqual([]);
  });

  it('comes back with what others wrote when the take is undone, unless that changed since', async () => {
    await take([...one, `files.space_id:${id(6)}`]);
    await db.sql(`UPDATE files SET space_id = 'latest' WHERE path = 'p6'`);
    expect(await undo(backfill(), fill, contextOf('run-b'), 'run-t')).toMatchObject({ done: 1, kept: 1 });
    expect(await spaceIds()).toEqual(['theirs1', 'theirs2', 'old3', 'old4', 'old5', 'latest', 'old7', 'old8']);
    expect(await conflicts('run-b')).toMatchObject([
      { key: id(6), field: 'space_id', reason: 'changed-since', base: 'theirs6', ours: 'old6', theirs: 'latest' },
    ]);
    expect(await undo(backfill(), fill, contextOf('run-c'), 'run-b')).toMatchObject({ done: 1, kept: 0 });
    expect((await spaceIds())[0]).toBe('old1');
  });

  it('is written once by two processes, or by one that was killed after it', async () => {
    const kind = backfill();
    const other = db.second();
    const second = kindOf(other, kind.name);
    const context = { ...taking('run-t', one), undoes: { runId: 'run-a', stepId: 'data.step' } };
    const last = { index: 2, cursor: 2, done: 0, size: 3 };
    const both = await Promise.all(
      [kind, second].map((each) => each.undoBatch?.(each.input.parse(fill), last, context)),
    );
    expect(both[0]).toMatchObject({ done: 1, cursor: null });
    expect(both[1]).toEqual(both[0]);
    await db.sql(`UPDATE files SET space_id = 'again' WHERE path = 'p1'`);
    expect(await second.undoBatch?.(second.input.parse(fill), last, context)).toEqual(both[0]);
    expect((await spaceIds())[0]).toBe('again');
  });

  it('stays where another record holds its unique value by now, and names the holder', async () => {
    await db.sql(`CREATE UNIQUE INDEX one_space ON files (space_id);
      INSERT INTO files VALUES ('${id(9)}', 'p9', 'old1')`);
    expect(await take()).toMatchObject({ done: 0, kept: 1 });
    expect(await conflicts('run-t')).toMatchObject([
      { key: id(1), reason: 'value-taken', base: 'old1', theirs: { value: 'theirs1', holder: id(9) } },
    ]);
    expect((await spaceIds())[0]).toBe('theirs1');
  });

  it('stays where newer records refer to what the run wrote, and where its value is the one of before', async () => {
    await db.sql(
      `UPDATE files SET space_id = 'space_1' WHERE path = 'p1'; UPDATE files SET space_id = 'old2' WHERE path = 'p2'`,
    );
    const held = async (_: unknown, values: readonly string[]) => new Set(values);
    const names = [...one, `files.space_id:${id(2)}`];
    expect(await take(names, { held })).toMatchObject({ done: 0, kept: 1 });
    expect(await conflicts('run-t')).toMatchObject([{ key: id(1), reason: 'referred-to' }]);
  });

  it('is told as missing where the record is gone', async () => {
    await db.sql(`DELETE FROM files WHERE path = 'p1'`);
    expect(await previewOf(backfill(), fill, taking('run-t', one), 'run-a')).toMatchObject({
      count: 0,
      kept: { counts: { missing: 1 } },
    });
    expect(await take()).toMatchObject({ done: 0, kept: 0, missing: 1 });
  });

  it('stays where it is coupled with a field that is not taken, also of another step', async () => {
    const coupled = [
      ['space_id', 'size', 'tenant'].map((field) => ({ system: 'relational', collection: 'files', field })),
    ];
    await db.sql(`UPDATE files SET size = 99 WHERE path = 'p1'`);
    expect(await take(one, { coupled })).toMatchObject({ done: 0, kept: 1 });
    expect(await conflicts('run-t')).toMatchObject([{ key: id(1), field: 'space_id', reason: 'coupled' }]);
    const both = taking('run-v', [...one, `files.size:${id(1)}`], { coupled });
    expect(await undo(backfill(), fill, both, 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect((await files())[0]).toEqual({ path: 'p1', space_id: 'old1', size: null });

    await db.sql('ALTER TABLE files ADD tenant text');
    const other = { table: 'files', key: 'id', where: 'true', columns: { tenant: "'t'" } };
    await perform(backfill(), other, { ...contextOf('run-a'), stepId: 'data.other' });
    const two = taking('run-w', [`files.space_id:${id(2)}`], { coupled });
    expect(await undo(backfill(), fill, two, 'run-a')).toMatchObject({ done: 0, kept: 1 });
    await db.sql(`UPDATE files SET tenant = null WHERE path = 'p2'`);
    const again = taking('run-x', [`files.space_id:${id(2)}`], { coupled });
    expect(await undo(backfill(), fill, again, 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect((await spaceIds())[1]).toBe('old2');
  });
});

describe('a row of postgres.insert-rows that is taken', () => {
  const graph: OtherRecords = { Space: [1, 2, 3].map((n) => ({ id: `s${n}`, name: `n${n}` })) };
  const insert = {
    table: 'spaces',
    key: 'id',
    from: { system: 'graph', collection: 'Space', key: 'id' },
    columns: { name: 'name' },
  };
  const kind = () => kindOf(db.system, 'postgres.insert-rows');
  const spaces = () => db.sql('SELECT id, name, loud FROM spaces ORDER BY id');
  const take = (run: string, names: readonly string[]) => undo(kind(), insert, taking(run, names), 'run-a');

  beforeEach(async () => {
    await perform(kind(), insert, contextOf('run-a', graph));
    await db.sql(`UPDATE spaces SET name = 'theirs' WHERE id IN ('s1', 's2')`);
    expect(await undo(kind(), insert, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 2 + 2 });
  });

  it('goes whole, by its key alone, and its undo brings back what others wrote into it', async () => {
    expect(await take('run-n', ['spaces.name:s1'])).toMatchObject({ done: 0, kept: 0 });
    expect(await take('run-t', ['spaces.id:s1'])).toMatchObject({ done: 1, kept: 0 });
    expect(await spaces()).toEqual([{ id: 's2', name: 'theirs', loud: 'THEIRS' }]);
    expect(await undo(kind(), insert, contextOf('run-b'), 'run-t')).toMatchObject({ done: 1, kept: 0 });
    expect(await spaces()).toEqual(['s1', 's2'].map((key) => ({ id: key, name: 'theirs', loud: 'THEIRS' })));
  });

  it('stays where rows of others refer to it', async () => {
    await db.sql(
      `CREATE TABLE rooms (space text REFERENCES spaces(id) ON DELETE CASCADE); INSERT INTO rooms VALUES ('s1')`,
    );
    expect(await take('run-t', ['spaces.id:s1', 'spaces.id:s2'])).toMatchObject({ done: 1, kept: 1 });
    expect(await conflicts('run-t')).toMatchObject([{ key: 's1', reason: 'referred-to' }]);
    expect(await db.sql('SELECT space FROM rooms')).toEqual([{ space: 's1' }]);
  });

  it('that the undo deleted and others made again gets its former values, the server computing its own', async () => {
    await db.sql(`INSERT INTO spaces VALUES ('s3', 'made again')`);
    const back = (run: string, names: readonly string[]) => undo(kind(), insert, taking(run, names), 'run-u');
    expect(await back('run-t', ['spaces.name:s3'])).toMatchObject({ done: 1, kept: 0 });
    expect((await spaces())[2]).toEqual({ id: 's3', name: 'n3', loud: 'N3' });
    await db.sql(`DELETE FROM spaces WHERE id = 's3'`);
    expect(await back('run-v', ['spaces.name:s3'])).toMatchObject({ done: 0, kept: 0 });
    expect(await back('run-w', ['spaces.id:s3'])).toMatchObject({ done: 1, kept: 0 });
    expect((await spaces())[2]).toEqual({ id: 's3', name: 'n3', loud: 'N3' });
  });
});

it('what the run made of the schema stays while a conflict is taken', async () => {
  const add = { table: 'files', column: 'kind', type: 'text' };
  const kind = kindOf(db.system, 'postgres.add-column');
  await perform(kind, add, contextOf('run-a'));
  const context = taking('run-t', ['files.kind:x']);
  expect(await previewOf(kind, add, context, 'run-a')).toMatchObject({ count: 0, locks: [] });
  expect(await undo(kind, add, context, 'run-a')).toMatchObject({ done: 0, kept: 0 });
  expect(await db.sql('SELECT kind FROM files LIMIT 1')).toEqual([{ kind: null }]);
});
