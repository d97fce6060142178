import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failureOf } from '../systems/contract-subject.ts';
import { type ScratchBucket, scratchBucket } from '../systems/minio/scratch-bucket.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const [older, newer] = ['bak-20261001-100000-aaaa', 'bak-20261002-100000-bbbb'] as const;

let sample: SampleFolder;
let bucket: ScratchBucket;
beforeEach(async () => {
  sample = await sampleFolder();
  bucket = await scratchBucket();
});
afterEach(async () => {
  await bucket.remove();
  await sample.remove();
});

async function blobs(): Promise<string[]> {
  const folder = join(sample.root, 'test', 'objects');
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => join(folder, name));
}

it('keeps, verifies and removes the contents that sets of a real bucket share', async () => {
  const system = bucket.system();
  const take = async (id: string): Promise<void> => {
    await sample.folder.takePart(sample.request(id, system));
    const day = `${id.slice(4, 8)}-${id.slice(8, 10)}-${id.slice(10, 12)}`;
    await sample.folder.sealSet('test', id, ['objects'], new Date(`${day}T10:00:00.000Z`), 'engine-1');
  };
  for (const name of ['kept', 'replaced']) await bucket.put(name, `first content of ${name}`);
  await take(older);
  await bucket.put('replaced', 'second content of replaced');
  await take(newer);
  expect((await blobs()).length).toBe(3);
  for (const id of [older, newer]) await sample.folder.verifySet('test', id);

  for (const path of await blobs()) await utimes(path, 0, 0);
  const removal = await sample.folder.removeOlder('test', { newest: 1, days: 7 }, new Date());
  expect(removal).toMatchObject({ sets: [older], objects: 1 });
  await sample.folder.verifySet('test', newer);
  await bucket.put('kept', 'changed');
  await sample.folder.restorePart(sample.request(newer, system));
  expect(await bucket.textOf('kept')).toBe('first content of kept');

  const [blob = ''] = await blobs();
  await writeFile(blob, (await readFile(blob)).fill('X'));
  for (const work of [
    () => sample.folder.verifySet('test', newer),
    () => sample.folder.restorePart(sample.request(newer, system)),
  ]) {
    expect((await failureOf(work)).code).toBe('corrupt-backup');
  }
  await system.close();
});
