import { reEmbedKind } from '../../../src/systems/deeplake/kinds/re-embed.ts';
import { readVectorConflicts } from '../../../src/systems/deeplake/vectors/vector-notes.ts';
import type { VectorSetting } from '../../../src/systems/deeplake/vectors/vector-store.ts';
import type { BatchResult } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { ada, large, rowsOf, small, type VectorScene, vectorScene } from './vector-scene.ts';

const one = 'tenants/tenant_1/default';
const two = 'tenants/tenant_2/default';
const beside = (name: string) => `${name}--next-text-embedding-3-large`;
const input = { datasets: 'tenants/*/default', from: ada.model, to: large, batch: 8, pricePerMillionTokens: 0.13 };
const undoes = { runId: 'run-1', stepId: 'data.step' };

let scene: VectorScene;

const kind = (setting: VectorSetting = scene.setting) => reEmbedKind(setting);
const parse = (over: object = {}) => kind().input.parse({ ...input, ...over });
const preview = (over: object = {}, context = {}) => kind().preview(parse(over), stepContext(context));
const perform = (over: object = {}, context = {}, size = 100) =>
  performAll(kind(), { ...input, ...over }, stepContext(context), size);
const batch = (cursor: BatchResult['cursor'], index: number, over: object = {}, setting = scene.setting, size = 8) =>
  kind(setting).performBatch(parse(over), { index, cursor, done: 0, size }, stepContext());
const verified = async (over: object = {}) =>
  ((await kind().verify?.(parse(over), stepContext())) ?? []).map(
    ({ check, status, count }) => `${check} ${status} ${count}`,
  );
const good = ['vectors-there passed 0', 'ids-once passed 0', 'one-model passed 0', 'sample-alike passed 0'];
const idsOf = async (name: string) => (await scene.read(name))?.rows.map(({ id }) => id);

beforeEach(async () => {
  scene = await vectorScene();
  await scene.create(one, rowsOf(ada, 0, 30), 1536);
});

afterEach(() => scene.close());

it('tells counts, estimated tokens, cost and time beforehand, and writes nothing', async () => {
  await scene.create(two, rowsOf(ada, 30, 35), 1536);
  const seen = await preview({ perMinute: 70 });
  expect(seen).toMatchObject({ count: 35, exact: true, undoClass: 'reversible' });
  expect(seen.samples[0]).toMatchObject({ collection: one, key: beside(one), after: { vectors: 30, dimension: 3072 } });
  const [cost] = seen.findings;
  expect(seen.findings).toHaveLength(1);
  expect(cost).toMatchObject({ check: 'embedding-cost', status: 'warning', count: 35 });
  expect(cost?.title).toMatch(
    /35 vectors .* about \d+ tokens \(estimated: 4 characters each\), about 0\.00 at 0\.13 .*; 30 s at 70 vectors/,
  );
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  expect((await preview({}, { countForMs: 0 })).exact).toBe(false);
});

it('embeds into a new dataset beside the old one, which stays as it is, and can search in it', async () => {
  await scene.create(two, rowsOf(ada, 30, 35), 1536);
  const before = await scene.read(one);
  const embedded = await scene.embedded(large.model);
  expect(sumDone(await perform())).toBe(35);
  expect((await scene.embedded(large.model)) - embedded).toBeLessThanOrEqual(36);
  const made = await scene.read(beside(one));
  expect(made?.dimension).toBe(3072);
  expect(made?.rows.map(({ id, content, metadata }) => ({ id, content, metadata }))).toEqual(
    before?.rows.map(({ id, content, metadata }) => ({ id, content, metadata })),
  );
  expect(new Set(made?.rows.map(({ model }) => model))).toEqual(new Set([large.model]));
  expect(await scene.nearest(beside(one), 'a sleeping kitten', large.model)).toMatch(/cats/);
  expect(await scene.read(one)).toEqual(before);
  expect(await verified()).toEqual(good);
  expect((await preview()).count).toBe(0);
  expect(sumDone(await perform())).toBe(0);
});

