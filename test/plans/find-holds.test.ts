import type { Reference } from '../../src/migrations/migration.ts';
import { changedSteps, findHolds, type UndoScope, undoScope } from '../../src/plans/find-holds.ts';
import type { FieldRef, Journal, System } from '../../src/systems/system.ts';
import { samplePlan, sampleStep } from '../sample-run.ts';

/** A system of which only what an undo reads is there: the journal and a look at records by field. */
interface Store {
  /** Values that a step wrote, by `step:field`, in batches. */
  readonly written?: { readonly [stepAndField: string]: readonly (readonly string[])[] };
  /** Values that records hold which the run did not write, by `Collection.field`. */
  readonly foreign?: { readonly [field: string]: readonly string[] };
  /** Records of today, by collection. */
  readonly records?: { readonly [collection: string]: readonly { readonly [field: string]: string | null }[] };
}

function systemOf(name: string, store: Store): System {
  const journal: Journal = {
    async *writtenValues(_runId, stepId, field) {
      yield* store.written?.[`${stepId}:${field}`] ?? [];
    },
    foreignReferences: async (_runId, collection, field, values) =>
      new Set(values.filter((value) => store.foreign?.[`${collection}.${field}`]?.includes(value))),
    conflicts: async () => [],
  };
  return {
    name,
    type: 'fake',
    kinds: [],
    journal,
    identity: async () => name,
    checkHealth: async () => ({ up: true, version: '1', latencyMs: 0 }),
    close: async () => undefined,
    lookup: async ({ collection, by, fields }, keys) =>
      new Map(
        (store.records?.[collection] ?? [])
          .filter((record) => keys.includes(record[by] ?? ''))
          .map((record) => [
            record[by] as string,
            Object.fromEntries(fields.map((field) => [field, record[field] ?? null])),
          ]),
      ),
  };
}

function field(text: string): FieldRef {
  const [system = '', collection = '', name = ''] = text.split(/[:.]/);
  return { system, collection, field: name };
}

const refers = (from: string, to: string): Reference => ({ from: field(from), to: field(to) });

/** What is held, as `system:Collection.field=value`, sorted, and what was counted. */
async function holdsOf(
  stores: { readonly [name: string]: Store },
  references: readonly Reference[],
  coupled: readonly string[][] = [],
  steps: UndoScope['steps'] = Object.keys(stores).map((system) => ({ stepId: 'fill', system })),
): Promise<{ held: string[]; count: number }> {
  const systems = new Map(Object.entries(stores).map(([name, store]) => [name, systemOf(name, store)]));
  const held: string[] = [];
  const scope: UndoScope = { runId: 'run-1', steps, references, coupled: coupled.map((group) => group.map(field)) };
  const count = await findHolds(systems, scope, async (at, values) => {
    held.push(...values.map((value) => `${at.system}:${at.collection}.${at.field}=${value}`));
  });
  return { held: held.sort(), count };
}

