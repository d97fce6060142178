import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf } from './fresh-graph.ts';
import { describeNotebooks, seedNotebooks } from './whole-nodes-graph.ts';

jest.setTimeout(90_000);

const copy = {
  from: { label: 'Notebook', key: 'id' },
  to: { label: 'Folder', key: 'id' },
  stamp: { migrated_from: "'Notebook'", migration_timestamp: 'datetime()' },
};

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.copy-nodes');
});
afterAll(() => graph.close());
beforeEach(() => seedNotebooks(graph));

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function conflictsOf(runId: string): Promise<string[]> {
  const conflicts = (await graph.system.journal?.conflicts(runId, 'data.step', 50)) ?? [];
  return conflicts.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort();
}

describe('neo4j.copy-nodes', () => {
  it('copies nodes with all that hangs on them, once, and takes the copies away and makes them again', async () => {
    const before = await hash();
    const preview = await kind.preview(kind.input.parse(copy), contextOf('p'));
    expect(preview).toMatchObject({ count: 7, exact: true, findings: [], undoClass: 'reversible' });
    expect(preview.samples[0]).toMatchObject({
      collection: 'Folder',
      key: 'n1',
      before: {},
      after: { id: 'n1', size: 1, migrated_from: 'Notebook' },
    });
    expect(await hash()).toBe(before);
    expect(await perform(kind, copy, contextOf('r1'))).toMatchObject({ done: 7, batches: 3 });
    expect(await describeNotebooks(graph, 'Folder')).toEqual(await describeNotebooks(graph, 'Notebook'));
    expect(
      await graph.query(
        `MATCH (n:Notebook), (f:Folder {id: n.id}) WHERE f.migrated_from = 'Notebook' AND f.migration_timestamp IS NOT NULL
         AND all(key IN keys(n) WHERE n[key] = f[key]) AND f.ratio IS :: FLOAT AND f.size IS :: INTEGER RETURN count(f)`,
      ),
    ).toEqual([[7n]]);
    const findings = await kind.verify?.(kind.input.parse(copy), contextOf('r1'));
    expect(findings).toMatchObject([{ status: 'passed' }, { check: 'copies-equal', status: 'passed' }]);
    const after = await hash();
    expect(await perform(kind, copy, contextOf('r1'))).toMatchObject({ done: 7 });
    expect(await perform(kind, copy, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await hash()).toBe(after);
    const undoing = await kind.previewUndo?.(kind.input.parse(copy), undoOf('b0', 'r1'));
    expect(undoing).toMatchObject({ count: 7, findings: [] });
    expect(await undo(kind, copy, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(await undo(kind, copy, undoOf('b2', 'b1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(after);
    expect(await undo(kind, copy, undoOf('b3', 'b2'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
  });

  it('links copies of one batch with each other as their originals are', async () => {
    expect(await perform(kind, copy, contextOf('r1'), 100)).toMatchObject({ done: 7, batches: 1 });
    expect(await describeNotebooks(graph, 'Folder')).toEqual(await describeNotebooks(graph, 'Notebook'));
    const before = await hash();
    expect(await undo(kind, copy, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await undo(kind, copy, undoOf('b2', 'b1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
  });

  it('keeps copies that somebody changed, attached to, cut loose or refers to, and reports each', async () => {
    await perform(kind, copy, contextOf('r1'));
    await graph.query("MATCH (n:Folder {id: 'n1'}) SET n.name = 'mine'");
    await graph.query("MATCH (n:Folder {id: 'n2'}) CREATE (:Note)-[:ABOUT]->(n)");
    await graph.query("MATCH (:User)-[r:READ {page: 1}]->(n:Folder {id: 'n3'}) SET r.page = 9");
    await graph.query("MATCH (n:Folder {id: 'n4'})-[r:TAGGED]->() DELETE r");
    await graph.query("MATCH (n:Folder {id: 'n5'}) DETACH DELETE n");
    await graph.query("MATCH (n:Folder {id: 'n6'}) SET n:Archived");
    const held = async ({ field }: { field: string }) => new Set(field === 'id' ? ['n7'] : []);
    const stay = await undo(kind, copy, undoOf('b1', 'r1', { held }));
    expect(stay).toMatchObject({ done: 0, missing: 1 });
    expect(await conflictsOf('b1')).toEqual(
      expect.arrayContaining([
        'n1 name changed-since',
        'n2 ABOUT referred-to',
        'n3 READ changed-since',
        'n4 TAGGED changed-since',
        'n5  missing',
        'n6 labels changed-since',
        'n7 id referred-to',
      ]),
    );
    expect(await graph.query('MATCH (n:Folder) RETURN count(n)')).toEqual([[6n]]);
  });

  it('takes expressions instead of all properties, and finds copies that differ afterwards', async () => {
    const step = {
      ...copy,
      properties: { title: 'toUpper(n.name)', size: 'n.size' },
      from: { ...copy.from, where: 'n.size < 4' },
    };
    expect(await perform(kind, step, contextOf('r1'))).toMatchObject({ done: 3 });
    const read = await graph.query("MATCH (n:Folder {id: 'n2'}) RETURN n.title, n.size, n.tags");
    expect(read).toEqual([['NOTEBOOK 2', 2n, null]]);
    const verify = () => kind.verify?.(kind.input.parse(step), contextOf('r1'));
    expect(await verify()).toMatchObject([{ status: 'passed' }, { status: 'passed' }]);
    await graph.query("MATCH (n:Folder {id: 'n2'}) SET n.size = 2.0");
    expect(await verify()).toMatchObject([
      { status: 'passed' },
      { status: 'failed', count: 1, samples: ['Notebook n2 differs in size'] },
    ]);
    await graph.query("MATCH (n:Folder {id: 'n2'}) DETACH DELETE n");
    expect(await verify()).toMatchObject([{ check: 'nodes-copied', status: 'failed', count: 1, samples: ['n2'] }, {}]);
  });

  it('says before anything changes what stands in the way', async () => {
    await graph.query('DROP CONSTRAINT folder_id');
    expect(await kind.preview(kind.input.parse(copy), contextOf('p'))).toMatchObject({
      findings: [{ check: 'target-key-constrained', status: 'warning' }],
    });
    await graph.query("MATCH (n:Notebook {id: 'n1'}) SET n:Folder");
    await graph.query("MATCH (n:Notebook {id: 'n2'}) CREATE (n)-[:HAS]->()");
    const { findings } = await kind.preview(kind.input.parse(copy), contextOf('p'));
    expect(findings).toMatchObject([
      { check: 'target-key-constrained', status: 'failed', advice: expect.stringContaining('neo4j.create-constraint') },
      { check: 'copies-are-others', status: 'failed', samples: ['n1'] },
      { check: 'ends-have-labels', status: 'failed', samples: ['n2'] },
    ]);
    await expect(perform(kind, copy, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
  });

  it('stops counting when its time is over', async () => {
    await graph.query("UNWIND range(1, 3000) AS i CREATE (:Notebook {id: 'more' + i})");
    const bounded = await kind.preview(kind.input.parse(copy), contextOf('p', { countForMs: 0 }));
    expect(bounded).toMatchObject({ exact: false, count: 1000, keysHash: '' });
    expect(await kind.preview(kind.input.parse(copy), contextOf('p'))).toMatchObject({ exact: true, count: 3007 });
  });

  it('narrows itself to the canary', async () => {
    const canaryOf = (_: string | null, label: string) => (label === 'Notebook' ? "n.id = 'n4'" : null);
    const narrowed = kind.narrow?.(kind.input.parse(copy), canaryOf);
    expect(await perform(kind, narrowed, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await perform(kind, copy, contextOf('r2'))).toMatchObject({ done: 6 });
    expect(await describeNotebooks(graph, 'Folder')).toEqual(await describeNotebooks(graph, 'Notebook'));
  });

  it('refuses a copy under the same label, and an expression for the key', () => {
    expect(() => kind.input.parse({ ...copy, to: { label: 'Notebook', key: 'id' } })).toThrow('label of its own');
    expect(() => kind.input.parse({ ...copy, stamp: { id: "'x'" } })).toThrow('key is copied by itself');
  });
});
