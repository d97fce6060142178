import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(180_000);

const owned = {
  type: 'OWNED_BY',
  from: { label: 'Notebook', key: 'id' },
  to: { label: 'User', key: 'id' },
  set: { created_at: 'coalesce(r.created_at, a.created_at)', ownership_type: "'personal'" },
};

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.set-relationship-properties');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query('CREATE CONSTRAINT notebook_id FOR (n:Notebook) REQUIRE n.id IS UNIQUE');
  await graph.query("CREATE (:User {id: 'u1'}), (:User {id: 'u2'})");
  await graph.query(`UNWIND range(1, 7) AS i MATCH (u:User {id: 'u' + (1 + i % 2)})
    CREATE (:Notebook {id: 'n' + i, created_at: datetime('2026-01-0' + i + 'T00:00Z')})-[:OWNED_BY]->(u)`);
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function stamps(): Promise<number> {
  const [[count]] = (await graph.query('MATCH ()-[r]->() WHERE r._tas_id IS NOT NULL RETURN count(r)')) as [[bigint]];
  return Number(count);
}

async function conflicts(run: string): Promise<string[]> {
  const found = (await graph.system.journal?.conflicts(run, 'data.step', 20)) ?? [];
  return found.map(({ collection, key, field, reason }) => `${collection} ${key} ${field} ${reason}`).sort();
}

