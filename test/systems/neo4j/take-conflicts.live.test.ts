import { jest } from '@jest/globals';
import type { UndoContext } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';
import { seedNotebooks } from './whole-nodes-graph.ts';

jest.setTimeout(90_000);

let graph: FreshGraph;

beforeAll(async () => {
  graph = await freshGraph();
});
afterAll(() => graph.close());
beforeEach(() => wipe(graph.connection, 'journal-schema'));

async function conflictsOf(runId: string): Promise<string[]> {
  const conflicts = (await graph.system.journal?.conflicts(runId, 'data.step', 50)) ?? [];
  return conflicts.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort();
}

/** The undo of a run's step where people took these conflicts, each as `Label.field:key`. */
function taking(runId: string, undoes: string, names: readonly string[], over: Partial<UndoContext> = {}): UndoContext {
  const force = (collection: string, key: string, field: string) => names.includes(`${collection}.${field}:${key}`);
  return undoOf(runId, undoes, { ...over, force });
}

describe('a conflict of neo4j.set-properties that is taken', () => {
  const fill = { label: 'User', key: 'id', where: 'true', set: { tenant: "'t_' + n.id", space: "'s_' + n.id" } };
  const kind = () => kindOf(graph.system, 'neo4j.set-properties');
  const users = () => graph.query('MATCH (n:User) RETURN n.id, n.tenant, n.space ORDER BY n.id');
  const one = ['User.tenant:u1'];
  const previewOf = (context: UndoContext) => kind().previewUndo?.(kind().input.parse(fill), context);

  beforeEach(async () => {
    await graph.query("UNWIND range(1, 5) AS i CREATE (:User {id: 'u' + i, tenant: 'old' + i})");
    await perform(kind(), fill, contextOf('r1'));
    await graph.query("MATCH (n:User) WHERE n.id IN ['u1', 'u2', 'u5'] SET n.tenant = 'theirs_' + n.id");
    expect(await undo(kind(), fill, undoOf('b1', 'r1'))).toMatchObject({ done: 5, kept: 3 });
  });

  it('goes back alone; what others wrote elsewhere stays, and is not told again', async () => {
    const before = await users();
    expect(before[0]).toEqual(['u1', 'theirs_u1', null]);
    expect(await previewOf(taking('p', 'r1', one))).toMatchObject({
      count: 1,
      kept: { counts: {} },
      findings: [],
      samples: [{ collection: 'User', key: 'u1', before: { tenant: 'theirs_u1' }, after: { tenant: 'old1' } }],
    });
    expect(await undo(kind(), fill, taking('t1', 'r1', one))).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await users()).toEqual([['u1', 'old1', null], ...before.slice(1)]);
    expect(await conflictsOf('t1')).toEqual([]);
  });

  it('comes back with what others wrote when the take is undone, unless that changed since', async () => {
    const before = await users();
    await undo(kind(), fill, taking('t1', 'r1', [...one, 'User.tenant:u5']));
    await graph.query("MATCH (n:User {id: 'u5'}) SET n.tenant = 'latest'");
    expect(await undo(kind(), fill, undoOf('b2', 't1'))).toMatchObject({ done: 1, kept: 1 });
    expect(await users()).toEqual([...before.slice(0, 4), ['u5', 'latest', null]]);
    expect(await conflictsOf('b2')).toEqual(['u5 tenant changed-since']);
    expect(await undo(kind(), fill, undoOf('b3', 'b2'))).toMatchObject({ done: 1, kept: 0 });
    expect((await users())[0]).toEqual(['u1', 'old1', null]);
  });

  it('is written once by two processes, or by one that was killed after it', async () => {
    const others = kindOf(graph.another(), 'neo4j.set-properties');
    const context = taking('t1', 'r1', one);
    const last = { index: 1, cursor: 1, done: 0, size: 3 };
    const both = await Promise.all(
      [kind(), others].map((each) => each.undoBatch?.(each.input.parse(fill), last, context)),
    );
    expect(both[0]).toMatchObject({ done: 1, kept: 0 });
    expect(both[1]).toEqual(both[0]);
    await graph.query("MATCH (n:User {id: 'u1'}) SET n.tenant = 'again'");
    expect(await others.undoBatch?.(others.input.parse(fill), last, context)).toEqual(both[0]);
    expect((await users())[0]).toEqual(['u1', 'again', null]);
  });

  it('stays where another record holds its unique value by now, or newer records refer to it', async () => {
    await graph.query('CREATE CONSTRAINT tenant FOR (n:User) REQUIRE n.tenant IS UNIQUE');
    await graph.query("CREATE (:User {id: 'u9', tenant: 'old1'})");
    await graph.query("MATCH (n:User {id: 'u2'}) SET n.tenant = 't_u2'");
    const held = async () => new Set(['t_u1', 't_u2']);
    const names = [...one, 'User.tenant:u2'];
    expect(await undo(kind(), fill, taking('t1', 'r1', names, { held }))).toMatchObject({ done: 0, kept: 2 });
    expect(await conflictsOf('t1')).toEqual(['u1 tenant value-taken', 'u2 tenant referred-to']);
    expect((await users())[0]).toEqual(['u1', 'theirs_u1', null]);
  });

  it('is nothing where it stands as before the run, and told as missing where the record is gone', async () => {
    await graph.query("MATCH (n:User {id: 'u1'}) SET n.tenant = 'old1'");
    await graph.query("MATCH (n:User {id: 'u2'}) DELETE n");
    const names = [...one, 'User.tenant:u2'];
    expect(await undo(kind(), fill, taking('t1', 'r1', names))).toMatchObject({ done: 0, kept: 0, missing: 1 });
    expect(await conflictsOf('t1')).toEqual(['u2 tenant missing']);
  });

  it('stays where it is coupled with a property that the run wrote and that is not taken', async () => {
    const coupled = [['tenant', 'space'].map((field) => ({ system: 'graph', collection: 'User', field }))];
    await graph.query("MATCH (n:User {id: 'u1'}) SET n.space = 'mine'");
    const names = [...one, 'User.tenant:u2'];
    expect(await undo(kind(), fill, taking('t1', 'r1', names, { coupled }))).toMatchObject({ done: 1, kept: 1 });
    expect(await conflictsOf('t1')).toEqual(['u1 tenant coupled']);
    expect((await users()).slice(0, 2)).toEqual([
      ['u1', 'theirs_u1', 'mine'],
      ['u2', 'old2', null],
    ]);
    const both = taking('t2', 'r1', [...one, 'User.space:u1'], { coupled });
    expect(await undo(kind(), fill, both)).toMatchObject({ done: 1, kept: 0 });
    expect((await users())[0]).toEqual(['u1', 'old1', null]);
  });
});

