import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const spaces = {
  label: 'Space',
  key: 'id',
  for: { label: 'User', key: 'id', where: 'n.home IS NOT NULL OR n.new' },
  properties: { id: 'n.home', owner_id: 'n.id', quota: '10', note: 'n.note', serial: '$sequence' },
  relationship: { type: 'OWNS', direction: 'from-source' },
};

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.create-nodes');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query('CREATE CONSTRAINT space_id FOR (s:Space) REQUIRE s.id IS UNIQUE');
  await graph.query("UNWIND range(1, 7) AS i CREATE (:User {id: 'u' + i, home: 'space_' + i})");
  await graph.query("CREATE (:User {id: 'none'}), (:Space {id: 'space_7', old: true})");
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

describe('neo4j.create-nodes', () => {
  it('makes what is missing, once, with relationship, and takes it away again', async () => {
    const before = await hash();
    const preview = await kind.preview(kind.input.parse(spaces), contextOf('p'));
    expect(preview).toMatchObject({ count: 6, exact: true, findings: [] });
    expect(preview.samples[0]).toMatchObject({
      key: 'space_1',
      after: { owner_id: 'u1', note: null, serial: '1700000000000000' },
    });
    expect(await perform(kind, spaces, contextOf('r1'))).toMatchObject({ done: 6, batches: 3 });
    expect(await graph.query("MATCH (u:User {id: 'u2'})-[:OWNS]->(s) RETURN properties(s), labels(s)")).toEqual([
      [{ id: 'space_2', owner_id: 'u2', quota: 10n, serial: '1700000000000001' }, ['Space']],
    ]);
    const after = await hash();
    expect(await perform(kind, spaces, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await hash()).toBe(after);
    expect(await kind.verify?.(kind.input.parse(spaces), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await undo(kind, spaces, undoOf('b1', 'r1'))).toMatchObject({ done: 6, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(await undo(kind, spaces, undoOf('b2', 'b1'))).toMatchObject({ done: 6, kept: 0, missing: 0 });
    expect(await hash()).toBe(after);
  });

  it('keeps nodes that were changed, relabelled, attached to or referred to', async () => {
    await perform(kind, spaces, contextOf('r1'), 100);
    await graph.query("MATCH (s:Space {id: 'space_1'}) SET s.quota = 11");
    await graph.query("MATCH (s:Space {id: 'space_2'}) CREATE (:Notebook {id: 'n'})-[:BELONGS_TO]->(s)");
    await graph.query("MATCH (s:Space {id: 'space_3'}) SET s:Archived");
    await graph.query("MATCH (:User {id: 'u4'})-[r:OWNS]->() SET r.since = date()");
    await graph.query("MATCH (s:Space {id: 'space_6'}) DETACH DELETE s");
    const context = undoOf('b1', 'r1', { held: async ({ field }) => new Set(field === 'id' ? ['space_5'] : []) });
    const preview = await kind.previewUndo?.(kind.input.parse(spaces), { ...context, runId: 'p' });
    expect(preview).toMatchObject({ count: 0, findings: [{ count: 5 }, { count: 1 }] });
    expect(await undo(kind, spaces, context)).toMatchObject({ done: 0, kept: 5, missing: 1 });
    const conflicts = await graph.system.journal?.conflicts('b1', 'data.step', 10);
    expect(conflicts?.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort()).toEqual([
      'space_1 quota changed-since',
      'space_2 BELONGS_TO referred-to',
      'space_3 labels changed-since',
      'space_4 OWNS changed-since',
      'space_5 id referred-to',
      'space_6  missing',
    ]);
    expect(await graph.query('MATCH (s:Space) RETURN count(s)')).toEqual([[6n]]);
  });

  it("keeps a node whose relationship others took away; the bot's own stamp on one is nobody's edit", async () => {
    await perform(kind, spaces, contextOf('r1'), 100);
    await graph.query("MATCH (:User {id: 'u1'})-[r:OWNS]->() DELETE r");
    await graph.query("MATCH (:User {id: 'u2'})-[r:OWNS]->() SET r._tas_id = 'stamp'");
    const before = await hash();
    expect(await undo(kind, spaces, undoOf('b1', 'r1'))).toMatchObject({ done: 5, kept: 1, missing: 0 });
    const conflicts = await graph.system.journal?.conflicts('b1', 'data.step', 10);
    expect(conflicts?.map(({ key, field, reason }) => `${key} ${field} ${reason}`)).toEqual([
      'space_1 OWNS changed-since',
    ]);
    expect(await undo(kind, spaces, undoOf('b2', 'b1'))).toMatchObject({ done: 5, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(await graph.query("MATCH (:User {id: 'u2'})-[r:OWNS]->() RETURN r._tas_id")).toEqual([['stamp']]);
  });

  it('takes away nodes that hang on each other over batches, and foretells it', async () => {
    await graph.query("MATCH (s:Space {id: 'space_7'}) SET s.next = 'space_8'");
    const chain = {
      label: 'Space',
      key: 'id',
      for: { label: 'Space', key: 'id', where: 'n.next IS NOT NULL' },
      properties: { id: 'n.next', next: "CASE n.id WHEN 'space_7' THEN 'space_9' END" },
      relationship: { type: 'FOLLOWED_BY', direction: 'from-source' },
    };
    const before = await hash();
    expect(await perform(kind, chain, contextOf('r1'), 1)).toMatchObject({ done: 2 });
    const after = await hash();
    expect(await kind.previewUndo?.(kind.input.parse(chain), undoOf('p', 'r1'))).toMatchObject({
      count: 2,
      findings: [],
      kept: { counts: {} },
    });
    expect(await undo(kind, chain, undoOf('b1', 'r1'))).toMatchObject({ done: 2, kept: 0, missing: 0 });
    expect(await hash()).toBe(before);
    expect(await undo(kind, chain, undoOf('b2', 'b1'))).toMatchObject({ done: 2, kept: 0, missing: 0 });
    expect(await hash()).toBe(after);
  });

  it('undoes an undo as far as keys and ends are still there', async () => {
    await perform(kind, spaces, contextOf('r1'), 100);
    await undo(kind, spaces, undoOf('b1', 'r1'));
    await graph.query("CREATE (:Space {id: 'space_1'}) WITH 1 AS x MATCH (u:User {id: 'u2'}) DELETE u");
    expect(await undo(kind, spaces, undoOf('b2', 'b1'))).toMatchObject({ done: 5, kept: 1, missing: 1 });
    const conflicts = await graph.system.journal?.conflicts('b2', 'data.step', 10);
    expect(conflicts?.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort()).toEqual([
      'space_1 id value-taken',
      'space_2 OWNS missing',
    ]);
    expect(await graph.query("MATCH (s:Space {id: 'space_2'}) RETURN COUNT { (s)--() }")).toEqual([[0n]]);
  });

  it('counts a source whose key an earlier step fills in, and makes one node for a shared key', async () => {
    await graph.query("CREATE (:User {id: 'x1', new: true}), (:User {id: 'x2', home: 'space_1'})");
    const preview = await kind.preview(kind.input.parse(spaces), contextOf('p'));
    expect(preview).toMatchObject({
      count: 7,
      findings: [{ check: 'one-source-a-node', status: 'warning', count: 1 }],
    });
    await graph.query("MATCH (n:User {id: 'x1'}) SET n.home = 'space_x'");
    expect(await perform(kind, spaces, contextOf('r1', { cap: 7 }), 100)).toMatchObject({ done: 7 });
    expect(await graph.query("MATCH (s:Space {id: 'space_1'}) RETURN s.owner_id, COUNT { (s)--() }")).toEqual([
      ['u1', 1n],
    ]);
  });

  it('stops counting when its time is over: then no more is told than what was seen', async () => {
    await graph.query("UNWIND range(1, 3000) AS i CREATE (:User {id: 'more' + i, home: 'shared_' + i % 2})");
    const step = kind.input.parse(spaces);
    const bounded = await kind.preview(step, contextOf('p', { countForMs: 0 }));
    expect(bounded).toMatchObject({ exact: false, count: 2, keysHash: '' });
    expect(bounded.findings).toMatchObject([{ check: 'one-source-a-node', count: 998 }]);
    const whole = await kind.preview(step, contextOf('p'));
    expect(whole).toMatchObject({ exact: true, count: 8, keysHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('wants a uniqueness constraint on the key and a key that follows from the source', async () => {
    await graph.query('DROP CONSTRAINT space_id');
    const { findings } = await kind.preview(kind.input.parse(spaces), contextOf('p'));
    expect(findings).toMatchObject([{ check: 'target-key-constrained', status: 'failed' }]);
    await expect(perform(kind, spaces, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    await graph.query('MATCH (s:Space) DELETE s');
    const empty = await kind.preview(kind.input.parse(spaces), contextOf('p'));
    expect(empty.findings).toMatchObject([{ check: 'target-key-constrained', status: 'warning' }]);
    await expect(perform(kind, spaces, contextOf('r2'))).rejects.toMatchObject({ code: 'precondition-failed' });
    const numbered = { ...spaces, properties: { id: "'s' + $sequence" } };
    await expect(kind.preview(kind.input.parse(numbered), contextOf('p'))).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringContaining('column 7'),
    });
    expect(() => kind.input.parse({ ...spaces, properties: { name: '1' } })).toThrow(/key/);
  });

  it('is narrowed to the canary among its sources', async () => {
    const step = kind.input.parse(spaces);
    const narrow = (predicate: string | null) =>
      kind.narrow?.(step, (_, label) => (label === 'User' ? predicate : null));
    expect(await perform(kind, narrow("n.id = 'u2' OR n.id = 'u5'"), contextOf('r1'))).toMatchObject({ done: 2 });
    expect(await graph.query('MATCH (s:Space) WHERE s.old IS NULL RETURN s.id ORDER BY s.id')).toEqual([
      ['space_2'],
      ['space_5'],
    ]);
    expect(narrow(null)).toEqual(step);
    expect(() => narrow('true) OR (true')).toThrow(/closes nothing/);
  });

  it('lets nobody attach to a node while its undo deletes it, and keeps it when somebody was faster', async () => {
    await perform(kind, spaces, contextOf('r1'), 100);
    const attached = graph.query("MATCH (s:Space) CREATE (:Notebook {id: 'n' + s.id})-[:IN]->(s)");
    const undone = await undo(kind, spaces, undoOf('b1', 'r1'));
    await attached.catch(() => undefined);
    const [[left]] = (await graph.query('MATCH (s:Space) WHERE s.old IS NULL RETURN count(s)')) as [[bigint]];
    expect(undone.done + Number(left)).toBe(6);
    expect(await graph.query('MATCH (n:Notebook) WHERE NOT (n)-[:IN]->() RETURN count(n)')).toEqual([[0n]]);
  });
});
