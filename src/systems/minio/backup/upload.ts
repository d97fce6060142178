import { createReadStream } from 'node:fs';
import { checksumOf } from '../../../shared/checksum.ts';
import type { Names } from '../objects.ts';
import type { S3 } from '../s3.ts';
import { textOf } from '../xml.ts';
import { blobPath } from './blob-store.ts';
import type { IndexEntry } from './index-file.ts';

/** Puts an object back as it was: content, metadata, tags; cut as it was, so that its ETag is the same. */
export async function uploadObject(s3: S3, objectsFolder: string, entry: IndexEntry): Promise<void> {
  const path = blobPath(objectsFolder, entry.sha256);
  const headers = { ...entry.metadata, ...taggingHeader(entry.tags) };
  if (entry.parts) return uploadParts(s3, path, entry, headers, entry.parts);
  await s3.send({ method: 'PUT', key: entry.key, headers }, createReadStream(path), entry.size, entry.sha256);
}

async function uploadParts(
  s3: S3,
  path: string,
  { key }: IndexEntry,
  headers: Names,
  parts: readonly number[],
): Promise<void> {
  const begun = await s3.request({ method: 'POST', key, query: { uploads: '' }, headers });
  const uploadId = textOf(begun?.body ?? '', 'UploadId') ?? '';
  try {
    const done: string[] = [];
    let start = 0;
    for (const [i, bytes] of parts.entries()) {
      const range = { start, end: start + bytes - 1 };
      const { sha256 } = await checksumOf(path, range);
      const query = { partNumber: String(i + 1), uploadId };
      const sent = await s3.send({ method: 'PUT', key, query }, createReadStream(path, range), bytes, sha256);
      done.push(`<Part><PartNumber>${i + 1}</PartNumber><ETag>${String(sent.headers.etag)}</ETag></Part>`);
      start += bytes;
    }
    const body = `<CompleteMultipartUpload>${done.join('')}</CompleteMultipartUpload>`;
    await s3.request({ method: 'POST', key, query: { uploadId }, body });
  } catch (error) {
    await s3.request({ method: 'DELETE', key, query: { uploadId } }).catch(() => undefined);
    throw error;
  }
}

function taggingHeader(tags: Names): Names {
  const pairs = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? {} : { 'x-amz-tagging': pairs.join('&') };
}