it('goes on after a kill between batches without embedding anything twice', async () => {
  const embedded = await scene.embedded(large.model);
  const first = await batch(null, 0);
  expect(first.done).toBe(8);
  await batch(first.cursor, 1);
  const restarted = scene.another();
  const again = await batch(first.cursor, 1, {}, restarted);
  expect(again.done).toBe(8);
  let cursor: BatchResult['cursor'] = again.cursor;
  for (let index = 2; cursor !== null; index += 1) ({ cursor } = await batch(cursor, index, {}, restarted));
  expect((await scene.embedded(large.model)) - embedded).toBeLessThanOrEqual(30 + 2);
  expect((await scene.read(beside(one)))?.rows).toHaveLength(30);
  expect(await verified()).toEqual(good);
});

it('goes on after days from nothing but what is there: a worker that was killed loses at most a request', async () => {
  const slow = scene.another();
  await scene.faults([{ delayMs: 5_000 }], 2);
  const working = kind(slow).performBatch(
    parse(),
    { index: 0, cursor: null, done: 0, size: 100 },
    stepContext({
      signal: AbortSignal.timeout(2_500),
    }),
  );
  expect((await failureOf(() => working)).code).toBe('cancelled');
  const there = (await scene.read(beside(one)))?.rows.length ?? 0;
  expect(there % 8).toBe(0);
  await scene.faults([]);
  expect(sumDone(await perform())).toBe(30 - there);
  expect(await verified()).toEqual(good);
});

it('catches up with what came in, changed and went meanwhile until nothing is left', async () => {
  const first = await batch(null, 0);
  await scene.append(one, rowsOf(ada, 100, 105));
  await scene.update(one, 'v0002', 'Now about the weather.');
  await scene.delete(one, 'v0003');
  let cursor: BatchResult['cursor'] = first.cursor;
  for (let index = 1; cursor !== null; index += 1) {
    if (index === 4) await scene.append(one, rowsOf(ada, 105, 107));
    ({ cursor } = await batch(cursor, index));
  }
  const made = await scene.read(beside(one));
  expect(made?.rows.map(({ id }) => id)).toEqual(await idsOf(one));
  expect(made?.rows.find(({ id }) => id === 'v0002')?.content).toBe('Now about the weather.');
  await scene.append(one, rowsOf(ada, 107, 109));
  expect(await verified()).toEqual(good);
});

it('waits as long as 429 asks for, in batches that can be paused, and goes on', async () => {
  await scene.faults([{ status: 429, retryAfter: 7 }], 2);
  const results = await perform();
  const waits = results.filter(({ note }) => note?.includes('429') || note?.includes('goes on in'));
  expect(waits.length).toBeGreaterThanOrEqual(1);
  expect(sumDone(results)).toBe(30);
});

it('rides over short faults, and stops to be retried when the endpoint fails for long', async () => {
  await scene.faults([{ status: 500, count: 2 }], 1);
  expect((await batch(null, 0, {}, scene.setting, 100)).done).toBe(30);
  await scene.create(two, rowsOf(ada, 200, 230), 1536);
  await scene.faults([{ status: 500, count: 100_000 }], 1);
  const failure = await failureOf(() => perform({ within: '1s' }));
  expect(failure).toMatchObject({ code: 'unreachable', retryable: true });
  expect(failure.message).toMatch(/answers 500/);
  expect(`${failure.message} ${failure.advice}`).not.toMatch(/Note|cats/);
  await scene.faults([]);
  expect((await scene.read(two))?.rows).toHaveLength(30);
  await perform();
  expect(await verified()).toEqual(good);
});

it('refuses a wrong dimension before anything is written', async () => {
  const wrong = { to: { model: ada.model.replace('ada-002', '3-large'), dimension: 1024 * 4 } };
  expect((await preview(wrong)).findings).toMatchObject([{ check: 'embeddings-endpoint', status: 'failed' }, {}]);
  expect((await failureOf(() => perform(wrong))).code).toBe('precondition-failed');
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  await scene.faults([{ dimension: 8 }], 3);
  expect((await failureOf(() => perform())).message).toMatch(/8 dimensions .* wanted are 3072/);
  const there = await scene.read(beside(one));
  expect(there?.rows.length).toBe(16);
  expect(there?.rows.every(({ dimension }) => dimension === 3072)).toBe(true);
});