it('a property that was renamed and written since goes back to its old name with both taken, never with one', async () => {
  const kind = kindOf(graph.system, 'neo4j.rename-property');
  const rename = { label: 'User', key: 'id', from: 'TenantID', to: 'tenant' };
  await graph.query("UNWIND range(1, 2) AS i CREATE (:User {id: 'u' + i, TenantID: 't' + i})");
  await perform(kind, rename, contextOf('r1'));
  await graph.query("MATCH (n:User {id: 'u1'}) SET n.tenant = 'theirs'");
  expect(await undo(kind, rename, undoOf('b1', 'r1'))).toMatchObject({ done: 1, kept: 2 });
  const [from, to] = ['User.TenantID:u1', 'User.tenant:u1'] as const;
  expect(await undo(kind, rename, taking('t1', 'r1', [to]))).toMatchObject({ done: 0, kept: 1 });
  expect(await undo(kind, rename, taking('t2', 'r1', [from, to]))).toMatchObject({ done: 1, kept: 0 });
  const user = () => graph.query("MATCH (n:User {id: 'u1'}) RETURN n.TenantID, n.tenant");
  expect(await user()).toEqual([['t1', null]]);
  expect(await undo(kind, rename, undoOf('b2', 't2'))).toMatchObject({ done: 1, kept: 0 });
  expect(await user()).toEqual([[null, 'theirs']]);
});

