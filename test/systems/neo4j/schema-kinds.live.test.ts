import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(90_000);

const range = { name: 'user_mail', label: 'User', properties: ['email', 'name'] };
const others = [
  { name: 'user_text', label: 'User', properties: ['email'], kind: 'text' },
  { name: 'owned_since', type: 'OWNED_BY', properties: ['since'] },
  {
    name: 'place',
    label: 'User',
    properties: ['place'],
    kind: 'point',
    options: { 'spatial.wgs-84.min': [-100, -80], 'spatial.wgs-84.max': [100, 80.5] },
  },
  {
    name: 'words',
    label: ['User', 'Note'],
    properties: ['name', 'text'],
    kind: 'fulltext',
    options: { 'fulltext.analyzer': 'english' },
  },
  {
    name: 'nearest',
    label: 'User',
    properties: ['embedding'],
    kind: 'vector',
    options: { 'vector.dimensions': 3, 'vector.similarity_function': 'cosine' },
  },
];

let graph: FreshGraph;
let create: StepKind;
let dropIndex: StepKind;
let dropConstraint: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  create = kindOf(graph.system, 'neo4j.create-index');
  dropIndex = kindOf(graph.system, 'neo4j.drop-index');
  dropConstraint = kindOf(graph.system, 'neo4j.drop-constraint');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 5) AS i CREATE (:User {id: 'u' + i, email: 'e' + i, name: 'Name ' + i})");
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function states(): Promise<unknown> {
  return graph.query(
    "SHOW INDEXES YIELD name, state, type WHERE NOT name STARTS WITH '_tas' AND type <> 'LOOKUP' RETURN name, state ORDER BY name",
  );
}

const preview = (kind: StepKind, input: unknown) => kind.preview(kind.input.parse(input), contextOf('p'));

