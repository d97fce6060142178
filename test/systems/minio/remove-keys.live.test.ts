import type { ReleaseContext, System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { byDocuments, type Doc, doc, documentContext, targetOf } from './document-records.ts';
import { type ScratchBucket, scratchBucket } from './scratch-bucket.ts';

const references = [
  { system: 'graph', collection: 'Document', field: 'path' },
  { system: 'relational', collection: 'files', field: 'url', value: 's3://bucket/{key}' },
];
const input = { copiedBy: 'copy', references, previewFrom: byDocuments };
const undoes = { runId: 'run-1', stepId: 'storage.remove' };
const outcome = 'batches/run-1/storage.remove/000000000/done';

let docs: Doc[];
let bucket: ScratchBucket;
let system: System;

const context = (over = {}) => documentContext(() => docs, { stepId: 'storage.remove', ...over });
const kind = () => kindOf(system, 'minio.remove-keys');
const parsed = (step: unknown = input) => kind().input.parse(step);
const preview = (over = {}) => kind().preview(parsed(), context(over));
const perform = (size = 100) => performAll(kind(), input, context(), size);
const undo = () => undoAll(kind(), input, undoContext(undoes));
const releasing = (over: Partial<ReleaseContext> = {}): ReleaseContext => ({
  ...context({ runId: 'release-1' }),
  releases: undoes,
  ...over,
});
const oldKeys = () => ['a', 'b', 'c'].map((id) => `tenant_1/files/${id}.txt`) as [string, string, string];

/** Copies, as the step before does, and tells the records of their new keys. */
async function copy(): Promise<void> {
  await performAll(kindOf(system, 'minio.copy-keys'), byDocuments, context({ stepId: 'storage.copy' }), 2);
  for (const each of docs) each.path = targetOf(each);
}

async function release() {
  const results = [];
  for (let index = 0, cursor: unknown = 0; cursor !== null; index += 1) {
    const result = await kind().releaseBatch?.(parsed(), { index, cursor: null, done: 0, size: 100 }, releasing());
    results.push(result);
    cursor = result?.cursor ?? null;
  }
  return results;
}

beforeEach(async () => {
  bucket = await scratchBucket();
  system = bucket.system();
  docs = ['a', 'b', 'c'].map((id) => doc(id));
  for (const { path, id } of docs) await bucket.put(path, `content of ${id}`);
});

afterEach(async () => {
  await system.close();
  await bucket.remove();
});

it('says before the copies what it would remove, and right before itself what it will', async () => {
  const ahead = await preview({ runId: 'preview' });
  expect(ahead).toMatchObject({ count: 3, exact: true, undoClass: 'reversible-until' });
  expect(ahead.findings).toMatchObject([{ check: 'old-keys-counted-ahead', status: 'skipped' }]);
  const honest = await kind().preview(parsed({ copiedBy: 'copy', references }), context({ runId: 'preview' }));
  expect(honest).toMatchObject({
    count: 0,
    findings: [{ status: 'skipped', advice: expect.stringContaining('nothing is counted') }],
  });
  await copy();
  expect(await preview()).toMatchObject({ count: 3, keysHash: ahead.keysHash, findings: [] });
  expect(sumDone(await perform())).toBe(3);
  expect((await preview()).count).toBe(0);
});

it('puts old keys behind delete markers, batch by batch, and brings them back', async () => {
  await copy();
  expect(sumDone(await perform(2))).toBe(3);
  for (const key of oldKeys()) {
    await expect(bucket.textOf(key)).rejects.toMatchObject({ code: 'NoSuchKey' });
    expect(await bucket.versionsOf(key)).toBe(2);
  }
  expect(await kind().verify?.(parsed(), context())).toMatchObject([{ check: 'old-keys-unnamed', status: 'passed' }]);
  expect(sumDone(await perform(2))).toBe(3);
  const undone = await undo();
  expect(undone.map(({ done, kept, missing }) => [done, kept, missing])).toEqual([
    [1, 0, 0],
    [2, 0, 0],
  ]);
  for (const [i, key] of oldKeys().entries()) {
    expect(await bucket.textOf(key)).toBe(`content of ${'abc'[i]}`);
    expect(await bucket.versionsOf(key)).toBe(1);
  }
  await undoAll(kind(), input, undoContext({ runId: 'undo-of-run-1', stepId: 'data.step' }));
  for (const key of oldKeys()) expect(await bucket.versionsOf(key)).toBe(2);
});

it('leaves what changed since the copy, what has no copy any more and what records still name', async () => {
  docs.push(doc('d'), doc('e'));
  for (const { path, id } of docs.slice(3)) await bucket.put(path, `content of ${id}`);
  await copy();
  const [a, b, c, d, e] = docs as [Doc, Doc, Doc, Doc, Doc];
  await bucket.put('tenant_1/files/a.txt', 'written by an old client');
  await bucket.client.removeObject(bucket.name, targetOf(b));
  c.path = 'tenant_1/files/c.txt';
  await bucket.put(targetOf(e), 'a user goes on at the new key');
  const before = await preview();
  expect(before.count).toBe(2);
  expect(before.findings.map(({ check, status, samples }) => [check, status, ...samples])).toEqual([
    ['old-keys-changed', 'warning', 'tenant_1/files/a.txt'],
    ['copies-there', 'warning', 'tenant_1/files/b.txt'],
    ['old-keys-named', 'warning', 'tenant_1/files/c.txt'],
  ]);
  expect(sumDone(await perform())).toBe(2);
  expect(await bucket.textOf('tenant_1/files/a.txt')).toBe('written by an old client');
  for (const key of ['tenant_1/files/b.txt', 'tenant_1/files/c.txt']) expect(await bucket.versionsOf(key)).toBe(1);
  for (const { id } of [d, e]) expect(await bucket.versionsOf(`tenant_1/files/${id}.txt`)).toBe(2);
  expect(a.path).toBe(targetOf(a));
});

it('finds keys that others name in another form, and those named while it went on', async () => {
  await copy();
  const urls = ['s3://bucket/tenant_1/files/b.txt'];
  const named = context({
    lookup: async (name: string, _query: unknown, keys: string[]) =>
      new Map(name === 'relational' ? keys.filter((key) => urls.includes(key)).map((key) => [key, {}]) : []),
  });
  expect(await kind().preview(parsed(), named)).toMatchObject({
    count: 2,
    findings: [{ check: 'old-keys-named', count: 1 }],
  });
  expect(sumDone(await performAll(kind(), input, named, 10))).toBe(2);
  urls.push('s3://bucket/tenant_1/files/a.txt');
  expect(await kind().verify?.(parsed(), named)).toMatchObject([
    { check: 'old-keys-unnamed', status: 'failed', count: 1 },
  ]);
});

it('removes an object once that several records share', async () => {
  docs = [doc('a'), doc('b', { path: 'tenant_1/files/a.txt' })];
  await copy();
  expect((await preview()).count).toBe(1);
  expect(sumDone(await perform(1))).toBe(1);
  expect(sumDone(await undo())).toBe(1);
});

it('goes on where a killed process stopped, and never over what a user wrote meanwhile', async () => {
  await copy();
  await perform();
  const [a, b, c] = oldKeys();
  await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
  await bucket.removeVersions(b);
  await bucket.put(b, 'a newer version');
  expect(await perform()).toEqual([{ cursor: null, done: 2 }]);
  expect(await bucket.textOf(b)).toBe('a newer version');
  for (const key of [a, c]) expect(await bucket.versionsOf(key)).toBe(2);
  expect(sumDone(await undo())).toBe(2);
});

it('takes its marker away again where a user wrote between look and deed', async () => {
  await copy();
  const [a] = oldKeys();
  let raced = false;
  const racing = bucket.system({
    url: await bucket.proxy(async ({ method, path }) => {
      if (raced || method !== 'DELETE' || !path.endsWith('/a.txt')) return;
      raced = true;
      await bucket.put(a, 'in between');
    }),
  });
  const done = await performAll(kindOf(racing, 'minio.remove-keys'), input, context(), 10);
  await racing.close();
  expect([raced, sumDone(done)]).toEqual([true, 2]);
  expect(await bucket.textOf(a)).toBe('in between');
  expect(await kind().verify?.(parsed(), context())).toMatchObject([
    { status: 'passed' },
    { check: 'old-keys-changed', count: 1 },
  ]);
});

it('keeps on undo what users wrote at an old key since, and says what was released', async () => {
  await copy();
  await perform();
  const [a, b, c] = oldKeys();
  await bucket.put(a, 'new at the old key');
  await bucket.removeVersions(b);
  const undone = undoContext(undoes);
  expect(await kind().previewUndo?.(parsed(), undone)).toMatchObject({ count: 1 });
  expect(await undoAll(kind(), input, undone)).toMatchObject([{ done: 1, kept: 1, missing: 1 }]);
  expect(await bucket.textOf(a)).toBe('new at the old key');
  expect(await bucket.textOf(c)).toBe('content of c');
  const conflicts = await system.journal?.conflicts(undone.runId, undone.stepId, 5);
  expect(conflicts?.map(({ key, reason }) => [key, reason])).toEqual([
    [a, 'changed-since'],
    [b, 'missing'],
  ]);
});

it('does not bring back on undo what a user deleted at the new key since', async () => {
  await copy();
  await perform();
  await bucket.client.removeObject(bucket.name, targetOf(docs[0] as Doc));
  const undone = undoContext(undoes);
  expect(await undoAll(kind(), input, undone)).toMatchObject([{ done: 2, kept: 1, missing: 0 }]);
  await expect(bucket.textOf(oldKeys()[0])).rejects.toMatchObject({ code: 'NoSuchKey' });
  expect(await system.journal?.conflicts(undone.runId, undone.stepId, 5)).toMatchObject([{ reason: 'changed-since' }]);
});

it('gives up for good only versions that it hid, whose copy is there, and nothing else of the key', async () => {
  const [a, b, c] = oldKeys();
  await bucket.put(a, 'content of a, again');
  await copy();
  await perform();
  await bucket.removeVersions(targetOf(docs[1] as Doc));
  const before = await kind().previewRelease?.(parsed(), releasing());
  expect(before).toMatchObject({
    count: 2,
    effect: 'destroys',
    undoClass: 'one-way',
    findings: [{ check: 'last-copies', count: 1 }],
  });
  expect(await release()).toEqual([{ cursor: null, done: 2 }]);
  expect(await release()).toEqual([{ cursor: null, done: 2 }]);
  // The older version of a was never ours: it stays, and stays hidden.
  expect(await bucket.versionsOf(a)).toBe(2);
  await expect(bucket.textOf(a)).rejects.toMatchObject({ code: 'NoSuchKey' });
  expect(await bucket.versionsOf(b)).toBe(2);
  expect(await bucket.versionsOf(c)).toBe(0);
  expect(await bucket.textOf(targetOf(docs[0] as Doc))).toBe('content of a, again');
  expect(await undo()).toMatchObject([{ done: 1, kept: 0, missing: 2 }]);
  expect(await kind().previewRelease?.(parsed(), releasing())).toMatchObject({ count: 0 });
});

it('keeps, after a release, the copies that hold the last of a content', async () => {
  await copy();
  await perform();
  await release();
  await undo();
  const copied = { runId: 'run-1', stepId: 'storage.copy' };
  const results = await undoAll(
    kindOf(system, 'minio.copy-keys'),
    byDocuments,
    undoContext(copied, { stepId: copied.stepId }),
  );
  expect(results.map(({ done, kept }) => [done, kept])).toEqual([
    [0, 1],
    [0, 2],
  ]);
  for (const each of docs) expect(await bucket.textOf(targetOf(each))).toBe(`content of ${each.id}`);
});

it('works by records alone, and refuses a bucket without versions', async () => {
  docs = ['a', 'b', 'c'].map((id) => doc(id));
  await performAll(
    kindOf(system, 'minio.copy-keys'),
    byDocuments,
    context({ stepId: 'other.copy', runId: 'earlier' }),
    10,
  );
  const byRecords = { ...byDocuments, references: [references[1]] };
  await bucket.put(targetOf(docs[2] as Doc), 'something else');
  expect(await kind().preview(parsed(byRecords), context())).toMatchObject({
    count: 2,
    findings: [{ check: 'copies-there' }],
  });
  expect(sumDone(await performAll(kind(), byRecords, context(), 1))).toBe(2);
  await bucket.client.setBucketVersioning(bucket.name, { Status: 'Suspended' });
  expect((await kind().preview(parsed(byRecords), context())).findings[0]).toMatchObject({
    check: 'bucket-versioned',
    status: 'failed',
  });
  const later = context({ runId: 'later' });
  expect((await failureOf(() => performAll(kind(), byRecords, later, 10))).code).toBe('precondition-failed');
});

it('walks folders with many keys as it does single ones', async () => {
  docs = Array.from({ length: 40 }, (_, i) => doc(String(i + 10)));
  for (const { path } of docs) await bucket.put(path, path);
  await copy();
  expect(sumDone(await perform())).toBe(40);
  await bucket.put('tenant_1/files/20.txt', 'since');
  expect(await undo()).toMatchObject([{ done: 39, kept: 1, missing: 0 }]);
  expect(await bucket.textOf('tenant_1/files/49.txt')).toBe('tenant_1/files/49.txt');
});
