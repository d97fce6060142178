import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const remove = { label: 'User', key: 'id', property: 'legacy' };

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.remove-property');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 7) AS i CREATE (:User {id: 'u' + i, legacy: i, name: 'N' + i})");
  await graph.query("CREATE (:User {id: 'none'})");
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function conflicts(run: string): Promise<string[]> {
  const found = (await graph.system.journal?.conflicts(run, 'data.step', 20)) ?? [];
  return found.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort();
}

describe('neo4j.remove-property', () => {
  it('destroys, bound to the very keys, and brings everything back', async () => {
    expect(kind.effect).toBe('destroys');
    const before = await hash();
    const preview = await kind.preview(kind.input.parse(remove), contextOf('p', { countForMs: 0 }));
    expect(preview).toMatchObject({ count: 7, exact: true, findings: [], undoClass: 'reversible' });
    expect(preview.keysHash).toMatch(/^[0-9a-f]{64}$/);
    expect(preview.samples[2]).toEqual({
      collection: 'User',
      key: 'u3',
      before: { legacy: 3 },
      after: { legacy: null },
    });
    await graph.query("MATCH (n:User {id: 'u7'}) REMOVE n.legacy CREATE (:User {id: 'x7', legacy: 7, name: 'N7'})");
    const other = await kind.preview(kind.input.parse(remove), contextOf('p'));
    expect(other.count).toBe(7);
    expect(other.keysHash).not.toBe(preview.keysHash);
    await graph.query("MATCH (n:User {id: 'x7'}) DELETE n WITH 1 AS x MATCH (n:User {id: 'u7'}) SET n.legacy = 7");
    expect(await perform(kind, remove, contextOf('r1'))).toMatchObject({ done: 7, batches: 3 });
    expect(await graph.query('MATCH (n) WHERE n.legacy IS NOT NULL RETURN count(n)')).toEqual([[0n]]);
    const after = await hash();
    const batch = { index: 1, cursor: null, done: 0, size: 3 };
    expect(await kind.performBatch(kind.input.parse(remove), batch, contextOf('r1'))).toMatchObject({ done: 3 });
    expect(await kind.verify?.(kind.input.parse(remove), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await undo(kind, remove, undoOf('b1', 'r1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    expect(await hash()).toBe(before);
    expect(await undo(kind, remove, undoOf('b2', 'b1'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(after);
    expect(await undo(kind, remove, undoOf('b3', 'b2'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(before);
  });

  it('puts values back where nobody wrote since, in the middle of it too', async () => {
    const input = kind.input.parse(remove);
    const first = await kind.performBatch(input, { index: 0, cursor: null, done: 0, size: 3 }, contextOf('r1'));
    await graph.query("MATCH (n:User {id: 'u2'}) SET n.legacy = 'again'");
    await graph.query("MATCH (n:User {id: 'u5'}) SET n.legacy = 55");
    const second = { index: 1, cursor: first.cursor, done: first.done, size: 100 };
    await kind.performBatch(input, second, contextOf('r1'));
    await graph.query("MATCH (n:User {id: 'u6'}) DELETE n");
    await graph.query("MATCH (n:User {id: 'u7'}) SET n.name = 'edited'");
    expect(await undo(kind, remove, undoOf('b1', 'r1'))).toMatchObject({ done: 5, kept: 1, missing: 1 });
    expect(await graph.query('MATCH (n:User) RETURN n.id, n.legacy, n.name ORDER BY n.id')).toEqual([
      ['none', null, null],
      ['u1', 1n, 'N1'],
      ['u2', 'again', 'N2'],
      ['u3', 3n, 'N3'],
      ['u4', 4n, 'N4'],
      ['u5', 55n, 'N5'],
      ['u7', 7n, 'edited'],
    ]);
    expect(await conflicts('b1')).toEqual(['u2 legacy changed-since', 'u6 legacy missing']);
  });

  it('stops at what was signed, keeps to its condition and its canary, and tells which index stays', async () => {
    await graph.query('CREATE INDEX by_legacy FOR (n:User) ON (n.legacy)');
    const step = kind.input.parse({ ...remove, where: 'n.legacy > 2' });
    const preview = await kind.preview(step, contextOf('p'));
    expect(preview).toMatchObject({ count: 5, findings: [{ status: 'warning', samples: ['by_legacy'] }] });
    await expect(perform(kind, step, contextOf('r1', { cap: 4 }), 100)).rejects.toMatchObject({ code: 'over-cap' });
    expect(await graph.query('MATCH (n:User) RETURN count(n.legacy)')).toEqual([[7n]]);
    const canary = kind.narrow?.(step, () => "n.id = 'u1' OR n.id = 'u4'");
    expect(await perform(kind, canary, contextOf('r2'))).toMatchObject({ done: 1 });
    expect(await graph.query('MATCH (n:User) WHERE n.legacy IS NULL RETURN n.id ORDER BY n.id')).toEqual([
      ['none'],
      ['u4'],
    ]);
    for (const wrong of [{ property: 'id' }, { property: '_tas_id' }, { where: '' }])
      expect(kind.input.safeParse({ ...remove, ...wrong })).toMatchObject({ success: false });
  });
});
