import { jest } from '@jest/globals';
import type { StepKind } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const rename = { label: 'User', key: 'id', from: 'TenantID', to: 'tenant_id' };

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.rename-property');
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 7) AS i CREATE (:User {id: 'u' + i, TenantID: 'tenant_' + i})");
  await graph.query("CREATE (:User {id: 'u8', tenant_id: 'tenant_8'}), (:User {id: 'u9'})");
});

async function hash(): Promise<string | undefined> {
  return (await graph.system.fingerprint?.())?.hash;
}

async function tenants(): Promise<unknown[][]> {
  return (await graph.query('MATCH (n:User) RETURN n.id, n.TenantID, n.tenant_id ORDER BY n.id')) as unknown[][];
}

async function conflicts(run: string): Promise<string[]> {
  const found = (await graph.system.journal?.conflicts(run, 'data.step', 20)) ?? [];
  return found.map(({ key, field, reason }) => `${key} ${field} ${reason}`).sort();
}

describe('neo4j.rename-property', () => {
  it('shows and moves each value once, moves them back, and forth again', async () => {
    const before = await hash();
    const preview = await kind.preview(kind.input.parse(rename), contextOf('p'));
    expect(preview).toMatchObject({ count: 7, exact: true, findings: [], undoClass: 'reversible' });
    expect(preview.samples).toHaveLength(5);
    expect(preview.samples[1]).toEqual({
      collection: 'User',
      key: 'u2',
      before: { TenantID: 'tenant_2', tenant_id: null },
      after: { TenantID: null, tenant_id: 'tenant_2' },
    });
    expect(await hash()).toBe(before);
    expect(await perform(kind, rename, contextOf('r1'))).toMatchObject({ done: 7, batches: 3 });
    expect((await tenants()).slice(6)).toEqual([
      ['u7', null, 'tenant_7'],
      ['u8', null, 'tenant_8'],
      ['u9', null, null],
    ]);
    const after = await hash();
    const batch = { index: 0, cursor: null, done: 0, size: 3 };
    expect(await kind.performBatch(kind.input.parse(rename), batch, contextOf('r1'))).toMatchObject({ done: 3 });
    expect(await perform(kind, rename, contextOf('r2'))).toMatchObject({ done: 0 });
    expect(await hash()).toBe(after);
    expect(await kind.verify?.(kind.input.parse(rename), contextOf('r1'))).toMatchObject([{ status: 'passed' }]);
    expect(await kind.previewUndo?.(kind.input.parse(rename), undoOf('x', 'r1'))).toMatchObject({ count: 7 });
    expect(await undo(kind, rename, undoOf('b1', 'r1'))).toEqual({ done: 7, kept: 0, missing: 0, batches: 3 });
    expect(await hash()).toBe(before);
    expect(await kind.verify?.(kind.input.parse(rename), contextOf('r1'))).toMatchObject([
      { status: 'failed', count: 7 },
    ]);
    expect(await undo(kind, rename, undoOf('b2', 'b1'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(after);
    expect(await undo(kind, rename, undoOf('b3', 'b2'))).toMatchObject({ done: 7 });
    expect(await hash()).toBe(before);
  });

  it('moves back only where both properties are as the run left them', async () => {
    await perform(kind, rename, contextOf('r1'), 100);
    await graph.query("MATCH (n:User {id: 'u1'}) SET n.tenant_id = 'mine'");
    await graph.query("MATCH (n:User {id: 'u2'}) SET n.TenantID = 'by an old service'");
    await graph.query("MATCH (n:User {id: 'u3'}) DELETE n");
    await graph.query("MATCH (n:User {id: 'u4'}) SET n.name = 'renamed'");
    await graph.query("CREATE (:User {id: 'u10', TenantID: 'tenant_10'})");
    const held = async ({ field }: { field: string }) => new Set(field === 'tenant_id' ? ['tenant_5'] : []);
    const context = undoOf('b1', 'r1', { held });
    expect(await kind.previewUndo?.(kind.input.parse(rename), { ...context, runId: 'p' })).toMatchObject({ count: 3 });
    expect(await undo(kind, rename, context)).toMatchObject({ done: 3, missing: 1 });
    expect(await tenants()).toEqual([
      ['u1', null, 'mine'],
      ['u10', 'tenant_10', null],
      ['u2', 'by an old service', 'tenant_2'],
      ['u4', 'tenant_4', null],
      ['u5', null, 'tenant_5'],
      ['u6', 'tenant_6', null],
      ['u7', 'tenant_7', null],
      ['u8', null, 'tenant_8'],
      ['u9', null, null],
    ]);
    expect(await conflicts('b1')).toEqual([
      'u1 TenantID coupled',
      'u1 tenant_id changed-since',
      'u2 TenantID changed-since',
      'u2 tenant_id coupled',
      'u3 TenantID, tenant_id missing',
      'u5 TenantID coupled',
      'u5 tenant_id referred-to',
    ]);
  });

  it('refuses records that hold another value already, unless it is told which one stays', async () => {
    await graph.query("MATCH (n:User {id: 'u1'}) SET n.tenant_id = 'other'");
    await graph.query("MATCH (n:User {id: 'u2'}) SET n.tenant_id = n.TenantID");
    await graph.query("MATCH (n:User {id: 'u3'}) SET n.TenantID = 1, n.tenant_id = 1.0");
    const before = await hash();
    const { findings } = await kind.preview(kind.input.parse(rename), contextOf('p'));
    expect(findings).toMatchObject(
      [{ check: 'new-property-free', status: 'failed', count: 2, samples: ['u1', 'u3'], advice: /whenTaken/ }].map(
        (finding) => ({ ...finding, advice: expect.stringMatching(finding.advice) }),
      ),
    );
    await expect(perform(kind, rename, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await hash()).toBe(before);
    for (const [whenTaken, value] of [
      ['keep-new', 'other'],
      ['overwrite', 'tenant_1'],
    ]) {
      const step = { ...rename, whenTaken };
      const preview = await kind.preview(kind.input.parse(step), contextOf('p'));
      expect(preview.findings).toMatchObject([{ status: 'warning', count: 2 }]);
      expect(preview.samples[0]?.after).toEqual({ TenantID: null, tenant_id: value });
      expect(await perform(kind, step, contextOf(`r-${whenTaken}`))).toMatchObject({ done: 7 });
      expect((await tenants())[0]).toEqual(['u1', null, value]);
      expect(await undo(kind, step, undoOf(`b-${whenTaken}`, `r-${whenTaken}`))).toMatchObject({ done: 7, kept: 0 });
      expect(await hash()).toBe(before);
    }
  });

  it('finds values that a uniqueness constraint over the new property would refuse, and what stays over the old one', async () => {
    await graph.query('CREATE CONSTRAINT tenant FOR (n:User) REQUIRE n.tenant_id IS UNIQUE');
    await graph.query('CREATE INDEX old FOR (n:User) ON (n.TenantID)');
    await graph.query("MATCH (n:User) WHERE n.id IN ['u1', 'u2'] SET n.TenantID = 'same'");
    await graph.query("MATCH (n:User {id: 'u3'}) SET n.TenantID = 'tenant_8'");
    const before = await hash();
    const { findings } = await kind.preview(kind.input.parse(rename), contextOf('p'));
    expect(findings).toMatchObject([
      { check: 'moved-values-unique', status: 'failed', count: 2 },
      { check: 'schema-over-property', status: 'warning', count: 1, samples: ['old'] },
    ]);
    await expect(perform(kind, rename, contextOf('r1'), 100)).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await hash()).toBe(before);
    await graph.query("MATCH (n:User) WHERE n.id IN ['u1', 'u2', 'u3'] SET n.TenantID = n.id");
    const whole = await hash();
    expect(await perform(kind, rename, contextOf('r2'), 100)).toMatchObject({ done: 7 });
    expect(await undo(kind, rename, undoOf('b2', 'r2'))).toMatchObject({ done: 7, kept: 0 });
    expect(await hash()).toBe(whole);
  });

  it('moves values of every type without loss, under any names', async () => {
    const values = [
      "datetime('2024-02-29T12:00:00.123456789+01:00[Europe/Berlin]')",
      'point({x: 1.5, y: -2, z: 3})',
      "duration('P1M2DT3.000000004S')",
      "[date('2020-01-01'), date('2021-01-01')]",
      "['a', '', 'b`']",
      '-0.0',
      '9007199254740993',
    ];
    for (const hostile of ['a b`c', 'it\'s "so"', 'é\n😀', 'x:Y', '{}']) {
      const step = { label: hostile, key: `${hostile} key`, from: `${hostile} from`, to: `${hostile} to` };
      for (const [i, value] of values.entries()) {
        await graph.query(
          `CALL apoc.create.node([$label], {}) YIELD node SET node[$key] = $id, node[$from] = ${value}`,
          {
            ...step,
            id: `k${i}`,
          },
        );
      }
      const before = await hash();
      expect(await kind.preview(kind.input.parse(step), contextOf('p'))).toMatchObject({ count: values.length });
      expect(await perform(kind, step, contextOf(`r${hostile}`), 4)).toMatchObject({ done: values.length });
      for (const [i, value] of values.entries()) {
        const same = `MATCH (n) WHERE n[$key] = $id RETURN n[$to] = ${value} AND n[$from] IS NULL, valueType(n[$to]) = valueType(${value})`;
        expect(await graph.query(same, { ...step, id: `k${i}` })).toEqual([[true, true]]);
      }
      expect(await undo(kind, step, undoOf(`b${hostile}`, `r${hostile}`))).toMatchObject({ done: values.length });
      expect(await hash()).toBe(before);
    }
    for (const wrong of [{ to: 'id' }, { from: 'id' }, { to: 'TenantID' }, { to: '_tas_id' }, { label: '_TasBatch' }])
      expect(kind.input.safeParse({ ...rename, ...wrong })).toMatchObject({ success: false });
  });

  it('is narrowed to the canary, whose predicate cannot leave its brackets', async () => {
    const step = kind.input.parse({ ...rename, where: "n.id <> 'u1' OR n.id = 'u9'" });
    const narrow = (predicate: string | null) =>
      kind.narrow?.(step, (_, label) => (label === 'User' ? predicate : null));
    const narrowed = narrow("n.id = 'u1' OR n.id = 'u2'");
    expect(await perform(kind, narrowed, contextOf('r1'))).toMatchObject({ done: 1 });
    expect((await tenants())[1]).toEqual(['u2', null, 'tenant_2']);
    expect(narrow(null)).toEqual(step);
    expect(() => narrow('true) OR (true')).toThrow(/closes nothing/);
    expect(() => narrow('true // ')).toThrow(/comments/);
  });

  it('says how many at least when counting takes too long, and refuses unfit keys', async () => {
    await graph.query("UNWIND range(1, 3000) AS i CREATE (:User {id: 'w' + i, TenantID: 't'})");
    const bounded = await kind.preview(kind.input.parse(rename), contextOf('p', { countForMs: 0 }));
    expect(bounded).toMatchObject({ exact: false, keysHash: '' });
    expect(bounded.count).toBeGreaterThan(0);
    expect(bounded.count).toBeLessThan(3007);
    await graph.query("CREATE (:User {id: 'u1'}), (:User {id: 7, TenantID: 't'})");
    const { findings } = await kind.preview(kind.input.parse(rename), contextOf('p'));
    expect(findings.map(({ check }) => check)).toEqual(['key-is-text', 'key-is-unique']);
    await expect(perform(kind, rename, contextOf('r1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    await expect(
      kind.preview(kind.input.parse({ ...rename, where: 'n.x = 1\n AND m.y' }), contextOf('p')),
    ).rejects.toMatchObject({ code: 'invalid-statement', message: expect.stringContaining('where, line 2, column 6') });
  });
});
