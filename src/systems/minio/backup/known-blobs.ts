import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { linesOf } from '../../../shared/ndjson.ts';
import type { ObjectEntry } from '../objects.ts';
import { compareKeys, type IndexEntry } from './index-file.ts';

/** What the last backups of a bucket found: which content each version has. Lines in the order of keys. */
const lineSchema = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.number(),
  z.array(z.number()).nullable(),
]);

export type KnownBlob = Pick<IndexEntry, 'sha256' | 'size' | 'parts'>;

/**
 * A cache beside the objects, keyed by bucket, key, version and ETag, walked in step with the listing: memory does not
 * grow with it. A backup that broke off leaves what it knew to the next one. Losing it costs downloads, nothing else.
 */
export interface KnownBlobs {
  find(entry: ObjectEntry): Promise<KnownBlob | null>;
  add(entry: IndexEntry): Promise<void>;
  /** Makes what was added the cache of the next backup. */
  finish(): Promise<void>;
  /** Leaves what was added to the next backup, beside the old cache. */
  abandon(): Promise<void>;
}

const writeEvery = 256;

export async function openKnownBlobs(folder: string, identity: string, bucket: string): Promise<KnownBlobs> {
  const id = createHash('sha256').update(`${identity}/${bucket}`).digest('hex').slice(0, 16);
  const path = (state: string): string => join(folder, `known-${id}.${state}.ndjson`);
  await keepLonger(path('next'), path('broken-off'));
  const sources = [createWalk(path('broken-off')), createWalk(path('last'))];
  const file = await open(path('next'), 'w');
  const lines: string[] = [];
  return {
    async find(entry) {
      for (const source of sources) {
        const known = await source.find(entry);
        if (known) return known;
      }
      return null;
    },
    async add({ key, versionId, etag, sha256, size, parts }) {
      lines.push(`${JSON.stringify([key, versionId, etag, sha256, size, parts])}\n`);
      if (lines.length >= writeEvery) await flush(file, lines);
    },
    async finish() {
      await flush(file, lines);
      await file.close();
      await rename(path('next'), path('last'));
      await rm(path('broken-off'), { force: true });
    },
    async abandon() {
      await flush(file, lines).catch(() => undefined);
      await file.close();
    },
  };
}

async function flush(file: FileHandle, lines: string[]): Promise<void> {
  await file.appendFile(lines.splice(0).join(''));
}

/** Two backups may break off one after the other: the one that got further knows more. */
async function keepLonger(next: string, brokenOff: string): Promise<void> {
  const [a, b] = await Promise.all(
    [next, brokenOff].map((file) =>
      stat(file).then(
        (s) => s.size,
        () => -1,
      ),
    ),
  );
  if ((a ?? -1) > (b ?? -1)) await rename(next, brokenOff);
}

function createWalk(path: string): Pick<KnownBlobs, 'find'> {
  const lines = read(path)[Symbol.asyncIterator]();
  let current: z.infer<typeof lineSchema> | null | undefined;
  return {
    async find(entry) {
      if (current === undefined) current = await nextLine(lines);
      while (current && compareKeys(current[0], entry.key) < 0) current = await nextLine(lines);
      if (!current) return null;
      const [key, versionId, etag, sha256, size, parts] = current;
      const same = key === entry.key && versionId === entry.versionId && etag === entry.etag && size === entry.size;
      return same ? { sha256, size, parts } : null;
    },
  };
}

async function nextLine(lines: AsyncIterator<string>): Promise<z.infer<typeof lineSchema> | null> {
  const next = await lines.next();
  if (next.done) return null;
  try {
    return lineSchema.parse(JSON.parse(next.value));
  } catch {
    // A damaged cache is no cache from here on.
    return null;
  }
}

async function* read(path: string): AsyncIterable<string> {
  try {
    yield* linesOf(createReadStream(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
