import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../src/shared/failure.ts';
import type { System } from '../../src/systems/system.ts';
import { failureOf } from '../systems/contract-subject.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const setId = 'bak-20261122-100000-aaaa';

let sample: SampleFolder;
beforeEach(async () => {
  sample = await sampleFolder();
});
afterEach(() => sample.remove());

const at = (...inside: string[]): string => join(sample.root, 'test', setId, ...inside);
const codeOf = async (work: () => Promise<unknown>): Promise<string> => (await failureOf(work)).code;

/** The people system, but its backup does something else first. */
function disturbed(before: (folder: string) => Promise<void>): System {
  const { people } = sample;
  return {
    ...people,
    backup: async (folder, context) => {
      await before(folder);
      return people.backup(folder, context);
    },
  };
}

it('takes a set, lists it, and gives back what it holds', async () => {
  const set = await sample.take(setId);
  expect(set.parts.people).toMatchObject({ systemType: 'memory', fingerprint: { counts: { User: 2 } } });
  const [listed] = await sample.folder.listSets('test');
  expect(listed).toMatchObject({ id: setId, systems: ['people', 'files'], proven: null });
  expect(listed?.bytes).toBeGreaterThan(0);
  await sample.folder.verifySet('test', setId);
  const before = await sample.people.fingerprint();
  sample.people.put('User', { id: 'u-1', email: 'changed' });
  sample.people.remove('User', 'u-2');
  expect(await sample.folder.restorePart(sample.request(setId))).toEqual(before);
  expect(sample.people.read('User', 'u-1')?.email).toBe('one@example.org');
});

it('does not take a part again that is complete', async () => {
  const first = await sample.folder.takePart(sample.request(setId));
  sample.people.put('User', { id: 'u-3' });
  expect(await sample.folder.takePart(sample.request(setId))).toEqual(first);
});

it('takes a part again whole when the process was killed while it took it, or before it said so', async () => {
  await mkdir(at('people.partial'), { recursive: true });
  await writeFile(at('people.partial', 'records.ndjson'), 'half a li');
  await mkdir(at('people'));
  await writeFile(at('people', 'part.json'), '{"torn');
  const part = await sample.folder.takePart(sample.request(setId));
  expect(part.fingerprint.counts).toEqual({ User: 2 });
  expect((await readdir(at('people'))).sort()).toEqual([
    'data-model.json',
    'journal.ndjson',
    'part.json',
    'records.ndjson',
  ]);
  expect(await readdir(at())).toEqual(['people']);
});

it('offers no set before its manifest is there, and seals none that lacks a part', async () => {
  await sample.folder.takePart(sample.request(setId));
  expect(await sample.folder.listSets('test')).toEqual([]);
  expect(await codeOf(() => sample.folder.restorePart(sample.request(setId)))).toBe('unknown-backup');
  const seal = () => sample.folder.sealSet('test', setId, ['people', 'files'], new Date(), 'engine-1');
  expect(await codeOf(seal)).toBe('precondition-failed');
  await sample.folder.takePart(sample.request(setId, sample.files));
  await seal();
  expect((await sample.folder.listSets('test')).length).toBe(1);
});

