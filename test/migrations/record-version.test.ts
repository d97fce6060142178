import fc from 'fast-check';
import { createMigrationKinds } from '../../src/migrations/kinds.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { createMemorySystem, type MemorySystem } from '../../src/systems/memory/memory-system.ts';
import type { BatchRequest, DataModelVersion, StepKind } from '../../src/systems/system.ts';
import { failureOf } from '../systems/contract-subject.ts';
import { stepContext, undoContext } from '../systems/step-contexts.ts';

const batch: BatchRequest = { index: 0, cursor: null, done: 0, size: 1000 };
const old: DataModelVersion = { version: '1.0', runId: 'run-0', at: '2026-01-01T00:00:00.000Z' };
const stepId = 'version.people';

/** A system, the kind over it, and which run takes back which. */
interface World {
  readonly people: MemorySystem;
  readonly kind: StepKind;
  /** Run → the run that it undoes. */
  readonly undoes: Map<string, string>;
}

async function openWorld(recorded: DataModelVersion | null): Promise<World> {
  const people = createMemorySystem({ name: 'people', seal: createSeal(Buffer.alloc(32, 7)) });
  await people.dataModel.write(recorded, { environment: 'test', token: 1 });
  const undoes = new Map<string, string>();
  const lineage = async (runId: string) => {
    let origin = runId;
    let undone = false;
    for (let next = undoes.get(origin); next !== undefined; next = undoes.get(origin)) {
      origin = next;
      undone = !undone;
    }
    return { origin, undone };
  };
  let seconds = 0;
  const clock = { now: () => new Date(Date.UTC(2026, 10, 20, 10, 0, seconds++)) };
  const [kind] = createMigrationKinds({ systems: new Map([['people', people]]), ledger: { lineage }, clock });
  return { people, kind: kind as StepKind, undoes };
}

const inputOf = (from: DataModelVersion | null, version = '2.0') => ({ system: 'people', version, from });
const perform = ({ kind }: World, runId: string, from: DataModelVersion | null, version = '2.0') =>
  kind.performBatch(inputOf(from, version), batch, stepContext({ runId, stepId }));
const contextOf = (runId: string, undone: string) =>
  undoContext({ runId: undone, stepId }, { runId, stepId: 'undo.version-people' });
async function undo(world: World, runId: string, undone: string, from: DataModelVersion | null, version = '2.0') {
  world.undoes.set(runId, undone);
  return world.kind.undoBatch?.(inputOf(from, version), batch, contextOf(runId, undone));
}

