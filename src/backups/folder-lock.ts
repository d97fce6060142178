import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../shared/failure.ts';

const ownerSchema = z.strictObject({
  id: z.string(),
  host: z.string(),
  pid: z.number().int(),
  /** When the process began, in the kernel's ticks: a number is given to another process one day. */
  began: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** Milliseconds between signs of life, and after how many without one an owner on another machine is taken for dead. */
const pulse = 10_000;
const patience = 120_000;

/**
 * Lets one process at a time work in a folder, over machines that share it. The lock of a process that died is taken
 * over. Throws `environment-busy` when another one has it.
 */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, '.lock');
  const owner: Owner = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    began: (await beginOf(process.pid)) ?? '',
  };
  await take(lock, owner);
  const alive = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => undefined), pulse);
  try {
    return await work();
  } finally {
    clearInterval(alive);
    if ((await readOwner(lock))?.id === owner.id) await rm(lock, { force: true });
  }
}

async function take(lock: string, owner: Owner): Promise<void> {
  const own = `${lock}.${owner.id}`;
  await writeFile(own, JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
  try {
    for (;;) {
      if (await linked(own, lock)) return;
      const holder = await readOwner(lock);
      if (holder && (await isAlive(lock, holder))) throw busy(holder);
      await takeAway(lock, holder);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** A link is made by one process only, with all of its content. */
async function linked(own: string, lock: string): Promise<boolean> {
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead owner's lock away; one that another process has put there meanwhile is put back. */
async function takeAway(lock: string, dead: Owner | null): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  await rename(lock, aside).catch(() => undefined);
  const moved = await readOwner(aside);
  if (moved && moved.id !== dead?.id) await linked(aside, lock);
  await rm(aside, { force: true });
}

/** Null where there is none, or none that can be read. */
async function readOwner(lock: string): Promise<Owner | null> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function isAlive(lock: string, holder: Owner): Promise<boolean> {
  if (holder.host === hostname()) return (await beginOf(holder.pid)) === holder.began;
  const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < patience;
}

/** Null where there is no such process. Without /proc every process that exists began at the same, unknown time. */
async function beginOf(pid: number): Promise<string | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name may hold blanks and brackets: fields are counted from behind it. The 22nd is the start.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return exists(pid) ? '' : null;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function busy(holder: Owner): Failure {
  return new Failure({
    code: 'environment-busy',
    message: `Process ${holder.pid} on ${holder.host} is working in this environment's backups.`,
    advice: 'Wait until it is done. Nothing was changed.',
    retryable: true,
  });
}
