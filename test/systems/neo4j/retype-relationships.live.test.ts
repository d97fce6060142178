import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(180_000);

const filed = {
  from: 'BELONGS_TO_NOTEBOOK',
  to: 'BELONGS_TO',
  ends: { from: { label: 'Document', key: 'id' }, to: { label: 'Notebook', key: 'id' } },
  set: { created_at: 'coalesce(r.created_at, a.created_at)', order_index: 'coalesce(r.order_index, 0)' },
};

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.retype-relationships');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query('CREATE CONSTRAINT document_id FOR (n:Document) REQUIRE n.id IS UNIQUE');
  await graph.query("CREATE (:Notebook {id: 'n1'})-[:BELONGS_TO]->(:Space {id: 's1'}), (:Notebook {id: 'n2'})");
  await graph.query(`UNWIND range(1, 7) AS i MATCH (n:Notebook {id: 'n' + (1 + i % 2)})
    CREATE (:Document {id: 'd' + i, created_at: date('2026-01-0' + i)})-[:BELONGS_TO_NOTEBOOK {order_index: i, by: ['x']}]->(n)`);
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function stamps(): Promise<number> {
  const [[count]] = (await graph.query('MATCH ()-[r]->() WHERE r._tas_id IS NOT NULL RETURN count(r)')) as [[bigint]];
  return Number(count);
}

/** The documents' relationships, as `document type notebook order note`. */
async function filings(): Promise<string[]> {
  const rows = await graph.query(
    'MATCH (a:Document)-[r]->(b:Notebook) RETURN a.id, type(r), b.id, r.order_index, r.note',
  );
  return rows.map((row) => row.filter((value) => value !== null).join(' ')).sort();
}

async function conflicts(run: string): Promise<string[]> {
  const found = (await graph.system.journal?.conflicts(run, 'data.step', 20)) ?? [];
  return found.map(({ collection, key, field, reason }) => `${collection} ${key} ${field} ${reason}`).sort();
}

