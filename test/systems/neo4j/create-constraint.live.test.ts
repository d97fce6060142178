import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const wanted = { name: 'unique_tenant', label: 'User', property: 'tenant', type: 'unique' };

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.create-constraint');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 5) AS i CREATE (:User {id: 'u' + i, tenant: 't' + i})");
});

async function names(): Promise<unknown> {
  return (
    await graph.query("SHOW CONSTRAINTS YIELD name WHERE NOT name STARTS WITH '_tas' RETURN name ORDER BY name")
  ).flat();
}

describe('neo4j.create-constraint', () => {
  it('is made, made again without effect, dropped by undo, and made anew by the undo of the undo', async () => {
    expect(await kind.preview(kind.input.parse(wanted), contextOf('p'))).toMatchObject({ count: 1, findings: [] });
    expect(await perform(kind, wanted, contextOf('r1'))).toMatchObject({ done: 1, batches: 1 });
    expect(await names()).toEqual(['unique_tenant']);
    expect(await perform(kind, wanted, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await perform(kind, wanted, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await kind.verify?.(kind.input.parse(wanted), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await undo(kind, wanted, undoOf('b0', 'r2'))).toMatchObject({ done: 0 });
    expect(await names()).toEqual(['unique_tenant']);
    expect(await undo(kind, wanted, undoOf('b1', 'r1'))).toMatchObject({ done: 1, kept: 0, missing: 0 });
    expect(await names()).toEqual([]);
    expect(await undo(kind, wanted, undoOf('b2', 'b1'))).toMatchObject({ done: 1 });
    expect(await names()).toEqual(['unique_tenant']);
  });

  it('takes an equivalent one under another name for its own work done, and never drops it', async () => {
    await graph.query('CREATE CONSTRAINT older FOR (n:User) REQUIRE n.tenant IS UNIQUE');
    expect(await kind.preview(kind.input.parse(wanted), contextOf('p'))).toMatchObject({
      count: 0,
      findings: [],
      locks: [],
    });
    expect(await perform(kind, wanted, contextOf('r1'))).toMatchObject({ done: 0 });
    expect(await undo(kind, wanted, undoOf('b1', 'r1'))).toMatchObject({ done: 0, kept: 0 });
    expect(await names()).toEqual(['older']);
  });

  it('names the duplicates, a taken name and an index in the way before anything changes', async () => {
    await graph.query(
      "CREATE (:User {id: 'u6', tenant: 't1'}), (:User {id: 'u7', tenant: 't1'}), (:User {id: 'u8', tenant: 't2'})",
    );
    await graph.query('CREATE INDEX plain FOR (n:User) ON (n.tenant)');
    await graph.query('CREATE INDEX unique_tenant FOR (n:Other) ON (n.x)');
    const { findings } = await kind.preview(kind.input.parse(wanted), contextOf('p'));
    expect(findings).toMatchObject([
      { check: 'constraint-name-free', status: 'failed' },
      { check: 'no-index-in-the-way', status: 'failed', advice: expect.stringContaining('plain') },
      { check: 'values-are-unique', status: 'failed', count: 2, samples: ['t1 in 3 records', 't2 in 2 records'] },
    ]);
    await expect(perform(kind, wanted, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    await graph.query('DROP INDEX plain');
    await graph.query('DROP INDEX unique_tenant');
    await expect(perform(kind, wanted, contextOf('r2'))).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('User.tenant'),
    });
    expect(await names()).toEqual([]);
  });

  it('knows its own work again when it was killed between making the constraint and saying so', async () => {
    await perform(kind, wanted, contextOf('r1'));
    await graph.query("MATCH (b:_TasBatch {key: 'r1/data.step/0'}) REMOVE b.body, b.done, b.kept, b.missing, b.cursor");
    expect(await perform(kind, wanted, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await undo(kind, wanted, undoOf('b1', 'r1'))).toMatchObject({ done: 1 });
    expect(await names()).toEqual([]);
  });

  it('makes the constraint when it was killed between the intent and the work', async () => {
    await perform(kind, wanted, contextOf('r1'));
    await graph.query("MATCH (b:_TasBatch {key: 'r1/data.step/0'}) REMOVE b.body, b.done, b.kept, b.missing, b.cursor");
    await graph.query('DROP CONSTRAINT unique_tenant');
    expect(await perform(kind, wanted, contextOf('r1'))).toMatchObject({ done: 1 });
    expect(await names()).toEqual(['unique_tenant']);
  });

  it('leaves what somebody renamed, replaced or dropped since, and says so', async () => {
    await perform(kind, wanted, contextOf('r1'));
    await graph.query('DROP CONSTRAINT unique_tenant');
    expect(await undo(kind, wanted, undoOf('b1', 'r1'))).toMatchObject({ done: 0, kept: 0, missing: 1 });
    await graph.query('CREATE CONSTRAINT unique_tenant FOR (n:Other) REQUIRE n.x IS UNIQUE');
    expect(await undo(kind, wanted, undoOf('b2', 'r1'))).toMatchObject({ done: 0, kept: 1, missing: 0 });
    expect(await names()).toEqual(['unique_tenant']);
    const conflicts = await graph.system.journal?.conflicts('b2', 'data.step', 5);
    expect(conflicts).toMatchObject([{ key: 'unique_tenant', field: 'tenant', reason: 'changed-since' }]);
  });

  it('does not make a constraint anew that the values would break now', async () => {
    await perform(kind, wanted, contextOf('r1'));
    await undo(kind, wanted, undoOf('b1', 'r1'));
    await graph.query("CREATE (:User {id: 'u9', tenant: 't1'})");
    expect(await undo(kind, wanted, undoOf('b2', 'b1'))).toMatchObject({ done: 0, kept: 1 });
    expect(await names()).toEqual([]);
  });
});