describe('what newer records refer to', () => {
  it('is nothing when nobody refers to what was written', async () => {
    const stores = { graph: { written: { 'fill:tenant': [['t1', 't2']] }, foreign: { 'Notebook.tenant': ['t9'] } } };
    expect(await holdsOf(stores, [refers('graph:Notebook.tenant', 'graph:User.tenant')])).toEqual({
      held: [],
      count: 0,
    });
  });

  it('is held value by value, over all batches', async () => {
    const stores = {
      graph: {
        written: { 'fill:tenant': [['t1', 't2'], ['t3'], []] },
        foreign: { 'Notebook.tenant': ['t2', 't3', 't9'] },
      },
    };
    const { held, count } = await holdsOf(stores, [refers('graph:Notebook.tenant', 'graph:User.tenant')]);
    expect(held).toEqual(['graph:User.tenant=t2', 'graph:User.tenant=t3']);
    expect(count).toBe(2);
  });

  it('is held across systems, along a chain of references', async () => {
    const stores = {
      graph: { written: { 'fill:space': [['s1']], 'fill:id': [['s1']] }, foreign: { 'Notebook.space': ['s1'] } },
      relational: { written: { 'fill:id': [['s1']] } },
      objects: { written: {} },
    };
    const { held } = await holdsOf(stores, [
      refers('graph:Notebook.space', 'graph:User.space'),
      refers('graph:User.space', 'graph:Space.id'),
      refers('graph:Space.id', 'relational:spaces.id'),
      refers('relational:spaces.id', 'objects:aether.prefix'),
    ]);
    expect(held).toEqual([
      'graph:Space.id=s1',
      'graph:User.space=s1',
      'objects:aether.prefix=s1',
      'relational:spaces.id=s1',
    ]);
  });

  it('is held when the record that refers is in another system than the value', async () => {
    const stores = {
      graph: { written: { 'fill:space': [['s1', 's2']] } },
      relational: { foreign: { 'agents.space_id': ['s2'] } },
    };
    const { held } = await holdsOf(stores, [refers('relational:agents.space_id', 'graph:User.space')]);
    expect(held).toEqual(['graph:User.space=s2']);
  });

  it('holds the fields that go together, with their own values, and what those refer to', async () => {
    const stores = {
      graph: {
        written: { 'fill:tenant': [['t1', 't2']], 'fill:space': [['s1', 's2']] },
        foreign: { 'Notebook.tenant': ['t2'] },
        records: {
          User: [
            { tenant: 't1', space: 's1' },
            { tenant: 't2', space: 's2' },
            { tenant: 't3', space: null },
          ],
        },
      },
      relational: {},
    };
    const { held } = await holdsOf(
      stores,
      [refers('graph:Notebook.tenant', 'graph:User.tenant'), refers('graph:User.space', 'relational:spaces.id')],
      [['graph:User.tenant', 'graph:User.space']],
    );
    expect(held).toEqual(['graph:User.space=s2', 'graph:User.tenant=t2', 'relational:spaces.id=s2']);
  });

  it('comes to an end when references and couples go in circles', async () => {
    const stores = {
      a: {
        written: { 'fill:x': [['v']], 'fill:y': [['w']] },
        foreign: { 'C.x': ['v'], 'C.y': ['w'] },
        records: { C: [{ x: 'v', y: 'w' }] },
      },
      b: { written: { 'fill:z': [['v']] }, foreign: { 'D.z': ['v'] } },
    };
    const { held, count } = await holdsOf(
      stores,
      [refers('a:C.x', 'b:D.z'), refers('b:D.z', 'a:C.x'), refers('a:C.x', 'a:C.x'), refers('a:C.y', 'a:C.x')],
      [
        ['a:C.x', 'a:C.y'],
        ['a:C.y', 'a:C.x'],
      ],
    );
    expect(held).toEqual(['a:C.x=v', 'a:C.x=w', 'a:C.y=w', 'b:D.z=v', 'b:D.z=w']);
    expect(count).toBe(held.length);
  });

  it('is saved once, however many ways lead to it', async () => {
    const stores = {
      graph: { written: { 'fill:tenant': [['t1'], ['t1']] }, foreign: { 'A.t': ['t1'], 'B.t': ['t1'] } },
    };
    const { held } = await holdsOf(stores, [
      refers('graph:A.t', 'graph:User.tenant'),
      refers('graph:B.t', 'graph:User.tenant'),
    ]);
    expect(held).toEqual(['graph:User.tenant=t1']);
  });

  it('is looked for in the steps of that system only, and in systems that keep a journal', async () => {
    const stores = {
      graph: { written: { 'fill:id': [['g']] }, foreign: { 'A.id': ['g', 'r'] } },
      relational: { written: { 'fill:id': [['r']] } },
    };
    const { held } = await holdsOf(
      stores,
      [refers('graph:A.id', 'graph:B.id')],
      [],
      [{ stepId: 'fill', system: 'graph' }],
    );
    expect(held).toEqual(['graph:B.id=g']);
    expect(await holdsOf(stores, [refers('gone:A.id', 'graph:B.id'), refers('graph:A.id', 'gone:B.id')])).toEqual({
      held: [],
      count: 0,
    });
  });
});

describe('what a run may have changed', () => {
  it('is every step that began and does not only read, in the order of the plan', () => {
    const steps = [
      sampleStep({ id: 'backup.graph', effect: 'reads', system: null }),
      sampleStep({ id: 'data.a' }),
      sampleStep({ id: 'data.b' }),
      sampleStep({ id: 'data.own', system: null }),
      sampleStep({ id: 'data.c', effect: 'destroys' }),
    ];
    const run = {
      id: 'run-1',
      plan: samplePlan({ stages: [{ id: 'data', title: 'Data', always: false, steps }] }),
      performed: new Set(['data.c', 'data.own', 'backup.graph', 'data.a']),
    };
    expect(changedSteps(run).map(({ id }) => id)).toEqual(['data.a', 'data.own', 'data.c']);
    expect(undoScope(run).steps.map(({ stepId }) => stepId)).toEqual(['data.a', 'data.c']);
  });
});
