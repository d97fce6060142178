import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseRemovals, type KnownSet } from '../../src/backups/retention.ts';
import { checksumOf } from '../../src/shared/checksum.ts';
import { writeNdjsonZst } from '../../src/shared/ndjson.ts';
import type { System } from '../../src/systems/system.ts';
import { failureOf } from '../systems/contract-subject.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const now = new Date('2026-11-22T10:00:00Z');
const set = (id: string, daysAgo: number, state: KnownSet['state'] = 'complete', proven = false): KnownSet => ({
  id,
  takenAt: new Date(now.getTime() - daysAgo * 86_400_000),
  state,
  proven,
});

it('keeps the last set that was proven, and those that runs need, whatever their age', () => {
  const sets = [
    set('a', 1),
    set('b', 40),
    set('c', 41, 'complete', true),
    set('d', 42, 'complete', true),
    set('e', 43),
  ];
  expect(chooseRemovals(sets, { newest: 1, days: 7 }, now)).toEqual(['b', 'd', 'e']);
  expect(chooseRemovals(sets, { newest: 1, days: 7, needed: new Set(['e', 'gone']) }, now)).toEqual(['b', 'd']);
  // Proven once, and not to be trusted any more: it keeps no other one from being the last.
  const spoilt = [set('a', 1), set('b', 40, 'untrusted', true), set('c', 41, 'complete', true)];
  expect(chooseRemovals(spoilt, { newest: 1, days: 7 }, now)).toEqual([]);
});

it('keeps the newest complete ones whatever their age, and everything that is young', () => {
  const sets = [
    set('a', 1),
    set('b', 40, 'incomplete'),
    set('c', 41),
    set('d', 42),
    set('e', 43),
    set('f', 0.5, 'incomplete'),
  ];
  expect(chooseRemovals(sets, { newest: 2, days: 7 }, now)).toEqual(['b', 'd', 'e']);
  expect(chooseRemovals(sets, { newest: 0, days: 7 }, now)).toEqual(['b', 'c', 'd', 'e']);
  expect(chooseRemovals(sets, { newest: 1, days: 90 }, now)).toEqual([]);
  expect(chooseRemovals([set('old', 400), set('older', 500)], { newest: 1, days: 7 }, now)).toEqual(['older']);
});

it('removes no set that it cannot judge: the key may be the wrong one', () => {
  expect(chooseRemovals([set('a', 100, 'untrusted'), set('b', 200, 'untrusted')], { newest: 1, days: 7 }, now)).toEqual(
    [],
  );
});

describe('on disk', () => {
  let sample: SampleFolder;
  const ids = ['bak-20261001-100000-aaaa', 'bak-20261002-100000-bbbb', 'bak-20261122-090000-cccc'] as const;
  const contents: { [name: string]: string } = {};

  /** A system whose parts are objects that sets share. */
  function mirror(names: readonly string[]): System {
    return {
      ...sample.people,
      name: 'objects',
      async backup(folder, { objectsFolder }) {
        for (const name of names) {
          const sha256 = createHash('sha256').update(name).digest('hex');
          contents[name] = join(objectsFolder, sha256.slice(0, 2), sha256);
          await mkdir(join(objectsFolder, sha256.slice(0, 2)), { recursive: true });
          await writeFile(contents[name], name);
        }
        const path = 'objects.ndjson.zst';
        await writeNdjsonZst(
          join(folder, path),
          (async function* () {
            for (const name of names)
              yield { key: name, size: name.length, sha256: createHash('sha256').update(name).digest('hex') };
          })(),
        );
        const files = [{ path, ...(await checksumOf(join(folder, path))) }];
        return { format: 'sample/1', files, fingerprint: { counts: {}, hash: names.join() }, excludes: [] };
      },
    };
  }

  const there = async (name: string): Promise<boolean> =>
    stat(contents[name] ?? '').then(
      () => true,
      () => false,
    );

  async function age(...names: string[]): Promise<void> {
    const old = new Date(Date.now() - 3 * 86_400_000);
    for (const name of names) await utimes(contents[name] ?? '', old, old);
  }

  beforeEach(async () => {
    sample = await sampleFolder();
    const holdings = [
      ['one', 'shared'],
      ['two', 'shared', 'kept'],
      ['three', 'kept'],
    ];
    for (const [i, id] of ids.entries()) {
      await sample.folder.takePart(sample.request(id, mirror(holdings[i] ?? [])));
      const at = `${id.slice(4, 8)}-${id.slice(8, 10)}-${id.slice(10, 12)}T10:00:00.000Z`;
      await sample.folder.sealSet('test', id, ['objects'], new Date(at), 'engine-1');
    }
  });
  afterEach(() => sample.remove());

  it('removes old sets and the objects that only they needed', async () => {
    await age('one', 'two', 'three', 'shared', 'kept');
    const removal = await sample.folder.removeOlder('test', { newest: 2, days: 7 }, new Date());
    expect(removal).toEqual({ sets: [ids[0]], objects: 1, bytes: 3 });
    expect(await Promise.all(['one', 'two', 'three', 'shared', 'kept'].map(there))).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect((await sample.folder.listSets('test')).map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    for (const id of ids.slice(1)) await sample.folder.verifySet('test', id);
    expect((await readdir(join(sample.root, 'test'))).sort()).toEqual([ids[1], ids[2], 'objects']);
  });

  it('leaves objects alone that a backup has just written, for a day', async () => {
    await age('one', 'shared');
    const removal = await sample.folder.removeOlder('test', { newest: 1, days: 7 }, new Date());
    expect(removal).toEqual({ sets: [ids[1], ids[0]], objects: 2, bytes: 9 });
    expect(await Promise.all(['one', 'two', 'shared', 'kept'].map(there))).toEqual([false, true, false, true]);
  });

  it('removes no object while it cannot read what a set needs', async () => {
    await age('one', 'two', 'three', 'shared', 'kept');
    const torn = join(sample.root, 'test', ids[2], 'objects', 'part.json');
    await writeFile(torn, 'torn');
    expect(await sample.folder.removeOlder('test', { newest: 2, days: 7 }, new Date())).toMatchObject({ objects: 0 });
    await rm(torn);
    await writeFile(join(sample.root, 'test', ids[1], 'objects', 'objects.ndjson.zst'), 'torn');
    await rm(join(sample.root, 'test', ids[2]), { recursive: true });
    const failure = await failureOf(() => sample.folder.removeOlder('test', { newest: 2, days: 7 }, new Date()));
    expect(failure.code).toBe('corrupt-backup');
    expect(await Promise.all(['one', 'two', 'three'].map(there))).toEqual([true, true, true]);
  });

  it('finds a shared object that was changed or is gone', async () => {
    await sample.folder.verifySet('test', ids[1]);
    await writeFile(contents.shared ?? '', 'SHARED');
    expect((await failureOf(() => sample.folder.verifySet('test', ids[1]))).code).toBe('corrupt-backup');
    await sample.folder.verifySet('test', ids[2]);
  });
});