describe('neo4j.set-relationship-properties', () => {
  it('fills relationships from their ends, once, and takes it back and forth', async () => {
    await graph.query("MATCH (:Notebook {id: 'n3'})-[r]->() SET r.created_at = date('1999-01-01'), r.note = 'kept'");
    await graph.query("MATCH (a:Notebook {id: 'n7'}), (u:User {id: 'u1'}) CREATE (u)-[:OWNED_BY]->(a)");
    const before = await hash();
    const preview = await kind.preview(kind.input.parse(owned), contextOf('p'));
    expect(preview).toMatchObject({ count: 7, exact: true, findings: [], undoClass: 'reversible' });
    expect(preview.samples).toHaveLength(5);
    expect(preview.samples[2]).toEqual({
      collection: 'OWNED_BY',
      key: 'n3 → u2',
      before: { created_at: '1999-01-01', ownership_type: null },
      after: { created_at: '1999-01-01', ownership_type: 'personal' },
    });
    expect(await hash()).toBe(before);
    expect(await perform(kind, owned, contextOf('r1'))).toMatchObject({ done: 7, batches: 3 });
    expect(
      await graph.query(`MATCH (a:Notebook)-[r:OWNED_BY]->() RETURN a.id, r.created_at = a.created_at, r.ownership_type,
        r.note ORDER BY a.id LIMIT 3`),
    ).toEqual([
      ['n1', true, 'personal', null],
      ['n2', true, 'personal', null],
      ['n3', false, 'personal', 'kept'],
    ]);
    const after = await hash();
    expect(await stamps()).toBe(7);
    const batch = { index: 0, cursor: null, done: 0, size: 3 };
    expect(await kind.performBatch(kind.input.parse(owned), batch, contextOf('r1'))).toMatchObject({ done: 3 });
    expect(await perform(kind, owned, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await kind.preview(kind.input.parse(owned), contextOf('p'))).toMatchObject({ count: 0, samples: [] });
    expect(await hash()).toBe(after);
    expect(await kind.verify?.(kind.input.parse(owned), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await kind.previewUndo?.(kind.input.parse(owned), undoOf('x', 'r1'))).toMatchObject({ count: 7 });
    expect(await undo(kind, owned, undoOf('b1', 'r1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    expect([await hash(), await stamps()]).toEqual([before, 0]);
    expect(await kind.verify?.(kind.input.parse(owned), contextOf('r1'))).toMatchObject([{ status: 'failed' }]);
    expect(await undo(kind, owned, undoOf('b2', 'b1'))).toMatchObject({ done: 7, missing: 0 });
    expect([await hash(), await stamps()]).toEqual([after, 7]);
    expect(await undo(kind, owned, undoOf('b3', 'b2'))).toMatchObject({ done: 7, missing: 0 });
    expect([await hash(), await stamps()]).toEqual([before, 0]);
  });

  it('keeps what users wrote since, tells what is gone, and restores the rest by property', async () => {
    await perform(kind, owned, contextOf('r1'), 100);
    await graph.query("MATCH (:Notebook {id: 'n1'})-[r]->() SET r.ownership_type = 'shared', r.note = 'mine'");
    await graph.query("MATCH (:Notebook {id: 'n2'})-[r]->() DELETE r");
    await graph.query("MATCH (a:Notebook {id: 'n3'}) DETACH DELETE a");
    await graph.query("MATCH (:Notebook {id: 'n4'})-[r]->() SET r.note = 'kept'");
    await graph.query("MATCH (:Notebook {id: 'n5'})-[r]->() REMOVE r.created_at, r.ownership_type");
    await graph.query("MATCH (a:Notebook {id: 'n6'}), (u:User {id: 'u1'}) CREATE (a)-[:OWNED_BY {own: true}]->(u)");
    const group = ['created_at', 'ownership_type'].map((field) => ({ system: 'graph', collection: 'OWNED_BY', field }));
    const context = undoOf('b1', 'r1', { coupled: [group] });
    expect(await kind.previewUndo?.(kind.input.parse(owned), { ...context, runId: 'p' })).toMatchObject({
      count: 3,
      kept: { counts: { 'changed-since': 1, coupled: 1, missing: 2 } },
    });
    expect(await undo(kind, owned, context)).toEqual({ done: 3, kept: 2, missing: 2, batches: 1 });
    expect(await conflicts('b1')).toEqual([
      'OWNED_BY n1 → u2 created_at coupled',
      'OWNED_BY n1 → u2 ownership_type changed-since',
      'OWNED_BY n2 → u1 created_at, ownership_type missing',
      'OWNED_BY n3 → u2 created_at, ownership_type missing',
    ]);
    const [changed, , , gone] = (await graph.system.journal?.conflicts('b1', 'data.step', 9)) ?? [];
    expect([changed, gone]).toEqual(
      expect.arrayContaining([expect.objectContaining({ reason: 'missing', ours: expect.anything() })]),
    );
    expect(
      await graph.query(
        'MATCH (a:Notebook)-[r:OWNED_BY]->(u) RETURN a.id, u.id, apoc.map.removeKeys(properties(r), ["_tas_id", "created_at"]), r.created_at IS NULL ORDER BY a.id, u.id',
      ),
    ).toEqual([
      ['n1', 'u2', { ownership_type: 'shared', note: 'mine' }, false],
      ['n4', 'u1', { note: 'kept' }, true],
      ['n5', 'u2', {}, true],
      ['n6', 'u1', { own: true }, true],
      ['n6', 'u1', {}, true],
      ['n7', 'u2', {}, true],
    ]);
    // What the first undo kept is still the run's to find; the undo's undo brings back what it took.
    expect(await undo(kind, owned, undoOf('b2', 'b1'))).toMatchObject({ done: 3, kept: 0, missing: 0 });
    expect(await graph.query("MATCH (:Notebook {id: 'n4'})-[r]->() RETURN r.ownership_type, r.note")).toEqual([
      ['personal', 'kept'],
    ]);
  });

  it('tells parallel relationships apart, edited or not', async () => {
    await graph.query(
      "MATCH (a:Notebook {id: 'n1'}), (u:User {id: 'u1'}) UNWIND range(1, 9) AS i CREATE (a)-[:LIKES {i: i % 3}]->(u)",
    );
    const step = { ...owned, type: 'LIKES', set: { weight: '10 + r.i' } };
    const list = async () =>
      (await graph.query('MATCH ()-[r:LIKES]->() RETURN r.i, r.weight ORDER BY r.i, r.weight')) as bigint[][];
    const before = await hash();
    expect(await perform(kind, step, contextOf('r1'), 4)).toMatchObject({ done: 9, batches: 3 });
    expect((await list()).map(([i, weight]) => Number(weight) - Number(i))).toEqual(Array(9).fill(10));
    // One is edited, one deleted, and somebody else makes one that looks the same.
    await graph.query('MATCH ()-[r:LIKES {i: 1}]->() WITH r LIMIT 1 SET r.weight = 99');
    await graph.query('MATCH ()-[r:LIKES {i: 2}]->() WITH r LIMIT 1 DELETE r');
    await graph.query("MATCH (a:Notebook {id: 'n1'}), (u:User {id: 'u1'}) CREATE (a)-[:LIKES {i: 0, weight: 10}]->(u)");
    expect(await undo(kind, step, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 1, missing: 1 });
    const rows = (await list()).map(([i, weight]) => `${i}:${weight}`);
    expect(rows).toEqual(['0:10', '0:null', '0:null', '0:null', '1:99', '1:null', '1:null', '2:null', '2:null']);
    expect(await undo(kind, step, undoOf('b2', 'b1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    await graph.query('MATCH ()-[r:LIKES]->() WHERE r.weight = 99 SET r.weight = 11');
    expect(await undo(kind, step, undoOf('b3', 'b2'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    await graph.query('MATCH ()-[r:LIKES]->() WHERE r.weight = 10 DELETE r');
    await graph.query('MATCH ()-[r:LIKES]->() REMOVE r.weight');
    await graph.query("MATCH (a:Notebook {id: 'n1'}), (u:User {id: 'u1'}) CREATE (a)-[:LIKES {i: 2}]->(u)");
    expect(await hash()).toBe(before);
  });

  it('goes through a node with very many relationships, batch by batch', async () => {
    await graph.query('CREATE CONSTRAINT user_id FOR (n:User) REQUIRE n.id IS UNIQUE');
    await graph.query(`MATCH (a:Notebook {id: 'n2'}) UNWIND range(1, 3000) AS i
      CREATE (u:User {id: 'w' + i}) CREATE (a)-[:SEEN {i: i}]->(u), (u)-[:SEEN_BY {i: i}]->(a)`);
    await graph.query(
      "MATCH (a:Notebook {id: 'n2'}), (u:User {id: 'w5'}) UNWIND range(1, 500) AS i CREATE (a)-[:SEEN {i: i}]->(u)",
    );
    const before = await hash();
    for (const [i, step] of [
      { ...owned, type: 'SEEN', set: { x: 'r.i' } },
      { ...owned, type: 'SEEN_BY', from: owned.to, to: owned.from, set: { x: 'r.i' } },
    ].entries()) {
      const count = i === 0 ? 3500 : 3000;
      expect(await perform(kind, step, contextOf(`r${i}`), 700)).toMatchObject({ done: count });
      expect(await graph.query('MATCH ()-[r]->() WHERE r.x = r.i RETURN count(r)')).toEqual([[BigInt(count)]]);
      expect(await undo(kind, step, undoOf(`b${i}`, `r${i}`))).toMatchObject({ done: count, kept: 0, missing: 0 });
      expect(await hash()).toBe(before);
      expect(await undo(kind, step, undoOf(`c${i}`, `b${i}`))).toMatchObject({ done: count, kept: 0, missing: 0 });
      expect(await undo(kind, step, undoOf(`d${i}`, `c${i}`))).toMatchObject({ done: count, kept: 0, missing: 0 });
      expect(await hash()).toBe(before);
    }
  });

  it('takes hostile names and every type of value for what they are', async () => {
    for (const hostile of ['a b`c', 'x\\u0060) DELETE r //', 'é\n😀']) {
      const names = { a: `${hostile} a`, b: `${hostile} b`, type: `${hostile}-T`, key: `${hostile} k` };
      const values = "date('2020-02-29'), p: point({x: 1, y: 2}), d: duration('P1M'), l: ['', 'b'], f: -0.0, s: $key";
      await graph.query(
        `UNWIND range(1, 3) AS i CALL apoc.create.node([$a], apoc.map.fromPairs([[$key, 'a' + i]])) YIELD node AS a
         CALL apoc.create.node([$b], apoc.map.fromPairs([[$key, 'b\`"' + i]])) YIELD node AS b
         SET a.t = datetime('2024-02-29T12:00+01:00[Europe/Berlin]')
         WITH a, b CALL apoc.create.relationship(a, $type, {t: ${values}}, b) YIELD rel RETURN count(rel)`,
        names,
      );
      const before = await hash();
      const step = {
        type: names.type,
        from: { label: names.a, key: names.key },
        to: { label: names.b, key: names.key },
        where: 'r.d IS NOT NULL',
        set: { [`${hostile}!`]: 'a.t', l: "['x', 'y']", __proto__x: 'r.p' },
      };
      expect(await perform(kind, step, contextOf(`r${hostile}`), 2)).toMatchObject({ done: 3 });
      const [[done]] = (await graph.query(
        'MATCH (a)-[r]->() WHERE r[$name] = a.t AND r.l = ["x", "y"] AND r.__proto__x = r.p RETURN count(r)',
        { name: `${hostile}!` },
      )) as [[bigint]];
      expect(done).toBe(3n);
      expect(await undo(kind, step, undoOf(`b${hostile}`, `r${hostile}`))).toMatchObject({ done: 3, kept: 0 });
      expect(await hash()).toBe(before);
      expect(await undo(kind, step, undoOf(`c${hostile}`, `b${hostile}`))).toMatchObject({ done: 3, kept: 0 });
    }
    for (const wrong of [{ type: '_TasX' }, { set: { _tas_id: '1' } }, { set: {} }, { where: '' }])
      expect(kind.input.safeParse({ ...owned, ...wrong })).toMatchObject({ success: false });
  });

  it('refuses what writes or leaves its brackets, unfit keys, and more than was approved', async () => {
    const before = await hash();
    const attempts: [object, RegExp][] = [
      [{ where: 'true) DELETE r //' }, /where, line 1, column 5/],
      [{ where: 'b.x = 1 AND\nnn.y' }, /where, line 2, column 1/],
      [{ set: { x: "'a' +\n  q" } }, /set\.x, line 2, column 3/],
      [{ set: { x: 'r._tas_id' } }, /belongs to the bot/],
      [{ set: { x: '$sequence' } }, /sequence/],
    ];
    for (const [wrong, message] of attempts) {
      const step = kind.input.parse({ ...owned, ...wrong });
      const refusal = { code: 'invalid-statement', message: expect.stringMatching(message) };
      await expect(kind.preview(step, contextOf('p'))).rejects.toMatchObject(refusal);
      const batch = { index: 0, cursor: null, done: 0, size: 10 };
      await expect(kind.performBatch(step, batch, contextOf('r1'))).rejects.toMatchObject(refusal);
    }
    await expect(perform(kind, owned, contextOf('r1', { cap: 6 }), 100)).rejects.toMatchObject({ code: 'over-cap' });
    await graph.query("MATCH (a:Notebook {id: 'n1'}) CREATE (:User {id: 'u1'}), (a)-[:OWNED_BY]->(:User {id: 5})");
    const { findings } = await kind.preview(kind.input.parse(owned), contextOf('p'));
    expect(findings).toMatchObject([
      { check: 'key-is-text', status: 'failed', count: 1, title: expect.stringContaining('User.id') },
      { check: 'key-is-unique', status: 'failed', count: 1, samples: ['u1'] },
    ]);
    await expect(perform(kind, owned, contextOf('r2'))).rejects.toMatchObject({ code: 'precondition-failed' });
    await graph.query('MATCH (u:User) WHERE u.id = 5 OR NOT (u)--() DETACH DELETE u');
    expect(await hash()).toBe(before);
  });

  it('is narrowed to relationships that begin at the canary, and says at least how many', async () => {
    const step = kind.input.parse({ ...owned, where: 'true OR r.x = 1' });
    const narrow = (predicate: string | null) =>
      kind.narrow?.(step, (_, collection) => (collection === 'Notebook' ? predicate : null));
    const narrowed = kind.input.parse(narrow("n.id = 'n1' OR EXISTS { (n)-->(:User {id: 'u1'}) }"));
    expect(await kind.preview(narrowed, contextOf('p'))).toMatchObject({ count: 4 });
    expect(await perform(kind, narrowed, contextOf('r1'))).toMatchObject({ done: 4 });
    expect(narrow(null)).toEqual(step);
    expect(() => narrow('true RETURN 1 } OR EXISTS { RETURN 1')).toThrow(/closes nothing/);
    await graph.query(`MATCH (u:User {id: 'u1'}) UNWIND range(1, 2500) AS i
      CREATE (:Notebook {id: 'm' + i, created_at: date()})-[:OWNED_BY]->(u)`);
    const bounded = await kind.preview(kind.input.parse(owned), contextOf('p', { countForMs: 0 }));
    expect(bounded).toMatchObject({ exact: false, keysHash: '' });
    expect(bounded.count).toBeGreaterThan(100);
  });

  it('warns of what cannot be computed yet, and counts it, since an earlier step may fill it', async () => {
    await graph.query("MATCH (a:Notebook {id: 'n1'}) REMOVE a.created_at");
    const step = { ...owned, set: { created_at: 'a.created_at' } };
    const preview = await kind.preview(kind.input.parse(step), contextOf('p'));
    expect(preview).toMatchObject({
      count: 7,
      findings: [{ check: 'values-computed', status: 'warning', count: 1, samples: ['n1 → u2'] }],
    });
    expect(await perform(kind, step, contextOf('r1'))).toMatchObject({ done: 6 });
    expect(await kind.verify?.(kind.input.parse(step), contextOf('r1'))).toMatchObject([
      { status: 'passed' },
      { status: 'warning', count: 1 },
    ]);
  });

  it('shows its stamps to nobody, and tells own references from others', async () => {
    const step = { ...owned, set: { tenant: "'t_' + a.id" } };
    await perform(kind, step, contextOf('r1'), 3);
    const shown = await graph.system.violations?.('MATCH (a)-[r:OWNED_BY]->() RETURN r, properties(r) AS p, [r] AS l');
    expect(JSON.stringify(shown)).not.toContain('_tas');
    expect(shown?.samples[0]).toMatchObject({ r: { type: 'OWNED_BY', tenant: expect.stringMatching(/^t_n/) } });
    const { journal } = graph.system;
    const written: string[] = [];
    for await (const values of journal?.writtenValues('r1', 'data.step', 'tenant') ?? []) written.push(...values);
    expect(written).toEqual([1, 2, 3, 4, 5, 6, 7].map((i) => `t_n${i}`));
    const foreign = async () => [...((await journal?.foreignReferences('r1', 'OWNED_BY', 'tenant', written)) ?? [])];
    expect(await foreign()).toEqual([]);
    await graph.query(
      "MATCH (a:Notebook {id: 'n1'}), (u:User {id: 'u1'}) CREATE (a)-[:OWNED_BY {tenant: 't_n2'}]->(u)",
    );
    await graph.query("CREATE (:OWNED_BY {tenant: 't_n3', id: 'n3'})");
    expect((await foreign()).sort()).toEqual(['t_n2', 't_n3']);
    const held = async () => new Set(['t_n4']);
    expect(await undo(kind, step, undoOf('b1', 'r1', { held }))).toMatchObject({ done: 6, kept: 1 });
    expect(await conflicts('b1')).toEqual(['OWNED_BY n4 → u1 tenant referred-to']);
    expect((await foreign()).sort()).toEqual(['t_n2', 't_n3', 't_n4']);
  });
});
