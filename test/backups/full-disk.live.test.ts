import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '../systems/contract-subject.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'tas-full-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]).status === 0;
/** Only root may mount. */
const onSmallDisk = mounted ? it : it.skip;
const setId = 'bak-20261122-100000-aaaa';

let sample: SampleFolder;
beforeAll(async () => {
  sample = await sampleFolder(root);
});
afterAll(() => {
  if (mounted) spawnSync('umount', [root]);
  rmSync(root, { recursive: true });
});

onSmallDisk(
  'fails on a disk that runs full, leaves nothing half-written, and succeeds when there is room',
  async () => {
    const ballast = join(root, 'ballast');
    writeFileSync(ballast, Buffer.alloc(700_000));
    sample.people.put('User', { id: 'u-3', note: 'x'.repeat(600_000) });
    const failure = await failureOf(() => sample.folder.takePart(sample.request(setId)));
    expect(failure).toMatchObject({ code: 'disk-full', retryable: true });
    expect(readdirSync(join(root, 'test', setId))).toEqual([]);
    rmSync(ballast);
    const part = await sample.folder.takePart(sample.request(setId));
    expect(part.fingerprint.counts).toEqual({ User: 3 });
    await sample.folder.sealSet('test', setId, ['people'], new Date(), 'engine-1');
  },
);

onSmallDisk('does not begin when less than twice the last part is free', async () => {
  sample.people.put('User', { id: 'u-3', note: 'small again' });
  const next = 'bak-20261122-110000-bbbb';
  const failure = await failureOf(() => sample.folder.takePart(sample.request(next)));
  expect(failure.code).toBe('disk-full');
  expect(failure.message).toMatch(/twice the last part/);
  expect(readdirSync(join(root, 'test', next))).toEqual([]);
});
