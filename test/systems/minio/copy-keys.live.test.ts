import { randomBytes } from 'node:crypto';
import { limitOnePiece } from '../../../src/systems/minio/copy-object.ts';
import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { byDocuments, type Doc, doc, documentContext, targetOf } from './document-records.ts';
import { type ScratchBucket, scratchBucket } from './scratch-bucket.ts';

const input = byDocuments;
const undoes = { runId: 'run-1', stepId: 'data.step' };
const outcome = 'batches/run-1/data.step/000000000/done';

let docs: Doc[];
let bucket: ScratchBucket;
let system: System;

const context = (over = {}) => documentContext(() => docs, over);
const kind = () => kindOf(system, 'minio.copy-keys');
const perform = (size = 100, over = {}) => performAll(kind(), input, context(over), size);
const undo = (over = {}) => undoAll(kind(), input, undoContext(undoes, over));
const verify = async () => (await kind().verify?.(kind().input.parse(input), context())) ?? [];
const statuses = async () => (await verify()).map(({ check, status, count }) => `${check} ${status} ${count}`);

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

it('copies content, metadata and tags to the keys that records make up, and leaves the old ones', async () => {
  const [a] = docs as [Doc];
  await bucket.put(a.path, 'with all', {
    metadata: { 'Content-Type': 'text/markdown', 'X-Amz-Meta-Origin': 'upload' },
    tags: { x: 'a b' },
  });
  const preview = await kind().preview(kind().input.parse(input), context());
  expect(preview).toMatchObject({ count: 3, exact: true, undoClass: 'reversible', findings: [] });
  expect(preview.samples[0]).toMatchObject({ key: 'a', before: { key: a.path }, after: { key: targetOf(a) } });
  expect(sumDone(await perform(2))).toBe(3);
  for (const each of docs) expect(await bucket.textOf(targetOf(each))).toBe(await bucket.textOf(each.path));
  const stat = await bucket.client.statObject(bucket.name, targetOf(a));
  expect(stat.metaData).toMatchObject({
    'content-type': 'text/markdown',
    origin: 'upload',
    'tas-copy': expect.stringMatching(/^run-1\/data\.step\//),
  });
  expect(await bucket.tagsOf(targetOf(a))).toEqual({ x: 'a b' });
  expect(await statuses()).toEqual(['copies-equal passed 0']);
  expect((await kind().preview(kind().input.parse(input), context())).count).toBe(0);
});

it('does again what a killed process did not write down, without a second copy', async () => {
  await perform();
  await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
  const [a, b] = docs as [Doc, Doc];
  await bucket.removeVersions(targetOf(b));
  expect(await perform()).toEqual([{ cursor: null, done: 3 }]);
  expect(await bucket.versionsOf(targetOf(a))).toBe(1);
  expect(await bucket.textOf(targetOf(b))).toBe('content of b');
  expect(await undo()).toMatchObject([{ done: 3, kept: 0, missing: 0 }]);
  expect(await bucket.versionsOf(targetOf(a))).toBe(0);
});

it('undoes a batch that was begun and never finished', async () => {
  await perform();
  await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
  await bucket.removeVersions(targetOf(docs[1] as Doc));
  expect(await undo()).toMatchObject([{ done: 2, kept: 0, missing: 0 }]);
  for (const each of docs) expect(await bucket.versionsOf(targetOf(each))).toBe(0);
});

it('keeps on undo what users wrote over a copy, deleted, or refer to, and copies again when the undo is undone', async () => {
  docs.push(doc('d'));
  await bucket.put('tenant_1/files/d.txt', 'content of d');
  await perform();
  const [a, b, c, d] = docs.map(targetOf) as [string, string, string, string];
  await bucket.put(a, 'a newer version');
  await bucket.client.removeObject(bucket.name, b);
  const undone = undoContext(undoes, {
    held: async (field, values) => new Set(field.field === 'key' ? values.filter((key) => key === c) : []),
  });
  expect(await kind().previewUndo?.(input, undone)).toMatchObject({ count: 1 });
  expect(await undoAll(kind(), input, undone)).toMatchObject([{ done: 1, kept: 2, missing: 1 }]);
  const conflicts = await system.journal?.conflicts(undone.runId, undone.stepId, 10);
  expect(conflicts?.map(({ key, reason }) => `${key} ${reason}`).sort()).toEqual([
    `${a} changed-since`,
    `${b} missing`,
    `${c} referred-to`,
  ]);
  expect(await bucket.textOf(a)).toBe('a newer version');
  expect(await bucket.versionsOf(d)).toBe(0);
  const redo = undoContext({ runId: undone.runId, stepId: undone.stepId });
  expect(await undoAll(kind(), input, redo)).toMatchObject([{ done: 1, kept: 0, missing: 0 }]);
  expect(await bucket.textOf(d)).toBe('content of d');
});

it('keeps the last copy of a content whose old key is gone', async () => {
  await perform();
  await bucket.client.removeObject(bucket.name, (docs[0] as Doc).path);
  await bucket.removeVersions((docs[1] as Doc).path);
  expect(await undo()).toMatchObject([{ done: 1, kept: 2, missing: 0 }]);
  for (const each of docs.slice(0, 2)) expect(await bucket.textOf(targetOf(each))).toBe(`content of ${each.id}`);
});

it('tells newer versions at the new key as foreign: who refers to the key keeps it', async () => {
  await perform();
  const keys = docs.map(targetOf) as [string, string, string];
  await bucket.put(keys[0], 'a newer version');
  await bucket.client.removeObject(bucket.name, keys[1]);
  expect(await system.journal?.foreignReferences('run-1', bucket.name, 'key', keys)).toEqual(new Set([keys[0]]));
  const written: string[] = [];
  for await (const values of system.journal?.writtenValues('run-1', 'data.step', 'key') ?? []) written.push(...values);
  expect(written.sort()).toEqual(keys);
});

it('never overwrites: a target with other content is refused in the plan and kept by the run', async () => {
  const [a, b] = docs as [Doc, Doc];
  await bucket.put(targetOf(a), 'somebody was first');
  await bucket.put(targetOf(b), 'content of b');
  const preview = await kind().preview(kind().input.parse(input), context());
  expect(preview.count).toBe(1);
  expect(preview.findings).toMatchObject([{ check: 'targets-free', status: 'failed', count: 1, samples: ['a'] }]);
  expect(await perform()).toEqual([{ cursor: null, done: 1 }]);
  expect(await bucket.textOf(targetOf(a))).toBe('somebody was first');
  expect(await bucket.versionsOf(targetOf(b))).toBe(1);
  expect((await system.journal?.conflicts('run-1', 'data.step', 5))?.map(({ reason }) => reason)).toEqual([
    'value-taken',
  ]);
  expect(await statuses()).toEqual(['copies-equal failed 1']);
});

it('does not copy over what a user wrote between the intent and the deed', async () => {
  await perform();
  await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
  const [a, b, c] = docs as [Doc, Doc, Doc];
  await bucket.removeVersions(targetOf(a));
  await bucket.put(targetOf(a), 'mine');
  await bucket.removeVersions(targetOf(b));
  await bucket.removeVersions(b.path);
  await bucket.removeVersions(targetOf(c));
  await bucket.put(c.path, 'a newer source');
  expect(await perform()).toEqual([{ cursor: null, done: 1 }]);
  expect(await bucket.textOf(targetOf(a))).toBe('mine');
  expect(await bucket.versionsOf(targetOf(b))).toBe(0);
  // The copy is pinned to the version of the intent; that it is not the latest any more is found.
  expect(await bucket.textOf(targetOf(c))).toBe('content of c');
  expect(await statuses()).toEqual(['copies-equal failed 2', 'sources-there failed 1']);
});

it('takes its copy back where a user was faster between look and deed', async () => {
  const target = targetOf(docs[0] as Doc);
  let raced = false;
  const url = await bucket.proxy(async ({ method, path }) => {
    if (raced || method !== 'PUT' || !path.endsWith(`/${target}`)) return;
    raced = true;
    await bucket.put(target, 'in between');
  });
  const racing = bucket.system({ url });
  const done = await performAll(kindOf(racing, 'minio.copy-keys'), input, context(), 10);
  await racing.close();
  expect([raced, sumDone(done)]).toEqual([true, 2]);
  expect(await bucket.textOf(target)).toBe('in between');
  expect(await bucket.versionsOf(target)).toBe(1);
});

it('refuses objects that are not there, or only counts them where that is allowed', async () => {
  docs.push(doc('lost'));
  const refused = await kind().preview(kind().input.parse(input), context());
  expect(refused.findings).toMatchObject([{ check: 'sources-there', status: 'failed', count: 1, samples: ['lost'] }]);
  const allowed = await kind().preview(kind().input.parse({ ...input, missing: 'skip' }), context());
  expect(allowed).toMatchObject({ count: 3, findings: [{ check: 'sources-there', status: 'warning', count: 1 }] });
});

it('refuses records whose values would lead elsewhere, and two objects for one key', async () => {
  const evil = ['../../other/x', 'a/b', '..', 'nul\u0000', 'line\nbreak', 'back\\slash', 'x'.repeat(1100)];
  docs = [
    ...evil.map((name, i) => doc(`evil-${i}`, { name, path: 'tenant_1/files/a.txt' })),
    doc('root', { path: '/etc/passwd' }),
    doc('climb', { path: 'tenant_1/../tenant_2/secret' }),
    doc('empty', { tenant: null }),
  ];
  const preview = await kind().preview(kind().input.parse(input), context());
  expect(preview.count).toBe(0);
  expect(preview.findings.map(({ check, status, count }) => `${check} ${status} ${count}`)).toEqual([
    'keys-complete failed 1',
    'keys-safe failed 9',
  ]);
  expect((await failureOf(() => perform())).code).toBe('precondition-failed');

  docs = ['a', 'b'].map((id) => doc(id));
  const shared = { ...input, target: 'all/{tenant}.txt' };
  const same = await kind().preview(kind().input.parse(shared), context());
  expect(same.findings).toMatchObject([{ check: 'targets-distinct', status: 'failed', count: 1 }]);
  for (const text of ['no fields', '{a', 'a}', '{a}{', '{}'])
    expect(kind().input.safeParse({ ...input, target: text }).success).toBe(false);
});

it('lets two records have a copy each of the one object that they share', async () => {
  docs = [doc('a'), doc('b', { path: 'tenant_1/files/a.txt' })];
  expect(sumDone(await perform(1))).toBe(2);
  for (const each of docs) expect(await bucket.textOf(targetOf(each))).toBe('content of a');
});

it('moves by the keys alone, and never what it has copied itself', async () => {
  const byKeys = { prefix: 'tenant_1/', match: '^tenant_1/files/(.+)$', target: 'tenant_1/new/$1' };
  expect(sumDone(await performAll(kind(), byKeys, context(), 1))).toBe(3);
  expect(await bucket.textOf('tenant_1/new/a.txt')).toBe('content of a');
  expect(kind().input.safeParse({ match: '^(.*)$', target: 'again/$1' }).success).toBe(false);
});

it('narrows to the canary by the records’ predicate, or by keys', async () => {
  const narrow = (step: unknown, predicate: string | null) =>
    kind().narrow?.(kind().input.parse(step), () => predicate);
  expect(narrow(input, null)).toEqual({ ...input, missing: 'fail' });
  expect(narrow(input, "n.tenant = 't'")).toMatchObject({ for: { where: "n.tenant = 't'" } });
  expect(narrow({ ...input, for: { ...input.for, where: 'n.a OR n.b' } }, 'n.c')).toMatchObject({
    for: { where: '(\nn.a OR n.b\n) AND (\nn.c\n)' },
  });
  await bucket.put('tenant_2/files/z.txt', 'z');
  const byKeys = narrow({ match: '^(tenant_\\d+)/files/(.+)$', target: '$1/new/$2' }, '{"prefix": "tenant_2/"}');
  expect(sumDone(await performAll(kind(), byKeys, context(), 10))).toBe(1);
  expect(await bucket.textOf('tenant_2/new/z.txt')).toBe('z');
});

it('keeps parts, and so the ETag, of objects that came in parts, and copies large ones in parts', async () => {
  const mib = 1024 * 1024;
  docs = [doc('parts'), doc('large')];
  const [parts, large] = docs as [Doc, Doc];
  await bucket.putParts(parts.path, [randomBytes(5 * mib), randomBytes(6 * mib), randomBytes(9)], {
    'content-type': 'video/mp4',
  });
  await bucket.client.setObjectTagging(bucket.name, parts.path, { a: 'b' });
  await bucket.put(large.path, randomBytes(12 * mib));
  limitOnePiece(5 * mib);
  try {
    expect(sumDone(await perform())).toBe(2);
  } finally {
    limitOnePiece(5 * 1024 * mib);
  }
  const [before, after] = await Promise.all(
    [parts.path, targetOf(parts)].map((key) => bucket.client.statObject(bucket.name, key)),
  );
  expect([after?.etag, after?.size]).toEqual([before?.etag, before?.size]);
  expect(after?.metaData).toMatchObject({ 'content-type': 'video/mp4' });
  expect(await bucket.tagsOf(targetOf(parts))).toEqual({ a: 'b' });
  expect(await bucket.textOf(targetOf(large))).toBe(await bucket.textOf(large.path));
  expect(await statuses()).toEqual(['copies-equal passed 0']);
});

it('copies what has metadata outside of ASCII as it is, and knows its copy again', async () => {
  docs = [doc('uml')];
  await bucket.postForm('tenant_1/files/uml.txt', 'text', 'Größe');
  expect(sumDone(await perform())).toBe(1);
  await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
  expect(await perform()).toEqual([{ cursor: null, done: 1 }]);
  expect(await bucket.versionsOf('tenant_1/documents/uml/uml.txt')).toBe(1);
  expect(
    await system.journal?.foreignReferences('run-1', bucket.name, 'key', ['tenant_1/documents/uml/uml.txt']),
  ).toEqual(new Set());
  expect(await undo()).toMatchObject([{ done: 1, kept: 0, missing: 0 }]);
});

it('keeps retention and legal hold, and leaves a held copy where it is on undo', async () => {
  const locked = await scratchBucket({ locked: true });
  const other = locked.system();
  docs = [doc('held')];
  const [held] = docs as [Doc];
  await locked.put(held.path, 'evidence');
  await locked.client.setObjectLegalHold(locked.name, held.path, { status: 'ON' });
  const step = kindOf(other, 'minio.copy-keys');
  await performAll(step, input, context(), 10);
  expect(await locked.client.getObjectLegalHold(locked.name, targetOf(held))).toEqual({ Status: 'ON' });
  expect(await undoAll(step, input, undoContext(undoes))).toMatchObject([{ done: 0, kept: 1 }]);
  expect(await locked.textOf(targetOf(held))).toBe('evidence');
  for (const key of [held.path, targetOf(held)])
    await locked.client.setObjectLegalHold(locked.name, key, { status: 'OFF' });
  await other.close();
  await locked.remove();
});

it('is one-way where the bucket keeps no versions, and undo says so', async () => {
  const plain = await scratchBucket({ versioned: false });
  const other = plain.system();
  for (const { path } of docs) await plain.put(path, 'x');
  const step = kindOf(other, 'minio.copy-keys');
  expect(await step.preview(step.input.parse(input), context())).toMatchObject({ count: 3, undoClass: 'one-way' });
  expect(sumDone(await performAll(step, input, context(), 10))).toBe(3);
  expect((await failureOf(() => undoAll(step, input, undoContext(undoes)))).code).toBe('precondition-failed');
  await other.close();
  await plain.remove();
});

it('stops counting when the time for it is over', async () => {
  docs = Array.from({ length: 600 }, (_, i) => doc(String(i).padStart(4, '0'), { path: 'tenant_1/files/a.txt' }));
  const preview = await kind().preview(kind().input.parse(input), context({ countForMs: 0 }));
  expect(preview.exact).toBe(false);
  expect(preview.count).toBeGreaterThan(0);
  expect(preview.count).toBeLessThan(600);
});
