import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf } from './fresh-graph.ts';
import { describeNotebooks, seedNotebooks } from './whole-nodes-graph.ts';

jest.setTimeout(120_000);

const copy = {
  from: { label: 'Notebook', key: 'id' },
  to: { label: 'Folder', key: 'id' },
  stamp: { from: "'Notebook'" },
};
const remove = { label: 'Notebook', key: 'id', where: 'true', copiedTo: { label: 'Folder', key: 'id' } };
const all = { label: 'Notebook', key: 'id', where: 'true' };

let graph: FreshGraph;
let kind: StepKind;
let copying: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.delete-nodes');
  copying = kindOf(graph.system, 'neo4j.copy-nodes');
});
afterAll(() => graph.close());
beforeEach(() => seedNotebooks(graph));

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function conflictsOf(runId: string): Promise<string[]> {
  const conflicts = (await graph.system.journal?.conflicts(runId, 'data.step', 50)) ?? [];
  return conflicts.map(({ key, field, reason, theirs }) => `${key} ${field} ${reason} ${theirs}`).sort();
}

describe('neo4j.delete-nodes', () => {
  it.each([3, 100])(
    'deletes what is copied, and brings it back with all that hung on it (batches of %d)',
    async (size) => {
      await perform(copying, copy, contextOf('c'), size);
      const before = await hash();
      const preview = await kind.preview(kind.input.parse(remove), contextOf('p'));
      expect(preview).toMatchObject({ count: 7, exact: true, findings: [], undoClass: 'reversible' });
      expect(preview.keysHash).toMatch(/^[0-9a-f]{64}$/);
      const wanted = await describeNotebooks(graph, 'Notebook');
      expect(await perform(kind, remove, contextOf('r1'), size)).toMatchObject({ done: 7 });
      expect(await graph.query('MATCH (n:Notebook) RETURN count(n)')).toEqual([[0n]]);
      expect(await describeNotebooks(graph, 'Folder')).toEqual(wanted);
      expect(await kind.verify?.(kind.input.parse(remove), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
      const after = await hash();
      expect(await perform(kind, remove, contextOf('r1'), size)).toMatchObject({ done: 7 });
      expect(await perform(kind, remove, contextOf('r2'), size)).toMatchObject({ done: 0 });
      expect(await kind.previewUndo?.(kind.input.parse(remove), undoOf('b0', 'r1'))).toMatchObject({
        count: 7,
        findings: [],
      });
      expect(await hash()).toBe(after);
      expect(await undo(kind, remove, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
      expect(await hash()).toBe(before);
      expect(await undo(kind, remove, undoOf('b2', 'b1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
      expect(await hash()).toBe(after);
      expect(await undo(kind, remove, undoOf('b3', 'b2'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
      expect(await hash()).toBe(before);
    },
  );

  it('leaves what has no copy, an unequal one, or relationships that its copy lacks', async () => {
    await perform(copying, copy, contextOf('c'));
    await graph.query("MATCH (n:Folder {id: 'n1'}) DETACH DELETE n");
    await graph.query("MATCH (n:Folder {id: 'n2'}) SET n.size = 2.0");
    await graph.query("MATCH (n:Notebook {id: 'n4'}) CREATE (n)-[:LIKED_BY]->(:User {id: 'u2'})");
    await graph.query("MATCH (n:Folder {id: 'n5'}) SET n.more = true");
    const preview = await kind.preview(kind.input.parse(remove), contextOf('p'));
    // Without n1's copy, the copies of n2 and n5 lack nothing: what hung on the copy went with it.
    expect(preview.findings).toMatchObject([{ check: 'copies-equal', status: 'warning' }]);
    expect(preview.findings[0]?.samples).toEqual(
      expect.arrayContaining([
        'Notebook n1 has no copy',
        'Notebook n2 differs in size',
        'Notebook n4 its copy misses a relationship',
      ]),
    );
    const left = (preview.findings[0]?.count ?? 0) as number;
    expect(await perform(kind, remove, contextOf('r1', { cap: preview.count }))).toMatchObject({ done: preview.count });
    expect(await graph.query('MATCH (n:Notebook) RETURN count(n)')).toEqual([[BigInt(left)]]);
    expect(await kind.verify?.(kind.input.parse(remove), contextOf('r1'))).toMatchObject([
      { status: 'passed' },
      { check: 'copies-equal', count: left },
    ]);
  });

  it('compares with the expressions that the copy was made with', async () => {
    const properties = { title: 'toUpper(n.name)' };
    await perform(copying, { ...copy, properties }, contextOf('c'));
    expect(await kind.preview(kind.input.parse(remove), contextOf('p'))).toMatchObject({ count: 0 });
    const step = { ...remove, copiedTo: { ...remove.copiedTo, properties } };
    expect(await kind.preview(kind.input.parse(step), contextOf('p'))).toMatchObject({ count: 7, findings: [] });
  });

  it('names other ends by their unique key, and stamps those that have none', async () => {
    await perform(kind, all, contextOf('r1'));
    expect(await graph.query('MATCH (t:Tag) RETURN t._tas_id IS NOT NULL')).toEqual([[true]]);
    expect(await graph.query('MATCH (u:User) RETURN u._tas_id IS NOT NULL')).toEqual([[false]]);
    // Recreated by others: another internal id, the same key.
    await graph.query("MATCH (u:User {id: 'u1'}) DELETE u CREATE (:User {id: 'u1', again: true})");
    expect(await undo(kind, all, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await graph.query('MATCH (:Notebook)-->(u:User {again: true}) RETURN count(*)')).toEqual([[7n]]);
    expect(await graph.query('MATCH (:Notebook)-->(t:Tag) RETURN count(*)')).toEqual([[7n]]);
  });

  it('reports ends that are gone, and keys that somebody took since, by their holder', async () => {
    await graph.query('CREATE CONSTRAINT notebook_name FOR (n:Notebook) REQUIRE n.name IS UNIQUE');
    await perform(kind, all, contextOf('r1'));
    await graph.query('MATCH (t:Tag) DELETE t');
    await graph.query("CREATE (:Notebook {id: 'n2', name: 'new'}), (:Notebook {id: 'n9', name: 'Notebook 4'})");
    const preview = await kind.previewUndo?.(kind.input.parse(all), undoOf('b0', 'r1'));
    expect(preview).toMatchObject({ count: 5, findings: [{ count: 2 }, { check: 'gone-before-undo' }] });
    expect(await undo(kind, all, undoOf('b1', 'r1'))).toMatchObject({ done: 5, kept: 2, missing: 5 });
    expect(await conflictsOf('b1')).toEqual(
      expect.arrayContaining([
        'n2 id value-taken held by another Notebook n2',
        'n4 name value-taken held by Notebook n9',
        expect.stringMatching(/^n1 TAGGED missing Tag .* is gone$/),
      ]),
    );
    expect(await graph.query("MATCH (n:Notebook {name: 'new'})--(o) RETURN count(o) > 0")).toEqual([[true]]);
    // The undo of the undo takes away what came back, but for what somebody wrote to since.
    await graph.query("MATCH (n:Notebook {id: 'n3'}) SET n.size = 33");
    expect(await undo(kind, all, undoOf('b2', 'b1'))).toMatchObject({ done: 4, kept: 1, missing: 0 });
    expect(await conflictsOf('b2')).toEqual(['n3 size changed-since 33']);
  });

  it('refuses a node with more relationships than can be journaled, and cuts batches by relationships', async () => {
    await graph.query("MATCH (n:Notebook {id: 'n2'}) UNWIND range(1, 50001) AS i CREATE (n)-[:HAS]->(:Chunk {id: i})");
    const refused = await kind.preview(kind.input.parse(all), contextOf('p'));
    expect(refused.findings).toMatchObject([{ check: 'relationships-bounded', status: 'failed', samples: ['n2'] }]);
    await expect(perform(kind, all, contextOf('r1'), 100)).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('50000'),
    });
    expect(await graph.query('MATCH (n:Notebook) RETURN count(n)')).toEqual([[7n]]);
    await graph.query("MATCH (:Notebook {id: 'n2'})-[r:HAS]->(c) WHERE c.id > 25000 DELETE r, c");
    const before = await hash();
    expect(await perform(kind, all, contextOf('r2'), 100)).toMatchObject({ done: 7, batches: 3 });
    expect(await undo(kind, all, undoOf('b2', 'r2'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
  });

  it('deletes one by one what two processes delete at the same time, and never a node that is written to meanwhile', async () => {
    const other = kindOf(graph.another(), 'neo4j.delete-nodes');
    const input = kind.input.parse(all);
    const batch = { index: 0, cursor: null, done: 0, size: 100 };
    const [one, two] = await Promise.all([kind, other].map((each) => each.performBatch(input, batch, contextOf('r1'))));
    expect(one).toEqual(two);
    expect(one?.done).toBe(7);
  });
});
