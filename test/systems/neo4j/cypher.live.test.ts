import { jest } from '@jest/globals';
import { judgeStatement } from '../../../src/systems/neo4j/raw-statement.ts';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(90_000);

const raise = {
  statement: 'MATCH (n:User)\nWHERE n.level < 10\nSET n.level = n.level + 10',
  inverse: 'MATCH (n:User) WHERE n.level >= 10 SET n.level = n.level - 10',
  count: 'MATCH (n:User) WHERE n.level < 10 RETURN count(n)',
};
const inBatches = {
  statement: 'UNWIND $keys AS key MATCH (n:User {id: key}) SET n.level = n.level + 10',
  inverse: 'UNWIND $keys AS key MATCH (n:User {id: key}) SET n.level = n.level - 10',
  batchBy: { label: 'User', key: 'id', where: 'n.level < 10' },
};

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.cypher');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 7) AS i CREATE (:User {id: 'u' + i, level: i})-[:HAS]->(:Tag {name: 't' + i})");
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

const preview = (input: object) => kind.preview(kind.input.parse(input), contextOf('p'));
const judge = (text: string) => judgeStatement(graph.connection, 'statement', text, []);

describe('neo4j.cypher', () => {
  it.each([
    ['in one transaction', raise, 1],
    ['batch by batch', inBatches, 3],
  ])('is carried out %s once, taken back by its inverse, and again', async (_, step, batches) => {
    const before = await hash();
    expect(await preview(step)).toMatchObject({
      count: 7,
      exact: true,
      effect: 'changes',
      undoClass: 'reversible',
      findings: [],
    });
    expect(await hash()).toBe(before);
    expect(await perform(kind, step, contextOf('r1'))).toMatchObject({ done: 7, batches });
    const after = await hash();
    expect(after).not.toBe(before);
    expect(await perform(kind, step, contextOf('r1'))).toMatchObject({ done: 7 });
    expect(await perform(kind, step, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await hash()).toBe(after);
    const undoing = await kind.previewUndo?.(kind.input.parse(step), undoOf('p', 'r1'));
    expect(undoing).toMatchObject({ count: 7, effect: 'changes', findings: [{ check: 'conflicts-unknown' }] });
    expect(await hash()).toBe(after);
    expect(await undo(kind, step, undoOf('b1', 'r1'))).toMatchObject({ done: 7, kept: 0, missing: 0, batches });
    expect(await undo(kind, step, undoOf('b1', 'r1'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(before);
    expect(await undo(kind, step, undoOf('b2', 'b1'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(after);
    expect(await undo(kind, step, undoOf('b3', 'b2'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(before);
    expect(await undo(kind, step, undoOf('b4', 'r2'))).toMatchObject({ done: 0 });
    expect(await hash()).toBe(before);
  });

  it('tells the inverse which records are still there, and reports those that are gone', async () => {
    await perform(kind, inBatches, contextOf('r1'));
    await graph.query("MATCH (n:User {id: 'u2'}) DETACH DELETE n");
    expect(await undo(kind, inBatches, undoOf('b1', 'r1'))).toMatchObject({ done: 6, missing: 1 });
    expect(await graph.query('MATCH (n:User) WHERE n.level > 10 RETURN count(n)')).toEqual([[0n]]);
  });

  it('stops at the approved count and does nothing when two processes carry out the same batch', async () => {
    await expect(perform(kind, raise, contextOf('r1', { cap: 6 }))).rejects.toMatchObject({ code: 'over-cap' });
    await expect(perform(kind, inBatches, contextOf('r2', { cap: 2 }))).rejects.toMatchObject({ code: 'over-cap' });
    const before = await graph.query('MATCH (n:User) RETURN n.level ORDER BY n.id');
    expect(before).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n].map((level) => [level]));
    const twice = { statement: 'MATCH (n:User) SET n.level = n.level + 1', oneWay: true };
    const other = kindOf(graph.another(), 'neo4j.cypher');
    const batch = { index: 0, cursor: null, done: 0, size: 10 };
    const results = await Promise.all(
      [kind, other].map((each) => each.performBatch(each.input.parse(twice), batch, contextOf('r3'))),
    );
    expect(results[0]).toEqual(results[1]);
    expect(await graph.query("MATCH (n:User {id: 'u1'}) RETURN n.level")).toEqual([[2n]]);
  });

  it('refuses a process that has lost the environment, and rolls back', async () => {
    await graph.system.advanceFence?.({ environment: 'test', token: 5 });
    const before = await hash();
    await expect(perform(kind, raise, contextOf('r1'))).rejects.toMatchObject({ code: 'fenced' });
    expect(await hash()).toBe(before);
  });

  it.each([
    ['MATCH (n:User) FINISH', 'reads'],
    ['CREATE (:User {id: 1})', 'adds'],
    ['MERGE (n:User {id: 1}) ON CREATE SET n.x = 1', 'adds'],
    ['MATCH (a:User), (b:Tag) MERGE (a)-[:R]->(b)', 'adds'],
    ['FOREACH (i IN [1, 2] | CREATE (:User {x: i}))', 'adds'],
    ['MERGE (n:User {id: 1}) ON MATCH SET n.x = 1', 'changes'],
    ['MATCH (n:User) SET n:Person, n.x = 1, n += {y: 2}', 'changes'],
    ['MATCH (n:User)-[r:HAS]->(t:Tag) SET r = {since: date()}', 'changes'],
    ['MATCH (n:User) FOREACH (i IN [1] | SET n.x = i)', 'changes'],
    [
      'MATCH (n:User) CALL (n) { MATCH (n)-[:HAS]->(t:Tag) WITH t ORDER BY t.name LIMIT 1 SET t.first = true }',
      'changes',
    ],
    ['MATCH (n:User) DETACH DELETE n', 'destroys'],
    ['MATCH (:User)-[r:HAS]->() DELETE r', 'destroys'],
    ['MATCH p = (:User)-[:HAS]->() DELETE p', 'destroys'],
    ['MATCH (n:User) REMOVE n.level', 'destroys'],
    ['MATCH (n:User) REMOVE n:User', 'destroys'],
    ['MATCH (n:User) FOREACH (i IN [1] | DETACH DELETE n)', 'destroys'],
  ])('takes %s for what it does: %s', async (text, effect) => {
    expect(await judge(text)).toMatchObject({ effect, unknown: [] });
  });

  it('knows the operators of longer reading parts', async () => {
    await graph.query('CREATE INDEX user_level FOR (n:User) ON (n.level)');
    for (const text of [
      'MATCH (n:User) WHERE n.level > 3 WITH n ORDER BY n.level SKIP 1 LIMIT 3 SET n.x = COUNT { (n)--() }',
      'MATCH (n:User)-[:HAS*1..3]->(t:Tag) WITH DISTINCT t SET t.x = 1',
      'MATCH (n:User) OPTIONAL MATCH (n)-[:HAS]->(t:Tag) WITH n, collect(t.name) AS names SET n.names = names',
      'MATCH (n:User), (m:Tag) WHERE n.level = m.level SET n.x = m.name',
      'MATCH (n:User) WHERE EXISTS { (n)-[:HAS]->(:Tag {name: "t1"}) } OR NOT EXISTS { (n)<--(:Tag) } SET n.x = 1',
      'MATCH (a:User {id: "u1"}), (b:Tag {name: "t1"}), p = shortestPath((a)-[*..5]-(b)) SET a.far = length(p)',
      'MATCH (n:User) CALL (n) { MATCH (n)--(t:Tag) RETURN t UNION MATCH (t:Tag {name: "t2"}) RETURN t } SET t.x = 1',
      'UNWIND [1, 2] AS i MATCH (n:User) WHERE n.level IN [i, i + 1] SET n.x = max(n.level)'.replace(
        'max(n.level)',
        'i',
      ),
    ]) {
      expect(await judge(text)).toMatchObject({ text, effect: 'changes', unknown: [] });
    }
  });

  it.each([
    ['MATCH (n:User)\n  SET n.x = = 1', /^statement, line 2, column 13: /],
    ['MATCH (n:User)\nWHERE m.x = 1 SET n.y = 1', /^statement, line 2, column 7: Variable `m` not defined/],
    ["LOAD CSV FROM 'file:///x' AS row CREATE (:User {id: row[0]})", /LOAD CSV is not allowed/],
    [
      "CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'DELETE n', {})",
      /^statement, line 1, column 6: apoc.periodic.iterate is not on the list/,
    ],
    ["CALL apoc.load.json('http://x') YIELD value CREATE (:User {x: value.a})", /apoc.load.json is not on the list/],
    [
      "MATCH (n:User) SET n.x = CASE WHEN n.y THEN COLLECT { LOAD /**/ CSV FROM 'file:///x' AS l RETURN l[0] } ELSE 1 END",
      /LOAD CSV is not allowed/,
    ],
    [
      "MATCH (n:User) SET n.x = CASE WHEN n.y THEN COLLECT { CALL apoc. load. json('x') YIELD value RETURN 1 } END",
      /apoc.load.json is not on the list/,
    ],
    ['MATCH (n:User) CALL (n) { DELETE n } IN TRANSACTIONS', /use batchBy/],
    ['MATCH (n) SET n.x = 1', /bot's journal among them: give each node a label/],
    ['MATCH (n:User), (m) SET m.x = 1', /give each node a label/],
    ["MATCH (n:User) SET n:$('_TasBatch')", /belong to the bot/],
    ['MATCH (n:_TasBatch) DELETE n', /_TasBatch belongs to the bot/],
    ['MATCH (n:User) SET n.x = $secret', /line 1, column 26: the parameter \$secret is unknown; none is given/],
    ['MATCH (n:User) SET n.x = 1 RETURN n', /line 1, column 28: leave RETURN away/],
    ['CREATE INDEX FOR (n:User) ON (n.x)', /schema, users and settings/],
    ["CREATE USER eve SET PASSWORD 'password'", /schema, users and settings/],
    ["TERMINATE TRANSACTION 'neo4j-transaction-1'", /about the server/],
    ['EXPLAIN MATCH (n:User) DELETE n', /EXPLAIN is not possible here/],
    ['MATCH (n:User) DELETE n; MATCH (m:Tag) DELETE m', /exactly one statement/],
    ["MATCH (n:User) SET n.x = apoc.cypher.runFirstColumnSingle('RETURN 1', {})", /not on the list of safe ones/],
    ['  // nothing', /the statement is empty/],
  ])('refuses %s', async (statement, message) => {
    const before = await hash();
    await expect(preview({ statement, oneWay: true })).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringMatching(message),
    });
    await expect(preview({ ...raise, inverse: statement })).rejects.toMatchObject({ code: 'invalid-statement' });
    expect(await hash()).toBe(before);
  });

  it('wants to know how it is undone, and what it destroys', async () => {
    const statement = 'MATCH (n:Tag) DETACH DELETE n';
    expect(await preview({ statement })).toMatchObject({
      effect: 'destroys',
      undoClass: 'one-way',
      exact: false,
      findings: [{ check: 'undo-said', status: 'failed' }],
    });
    const count = 'MATCH (n:Tag) RETURN count(n)';
    const oneWay = await preview({ statement, oneWay: true, count });
    expect(oneWay).toMatchObject({
      count: 7,
      exact: true,
      findings: [{ check: 'records-not-bound', status: 'warning' }],
    });
    expect(oneWay.keysHash).toMatch(/^[0-9a-f]{64}$/);
    const batchBy = { label: 'Tag', key: 'name' };
    const step = { statement: 'MATCH (n:Tag) WHERE n.name IN $keys DETACH DELETE n', oneWay: true, batchBy };
    const bound = await preview(step);
    expect(bound).toMatchObject({ count: 7, exact: true, effect: 'destroys', undoClass: 'one-way', findings: [] });
    expect(await perform(kind, step, contextOf('r1'))).toMatchObject({ done: 7 });
    expect(await kind.previewUndo?.(kind.input.parse(step), undoOf('p', 'r1'))).toMatchObject({
      count: 0,
      findings: [{ status: 'failed' }],
    });
    await expect(undo(kind, step, undoOf('b1', 'r1'))).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('refuses a count that gives no number or writes, batches without $keys, and contradictions', async () => {
    await expect(preview({ ...raise, count: 'MATCH (n:User) RETURN n' })).rejects.toThrow('one row with one number');
    await expect(preview({ ...raise, count: 'MATCH (n:User) DELETE n RETURN 1' })).rejects.toThrow('write');
    await expect(preview({ ...inBatches, statement: raise.statement })).rejects.toThrow('$keys');
    expect(() => kind.input.parse({ ...raise, oneWay: true })).toThrow('only one holds');
    expect(() => kind.input.parse({ ...inBatches, count: 'RETURN 1' })).toThrow('counts by itself');
  });
});
