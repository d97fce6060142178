import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupContext, BackupPart, System } from '../../../src/systems/system.ts';
import { failureOf, need } from '../contract-subject.ts';
import { type ScratchBucket, scratchBucket } from './scratch-bucket.ts';

let bucket: ScratchBucket;
let system: System;
let folder: string;

beforeEach(async () => {
  bucket = await scratchBucket();
  system = bucket.system();
  folder = await mkdtemp(join(tmpdir(), 'tas-minio-'));
  await mkdir(join(folder, 'objects'));
});

afterEach(async () => {
  await system.close();
  await bucket.remove();
  await rm(folder, { recursive: true });
});

function contextOf(over: Partial<BackupContext> = {}): BackupContext {
  return { objectsFolder: join(folder, 'objects'), signal: AbortSignal.timeout(60_000), progress: () => {}, ...over };
}

async function take(name: string, context = contextOf()): Promise<BackupPart> {
  await mkdir(join(folder, name));
  return need(system, 'backup')(join(folder, name), context);
}

function restore(part: BackupPart, name: string) {
  return need(system, 'restore')(part, join(folder, name), contextOf());
}

async function blobs(): Promise<string[]> {
  const names = await readdir(join(folder, 'objects'), { recursive: true });
  return names.filter((name) => /\/[0-9a-f]{64}$/.test(name)).map((name) => join(folder, 'objects', name));
}

/** Makes every content on disk another one of the same length: what is downloaded again would be right again. */
async function spoilBlobs(): Promise<void> {
  for (const path of await blobs()) await writeFile(path, (await readFile(path)).fill('X'));
}

it('does not download again what it has, only what is new', async () => {
  for (const name of ['a', 'b', 'c']) await bucket.put(`docs/${name}`, `content of ${name}`);
  const first = await take('one');
  expect((await blobs()).length).toBe(3);
  await spoilBlobs();
  await bucket.put('docs/b', 'new content of b');
  await bucket.client.setObjectTagging(bucket.name, 'docs/a', { tag: 'only' });
  const second = await take('two');
  const contents = await Promise.all((await blobs()).map((path) => readFile(path, 'utf8')));
  expect(contents.sort()).toEqual(['XXXXXXXXXXXX', 'XXXXXXXXXXXX', 'XXXXXXXXXXXX', 'new content of b']);
  expect(second.fingerprint.hash).not.toBe(first.fingerprint.hash);
});

it('refuses a set whose shared contents were changed or removed, and leaves the bucket alone', async () => {
  await bucket.put('docs/a', 'content');
  const part = await take('set');
  await bucket.put('docs/a', 'newer');
  const before = await need(system, 'fingerprint')();
  await spoilBlobs();
  expect((await failureOf(() => restore(part, 'set'))).code).toBe('corrupt-backup');
  for (const path of await blobs()) await unlink(path);
  expect((await failureOf(() => restore(part, 'set'))).code).toBe('corrupt-backup');
  expect(await need(system, 'fingerprint')()).toEqual(before);
  expect((await take('again')).fingerprint).toEqual(before);
});

it('goes on where a backup broke off', async () => {
  for (let i = 10; i < 50; i += 1) await bucket.put(`docs/${i}`, `content ${i}`);
  const stop = new AbortController();
  const progress = (done: number): void => {
    if (done >= 24) stop.abort();
  };
  await failureOf(() => take('broken', contextOf({ signal: stop.signal, progress })));
  const saved = (await blobs()).length;
  expect(saved).toBeGreaterThanOrEqual(24);
  expect(saved).toBeLessThan(40);
  await spoilBlobs();
  const part = await take('whole');
  expect(part.fingerprint.counts).toEqual({ [bucket.name]: 40 });
  const contents = await Promise.all((await blobs()).map((path) => readFile(path, 'utf8')));
  expect(contents.filter((content) => content.startsWith('X')).length).toBe(saved);
  expect(contents.length).toBe(40);
});

it('keeps every version: what a restore replaces or takes away can be had again', async () => {
  await bucket.put('docs/kept', 'before');
  await bucket.put('docs/tagged', 'same', { tags: { stage: 'one' } });
  const part = await take('set');
  await bucket.put('docs/kept', 'after');
  await bucket.put('docs/new', 'made since');
  await bucket.client.setObjectTagging(bucket.name, 'docs/tagged', { stage: 'two' });
  expect(await restore(part, 'set')).toEqual(part.fingerprint);
  expect(await bucket.textOf('docs/kept')).toBe('before');
  expect(await bucket.versionsOf('docs/kept')).toBe(3);
  expect(await bucket.versionsOf('docs/new')).toBe(2);
  expect(await bucket.tagsOf('docs/tagged')).toEqual({ stage: 'one' });
  expect(await bucket.versionsOf('docs/tagged')).toBe(1);
});

it('puts objects back in the parts that they came in, and makes a missing bucket', async () => {
  const mib = 1024 * 1024;
  const metadata = { 'content-type': 'video/mp4', 'x-amz-meta-cut': 'in three' };
  await bucket.putParts('docs/big', [randomBytes(5 * mib), randomBytes(6 * mib), randomBytes(10)], metadata);
  await bucket.put('docs/empty', '');
  const { etag } = await bucket.client.statObject(bucket.name, 'docs/big');
  expect(etag).toMatch(/-3$/);
  const part = await take('set');
  await bucket.remove();
  expect((await system.checkHealth()).up).toBe(false);
  expect(await restore(part, 'set')).toEqual(part.fingerprint);
  const back = await bucket.client.statObject(bucket.name, 'docs/big');
  expect(back).toMatchObject({ etag, size: 11 * mib + 10, metaData: { 'content-type': 'video/mp4', cut: 'in three' } });
  expect(await bucket.client.getBucketVersioning(bucket.name)).toMatchObject({ Status: 'Enabled' });
});

it('walks through more than one page of versions', async () => {
  const names = Array.from({ length: 1_020 }, (_, i) => `docs/${String(i).padStart(5, '0')}`);
  for (let at = 0; at < names.length; at += 20) {
    await Promise.all(names.slice(at, at + 20).map((name) => bucket.put(name, name)));
  }
  for (let i = 0; i < 4; i += 1) await bucket.put('docs/00990', `again ${i}`);
  const rows: string[] = [];
  const query = { collection: bucket.name, key: 'key', fields: [] };
  for await (const row of need(system, 'scan')(query)) rows.push(row.key);
  expect(rows).toEqual(names);
  expect((await take('set')).fingerprint.counts).toEqual({ [bucket.name]: 1_020 });
}, 60_000);