describe('the record of the data-model version', () => {
  it('is written once, however often it is asked for, and counts nothing when it is there', async () => {
    const world = await openWorld(old);
    expect(await world.kind.preview(inputOf(old), stepContext({}))).toMatchObject({
      count: 1,
      undoClass: 'reversible',
    });
    expect(await perform(world, 'run-1', old)).toEqual({ cursor: null, done: 1 });
    const recorded = await world.people.dataModel.read();
    expect(recorded).toMatchObject({ version: '2.0', runId: 'run-1' });
    expect(await perform(world, 'run-1', old)).toEqual({ cursor: null, done: 1 });
    expect(await world.people.dataModel.read()).toEqual(recorded);
    expect(await world.kind.preview(inputOf(recorded), stepContext({}))).toMatchObject({ count: 0 });
  });

  it('is refused where somebody recorded another one since the plan, and another plan sees another schema', async () => {
    const world = await openWorld(old);
    const planned = await world.kind.preview(inputOf(old), stepContext({}));
    const other = { version: '1.5', runId: 'run-x', at: '2026-02-01T00:00:00.000Z' };
    await world.people.dataModel.write(other, { environment: 'test', token: 1 });
    expect(await failureOf(() => perform(world, 'run-1', old))).toMatchObject({ code: 'precondition-failed' });
    expect(await world.people.dataModel.read()).toEqual(other);
    expect((await world.kind.preview(inputOf(old), stepContext({}))).schemaHash).not.toBe(planned.schemaHash);
  });

  it('is refused by the fence of a run that has lost its environment', async () => {
    const world = await openWorld(null);
    await world.people.advanceFence({ environment: 'test', token: 99 });
    expect(await failureOf(() => perform(world, 'run-1', null))).toMatchObject({ code: 'fenced' });
    expect(await world.people.dataModel.read()).toBeNull();
  });

  it.each([
    ['none', null],
    ['the former one', old],
  ])('is taken back to %s, brought forward by the undo of the undo, and taken back again', async (_what, start) => {
    const world = await openWorld(start);
    await perform(world, 'run-1', start);
    expect(await undo(world, 'run-2', 'run-1', start)).toMatchObject({ done: 1, kept: 0 });
    expect(await undo(world, 'run-2', 'run-1', start)).toMatchObject({ done: 1, kept: 0 });
    expect(await world.people.dataModel.read()).toEqual(start);
    expect(await undo(world, 'run-3', 'run-2', start)).toMatchObject({ done: 1, kept: 0 });
    expect(await undo(world, 'run-3', 'run-2', start)).toMatchObject({ done: 1, kept: 0 });
    expect(await world.people.dataModel.read()).toMatchObject({ version: '2.0', runId: 'run-1' });
    expect(await undo(world, 'run-4', 'run-1', start)).toMatchObject({ done: 1, kept: 0 });
    expect(await world.people.dataModel.read()).toEqual(start);
  });

  it('stays where a later run recorded another one, and the preview says so', async () => {
    const world = await openWorld(old);
    await perform(world, 'run-1', old);
    const ours = await world.people.dataModel.read();
    await perform(world, 'run-2', ours, '3.0');
    const theirs = await world.people.dataModel.read();
    expect(await world.kind.previewUndo?.(inputOf(old), contextOf('run-3', 'run-1'))).toMatchObject({
      count: 0,
      kept: { counts: { 'changed-since': 1 } },
      findings: [{ check: 'data-model-stays', status: 'warning', samples: ['run-2'] }],
    });
    expect(await undo(world, 'run-3', 'run-1', old)).toMatchObject({ done: 0, kept: 1 });
    expect(await world.people.dataModel.read()).toEqual(theirs);
  });

  it('is not touched by the undo of a run that found it there', async () => {
    const world = await openWorld({ ...old, version: '2.0' });
    expect(await perform(world, 'run-1', { ...old, version: '2.0' })).toMatchObject({ done: 0 });
    expect(await undo(world, 'run-2', 'run-1', { ...old, version: '2.0' })).toMatchObject({ done: 0, kept: 0 });
    expect(await world.people.dataModel.read()).toMatchObject({ version: '2.0', runId: 'run-0' });
  });

  it('is after any chain of runs, undone newest first, each call made twice, what it was at the start', async () => {
    const chain = fc.array(fc.constantFrom('2.0', '3.0', '4.0', '5.0'), { minLength: 1, maxLength: 6 });
    const redo = fc.infiniteStream(fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.boolean(), chain, redo, async (known, versions, redone) => {
        const start = known ? old : null;
        const world = await openWorld(start);
        const froms: (DataModelVersion | null)[] = [];
        for (const [index, version] of versions.entries()) {
          froms.push(await world.people.dataModel.read());
          const first = await perform(world, `run-${index}`, froms[index] ?? null, version);
          expect(await perform(world, `run-${index}`, froms[index] ?? null, version)).toEqual(first);
        }
        for (const [index, version] of [...versions.entries()].reverse()) {
          const from = froms[index] ?? null;
          let last = `run-${index}`;
          // Undone, brought back any number of times, and undone in the end.
          for (let times = 0; times < 4 && (times === 0 || redone.next().value); times += 1) {
            for (const next of times === 0 ? ['u'] : ['r', 'u']) {
              const runId = `${last}${next}`;
              const first = await undo(world, runId, last, from, version);
              expect(await undo(world, runId, last, from, version)).toEqual(first);
              expect(first).toMatchObject({ kept: 0 });
              last = runId;
            }
          }
          expect(await world.people.dataModel.read()).toEqual(from);
        }
        expect(await world.people.dataModel.read()).toEqual(start);
      }),
      { numRuns: 60 },
    );
  });
});
