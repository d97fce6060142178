import { readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sayBytes } from '../shared/bytes-text.ts';
import { Failure } from '../shared/failure.ts';

/** Bytes that the bot may write under a folder, which need not be there yet. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    return freeBytes(dirname(folder));
  }
}

/** Bytes of the files in a folder, those in its folders too. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

/** Throws `disk-full` when less than twice of what is needed (bytes) is free. */
export async function refuseFullDisk(folder: string, needed: number): Promise<void> {
  if ((await freeBytes(folder)) < 2 * needed) throw await diskFull(folder, needed);
}

/** Whether a write failed because the disk was full, at whatever depth that was said. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error, depth = 0; cause && depth < 10; depth += 1) {
    const { code } = cause as { code?: unknown };
    if (code === 'ENOSPC' || code === 'EDQUOT') return true;
    cause = (cause as { cause?: unknown }).cause;
  }
  return false;
}

/** What is said when there is no room; `needed` null = it ran full while writing. */
export async function diskFull(folder: string, needed: number | null, cause?: unknown): Promise<Failure> {
  const free = sayBytes(await freeBytes(folder));
  const want = needed === null ? '' : `, and twice the last part (${sayBytes(2 * needed)}) must be`;
  return new Failure({
    code: 'disk-full',
    message: `There is no room for the backup: ${free} are free${want}.`,
    advice: 'The unfinished part was removed and no store was changed. Free space in the backups folder, then retry.',
    retryable: true,
    cause,
  });
}
