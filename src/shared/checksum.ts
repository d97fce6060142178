import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.ts';

/** A file's length and SHA-256 (lower-case hex). */
export interface Checksum {
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads a file, or a part of it, once and in pieces. */
export async function checksumOf(path: string, range: { start?: number; end?: number } = {}): Promise<Checksum> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, range)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Throws `corrupt-backup` at the first file in the folder that is missing, shortened or changed. */
export async function verifyFiles(
  folder: string,
  files: readonly (Checksum & { readonly path: string })[],
  what: string,
): Promise<void> {
  for (const file of files) {
    const found = await checksumOf(join(folder, file.path)).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw corrupt(what, `${file.path} is missing`, cause);
      throw cause;
    });
    if (found.bytes !== file.bytes) {
      throw corrupt(what, `${file.path} has ${found.bytes} bytes instead of ${file.bytes}`);
    }
    if (found.sha256 !== file.sha256) throw corrupt(what, `${file.path} is not what was written (checksum)`);
  }
}

/** What is said of a backup that cannot be trusted. */
export function corrupt(what: string, reason: string, cause?: unknown): Failure {
  return new Failure({
    code: 'corrupt-backup',
    message: `The backup of ${what} is damaged: ${reason}.`,
    advice: 'The store was not touched. Use another backup set; `/tas backup list` shows them.',
    cause,
  });
}
