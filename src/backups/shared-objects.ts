import { readdir, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checksumOf } from '../shared/checksum.ts';
import { readNdjsonZst } from '../shared/ndjson.ts';
import { corrupt, type StoredPart } from './backup-set.ts';

/** Files of a part with this name say, a line each, which shared objects the part needs. */
const indexName = /(^|\/)objects\.ndjson\.zst$/;
const lineSchema = z.looseObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().min(0) });

type ObjectReference = z.infer<typeof lineSchema>;

/** Shared objects that a part needs, one after the other. Throws `corrupt-backup`. */
export async function* referencesOf(partFolder: string, part: StoredPart): AsyncIterable<ObjectReference> {
  for (const file of part.files.filter(({ path }) => indexName.test(path))) {
    try {
      for await (const line of readNdjsonZst(join(partFolder, file.path))) yield lineSchema.parse(line);
    } catch (cause) {
      throw corrupt(`${file.path} cannot be read`, cause);
    }
  }
}

function objectPath(objectsFolder: string, sha256: string): string {
  return join(objectsFolder, sha256.slice(0, 2), sha256);
}

/** Reads every shared object of a part; throws `corrupt-backup` at the first that is missing or changed. */
export async function verifyObjects(objectsFolder: string, references: AsyncIterable<ObjectReference>): Promise<void> {
  for await (const { sha256, size } of references) {
    const found = await checksumOf(objectPath(objectsFolder, sha256)).catch((cause: unknown) => {
      throw corrupt(`the object ${sha256.slice(0, 12)}… cannot be read`, cause);
    });
    if (found.sha256 !== sha256 || found.bytes !== size) {
      throw corrupt(`the object ${sha256.slice(0, 12)}… is not what was written`);
    }
  }
}

/** Marks shared objects as needed at this time. One that is missing has nothing to mark. */
export async function touchObjects(objectsFolder: string, references: AsyncIterable<ObjectReference>): Promise<void> {
  const now = new Date();
  for await (const { sha256 } of references) {
    await utimes(objectPath(objectsFolder, sha256), now, now).catch(ignoreMissing);
  }
}

/** Removes objects, and what broken-off copies left, that nobody touched since then. Answers how many and their bytes. */
export async function sweepObjects(objectsFolder: string, before: Date): Promise<{ removed: number; bytes: number }> {
  const swept = { removed: 0, bytes: 0 };
  const folders = await readdir(objectsFolder).catch(() => [] as string[]);
  for (const folder of folders.filter((name) => /^([0-9a-f]{2}|incoming)$/.test(name))) {
    for (const name of await readdir(join(objectsFolder, folder))) {
      const path = join(objectsFolder, folder, name);
      const found = await stat(path).catch(ignoreMissing);
      if (!found || found.mtime >= before) continue;
      await unlink(path).catch(ignoreMissing);
      swept.removed += 1;
      swept.bytes += found.size;
    }
  }
  return swept;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