describe('a node of neo4j.create-nodes that is taken', () => {
  const spaces = {
    label: 'Space',
    key: 'id',
    for: { label: 'User', key: 'id', where: 'n.home IS NOT NULL' },
    properties: { id: 'n.home', quota: '10' },
    relationship: { type: 'OWNS', direction: 'from-source' },
  };
  const kind = () => kindOf(graph.system, 'neo4j.create-nodes');
  const standing = async () => (await graph.query('MATCH (s:Space) RETURN s.id ORDER BY s.id')).flat();
  const describeSpaces = () =>
    graph.query(
      'MATCH (s:Space) RETURN s.id, labels(s), properties(s), COLLECT { MATCH (s)-[r]-(o) RETURN [type(r), properties(r), o.id] } ORDER BY s.id',
    );

  beforeEach(async () => {
    await graph.query('CREATE CONSTRAINT space_id FOR (s:Space) REQUIRE s.id IS UNIQUE');
    await graph.query("UNWIND range(1, 5) AS i CREATE (:User {id: 'u' + i, home: 's' + i})");
    await perform(kind(), spaces, contextOf('r1'));
    await graph.query("MATCH (s:Space) WHERE s.id IN ['s1', 's2', 's3'] SET s.quota = 11, s:Large");
    await graph.query("MATCH (:User {id: 'u1'})-[r:OWNS]->() SET r.since = date('2026-01-01')");
    expect(await undo(kind(), spaces, undoOf('b1', 'r1'))).toMatchObject({ done: 2 });
    expect(await standing()).toEqual(['s1', 's2', 's3']);
  });

  it('goes by its key alone, and its undo brings it back as others left it', async () => {
    const before = await describeSpaces();
    expect(await undo(kind(), spaces, taking('t0', 'r1', ['Space.quota:s1']))).toMatchObject({ done: 0, kept: 0 });
    expect(await undo(kind(), spaces, taking('t1', 'r1', ['Space.id:s1']))).toMatchObject({ done: 1, kept: 0 });
    expect(await standing()).toEqual(['s2', 's3']);
    expect(await undo(kind(), spaces, undoOf('b2', 't1'))).toMatchObject({ done: 1, kept: 0 });
    expect(await describeSpaces()).toEqual(before);
  });

  it('stays where others attached something to it, or newer records refer to it', async () => {
    await graph.query("MATCH (s:Space {id: 's1'}) CREATE (:Notebook {id: 'n'})-[:BELONGS_TO]->(s)");
    const held = async ({ field }: { field: string }) => new Set(field === 'id' ? ['s2'] : []);
    const names = ['s1', 's2', 's3'].map((key) => `Space.id:${key}`);
    const context = taking('t1', 'r1', names, { held });
    expect(await kind().previewUndo?.(kind().input.parse(spaces), { ...context, runId: 'p' })).toMatchObject({
      count: 1,
      kept: { counts: { 'referred-to': 2 } },
    });
    expect(await undo(kind(), spaces, context)).toMatchObject({ done: 1, kept: 2 });
    expect(await conflictsOf('t1')).toEqual(['s1 BELONGS_TO referred-to', 's2 id referred-to']);
    expect(await standing()).toEqual(['s1', 's2']);
  });
});

describe('whole nodes that are taken', () => {
  beforeEach(() => seedNotebooks(graph));

  const fingerprint = async () => (await graph.system.fingerprint?.())?.hash;

  it('a copy that others changed goes by its key, unless others attached to it, and comes back as they left it', async () => {
    const copies = kindOf(graph.system, 'neo4j.copy-nodes');
    const copy = {
      from: { label: 'Notebook', key: 'id' },
      to: { label: 'Folder', key: 'id' },
      stamp: { migrated_from: "'Notebook'" },
    };
    await perform(copies, copy, contextOf('r1'));
    await graph.query("MATCH (n:Folder) WHERE n.id IN ['n3', 'n4'] SET n.name = 'mine'");
    await graph.query("MATCH (:Folder {id: 'n3'})-[r:OWNED_BY]->() SET r.since = date('2030-01-01')");
    await graph.query("MATCH (n:Folder {id: 'n4'}) CREATE (:Note {id: 'x'})-[:ABOUT]->(n)");
    await undo(copies, copy, undoOf('b1', 'r1'));
    const folders = async () => (await graph.query('MATCH (n:Folder) RETURN n.id ORDER BY n.id')).flat();
    expect(await folders()).toEqual(['n3', 'n4']);
    const before = await fingerprint();
    expect(await undo(copies, copy, taking('t0', 'r1', ['Folder.name:n3']))).toMatchObject({ done: 0, kept: 0 });
    const names = ['Folder.id:n3', 'Folder.id:n4'];
    expect(await undo(copies, copy, taking('t1', 'r1', names))).toMatchObject({ done: 1, kept: 1 });
    expect(await conflictsOf('t1')).toEqual(['n4 ABOUT referred-to']);
    expect(await folders()).toEqual(['n4']);
    expect(await undo(copies, copy, undoOf('b2', 't1'))).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await fingerprint()).toBe(before);
  });

  it('a deleted one whose key another held at the undo comes back once that one has left, and no other', async () => {
    const deletes = kindOf(graph.system, 'neo4j.delete-nodes');
    const remove = { label: 'Notebook', key: 'id', where: "n.id IN ['n4', 'n7']" };
    await perform(deletes, remove, contextOf('r1'));
    await graph.query("CREATE (:Notebook {id: 'n4'}), (:Notebook {id: 'n7'})");
    expect(await undo(deletes, remove, undoOf('b1', 'r1'))).toMatchObject({ done: 0, kept: 2 });
    const both = taking('t1', 'r1', ['Notebook.id:n4', 'Notebook.id:n7']);
    expect(await undo(deletes, remove, both)).toMatchObject({ done: 0, kept: 2 });
    await graph.query("MATCH (n:Notebook) WHERE n.id IN ['n4', 'n7'] DELETE n");
    expect(await undo(deletes, remove, taking('t2', 'r1', ['Notebook.id:n4']))).toMatchObject({ done: 1, kept: 0 });
    const left = await graph.query("MATCH (n:Notebook) WHERE n.id IN ['n4', 'n7'] RETURN n.id, n.name");
    expect(left).toEqual([['n4', 'Notebook 4']]);
  });
});
