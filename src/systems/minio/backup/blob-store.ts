import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Checksum } from '../../../shared/checksum.ts';

/** Where an object of this content lies: `<first 2 hex>/<sha256>`. */
export function blobPath(folder: string, sha256: string): string {
  return join(folder, sha256.slice(0, 2), sha256);
}

/**
 * Whether the content is there, by length. It is touched by that: what is not touched for a while and not named by a
 * set may be removed.
 */
export async function hasBlob(folder: string, blob: Checksum): Promise<boolean> {
  const path = blobPath(folder, blob.sha256);
  try {
    if ((await stat(path)).size !== blob.bytes) return false;
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Keeps a content under its checksum: under another name first, then on disk, then renamed. */
export async function storeBlob(folder: string, content: Readable, signal: AbortSignal): Promise<Checksum> {
  const incoming = join(folder, 'incoming', randomUUID());
  await mkdir(dirname(incoming), { recursive: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const tap = new PassThrough();
  tap.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  try {
    await pipeline(content, tap, createWriteStream(incoming, { flags: 'wx', flush: true }), { signal });
    const sha256 = hash.digest('hex');
    await mkdir(dirname(blobPath(folder, sha256)), { recursive: true });
    await rename(incoming, blobPath(folder, sha256));
    return { bytes, sha256 };
  } catch (error) {
    await rm(incoming, { force: true });
    throw error;
  }
}
