import { splitByModelKind } from '../../../src/systems/deeplake/kinds/split-by-model.ts';
import { keptName } from '../../../src/systems/deeplake/vectors/made-datasets.ts';
import type { BatchRequest, BatchResult } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { ada, large, rowsOf, small, type VectorScene, vectorScene } from './vector-scene.ts';

const name = 'tenants/tenant_1/default';
const part = `${name}--text-embedding-3-small`;
const input = { datasets: 'tenants/*/default' };
const undoes = { runId: 'run-1', stepId: 'data.step' };

let scene: VectorScene;

const kind = () => splitByModelKind(scene.setting);
const perform = (over = {}) => performAll(kind(), { ...input, ...over }, stepContext(), 100);
const preview = () => kind().preview(kind().input.parse(input), stepContext());
const modelsOf = async (dataset: string) => {
  const read = await scene.read(dataset);
  return read && [read.dimension, read.rows.length, ...new Set(read.rows.map(({ model }) => model))];
};

beforeEach(async () => {
  scene = await vectorScene();
  await scene.create(name, [...rowsOf(ada, 0, 12), ...rowsOf(small, 12, 17)], 1536);
});

afterEach(() => scene.close());

it('makes one dataset for each model with the very same vectors, and leaves those of one model alone', async () => {
  await scene.create('tenants/tenant_2/default', rowsOf(ada, 0, 2), 1536);
  const before = await scene.read(name);
  const seen = await preview();
  expect(seen).toMatchObject({ count: 17, exact: true, undoClass: 'reversible-until', findings: [] });
  expect(seen.samples).toMatchObject([{ key: name, after: { [name]: ada.model, [part]: small.model } }]);
  expect(sumDone(await perform())).toBe(17);
  expect(await modelsOf(name)).toEqual([1536, 12, ada.model]);
  expect(await modelsOf(part)).toEqual([1536, 5, small.model]);
  const [mine, theirs] = [await scene.read(name), await scene.read(part)];
  expect([...(mine?.rows ?? []), ...(theirs?.rows ?? [])]).toEqual(before?.rows);
  expect(await scene.list('tenants/tenant_1')).toEqual(['default', 'default--text-embedding-3-small']);
  expect(await kind().verify?.(kind().input.parse(input), stepContext())).toMatchObject([{ status: 'passed' }]);
  expect((await preview()).count).toBe(0);
});

it('gives the mixed dataset up when it is asked to, unless somebody wrote to it since; an undo then keeps the parts', async () => {
  await perform();
  const parsed = kind().input.parse(input);
  const releases = { ...stepContext({ runId: 'release-1' }), releases: undoes };
  const first = { index: 0, cursor: null, done: 0, size: 10 };
  const kept = keptName(stepContext(), name);
  await scene.append(kept, rowsOf(ada, 60, 61));
  expect(await kind().previewRelease?.(parsed, releases)).toMatchObject({
    count: 0,
    findings: [{ check: 'old-datasets-unused', samples: [kept] }],
  });
  expect(await kind().releaseBatch?.(parsed, first, releases)).toEqual({ cursor: null, done: 0 });
  expect((await scene.read(kept))?.rows.length).toBe(18);

  const other = 'tenants/tenant_2/default';
  await scene.create(other, [...rowsOf(ada, 0, 3), ...rowsOf(small, 3, 5)], 1536);
  const step = { runId: 'run-2', stepId: 'data.step' };
  await performAll(kind(), { datasets: other }, stepContext(step), 100);
  const second = { ...stepContext({ runId: 'release-2' }), releases: step };
  expect(await kind().previewRelease?.(parsed, second)).toMatchObject({
    count: 1,
    effect: 'destroys',
    findings: [],
    samples: [{ before: { model: `${ada.model} + ${small.model}` } }],
  });
  for (let time = 0; time < 2; time += 1) await kind().releaseBatch?.(parsed, first, second);
  expect(await scene.read(keptName(stepContext(step), other))).toBeNull();
  expect(await kind().previewRelease?.(parsed, second)).toMatchObject({ count: 0, findings: [] });
  const results = await undoAll(kind(), { datasets: other }, undoContext(step));
  expect(results.reduce((sum, { missing }) => sum + missing, 0)).toBe(1);
  expect(await modelsOf(other)).toEqual([1536, 3, ada.model]);
});