it.each([
  ['another count', (text: string) => text.replace('"User": 2', '"User": 3')],
  ['another checksum', (text: string) => text.replace(/"sha256": "./, '"sha256": "f')],
  ['another time', (text: string) => text.replace('2026-11-22', '2026-11-23')],
  ['half of it', (text: string) => text.slice(0, text.length / 2)],
  ['no signature', (text: string) => text.replace(/,\s*"signature": "[^"]*"/, '')],
  ['a path out of the folder', (text: string) => text.replace('"records.ndjson"', '"../../records.ndjson"')],
])('trusts no manifest with %s, and restores nothing from it', async (_, forge) => {
  await sample.take(setId);
  const text = await readFile(at('manifest.json'), 'utf8');
  expect(forge(text)).not.toBe(text);
  await writeFile(at('manifest.json'), forge(text));
  sample.people.put('User', { id: 'u-9' });
  expect(await codeOf(() => sample.folder.readSet('test', setId))).toBe('corrupt-backup');
  expect(await codeOf(() => sample.folder.restorePart(sample.request(setId)))).toBe('corrupt-backup');
  expect(await sample.folder.listSets('test')).toEqual([]);
  expect(sample.people.read('User', 'u-9')).not.toBeNull();
});

it('trusts no set that was signed with another key or moved to another place', async () => {
  await sample.take(setId);
  expect(await codeOf(() => sample.withKey('another key').readSet('test', setId))).toBe('corrupt-backup');
  const moved = 'bak-20261122-100000-bbbb';
  await mkdir(join(sample.root, 'test', moved));
  await writeFile(join(sample.root, 'test', moved, 'manifest.json'), await readFile(at('manifest.json')));
  expect(await codeOf(() => sample.folder.readSet('test', moved))).toBe('corrupt-backup');
  await mkdir(join(sample.root, 'other', setId), { recursive: true });
  await writeFile(join(sample.root, 'other', setId, 'manifest.json'), await readFile(at('manifest.json')));
  expect(await codeOf(() => sample.folder.readSet('other', setId))).toBe('corrupt-backup');
});

it('restores nothing from a file that was changed or is missing', async () => {
  await sample.take(setId);
  sample.people.put('User', { id: 'u-9' });
  await writeFile(at('people', 'journal.ndjson'), 'x');
  expect(await codeOf(() => sample.folder.verifySet('test', setId))).toBe('corrupt-backup');
  expect(await codeOf(() => sample.folder.restorePart(sample.request(setId)))).toBe('corrupt-backup');
  await rm(at('people', 'journal.ndjson'));
  expect(await codeOf(() => sample.folder.verifySet('test', setId))).toBe('corrupt-backup');
  expect(sample.people.read('User', 'u-9')).not.toBeNull();
});

it('refuses to restore a part into another type of system', async () => {
  await sample.take(setId);
  const other = { ...sample.people, type: 'other' };
  expect(await codeOf(() => sample.folder.restorePart(sample.request(setId, other)))).toBe('precondition-failed');
});

it('tells when the restored system holds something else than the set', async () => {
  await sample.take(setId);
  const written = {
    ...sample.people,
    restore: async (...all: Parameters<typeof sample.people.restore>) => ({
      ...(await sample.people.restore(...all)),
      hash: 'x',
    }),
  };
  expect(await codeOf(() => sample.folder.restorePart(sample.request(setId, written)))).toBe('step-failed');
});

it('removes what it began when the disk is full, says how much is free, and can be called again', async () => {
  const full = disturbed(async (folder) => {
    await writeFile(join(folder, 'records.ndjson'), 'the first half');
    const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    throw new Failure({ code: 'step-failed', message: 'dump failed', advice: '', cause });
  });
  const failure = await failureOf(() => sample.folder.takePart(sample.request(setId, full)));
  expect(failure).toMatchObject({ code: 'disk-full', retryable: true });
  expect(failure.message).toMatch(/\d+(\.\d)? [kMGT]?B are free/);
  expect(await readdir(at())).toEqual([]);
  expect((await sample.folder.takePart(sample.request(setId))).fingerprint.counts).toEqual({ User: 2 });
});

it('lets nobody else work in an environment meanwhile, and takes over from a process that died', async () => {
  let inside = '';
  const nosy = disturbed(async () => {
    inside = await codeOf(() => sample.folder.takePart(sample.request(setId, sample.files)));
  });
  await sample.folder.takePart(sample.request(setId, nosy));
  expect(inside).toBe('environment-busy');
  const lock = join(sample.root, 'test', '.lock');
  // Process 1 runs, but it did not begin then: its number was given away since.
  await writeFile(lock, JSON.stringify({ id: 'x', host: hostname(), pid: 1, began: '7' }));
  await sample.folder.takePart(sample.request(setId, sample.files));
  await writeFile(lock, JSON.stringify({ id: 'x', host: 'another-machine', pid: 1, began: '7' }));
  expect(await codeOf(() => sample.folder.restorePart(sample.request(setId)).then(() => undefined))).toBe(
    'unknown-backup',
  );
  const retake = () => sample.folder.takePart(sample.request('bak-20261122-110000-cccc'));
  expect(await codeOf(retake)).toBe('environment-busy');
  await rm(lock);
  await retake();
  expect((await readdir(join(sample.root, 'test'))).filter((name) => name.startsWith('.lock'))).toEqual([]);
});

it('remembers that a set was proven, and believes nobody else', async () => {
  await sample.take(setId);
  await sample.folder.markProven('test', setId, { at: '2026-11-22T12:00:00.000Z', seconds: 41.5 });
  const [set] = await sample.folder.listSets('test');
  expect(set?.proven).toEqual({ at: '2026-11-22T12:00:00.000Z', seconds: 41.5 });
  await sample.folder.verifySet('test', setId);
  const text = await readFile(at('proven.json'), 'utf8');
  await writeFile(at('proven.json'), text.replace('2026-11-22', '2026-11-23'));
  expect((await sample.folder.listSets('test'))[0]?.proven).toBeNull();
});

it('does not let a name lead elsewhere', async () => {
  expect(await codeOf(() => sample.folder.readSet('test', '../other'))).toBe('unknown-backup');
  expect(await codeOf(() => sample.folder.listSets('..'))).toBe('unknown-backup');
});
