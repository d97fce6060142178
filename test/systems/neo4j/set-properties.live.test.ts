import { jest } from '@jest/globals';
import type { StepKind, System } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const fill = {
  label: 'User',
  key: 'id',
  where: 'n.tenant IS NULL',
  set: { tenant: "'tenant_' + $sequence", space: "'space_' + $sequence" },
};

let graph: FreshGraph;
let system: System;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  system = graph.system;
  kind = kindOf(system, 'neo4j.set-properties');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 7) AS i CREATE (:User {id: 'u' + i, name: 'N' + i})");
  await graph.query("CREATE (:User {id: 'u8', tenant: 'tenant_1', space: 'space_1'})");
});

async function users(): Promise<string> {
  const rows = await graph.query('MATCH (n:User) RETURN n.id, properties(n) ORDER BY n.id');
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

describe('neo4j.set-properties', () => {
  it('shows what it would do, exactly, and writes nothing', async () => {
    const before = await graph.query('MATCH (n) RETURN count(n)');
    const preview = await kind.preview(kind.input.parse(fill), contextOf('p1'));
    expect(preview).toMatchObject({ count: 7, exact: true, undoClass: 'reversible', findings: [], locks: [] });
    expect(preview.samples).toHaveLength(5);
    expect(preview.samples[1]).toEqual({
      collection: 'User',
      key: 'u2',
      before: { tenant: null, space: null },
      after: { tenant: 'tenant_1700000000000001', space: 'space_1700000000000001' },
    });
    expect(preview.bytes).toBeGreaterThan(0);
    expect(await graph.query('MATCH (n) RETURN count(n)')).toEqual(before);
    expect(await graph.query("SHOW CONSTRAINTS YIELD name WHERE name STARTS WITH '_tas' RETURN name")).toEqual([]);
  });

  it('fills in what is missing with numbers that go on from batch to batch, once', async () => {
    expect(await perform(kind, fill, contextOf('r1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    const rows = await graph.query('MATCH (n:User) RETURN n.tenant, n.space ORDER BY n.id');
    expect(rows.slice(0, 7)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((i) => [`tenant_170000000000000${i}`, `space_170000000000000${i}`]),
    );
    expect(rows[7]).toEqual(['tenant_1', 'space_1']);
    const after = await users();
    expect(await perform(kind, fill, contextOf('r2'))).toMatchObject({ done: 0, batches: 1 });
    expect(await users()).toBe(after);
    expect(after).not.toContain('_tas');
    expect(await kind.verify?.(kind.input.parse(fill), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
  });

  it('is undone, and its undo is undone', async () => {
    const before = await users();
    await perform(kind, fill, contextOf('r1'));
    const after = await users();
    const preview = await kind.previewUndo?.(kind.input.parse(fill), undoOf('x', 'r1'));
    expect(preview).toMatchObject({ count: 7, findings: [] });
    expect(await undo(kind, fill, undoOf('b1', 'r1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    expect(await users()).toBe(before);
    expect(await undo(kind, fill, undoOf('b2', 'b1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    expect(await users()).toBe(after);
    expect(await undo(kind, fill, undoOf('b3', 'b2'))).toMatchObject({ done: 7 });
    expect(await users()).toBe(before);
  });

  it('keeps what users changed since, what is referred to, and the coupled field; tells what is gone', async () => {
    await perform(kind, fill, contextOf('r1'), 100);
    await graph.query("MATCH (n:User {id: 'u2'}) SET n.space = 'mine'");
    await graph.query("MATCH (n:User {id: 'u3'}) DELETE n");
    await graph.query("MATCH (n:User {id: 'u4'}) SET n.name = 'renamed'");
    const group = ['tenant', 'space'].map((field) => ({ system: 'graph', collection: 'User', field }));
    const context = undoOf('b1', 'r1', {
      coupled: [group],
      held: async ({ field }) => new Set(field === 'tenant' ? ['tenant_1700000000000004'] : []),
    });
    expect(await kind.previewUndo?.(kind.input.parse(fill), { ...context, runId: 'p' })).toMatchObject({
      count: 4,
      findings: [
        { status: 'warning', count: 4 },
        { status: 'warning', count: 1 },
      ],
    });
    expect(await undo(kind, fill, context)).toEqual({ done: 4, kept: 4, missing: 1, batches: 1 });
    const rows = await graph.query('MATCH (n:User) RETURN n.id, n.tenant, n.space, n.name ORDER BY n.id');
    expect(rows.slice(0, 4)).toEqual([
      ['u1', null, null, 'N1'],
      ['u2', 'tenant_1700000000000001', 'mine', 'N2'],
      ['u4', null, null, 'renamed'],
      ['u5', 'tenant_1700000000000004', 'space_1700000000000004', 'N5'],
    ]);
    const conflicts = await system.journal?.conflicts('b1', 'data.step', 10);
    expect(conflicts?.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort()).toEqual([
      'u2 space changed-since',
      'u2 tenant coupled',
      'u3 space, tenant missing',
      'u5 space coupled',
      'u5 tenant referred-to',
    ]);
    expect(conflicts?.find(({ reason }) => reason === 'changed-since')).toMatchObject({
      base: null,
      ours: 'space_1700000000000001',
      theirs: 'mine',
    });
    expect(await system.journal?.conflicts('b1', 'data.step', 2)).toHaveLength(2);
  });

  it('tells 1 from 1.0 when it compares with what it wrote', async () => {
    const step = { label: 'User', key: 'id', where: 'n.level IS NULL', set: { level: '1' } };
    await perform(kind, step, contextOf('r1'), 100);
    await graph.query("MATCH (n:User {id: 'u1'}) SET n.level = 1.0");
    expect(await undo(kind, step, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 1 });
  });

  it('puts values back that changed places under a uniqueness constraint, and keeps away from taken ones', async () => {
    await graph.query('CREATE CONSTRAINT rank FOR (n:User) REQUIRE n.rank IS UNIQUE');
    await graph.query('MATCH (n:User) SET n.rank = toInteger(substring(n.id, 1))');
    const before = await users();
    await graph.query('DROP CONSTRAINT rank');
    const rotate = { label: 'User', key: 'id', where: 'true', set: { rank: '1 + n.rank % 8' } };
    await perform(kind, rotate, contextOf('r1'), 100);
    await graph.query('CREATE CONSTRAINT rank FOR (n:User) REQUIRE n.rank IS UNIQUE');
    expect(await undo(kind, rotate, undoOf('b1', 'r1'))).toMatchObject({ done: 8, kept: 0 });
    expect(await users()).toBe(before);
    await undo(kind, rotate, undoOf('b2', 'b1'));
    // u1 gets another number by hand, and somebody else takes the one that it had before the run (1).
    await graph.query("MATCH (n:User {id: 'u8'}) SET n.rank = 100 CREATE (:User {id: 'u9', rank: 1})");
    expect(await undo(kind, rotate, undoOf('b3', 'b2'))).toMatchObject({ done: 0, kept: 8 });
    const conflicts = await system.journal?.conflicts('b3', 'data.step', 10);
    expect(conflicts?.find(({ key }) => key === 'u1')).toMatchObject({
      reason: 'value-taken',
      theirs: 'held by User u9',
    });
  });

  it('leaves alone what an expression gives null for, and does not count a record that gets nothing', async () => {
    const step = {
      label: 'User',
      key: 'id',
      where: 'n.tenant IS NULL OR n.nick IS NULL',
      set: { tenant: "CASE WHEN n.id <> 'u1' THEN 't' END", nick: "CASE WHEN n.id = 'u2' THEN n.name END" },
    };
    expect(await perform(kind, step, contextOf('r1'))).toMatchObject({ done: 7 });
    expect(await graph.query("MATCH (n:User {id: 'u8'}) RETURN n.tenant")).toEqual([['t']]);
    const [finding] = (await kind.verify?.(kind.input.parse(step), contextOf('r1'))) ?? [];
    expect(finding).toMatchObject({ status: 'warning', count: 1, samples: ['u1'] });
  });

  it('fills from other records with a subquery', async () => {
    await graph.query("UNWIND range(1, 9) AS i CREATE (:Document {id: 'd' + i, owner_id: 'u' + i})");
    await perform(kind, fill, contextOf('r1'));
    const step = {
      label: 'Document',
      key: 'id',
      where: 'n.tenant IS NULL',
      set: { tenant: 'coalesce(n.tenant, head(COLLECT { MATCH (o:User {id: n.owner_id}) RETURN o.tenant }))' },
    };
    expect(await kind.preview(kind.input.parse(step), contextOf('p'))).toMatchObject({ count: 9 });
    expect(await perform(kind, step, contextOf('r2'), 4)).toMatchObject({ done: 8 });
    expect(await graph.query("MATCH (d:Document {id: 'd3'}) RETURN d.tenant")).toEqual([['tenant_1700000000000002']]);
  });

  it('refuses statements that write, run text or leave their brackets, and says where', async () => {
    const attempts: [object, RegExp][] = [
      [{ where: 'n.x = 1 SET n.y = 2' }, /where, line 1, column/],
      [{ where: 'true) DETACH DELETE n //' }, /where, line 1, column 5: \) closes nothing/],
      [{ where: "n.x = 'a' // " }, /comments/],
      [{ where: 'n.x = $key' }, /\$key is unknown/],
      [
        { where: 'COUNT { CALL apoc.load.json("file:///etc/passwd") YIELD value RETURN value } > 0' },
        /apoc\.load\.json/,
      ],
      [{ where: 'COUNT { LOAD CSV FROM "file:///x" AS l RETURN l } > 0' }, /LOAD CSV/],
      [{ where: 'apoc.cypher.runFirstColumnSingle("MATCH (n) DELETE n", {}) > 0' }, /apoc\.cypher/],
      [{ where: 'n._tas_lock IS NULL' }, /_tas_lock belongs to the bot/],
      [{ where: "n.x = '\\u0027'" }, /escape/],
      [{ set: { x: 'n.a +\n  nn.b' } }, /set\.x, line 2, column 3: Variable `nn` not defined/],
      [{ set: { x: 'count { CREATE (m) RETURN m }' } }, /set\.x|write/],
    ];
    const before = await users();
    for (const [change, message] of attempts) {
      const step = kind.input.parse({ ...fill, ...change });
      const attempt = kind.preview(step, contextOf('p'));
      await expect(attempt).rejects.toMatchObject({
        code: 'invalid-statement',
        message: expect.stringMatching(message),
      });
      const batch = { index: 0, cursor: null, done: 0, size: 10 };
      await expect(kind.performBatch(step, batch, contextOf('r1'))).rejects.toMatchObject({
        code: 'invalid-statement',
      });
    }
    expect(await users()).toBe(before);
  });

  it('takes labels and properties with any characters for what they are', async () => {
    for (const hostile of ['a`b', 'a\\u0060) DETACH DELETE n //', "it's", 'a"b', 'é ñ 😀', 'a\nb', '``', 'x:Y']) {
      const step = { label: hostile, key: hostile, where: 'true', set: { [`${hostile}!`]: "'done'" } };
      await graph.query('CALL apoc.create.node([$name], {}) YIELD node SET node += $properties', {
        name: hostile,
        properties: { [hostile]: 'k' },
      });
      expect(await perform(kind, step, contextOf(`r${hostile}`))).toMatchObject({ done: 1 });
      const found = await graph.query('MATCH (n) WHERE $name IN labels(n) RETURN n[$property]', {
        name: hostile,
        property: `${hostile}!`,
      });
      expect(found).toEqual([['done']]);
      expect(await undo(kind, step, undoOf(`b${hostile}`, `r${hostile}`))).toMatchObject({ done: 1 });
    }
    expect(() => kind.input.parse({ ...fill, label: '_TasBatch' })).toThrow(/_tas/);
    expect(() => kind.input.parse({ ...fill, set: { _tas_lock: '1' } })).toThrow(/_tas/);
  });

  it('refuses keys that are not text or not unique', async () => {
    await graph.query("CREATE (:User {id: 'u1', name: 'twin'}), (:User {id: 12}), (:User)");
    const { findings } = await kind.preview(kind.input.parse(fill), contextOf('p'));
    expect(findings).toMatchObject([
      { check: 'key-is-text', status: 'failed', count: 2 },
      { check: 'key-is-unique', status: 'failed', count: 1, samples: ['u1'] },
    ]);
    await expect(perform(kind, fill, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await graph.query("MATCH (n:User) WHERE n.tenant STARTS WITH 'tenant_17' RETURN count(n)")).toEqual([[0n]]);
  });

  it('stops at the approved number and rolls the batch back', async () => {
    const context = contextOf('r1', { cap: 5 });
    await expect(perform(kind, fill, context)).rejects.toMatchObject({ code: 'over-cap' });
    expect(await graph.query("MATCH (n:User) WHERE n.tenant STARTS WITH 'tenant_17' RETURN count(n)")).toEqual([[3n]]);
    expect(await graph.query('MATCH (b:_TasBatch) RETURN b.index')).toEqual([[0n]]);
  });

  it('is narrowed to the canary, whose predicate cannot leave its brackets', async () => {
    const step = kind.input.parse({ ...fill, where: "n.tenant IS NULL OR n.id = 'u8'" });
    const narrow = (predicate: string | null) =>
      kind.narrow?.(step, (_, label) => (label === 'User' ? predicate : null));
    const narrowed = kind.input.parse(narrow("n.id = 'u1' OR n.id = 'u3'"));
    expect(await perform(kind, narrowed, contextOf('r1'))).toMatchObject({ done: 2 });
    expect(await graph.query('MATCH (n:User) WHERE n.tenant IS NULL RETURN count(n)')).toEqual([[5n]]);
    expect(narrow(null)).toEqual(step);
    expect(() => narrow('true) OR (true')).toThrow(/closes nothing/);
  });

  it('keeps records and secrets out of what lies open in the journal', async () => {
    await graph.query("MATCH (n:User) SET n.email = n.id + '@example.com', n.personal_api_key = 'hunter2'");
    const step = {
      label: 'User',
      key: 'id',
      where: 'true',
      set: { personal_api_key: "'new-secret'", email: 'toUpper(n.email)' },
    };
    await perform(kind, step, contextOf('r1'));
    const rows = await graph.query('MATCH (b:_TasBatch) RETURN b {.*, body: null}, toString(size(b.body))');
    expect(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(
      /secret|hunter2|example/i,
    );
    expect(rows).toHaveLength(3);
    await graph.query(
      "MATCH (a:_TasBatch {key: 'r1/data.step/0'}), (b:_TasBatch {key: 'r1/data.step/1'}) SET a.body = b.body",
    );
    await expect(undo(kind, step, undoOf('b1', 'r1'))).rejects.toThrow();
  });
});