it('splits vectors of several dimensions, each into a dataset of its own', async () => {
  const mixed = 'tenants/tenant_3/default';
  await scene.create(mixed, [...rowsOf(ada, 0, 3), ...rowsOf(large, 3, 9)], null);
  await perform({ datasets: mixed });
  expect(await modelsOf(mixed)).toEqual([3072, 6, large.model]);
  expect(await modelsOf(`${mixed}--text-embedding-ada-002`)).toEqual([1536, 3, ada.model]);
  await scene.create('tenants/tenant_4/default', [...rowsOf(ada, 0, 3), ...rowsOf(large, 3, 9)], null);
  await perform({ datasets: 'tenants/tenant_4/default', keep: ada.model });
  expect(await modelsOf('tenants/tenant_4/default')).toEqual([1536, 3, ada.model]);
});

it('goes on after a kill at each batch, and brings what came in meanwhile', async () => {
  const parsed = kind().input.parse(input);
  let cursor: BatchResult['cursor'] = null;
  for (let index = 0; index === 0 || cursor !== null; index += 1) {
    const request: BatchRequest = { index, cursor, done: 0, size: 5 };
    await kind().performBatch(parsed, request, stepContext());
    if (index === 1) await scene.append(name, rowsOf(small, 30, 32));
    cursor = (await splitByModelKind(scene.another()).performBatch(parsed, request, stepContext())).cursor;
  }
  expect(await modelsOf(name)).toEqual([1536, 12, ada.model]);
  expect(await modelsOf(part)).toEqual([1536, 7, small.model]);
});

it('undoes with what was written, changed and deleted in the parts since, and splits again when that is undone', async () => {
  await perform();
  await scene.append(name, rowsOf(ada, 40, 42));
  await scene.append(part, rowsOf(small, 50, 51));
  await scene.update(part, 'v0013', 'Another content.');
  await scene.delete(name, 'v0005');
  expect(await kind().previewUndo?.(kind().input.parse(input), undoContext(undoes))).toMatchObject({ count: 17 });
  const undone = undoContext(undoes);
  expect(sumDone(await undoAll(kind(), input, undone))).toBe(19);
  const mixed = await scene.read(name);
  expect(mixed?.rows.map(({ id }) => id)).toEqual([
    ...[...rowsOf(ada, 0, 5), ...rowsOf(ada, 6, 17), ...rowsOf(ada, 40, 42), ...rowsOf(ada, 50, 51)].map(
      ({ id }) => id,
    ),
  ]);
  expect(mixed?.rows.find(({ id }) => id === 'v0013')).toMatchObject({
    content: 'Another content.',
    model: small.model,
  });
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  await undoAll(kind(), input, undoContext({ runId: undone.runId, stepId: undone.stepId }, { runId: 'redo' }));
  expect(await modelsOf(name)).toEqual([1536, 13, ada.model]);
  expect(await modelsOf(part)).toEqual([1536, 6, small.model]);
});

it('keeps a split on undo where somebody put another dataset into the place, and undoes one that was only begun', async () => {
  const parsed = kind().input.parse(input);
  await kind().performBatch(parsed, { index: 0, cursor: null, done: 0, size: 5 }, stepContext());
  expect(sumDone(await undoAll(kind(), input, undoContext(undoes)))).toBe(0);
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  expect(await modelsOf(name)).toEqual([1536, 17, ada.model, small.model]);
});

it('refuses names that are taken, and ids that are there twice', async () => {
  await scene.create(part, rowsOf(small, 0, 1), 1536);
  expect((await preview()).findings).toMatchObject([{ check: 'names-free', status: 'failed', samples: [part] }]);
  expect((await failureOf(() => perform())).code).toBe('conflict');
  expect(await modelsOf(name)).toEqual([1536, 17, ada.model, small.model]);
  await scene.append(name, rowsOf(ada, 3, 4));
  expect((await preview()).findings.map(({ check }) => check)).toEqual(['names-free', 'ids-once']);
});