describe('neo4j.retype-relationships', () => {
  it('gives them another type with all that they hold, once, and their own back', async () => {
    await graph.query("MATCH (d:Document {id: 'd1'}) CREATE (:Space {id: 's2'})-[:BELONGS_TO_NOTEBOOK]->(d)");
    await graph.query("MATCH (:Document {id: 'd3'})-[r]->() REMOVE r.order_index");
    const before = await hash();
    const preview = await kind.preview(kind.input.parse(filed), contextOf('p'));
    expect(preview).toMatchObject({
      count: 7,
      exact: true,
      undoClass: 'reversible',
      findings: [{ check: 'other-ends', status: 'warning', count: 1 }],
    });
    expect(preview.samples).toHaveLength(5);
    expect(preview.samples[2]).toEqual({
      collection: 'BELONGS_TO',
      key: 'd3 → n2',
      before: { by: ['x'], created_at: null, order_index: null },
      after: { by: ['x'], created_at: '2026-01-03', order_index: 0 },
    });
    expect(await hash()).toBe(before);
    expect(await perform(kind, filed, contextOf('r1'))).toMatchObject({ done: 7, batches: 3 });
    expect(
      await graph.query(`MATCH (a:Document)-[r]->(b:Notebook) RETURN a.id, type(r), apoc.map.removeKey(properties(r), '_tas_id') =
        {order_index: CASE a.id WHEN 'd3' THEN 0 ELSE toInteger(substring(a.id, 1)) END, by: ['x'], created_at: a.created_at}
        ORDER BY a.id LIMIT 3`),
    ).toEqual(['d1', 'd2', 'd3'].map((id) => [id, 'BELONGS_TO', true]));
    const after = await hash();
    const batch = { index: 2, cursor: null, done: 0, size: 3 };
    expect(await kind.performBatch(kind.input.parse(filed), batch, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await perform(kind, filed, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await hash()).toBe(after);
    expect(await kind.verify?.(kind.input.parse(filed), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await kind.previewUndo?.(kind.input.parse(filed), undoOf('x', 'r1'))).toMatchObject({ count: 7 });
    expect(await undo(kind, filed, undoOf('b1', 'r1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    expect([await hash(), await stamps()]).toEqual([before, 0]);
    expect(await kind.verify?.(kind.input.parse(filed), contextOf('r1'))).toMatchObject([
      { status: 'failed', count: 7, samples: expect.arrayContaining(['d1 → n2']) },
    ]);
    expect(await undo(kind, filed, undoOf('b2', 'b1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(after);
    expect(await undo(kind, filed, undoOf('b3', 'b2'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect([await hash(), await stamps()]).toEqual([before, 0]);
  });

  it('keeps what users wrote to them since, and leaves what they made and took away', async () => {
    await perform(kind, filed, contextOf('r1'), 3);
    await graph.query("MATCH (:Document {id: 'd1'})-[r]->() SET r.order_index = 50, r.created_at = date()");
    await graph.query("MATCH (:Document {id: 'd2'})-[r]->() SET r.note = 'mine'");
    await graph.query("MATCH (:Document {id: 'd3'})-[r]->() DELETE r");
    await graph.query("MATCH (d:Document {id: 'd4'}) DETACH DELETE d");
    await graph.query(`MATCH (d:Document {id: 'd5'}), (n:Notebook {id: 'n1'})
      CREATE (d)-[:BELONGS_TO {order_index: 5, note: 'new'}]->(n), (d)-[:BELONGS_TO_NOTEBOOK {note: 'old'}]->(n)`);
    await graph.query(
      `MATCH (a:Document {id: 'd6'})-[r]->(b) CREATE (a)-[x:FILED_UNDER]->(b) SET x = properties(r) DELETE r`,
    );
    const preview = await kind.previewUndo?.(kind.input.parse(filed), undoOf('x', 'r1'));
    expect(preview).toMatchObject({ count: 5, kept: { counts: { 'changed-since': 2, missing: 2 } } });
    expect(await undo(kind, filed, undoOf('b1', 'r1'))).toEqual({ done: 5, kept: 2, missing: 2, batches: 3 });
    expect(await filings()).toEqual([
      'd1 BELONGS_TO_NOTEBOOK n2 50',
      'd2 BELONGS_TO_NOTEBOOK n1 2 mine',
      'd5 BELONGS_TO n1 5 new',
      'd5 BELONGS_TO_NOTEBOOK n1 old',
      'd5 BELONGS_TO_NOTEBOOK n2 5',
      'd6 FILED_UNDER n1 6',
      'd7 BELONGS_TO_NOTEBOOK n2 7',
    ]);
    expect(await conflicts('b1')).toEqual([
      'BELONGS_TO d1 → n2 created_at changed-since',
      'BELONGS_TO d3 → n2 created_at missing',
      'BELONGS_TO d4 → n1 created_at missing',
      'BELONGS_TO d6 → n1 (type) changed-since',
    ]);
    const found = (await graph.system.journal?.conflicts('b1', 'data.step', 9)) ?? [];
    expect(found.find(({ field }) => field === '(type)')).toMatchObject({
      base: 'BELONGS_TO_NOTEBOOK',
      ours: 'BELONGS_TO',
      theirs: 'FILED_UNDER',
    });
    expect(found.find(({ key }) => key === 'd4 → n1')).toMatchObject({ theirs: 'Document d4 is gone' });
    const redo = await undo(kind, filed, undoOf('b2', 'b1'));
    expect(redo).toMatchObject({ done: 5, missing: 0 });
    expect((await filings()).filter((line) => line.includes('BELONGS_TO_NOTEBOOK'))).toEqual([
      'd5 BELONGS_TO_NOTEBOOK n1 old',
    ]);
    expect(await filings()).toContain('d1 BELONGS_TO n2 50');
  });

  it('keeps parallel relationships as many as they are, across batches and in an undo', async () => {
    await graph.query(`MATCH (d:Document {id: 'd1'}), (n:Notebook {id: 'n2'}) UNWIND range(1, 10) AS i
      CREATE (d)-[:BELONGS_TO_NOTEBOOK {order_index: i % 3, note: 'p'}]->(n)`);
    const step = { ...filed, set: {} };
    const [before, whole] = [await hash(), await filings()];
    for (const size of [1, 4, 100]) {
      expect(await perform(kind, step, contextOf(`r${size}`), size)).toMatchObject({ done: 17 });
      expect(await filings()).toEqual(whole.map((line) => line.replace('_NOTEBOOK', '')).sort());
      expect(await undo(kind, step, undoOf(`b${size}`, `r${size}`))).toMatchObject({ done: 17, kept: 0, missing: 0 });
      expect(await hash()).toBe(before);
      expect(await undo(kind, step, undoOf(`c${size}`, `b${size}`))).toMatchObject({ done: 17, kept: 0, missing: 0 });
      expect(await undo(kind, step, undoOf(`d${size}`, `c${size}`))).toMatchObject({ done: 17, kept: 0, missing: 0 });
      expect(await hash()).toBe(before);
    }
  });

  it('refuses, merges or keeps both where there is one of the new type already', async () => {
    await graph.query(`MATCH (d:Document {id: 'd1'})-[:BELONGS_TO_NOTEBOOK]->(n)
      CREATE (d)-[:BELONGS_TO {order_index: 100, own: true}]->(n), (d)-[:BELONGS_TO_NOTEBOOK {note: 'second', order_index: 3}]->(n)`);
    await graph.query("MATCH (d:Document {id: 'd2'})-[:BELONGS_TO_NOTEBOOK]->(n) CREATE (n)-[:BELONGS_TO]->(d)");
    const before = await hash();
    const preview = (whenThere?: string) =>
      kind.preview(kind.input.parse({ ...filed, ...(whenThere ? { whenThere } : {}) }), contextOf('p'));
    expect((await preview()).findings).toMatchObject([
      { check: 'new-type-free', status: 'failed', count: 2, samples: ['d1 → n2', 'd1 → n2'] },
    ]);
    await expect(perform(kind, filed, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await hash()).toBe(before);

    const merge = { ...filed, whenThere: 'merge' };
    expect((await preview('merge')).findings).toMatchObject([{ status: 'warning', count: 2 }]);
    for (const size of [1, 100]) {
      expect(await perform(kind, merge, contextOf(`m${size}`), size)).toMatchObject({ done: 8 });
      expect(
        await graph.query(`MATCH (:Document {id: 'd1'})-[r]->(:Notebook)
          RETURN type(r), apoc.map.removeKeys(properties(r), ['_tas_id', 'created_at']), r.created_at = date('2026-01-01')`),
      ).toEqual([['BELONGS_TO', { order_index: 100n, own: true, by: ['x'], note: 'second' }, true]]);
      const after = await hash();
      expect(await undo(kind, merge, undoOf(`bm${size}`, `m${size}`))).toMatchObject({ kept: 0, missing: 0 });
      expect([await hash(), await stamps()]).toEqual([before, 0]);
      expect(await undo(kind, merge, undoOf(`cm${size}`, `bm${size}`))).toMatchObject({ kept: 0, missing: 0 });
      expect(await hash()).toBe(after);
      expect(await undo(kind, merge, undoOf(`dm${size}`, `cm${size}`))).toMatchObject({ kept: 0, missing: 0 });
      expect([await hash(), await stamps()]).toEqual([before, 0]);
    }

    const both = { ...filed, whenThere: 'keep-both' };
    expect((await preview('keep-both')).findings).toMatchObject([{ status: 'warning', count: 2 }]);
    expect(await perform(kind, both, contextOf('k'), 2)).toMatchObject({ done: 8 });
    expect((await filings()).filter((line) => line.startsWith('d1'))).toEqual([
      'd1 BELONGS_TO n2 1',
      'd1 BELONGS_TO n2 100',
      'd1 BELONGS_TO n2 3 second',
    ]);
    expect(await undo(kind, both, undoOf('bk', 'k'))).toMatchObject({ done: 8, kept: 0, missing: 0 });
    expect([await hash(), await stamps()]).toEqual([before, 0]);
  });

  it('keeps a merged one that was edited since, and does not take away again what was edited in between', async () => {
    await graph.query(
      "MATCH (d:Document {id: 'd1'})-[:BELONGS_TO_NOTEBOOK]->(n) CREATE (d)-[:BELONGS_TO {own: 1}]->(n)",
    );
    const merge = { ...filed, where: "a.id = 'd1'", set: {}, whenThere: 'merge' };
    expect(await perform(kind, merge, contextOf('r1'))).toMatchObject({ done: 1 });
    await graph.query("MATCH (:Document {id: 'd1'})-[r:BELONGS_TO]->() SET r.order_index = 9");
    expect(await undo(kind, merge, undoOf('b1', 'r1'))).toMatchObject({ done: 2, kept: 1, missing: 0 });
    expect(await conflicts('b1')).toEqual(['BELONGS_TO d1 → n2 order_index changed-since']);
    expect((await filings()).filter((line) => line.startsWith('d1'))).toEqual([
      'd1 BELONGS_TO n2 9',
      'd1 BELONGS_TO_NOTEBOOK n2 1',
    ]);
    await graph.query("MATCH (:Document {id: 'd1'})-[r:BELONGS_TO_NOTEBOOK]->() SET r.note = 'edited'");
    expect(await undo(kind, merge, undoOf('b2', 'b1'))).toMatchObject({ done: 1, kept: 1 });
    expect(await filings()).toContain('d1 BELONGS_TO_NOTEBOOK n2 1 edited');
    expect(await conflicts('b2')).toEqual(['BELONGS_TO_NOTEBOOK d1 → n2 note changed-since']);
  });

  it('leaves an earlier step its relationships: both are undone, in either order', async () => {
    const fill = kindOf(graph.system, 'neo4j.set-relationship-properties');
    const step = { type: filed.from, from: filed.ends.from, to: filed.ends.to, set: { rank: 'r.order_index * 10' } };
    const before = await hash();
    await perform(fill, step, contextOf('r1'));
    const between = await hash();
    await perform(kind, filed, contextOf('r2'), 100);
    expect(await undo(kind, filed, undoOf('b2', 'r2'))).toMatchObject({ done: 7, kept: 0 });
    expect([await hash(), await stamps()]).toEqual([between, 7]);
    await undo(kind, filed, undoOf('c2', 'b2'));
    expect(await undo(fill, step, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await undo(kind, filed, undoOf('d2', 'c2'))).toMatchObject({ done: 7, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(kind.writes?.(kind.input.parse(filed))).toEqual([
      { collection: 'BELONGS_TO_NOTEBOOK', field: '(type)' },
      { collection: 'BELONGS_TO', field: '(type)' },
      { collection: 'BELONGS_TO', field: 'created_at' },
      { collection: 'BELONGS_TO', field: 'order_index' },
    ]);
  });

  it('waits for whoever writes to a relationship or takes it away, and sees what he left', async () => {
    for (const [i, meanwhile] of [
      "MATCH (:Document {id: 'd2'})-[r]->() SET r.note = 'late'",
      "MATCH (:Document {id: 'd2'})-[r]->() DELETE r",
      "MATCH (d:Document {id: 'd2'}) DETACH DELETE d",
    ].entries()) {
      const gate = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      const user = graph.connection.write(
        async (transaction) => {
          await transaction.run(meanwhile);
          held.resolve();
          await gate.promise;
        },
        { once: true },
      );
      await held.promise;
      const batch = { index: 0, cursor: null, done: 0, size: 100 };
      const late = kind.performBatch(kind.input.parse({ ...filed, set: {} }), batch, contextOf(`r${i}`));
      for (let blocked = 0; blocked === 0; ) {
        const [[count]] = (await graph.query(
          "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN count(*)",
        )) as [[bigint]];
        blocked = Number(count);
      }
      gate.resolve();
      // Who deletes takes some locks when he commits: the server may choose him in a deadlock. Then nothing was deleted.
      const went = await user.then(
        () => true,
        (error: Error) => {
          expect(error.message).toMatch(/DeadlockDetected/);
          return false;
        },
      );
      const left = i > 0 && went ? 6 : 7;
      expect(await late).toMatchObject({ done: left });
      const filed2 = (await filings()).filter((line) => line.startsWith('d2'));
      expect(filed2).toEqual(left === 6 ? [] : [`d2 BELONGS_TO n1 2${i === 0 ? ' late' : ''}`]);
      expect(await undo(kind, filed, undoOf(`b${i}`, `r${i}`))).toMatchObject({ done: left, kept: 0, missing: 0 });
      await graph.query(`MATCH (n:Notebook {id: 'n1'}) MERGE (d:Document {id: 'd2'})
        WITH n, d OPTIONAL MATCH (d)-[r]->() DELETE r WITH DISTINCT n, d
        CREATE (d)-[:BELONGS_TO_NOTEBOOK {order_index: 2}]->(n)`);
    }
  });

  it('takes loops, hostile names and every type of value for what they are', async () => {
    for (const hostile of ['a b`c', 'x\\u0060) DELETE r //', 'é\n😀']) {
      const names = { label: `${hostile} l`, type: `${hostile}-T`, key: `${hostile} k` };
      const values =
        "date('2020-02-29'), p: point({x: 1, y: 2}), d: duration('P1M'), l: ['', 'b'], f: -0.0, g: 1.0, s: $key";
      await graph.query(
        `UNWIND range(1, 3) AS i CALL apoc.create.node([$label], apoc.map.fromPairs([[$key, 'a' + i]])) YIELD node AS a
         WITH a CALL apoc.create.relationship(a, $type, {t: ${values}}, a) YIELD rel RETURN count(rel)`,
        names,
      );
      const before = await hash();
      const end = { label: names.label, key: names.key };
      const step = { from: names.type, to: `${hostile} new`, ends: { from: end, to: end }, set: { g: '1' } };
      expect(await kind.preview(kind.input.parse(step), contextOf('p'))).toMatchObject({ count: 3, findings: [] });
      expect(await perform(kind, step, contextOf(`r${hostile}`), 2)).toMatchObject({ done: 3 });
      const found = await graph.query(
        `MATCH (a)-[r]->(a) WHERE type(r) = $type AND r.t = date('2020-02-29') AND r.g IS :: INTEGER RETURN count(r)`,
        { type: step.to },
      );
      expect(found).toEqual([[3n]]);
      expect(await undo(kind, step, undoOf(`b${hostile}`, `r${hostile}`))).toMatchObject({ done: 3, kept: 0 });
      expect(await hash()).toBe(before);
      expect(await undo(kind, step, undoOf(`c${hostile}`, `b${hostile}`))).toMatchObject({ done: 3, missing: 0 });
    }
    for (const wrong of [{ to: 'BELONGS_TO_NOTEBOOK' }, { to: '_TasX' }, { set: { _tas_id: '1' } }, { whenThere: 'x' }])
      expect(kind.input.safeParse({ ...filed, ...wrong })).toMatchObject({ success: false });
  });

  it('stops at what was approved, keeps to its canary, and refuses what writes', async () => {
    await expect(perform(kind, filed, contextOf('r1', { cap: 6 }), 100)).rejects.toMatchObject({ code: 'over-cap' });
    await expect(
      kind.preview(kind.input.parse({ ...filed, where: 'true SET r.x = 1' }), contextOf('p')),
    ).rejects.toMatchObject({ code: 'invalid-statement' });
    const canary = kind.input.parse(kind.narrow?.(kind.input.parse(filed), () => "n.id = 'd1' OR n.id = 'd2'"));
    expect(await perform(kind, canary, contextOf('r2'))).toMatchObject({ done: 2 });
    expect((await filings()).filter((line) => line.includes('BELONGS_TO '))).toHaveLength(2);
    expect(kind.describe(canary as never)).toContain('BELONGS_TO of BELONGS_TO_NOTEBOOK');
  });
});