describe('neo4j.create-index', () => {
  it('is made and waited for, made again without effect, dropped by undo, and made anew by the undo of the undo', async () => {
    const before = await hash();
    expect(await preview(create, range)).toMatchObject({ count: 1, exact: true, findings: [] });
    expect(await hash()).toBe(before);
    expect(await perform(create, range, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await states()).toEqual([['user_mail', 'ONLINE']]);
    expect(await create.verify?.(create.input.parse(range), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    const after = await hash();
    expect(await perform(create, range, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await perform(create, range, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await undo(create, range, undoOf('b0', 'r2'))).toMatchObject({ done: 0, kept: 0, missing: 0 });
    expect(await hash()).toBe(after);
    expect(await create.previewUndo?.(create.input.parse(range), undoOf('p', 'r1'))).toMatchObject({ count: 1 });
    expect(await undo(create, range, undoOf('b1', 'r1'))).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(await undo(create, range, undoOf('b2', 'b1'))).toMatchObject({ done: 1 });
    expect(await hash()).toBe(after);
    expect(await undo(create, range, undoOf('b3', 'b2'))).toMatchObject({ done: 1 });
    expect(await hash()).toBe(before);
  });

  it.each(others)('makes, drops and makes anew $name with its settings', async (wanted) => {
    const before = await hash();
    expect(await preview(create, wanted)).toMatchObject({ count: 1, findings: [] });
    expect(await perform(create, wanted, contextOf('r1'))).toMatchObject({ done: 1 });
    const after = await hash();
    expect(await preview(create, wanted)).toMatchObject({ count: 0, findings: [] });
    expect(await perform(dropIndex, { name: wanted.name }, contextOf('d1'))).toMatchObject({ done: 1 });
    expect(await hash()).toBe(before);
    expect(await undo(dropIndex, { name: wanted.name }, undoOf('b1', 'd1'))).toMatchObject({ done: 1, kept: 0 });
    expect(await hash()).toBe(after);
    expect(await undo(create, wanted, undoOf('b2', 'r1'))).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
  });

  it('leaves one that did the same before, under whatever name', async () => {
    await graph.query('CREATE INDEX older FOR (n:User) ON (n.email, n.name)');
    expect(await preview(create, range)).toMatchObject({ count: 0, findings: [] });
    expect(await perform(create, range, contextOf('r1'))).toMatchObject({ done: 0 });
    expect(await undo(create, range, undoOf('b1', 'r1'))).toMatchObject({ done: 0, kept: 0 });
    expect(await states()).toEqual([['older', 'ONLINE']]);
  });

  it('names a taken name, one with other settings in the way, and an analyzer that the server lacks', async () => {
    await graph.query('CREATE INDEX user_mail FOR (n:Other) ON (n.x)');
    expect(await preview(create, range)).toMatchObject({ findings: [{ check: 'index-name-free', status: 'failed' }] });
    await expect(perform(create, range, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    const vector = others[4] as { options: object };
    await perform(create, vector, contextOf('r2'));
    const wider = { ...vector, name: 'wider', options: { ...vector.options, 'vector.dimensions': 4 } };
    expect(await preview(create, wider)).toMatchObject({
      findings: [{ check: 'no-index-in-the-way', advice: expect.stringContaining('nearest') }],
    });
    const klingon = { ...others[3], name: 'k', options: { 'fulltext.analyzer': 'klingon' } };
    expect((await preview(create, klingon)).findings).toMatchObject([{ check: 'analyzer-known', status: 'failed' }]);
  });

  it('says that the server could not fill it, and makes it again at a retry', async () => {
    await graph.query("CREATE (:User {id: 'big', email: reduce(s = 'x', i IN range(1, 14) | s + s), name: 'n'})");
    await expect(perform(create, range, contextOf('r1'))).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('FAILED'),
    });
    await graph.query("MATCH (n:User {id: 'big'}) DELETE n");
    expect(await perform(create, range, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await states()).toEqual([['user_mail', 'ONLINE']]);
  });

  it('knows its own work again when it was killed before or after making the index', async () => {
    await perform(create, range, contextOf('r1'));
    const forget = "MATCH (b:_TasBatch {key: 'r1/data.step/0'}) REMOVE b.body, b.done, b.kept, b.missing, b.cursor";
    await graph.query(forget);
    expect(await perform(create, range, contextOf('r1'))).toMatchObject({ done: 1 });
    await graph.query(forget);
    await graph.query('DROP INDEX user_mail');
    expect(await perform(create, range, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await undo(create, range, undoOf('b1', 'r1'))).toMatchObject({ done: 1 });
    expect(await states()).toEqual([]);
  });

  it('is made once, and dropped once, by two processes at the same time', async () => {
    const other = graph.another();
    const batch = { index: 0, cursor: null, done: 0, size: 10 };
    for (let round = 0; round < 5; round++) {
      const made = await Promise.all(
        [create, kindOf(other, 'neo4j.create-index')].map((kind) =>
          kind.performBatch(kind.input.parse(range), batch, contextOf(`r${round}`)),
        ),
      );
      expect(made.map(({ done }) => done)).toEqual([1, 1]);
      const dropped = await Promise.all(
        [dropIndex, kindOf(other, 'neo4j.drop-index')].map((kind) =>
          kind.performBatch({ name: range.name }, batch, contextOf(`d${round}`)),
        ),
      );
      expect(dropped.map(({ done }) => done)).toEqual([1, 1]);
    }
  });

  it('leaves what somebody dropped or replaced since, and says so', async () => {
    await perform(create, range, contextOf('r1'));
    await graph.query('DROP INDEX user_mail');
    expect(await undo(create, range, undoOf('b1', 'r1'))).toMatchObject({ done: 0, missing: 1 });
    await graph.query('CREATE INDEX user_mail FOR (n:User) ON (n.id)');
    expect(await undo(create, range, undoOf('b2', 'r1'))).toMatchObject({ done: 0, kept: 1 });
    expect(await states()).toEqual([['user_mail', 'ONLINE']]);
  });

  it('refuses what no index can be', () => {
    const parse = (over: object) => () => create.input.parse({ ...range, ...over });
    expect(parse({ type: 'T' })).toThrow('either a label or a type');
    expect(parse({ label: ['A', 'B'] })).toThrow('only a full-text index');
    expect(parse({ kind: 'text' })).toThrow('takes one property');
    expect(parse({ options: { 'fulltext.analyzer': 'x' } })).toThrow('does not belong');
    expect(parse({ properties: ['v'], kind: 'vector' })).toThrow('vector.dimensions');
    expect(parse({ name: '_tas_batch_key' })).toThrow('kept for the bot');
  });
});

describe('neo4j.drop-index and neo4j.drop-constraint', () => {
  const name = { name: 'user_id' };

  it('drops a constraint, once, and makes it anew', async () => {
    await graph.query('CREATE CONSTRAINT user_id FOR (n:User) REQUIRE (n.id, n.email) IS UNIQUE');
    const before = await hash();
    expect(await preview(dropConstraint, name)).toMatchObject({ count: 1, samples: [{ key: 'user_id', after: {} }] });
    expect(await perform(dropConstraint, name, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await states()).toEqual([]);
    expect(await dropConstraint.verify?.(name, contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await perform(dropConstraint, name, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await perform(dropConstraint, name, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await undo(dropConstraint, name, undoOf('b1', 'r1'))).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(await undo(dropConstraint, name, undoOf('b2', 'b1'))).toMatchObject({ done: 1 });
    expect(await states()).toEqual([]);
  });

  it('does not make a constraint anew over duplicates, and says how many there are', async () => {
    await graph.query('CREATE CONSTRAINT user_id FOR (n:User) REQUIRE n.id IS UNIQUE');
    await perform(dropConstraint, name, contextOf('r1'));
    await graph.query("CREATE (:User {id: 'u1'}), (:User {id: 'u2'}), (:User {id: 'u2'})");
    const undoing = await dropConstraint.previewUndo?.(name, undoOf('p', 'r1'));
    expect(undoing).toMatchObject({ count: 0, findings: [{ check: 'kept-by-undo', count: 1 }] });
    expect(await undo(dropConstraint, name, undoOf('b1', 'r1'))).toMatchObject({ done: 0, kept: 1 });
    expect(await graph.system.journal?.conflicts('b1', 'data.step', 5)).toMatchObject([
      { key: 'user_id', field: 'id', reason: 'value-taken', theirs: '2 values stand in more than one record by now' },
    ]);
  });

  it('tells the two apart, and what is not there', async () => {
    await graph.query('CREATE CONSTRAINT user_id FOR (n:User) REQUIRE n.id IS UNIQUE');
    await graph.query('CREATE INDEX plain FOR (n:User) ON (n.name)');
    expect(await preview(dropIndex, name)).toMatchObject({
      count: 0,
      findings: [{ status: 'failed', advice: expect.stringContaining('neo4j.drop-constraint') }],
    });
    expect(await preview(dropConstraint, { name: 'plain' })).toMatchObject({
      findings: [{ status: 'failed', advice: expect.stringContaining('neo4j.drop-index') }],
    });
    await expect(perform(dropIndex, name, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await preview(dropIndex, { name: 'nothing' })).toMatchObject({
      count: 0,
      findings: [{ status: 'warning' }],
    });
    expect(await perform(dropIndex, { name: 'nothing' }, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await undo(dropIndex, { name: 'nothing' }, undoOf('b2', 'r2'))).toMatchObject({ done: 0, kept: 0 });
  });

  it('makes nothing anew where the name is taken or something else does the same by then', async () => {
    await graph.query('CREATE INDEX plain FOR (n:User) ON (n.name)');
    await perform(dropIndex, { name: 'plain' }, contextOf('r1'));
    await graph.query('CREATE INDEX plain FOR (n:User) ON (n.email)');
    expect(await undo(dropIndex, { name: 'plain' }, undoOf('b1', 'r1'))).toMatchObject({ done: 0, kept: 1 });
    await graph.query('DROP INDEX plain');
    await graph.query('CREATE INDEX newer FOR (n:User) ON (n.name)');
    expect(await undo(dropIndex, { name: 'plain' }, undoOf('b2', 'r1'))).toMatchObject({ done: 0, kept: 0 });
    expect(await states()).toEqual([['newer', 'ONLINE']]);
  });
});
