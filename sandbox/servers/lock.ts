import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describeProcess } from './process-identity.ts';

/**
 * Does the work while no other process holds the lock file; waits for a living holder, takes over from a dead one.
 * `onWait` is called once with the holder's pid where it has to wait.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait?: (pid: number) => void): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const own = `${process.pid} ${(await describeProcess(process.pid))?.started ?? ''}`;
  let told = false;
  while (!(await take(path, own))) {
    const holder = await readFile(path, 'utf8').catch(() => null);
    if (holder === null) continue;
    if (!(await isAlive(holder))) {
      await discard(path, holder);
      continue;
    }
    if (!told) onWait?.(Number(holder.split(' ')[0]));
    told = true;
    await pause(300);
  }
  try {
    return await work();
  } finally {
    if ((await readFile(path, 'utf8').catch(() => null)) === own) await rm(path, { force: true });
  }
}

/** A hard link of a finished file, so that the lock is never seen without its holder. */
async function take(path: string, own: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, own, { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isAlive(holder: string): Promise<boolean> {
  const space = holder.indexOf(' ');
  const found = await describeProcess(Number(holder.slice(0, space)));
  return found !== null && found.started === holder.slice(space + 1);
}

/** Takes a dead holder's file away by renaming, so that of two who saw it only one does, and no living one's is lost. */
async function discard(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readFile(aside, 'utf8').catch(() => holder);
  if (moved !== holder) await rename(aside, path);
  else await rm(aside, { force: true });
}
