import { reEmbedKind } from '../../../src/systems/deeplake/kinds/re-embed.ts';
import { switchEmbeddingsKind } from '../../../src/systems/deeplake/kinds/switch-embeddings.ts';
import { readVectorConflicts } from '../../../src/systems/deeplake/vectors/vector-notes.ts';
import type { BatchResult, ReleaseContext } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { ada, large, rowsOf, type VectorScene, vectorScene } from './vector-scene.ts';

const one = 'tenants/tenant_1/default';
const two = 'tenants/tenant_2/default';
const fresh = (name: string) => `${name}--next-text-embedding-3-large`;
const old = (name: string) => `${name}--text-embedding-ada-002`;
const input = { datasets: 'tenants/*/default', from: ada, to: large };
const stepId = 'services.switch';
const context = () => stepContext({ stepId });
const undoes = { runId: 'run-1', stepId };

let scene: VectorScene;

const kind = () => switchEmbeddingsKind(scene.setting);
const embed = () =>
  performAll(reEmbedKind(scene.setting), { ...input, from: ada.model }, stepContext({ stepId: 'data.embed' }), 500);
const perform = () => performAll(kind(), input, context(), 500);
const undo = (over = {}) => undoAll(kind(), input, undoContext(undoes, { stepId, ...over }));
const modelsOf = async (name: string) => {
  const read = await scene.read(name);
  return read && [read.dimension, read.rows.length, ...new Set(read.rows.map(({ model }) => model))];
};
const idsOf = async (name: string) => (await scene.read(name))?.rows.map(({ id }) => id);
const release = (): ReleaseContext => ({ ...stepContext({ runId: 'release-1', stepId }), releases: undoes });

beforeEach(async () => {
  scene = await vectorScene();
  await scene.create(one, rowsOf(ada, 0, 20), 1536);
  await scene.create(two, rowsOf(ada, 20, 25), 1536);
});

afterEach(() => scene.close());

it('puts new datasets into the place of old ones with what came in since, and keeps the old ones beside', async () => {
  expect((await kind().preview(kind().input.parse(input), context())).findings).toMatchObject([
    { check: 'counted-ahead', status: 'skipped', count: 2 },
  ]);
  await embed();
  const seen = await kind().preview(kind().input.parse(input), context());
  expect(seen).toMatchObject({ count: 2, undoClass: 'reversible-until', findings: [] });
  expect(seen.samples[0]).toMatchObject({ key: one, before: { dimension: 1536 }, after: { dimension: 3072 } });
  await scene.append(one, rowsOf(ada, 50, 53));
  expect(sumDone(await perform())).toBe(2);
  expect(await modelsOf(one)).toEqual([3072, 23, large.model]);
  expect(await modelsOf(old(one))).toEqual([1536, 23, ada.model]);
  expect(await modelsOf(two)).toEqual([3072, 5, large.model]);
  expect(await scene.list('tenants/tenant_1')).toEqual(['default', 'default--text-embedding-ada-002']);
  expect(await kind().verify?.(kind().input.parse(input), context())).toMatchObject([{ status: 'passed' }]);
  expect((await kind().preview(kind().input.parse(input), context())).count).toBe(0);
  expect(sumDone(await perform())).toBe(2);
});

it('never leaves the name without a dataset, and can be killed after every batch', async () => {
  await embed();
  let missing = 0;
  let looks = 0;
  let stop = false;
  const watching = (async () => {
    while (!stop) {
      looks += 1;
      if ((await scene.list(one).catch(() => [])).length === 0) missing += 1;
    }
  })();
  const parsed = kind().input.parse(input);
  let cursor: BatchResult['cursor'] = null;
  for (let index = 0; index === 0 || cursor !== null; index += 1) {
    const request = { index, cursor, done: 0, size: 500 };
    await kind().performBatch(parsed, request, context());
    const again = await switchEmbeddingsKind(scene.another()).performBatch(parsed, request, context());
    cursor = again.cursor;
  }
  stop = true;
  await watching;
  expect(looks).toBeGreaterThan(10);
  expect(missing).toBe(0);
  expect(await modelsOf(one)).toEqual([3072, 20, large.model]);
  expect(await modelsOf(old(one))).toEqual([1536, 20, ada.model]);
});