it('asks newer models to shorten where another dimension is wanted', async () => {
  expect(sumDone(await perform({ to: { model: large.model, dimension: 256 } }))).toBe(30);
  expect((await scene.read(beside(one)))?.dimension).toBe(256);
});

it('finds bad input in the plan: no dataset, no endpoint, a wrong key, an unknown model, a name that is taken', async () => {
  const found = async (over: object, setting = scene.setting) =>
    (await kind(setting).preview(parse(over), stepContext())).findings
      .filter(({ status }) => status === 'failed')
      .map(({ check, title }) => `${check}: ${title}`);
  expect(await found({ datasets: 'nobody/*' })).toEqual(['datasets-there: No dataset fits nobody/*']);
  expect(await found({}, scene.another({ embeddings: null }))).toEqual([
    'embeddings-endpoint: No embeddings endpoint is configured',
  ]);
  const { url } = scene.setting.embeddings ?? { url: '' };
  expect(await found({}, scene.another({ embeddings: { url } }))).toEqual([
    'embeddings-endpoint: vectors: the embeddings endpoint refuses the API key.',
  ]);
  expect(await found({ to: { model: 'no-such', dimension: 3072 } })).toEqual([
    'embeddings-endpoint: vectors: the embeddings endpoint does not know no-such.',
  ]);
  await scene.create(beside(one), rowsOf(large, 0, 1), 3072);
  expect(await found({})).toEqual(['names-free: The name of the new dataset is taken by another one']);
  expect((await failureOf(() => perform())).code).toBe('conflict');
  expect(await idsOf(beside(one))).toEqual(['v0000']);
});

it('stops at a dataset of several models, and at ids that are there twice', async () => {
  await scene.append(one, rowsOf(small, 50, 53));
  expect((await preview()).findings.map(({ check, status }) => `${check} ${status}`)).toContain('one-model warning');
  expect((await failureOf(() => perform())).message).toMatch(/several models/);
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  await scene.create(two, [...rowsOf(ada, 0, 3), ...rowsOf(ada, 2, 3)], 1536);
  expect((await preview({ datasets: two })).findings[0]).toMatchObject({ check: 'ids-once', status: 'failed' });
});

it('keeps to the rate and to what was approved', async () => {
  const started = Date.now();
  expect(sumDone(await perform({ perMinute: 300 }))).toBe(30);
  expect(Date.now() - started).toBeGreaterThan(4_500);
  await scene.create(two, rowsOf(ada, 300, 330), 1536);
  expect((await failureOf(() => perform({}, { cap: 20, runId: 'run-2' }))).code).toBe('over-cap');
  expect((await scene.read(beside(two)))?.rows).toHaveLength(20);
});

it('undoes by taking the new dataset out of sight, and brings it back when the undo is undone', async () => {
  await perform();
  const made = await scene.read(beside(one));
  const undone = undoContext(undoes);
  expect(await kind().previewUndo?.(parse(), undone)).toMatchObject({ count: 30 });
  expect(await undoAll(kind(), input, undone)).toMatchObject([{ done: 30, kept: 0, missing: 0 }]);
  expect(await undoAll(kind(), input, undone)).toMatchObject([{ done: 30, kept: 0, missing: 0 }]);
  expect(await scene.list('tenants/tenant_1')).toEqual(['default']);
  const redo = undoContext({ runId: undone.runId, stepId: undone.stepId });
  expect(await undoAll(kind(), input, redo)).toMatchObject([{ done: 30, kept: 0, missing: 0 }]);
  expect(await scene.read(beside(one))).toEqual(made);
});

it('keeps on undo a new dataset that others have written to, and says so', async () => {
  await perform();
  await scene.append(beside(one), rowsOf(large, 400, 401));
  const undone = undoContext(undoes);
  expect(await kind().previewUndo?.(parse(), undone)).toMatchObject({ count: 0 });
  expect(await undoAll(kind(), input, undone)).toMatchObject([{ done: 0, kept: 1, missing: 0 }]);
  expect(await readVectorConflicts(scene.setting, undone, 5)).toMatchObject([
    { reason: 'changed-since', key: beside(one) },
  ]);
  expect((await scene.read(beside(one)))?.rows).toHaveLength(31);
});
