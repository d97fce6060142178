import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { partSizes } from './backup/backup.ts';
import { inParallel, type Names, type ObjectHead, readTags } from './objects.ts';
import type { S3 } from './s3.ts';
import { encodeXml, textOf } from './xml.ts';

/** The name of the metadata that says which run made a copy, of which version. */
export const copyMark = 'x-amz-meta-tas-copy';

const gib = 1024 ** 3;
const atOnce = 4;
const gone = ['NoSuchKey', 'NoSuchVersion', 'NotFound', 'MethodNotAllowed'];
const locks = ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date', 'x-amz-object-lock-legal-hold'];

/** The server copies at most this much in one piece, and objects that came in parts keep them: the same ETag comes out. */
let mostBytesInOnePiece = 5 * gib;
const partBytes = gib;

/** For tests: objects of more bytes than this are copied in parts. */
export function limitOnePiece(bytes: number): void {
  mostBytesInOnePiece = bytes;
}

/** Metadata outside of ASCII cannot be sent again: the driver's signature does not cover it. */
export function isMarkable(head: ObjectHead): boolean {
  return Object.values(head.metadata).every((value) => /^[\x20-\x7e]*$/.test(value));
}

/**
 * Copies one version to a key within the server: content, metadata, tags, retention and legal hold. Answers the new
 * version's id, or null where the source's version is gone. `mark` = null leaves the metadata to the server, as it is.
 */
export async function copyVersion(
  s3: S3,
  source: ObjectHead,
  target: string,
  mark: string | null,
): Promise<string | null> {
  const headers: Names = {
    'x-amz-copy-source': `/${s3.bucket}/${encodeURIComponent(source.key)}?versionId=${source.versionId}`,
  };
  const inParts = source.etag.includes('-') || source.size > mostBytesInOnePiece;
  if (inParts) return copyParts(s3, source, target, mark, headers);
  const meta: Names =
    mark === null ? {} : { 'x-amz-metadata-directive': 'REPLACE', ...source.metadata, [copyMark]: mark };
  const answer = await s3.request({
    method: 'PUT',
    key: target,
    headers: { ...headers, ...meta, ...locksOf(source) },
    allow: gone,
  });
  return answer && String(answer.headers['x-amz-version-id'] ?? 'null');
}

/** Killed on the way it leaves an upload that nobody sees; servers clear those away after a day. */
async function copyParts(
  s3: S3,
  source: ObjectHead,
  key: string,
  mark: string | null,
  copySource: Names,
): Promise<string | null> {
  const tags = Object.entries(await readTags(s3, source.key, source.versionId));
  const tagging = tags.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  const headers = {
    ...(mark === null ? asciiOnly(source.metadata) : { ...source.metadata, [copyMark]: mark }),
    ...(tagging === '' ? {} : { 'x-amz-tagging': tagging }),
    ...locksOf(source),
  };
  const sizes = (await partSizes(s3, source)) ?? equalParts(source.size);
  const begun = await s3.request({ method: 'POST', key, query: { uploads: '' }, headers });
  const uploadId = textOf(begun?.body ?? '', 'UploadId') ?? '';
  try {
    const etags = await inParallel(rangesOf(sizes), atOnce, async ({ number, first, last }) => {
      const query = { partNumber: String(number), uploadId };
      const range = { ...copySource, 'x-amz-copy-source-range': `bytes=${first}-${last}` };
      const sent = await s3.request({ method: 'PUT', key, query, headers: range, allow: gone });
      return sent && textOf(sent.body, 'ETag');
    });
    if (etags.includes(null)) return await abort(s3, key, uploadId);
    const parts = etags.map(
      (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${encodeXml(etag ?? '')}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const done = await s3.request({ method: 'POST', key, query: { uploadId }, body });
    return String(done?.headers['x-amz-version-id'] ?? 'null');
  } catch (error) {
    await abort(s3, key, uploadId).catch(() => undefined);
    throw error;
  }
}

async function abort(s3: S3, key: string, uploadId: string): Promise<null> {
  await s3.request({ method: 'DELETE', key, query: { uploadId }, allow: ['NoSuchUpload'] });
  return null;
}

function rangesOf(sizes: readonly number[]): { number: number; first: number; last: number }[] {
  let first = 0;
  return sizes.map((size, i) => {
    const range = { number: i + 1, first, last: first + size - 1 };
    first += size;
    return range;
  });
}

function equalParts(size: number): number[] {
  const bytes = Math.min(partBytes, mostBytesInOnePiece);
  const count = Math.max(1, Math.ceil(size / bytes));
  return Array.from({ length: count }, (_, i) => (i + 1 < count ? bytes : size - bytes * (count - 1)));
}

/** In parts all metadata is sent anew: what cannot be sent is left out rather than spoiled. */
function asciiOnly(metadata: Names): Names {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => /^[\x20-\x7e]*$/.test(value)));
}

function locksOf({ headers }: ObjectHead): Names {
  return Object.fromEntries(locks.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])));
}

interface Content {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
}

/** Whether two versions hold the same bytes: by ETag, or by reading both where one of them came in other parts. */
export async function hasSameContent(s3: S3, a: Content, b: Content): Promise<boolean> {
  if (a.size !== b.size) return false;
  if (a.etag === b.etag) return true;
  if (!a.etag.includes('-') && !b.etag.includes('-')) return false;
  const [left, right] = await Promise.all([a, b].map((content) => digestOf(s3, content)));
  return left === right && left !== null;
}

async function digestOf(s3: S3, { key, versionId }: Content): Promise<string | null> {
  const content = await s3.open({ method: 'GET', key, query: { versionId }, allow: gone });
  if (!content) return null;
  const hash = createHash('sha256');
  await pipeline(content, hash);
  return hash.digest('hex');
}