it('refuses to switch what was not embedded, and leaves it serving', async () => {
  const failure = await failureOf(() => perform());
  expect(failure.message).toMatch(/has no vectors of text-embedding-3-large beside it/);
  await scene.create(fresh(one), rowsOf(large, 0, 20), 3072);
  expect((await failureOf(() => perform())).code).toBe('precondition-failed');
  expect(await modelsOf(one)).toEqual([1536, 20, ada.model]);
  await scene.create(old(one), [], 1536);
  const taken = await kind().preview(kind().input.parse(input), context());
  expect(taken.findings.map(({ check }) => check)).toContain('names-free');
});

it('undoes with the vectors that users wrote, changed and deleted since, embedded with the old model', async () => {
  await embed();
  await perform();
  await scene.append(one, rowsOf(large, 60, 63));
  await scene.update(one, 'v0004', 'Now about the harvest.');
  await scene.delete(one, 'v0007');
  const ids = await idsOf(one);
  const seen = await kind().previewUndo?.(kind().input.parse(input), undoContext(undoes));
  expect(seen).toMatchObject({ count: 2, samples: [{ key: two }, { key: one, after: { written_since: 4 } }] });
  const results = await undo();
  expect(sumDone(results)).toBe(2);
  expect(results.some(({ kept }) => kept > 0)).toBe(false);
  expect(await modelsOf(one)).toEqual([1536, 22, ada.model]);
  expect(await idsOf(one)).toEqual(ids);
  expect((await scene.read(one))?.rows.find(({ id }) => id === 'v0004')?.content).toBe('Now about the harvest.');
  expect(await scene.nearest(one, 'farmers and crops at harvest', ada.model)).toBe('Now about the harvest.');
  expect(await modelsOf(fresh(one))).toEqual([3072, 22, large.model]);
  const redo = undoContext({ runId: 'undo-of-run-1', stepId }, { stepId, runId: 'redo' });
  expect(sumDone(await undoAll(kind(), input, redo))).toBe(2);
  expect(await modelsOf(one)).toEqual([3072, 22, large.model]);
});

it('tells as conflicts what cannot follow without an endpoint', async () => {
  await embed();
  await perform();
  await scene.append(one, rowsOf(large, 60, 63));
  const alone = switchEmbeddingsKind(scene.another({ embeddings: null }));
  const results = await undoAll(alone, input, undoContext(undoes, { stepId }));
  expect([sumDone(results), results.reduce((sum, { kept }) => sum + kept, 0)]).toEqual([2, 1]);
  expect(await readVectorConflicts(scene.setting, { runId: 'undo-of-run-1', stepId }, 5)).toMatchObject([
    { key: one, theirs: `3 vectors stay in ${fresh(one)}` },
  ]);
  expect(await modelsOf(one)).toEqual([1536, 20, ada.model]);
  expect(await modelsOf(fresh(one))).toEqual([3072, 23, large.model]);
});

it('gives the old datasets up when the hold is over, but not one that somebody still writes to', async () => {
  await embed();
  await perform();
  await scene.append(old(two), rowsOf(ada, 70, 71));
  const parsed = kind().input.parse(input);
  const seen = await kind().previewRelease?.(parsed, release());
  expect(seen).toMatchObject({ count: 1, findings: [{ check: 'old-datasets-unused', samples: [old(two)] }] });
  for (let index = 0; index < 2; index += 1) {
    await kind().releaseBatch?.(parsed, { index, cursor: index, done: 0, size: 10 }, release());
  }
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  expect(await modelsOf(old(two))).toEqual([1536, 6, ada.model]);
  const results = await undo();
  expect([sumDone(results), results.reduce((sum, { missing }) => sum + missing, 0)]).toEqual([1, 1]);
  expect(await modelsOf(one)).toEqual([3072, 20, large.model]);
});
