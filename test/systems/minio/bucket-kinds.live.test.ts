import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
import { type ScratchBucket, scratchBucket } from './scratch-bucket.ts';

const undoes = { runId: 'run-1', stepId: 'data.step' };
const outcome = 'batches/run-1/data.step/000000000/done';
let bucket: ScratchBucket;
let system: System;
let beside: string;

beforeEach(async () => {
  bucket = await scratchBucket({ versioned: false });
  system = bucket.system();
  beside = `${bucket.name}-b`;
});

afterEach(async () => {
  await system.close();
  for await (const item of listing())
    await bucket.client.removeObject(beside, item.name, { versionId: item.versionId });
  await bucket.client.removeBucket(beside).catch(() => undefined);
  await bucket.remove();
});

async function* listing(): AsyncIterable<{ name: string; versionId: string }> {
  if (await bucket.client.bucketExists(beside))
    yield* bucket.client.listObjects(beside, '', true, { IncludeVersion: true });
}

const perform = (name: string, input: object, over = {}) =>
  performAll(kindOf(system, name), input, stepContext(over), 10);
const undo = (name: string, input: object, over = {}) =>
  undoAll(kindOf(system, name), input, undoContext(undoes, over));
const statusOf = async (name: string) => (await bucket.client.getBucketVersioning(name)).Status ?? 'never';
const previewOf = (name: string, input: object) => {
  const kind = kindOf(system, name);
  return kind.preview(kind.input.parse(input), stepContext());
};

describe('minio.create-bucket', () => {
  const name = 'minio.create-bucket';
  const perform_ = () => perform(name, { bucket: beside });

  it('makes a bucket with versions, once, and takes it away again while it is empty', async () => {
    expect(await previewOf(name, { bucket: beside })).toMatchObject({
      count: 1,
      undoClass: 'reversible',
      findings: [],
    });
    expect(await perform_()).toEqual([{ cursor: null, done: 1 }]);
    await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
    expect(await perform_()).toEqual([{ cursor: null, done: 1 }]);
    expect(await statusOf(beside)).toBe('Enabled');
    expect(await undo(name, { bucket: beside })).toMatchObject([{ done: 1, kept: 0 }]);
    expect(await bucket.client.bucketExists(beside)).toBe(false);
    const again = undoContext({ runId: 'undo-of-run-1', stepId: 'data.step' });
    expect(await undoAll(kindOf(system, name), { bucket: beside }, again)).toMatchObject([{ done: 1 }]);
    expect(await statusOf(beside)).toBe('Enabled');
  });

  it('leaves a bucket that existed before, and says that it keeps no versions', async () => {
    await bucket.client.makeBucket(beside);
    expect(await previewOf(name, { bucket: beside })).toMatchObject({
      count: 0,
      findings: [{ check: 'bucket-versioned', status: 'warning' }],
    });
    expect(await perform_()).toEqual([{ cursor: null, done: 0 }]);
    expect(await undo(name, { bucket: beside })).toMatchObject([{ done: 0, kept: 0 }]);
    expect(await bucket.client.bucketExists(beside)).toBe(true);
    expect(await statusOf(beside)).toBe('never');
  });

  it('keeps a bucket in which somebody put something, even if it is deleted again', async () => {
    await perform_();
    await bucket.client.putObject(beside, 'mine', 'content');
    await bucket.client.removeObject(beside, 'mine');
    const undone = undoContext(undoes);
    expect(await kindOf(system, name).previewUndo?.({ bucket: beside }, undone)).toMatchObject({ count: 0 });
    expect(await undoAll(kindOf(system, name), { bucket: beside }, undone)).toMatchObject([{ done: 0, kept: 1 }]);
    expect(await system.journal?.conflicts(undone.runId, undone.stepId, 5)).toMatchObject([
      { key: beside, field: 'bucket', reason: 'changed-since' },
    ]);
    expect(await bucket.client.bucketExists(beside)).toBe(true);
  });

  it('makes the configured bucket itself, and refuses names that are none', async () => {
    const other = bucket.system({ bucket: beside });
    await performAll(kindOf(other, name), {}, stepContext(), 10);
    expect(await other.checkHealth()).toMatchObject({ up: true });
    const undone = undoContext(undoes);
    await undoAll(kindOf(other, name), {}, undone);
    expect(await bucket.client.bucketExists(beside)).toBe(false);
    const redo = undoContext({ runId: undone.runId, stepId: undone.stepId });
    expect(await kindOf(other, name).previewUndo?.({}, redo)).toMatchObject({ count: 1 });
    await other.close();
    await bucket.removeBucket(`${beside}-tas-journal`);
    for (const wrong of ['A', 'a', 'with.dots', '../etc', 'x'.repeat(70)]) {
      expect(kindOf(system, name).input.safeParse({ bucket: wrong }).success).toBe(false);
    }
  });
});

describe('minio.set-versioning', () => {
  const name = 'minio.set-versioning';

  it('switches versions on, and says that there is no way back to never', async () => {
    expect(await previewOf(name, { enabled: true })).toMatchObject({
      count: 1,
      undoClass: 'one-way',
      samples: [{ before: { versioning: 'never' }, after: { versioning: 'enabled' } }],
      findings: [{ check: 'versioning-never', status: 'warning' }],
    });
    await perform(name, { enabled: true });
    await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
    expect(await perform(name, { enabled: true })).toEqual([{ cursor: null, done: 1 }]);
    expect(await statusOf(bucket.name)).toBe('Enabled');
    expect(await undo(name, { enabled: true })).toMatchObject([{ done: 1, kept: 0 }]);
    expect(await statusOf(bucket.name)).toBe('Suspended');
  });

  it('goes back to what it was, and not over what somebody set since', async () => {
    await bucket.client.setBucketVersioning(bucket.name, { Status: 'Enabled' });
    expect(await previewOf(name, { enabled: true })).toMatchObject({ count: 0, undoClass: 'reversible', findings: [] });
    expect(await previewOf(name, { enabled: false })).toMatchObject({
      count: 1,
      undoClass: 'reversible',
      findings: [{ check: 'versioning-paused' }],
    });
    await perform(name, { enabled: false });
    expect(await statusOf(bucket.name)).toBe('Suspended');
    await undo(name, { enabled: false });
    expect(await statusOf(bucket.name)).toBe('Enabled');

    await perform(name, { enabled: false }, { runId: 'run-2' });
    await bucket.client.setBucketVersioning(bucket.name, { Status: 'Enabled' });
    const undone = undoContext({ runId: 'run-2', stepId: 'data.step' });
    expect(await undoAll(kindOf(system, name), { enabled: false }, undone)).toMatchObject([{ done: 0, kept: 0 }]);
    expect(await statusOf(bucket.name)).toBe('Enabled');
  });

  it('refuses to pause a bucket whose objects are locked', async () => {
    const locked = await scratchBucket({ locked: true });
    const other = locked.system();
    const failure = await failureOf(() => performAll(kindOf(other, name), { enabled: false }, stepContext(), 10));
    expect(failure).toMatchObject({ code: 'precondition-failed', message: expect.stringContaining('locked') });
    await other.close();
    await locked.remove();
  });
});
