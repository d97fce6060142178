import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../../sandbox/servers/lock.ts';
import { describeProcess } from '../../../sandbox/servers/process-identity.ts';

describe('a lock file', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lock-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lets one work at a time and is gone afterwards', async () => {
    const path = join(folder, 'lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is given back when the work fails', async () => {
    const path = join(folder, 'lock');
    await expect(withLock(path, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await withLock(path, async () => 'next')).toBe('next');
  });

  it('is taken over from a holder that has died, also when a later process has got its pid', async () => {
    const path = join(folder, 'lock');
    const started = Number((await describeProcess(process.pid))?.started);
    await writeFile(path, `${process.pid} ${started - 1}`);
    expect(await withLock(path, async () => 'mine')).toBe('mine');
    await writeFile(path, '999999999 5');
    expect(await Promise.all([withLock(path, async () => 1), withLock(path, async () => 2)])).toEqual([1, 2]);
  });

  it('makes others wait while its holder lives', async () => {
    const path = join(folder, 'lock');
    const holder = spawn('sleep', ['60'], { stdio: 'ignore' });
    await writeFile(path, `${holder.pid} ${(await describeProcess(holder.pid ?? 0))?.started}`);
    const waited: number[] = [];
    const done = withLock(
      path,
      async () => waited.length,
      (pid) => {
        waited.push(pid);
        holder.kill('SIGKILL');
      },
    );
    expect(await done).toBe(1);
    expect(waited).toEqual([holder.pid]);
  });
});
