import { join } from 'node:path';
import { z } from 'zod';
import { corrupt } from '../../../shared/checksum.ts';
import { readNdjsonZst } from '../../../shared/ndjson.ts';

export const backupFormat = 'minio-mirror/1';
/** The name says to the backup folder that its lines name shared objects by `sha256` and `size`. */
export const indexName = 'objects.ndjson.zst';
/** The data-model version, or null. Sets of older versions do not have it. */
export const dataModelName = 'data-model.json';

const names = z.record(z.string(), z.string());

const lineSchema = z.strictObject({
  key: z.string(),
  versionId: z.string(),
  etag: z.string(),
  size: z.number().int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  metadata: names,
  tags: names,
  /** Bytes of each part where it was uploaded in parts: the same parts give the same ETag. Null otherwise. */
  parts: z.array(z.number().int().min(0)).nullable(),
});

/** One object of a set. */
export type IndexEntry = z.infer<typeof lineSchema>;

/** In the order of keys. Throws `corrupt-backup`. */
export async function* readIndex(folder: string, system: string): AsyncIterable<IndexEntry> {
  let before: string | null = null;
  for await (const line of readNdjsonZst(join(folder, indexName))) {
    const parsed = lineSchema.safeParse(line);
    if (!parsed.success) throw corrupt(system, `${indexName} holds a line that cannot be read`);
    if (before !== null && compareKeys(before, parsed.data.key) >= 0)
      throw corrupt(system, `${indexName} is out of order`);
    before = parsed.data.key;
    yield parsed.data;
  }
}

/** The order of listings: by code point, as UTF-8 bytes compare. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
