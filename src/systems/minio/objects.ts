import type { IncomingHttpHeaders } from 'node:http';
import type { S3 } from './s3.ts';
import { childrenOf, decodeUrl, elementsOf, encodeXml, textOf } from './xml.ts';

/** Tags or metadata by name. */
export type Names = Readonly<Record<string, string>>;

/** The latest version of an object, unless that is a delete marker. */
export interface ObjectEntry {
  readonly key: string;
  /** `null` in buckets that have no versions. */
  readonly versionId: string;
  /** Without quotes; `<md5>-<parts>` for those that were uploaded in parts. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** ISO 8601. */
  readonly lastModified: string;
  /** Names in lower case: `content-type` and the like, and `x-amz-meta-…`. */
  readonly metadata: Names;
  readonly tags: Names;
}

export interface Listing {
  readonly prefix?: string;
  /** Only keys greater than this one. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

const kept =
  /^(content-type|content-encoding|content-disposition|content-language|cache-control|expires|x-amz-meta-.+)$/;
const gone = ['NoSuchKey', 'NotFound', 'MethodNotAllowed', 'NoSuchVersion'];

/** All objects in the order of their keys by code point, a page of 1,000 at a time. Older versions are passed over. */
export async function* listLatest(s3: S3, listing: Listing = {}): AsyncIterable<ObjectEntry> {
  let markers: Names = listing.after === undefined ? {} : { 'key-marker': listing.after };
  for (;;) {
    listing.signal?.throwIfAborted();
    const query = { versions: '', 'encoding-type': 'url', metadata: 'true', prefix: listing.prefix ?? '', ...markers };
    const answer = await s3.request({ method: 'GET', query });
    const page = answer?.body ?? '';
    for (const version of elementsOf(page, 'Version')) {
      if (textOf(version, 'IsLatest') === 'true') yield entryOf(version);
    }
    if (textOf(page, 'IsTruncated') !== 'true') return;
    markers = {
      'key-marker': decodeUrl(textOf(page, 'NextKeyMarker') ?? ''),
      'version-id-marker': textOf(page, 'NextVersionIdMarker') ?? '',
    };
  }
}

function entryOf(version: string): ObjectEntry {
  const metadata = elementsOf(version, 'UserMetadata')[0] ?? '';
  const own = version.replace(/<UserMetadata>[\s\S]*?<\/UserMetadata>/, '');
  return {
    key: decodeUrl(textOf(own, 'Key') ?? ''),
    versionId: textOf(own, 'VersionId') ?? 'null',
    etag: (textOf(own, 'ETag') ?? '').replaceAll('"', ''),
    size: Number(textOf(own, 'Size')),
    lastModified: textOf(own, 'LastModified') ?? '',
    metadata: keepMetadata(childrenOf(metadata)),
    tags: Object.fromEntries(
      (textOf(own, 'UserTags') ?? '')
        .split('&')
        .filter((pair) => pair !== '')
        .map((pair) => pair.split('=').map(decodeUrl) as [string, string])
        .sort(byName),
    ),
  };
}

export function keepMetadata(pairs: readonly [string, string][]): Names {
  const lower = pairs.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return Object.fromEntries(lower.filter(([name]) => kept.test(name)).sort(byName));
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** What a question for one object's head answers. */
export interface ObjectHead extends Omit<ObjectEntry, 'tags'> {
  readonly headers: IncomingHttpHeaders;
}

/** One object without its tags; null when there is none of that key, or its latest version is a delete marker. */
export async function readHead(s3: S3, key: string, version?: string): Promise<ObjectHead | null> {
  const query = version === undefined ? {} : { query: { versionId: version } };
  const head = await s3.request({ method: 'HEAD', key, ...query, allow: gone });
  if (!head) return null;
  const { headers } = head;
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    key,
    versionId: String(headers['x-amz-version-id'] ?? 'null'),
    etag: String(headers.etag ?? '').replaceAll('"', ''),
    size: Number(headers['content-length'] ?? 0),
    lastModified: new Date(String(headers['last-modified'])).toISOString(),
    metadata: keepMetadata(pairs),
    headers,
  };
}

/** The same with its tags. */
export async function readLatest(s3: S3, key: string): Promise<ObjectEntry | null> {
  const head = await readHead(s3, key);
  if (!head) return null;
  const { headers, ...entry } = head;
  const tagged = Number(headers['x-amz-tagging-count'] ?? 0) > 0;
  return { ...entry, tags: tagged ? await readTags(s3, key, entry.versionId) : {} };
}

export async function readTags(s3: S3, key: string, versionId: string): Promise<Names> {
  const answer = await s3.request({ method: 'GET', key, query: tagging(versionId), allow: gone });
  const pairs = elementsOf(answer?.body ?? '', 'Tag').map((tag): [string, string] => [
    textOf(tag, 'Key') ?? '',
    textOf(tag, 'Value') ?? '',
  ]);
  return Object.fromEntries(pairs.sort(byName));
}

/** Replaces all tags of one version; makes no new version. False when the version is gone. */
export async function writeTags(s3: S3, key: string, versionId: string, tags: Names): Promise<boolean> {
  const query = tagging(versionId);
  if (Object.keys(tags).length === 0) return (await s3.request({ method: 'DELETE', key, query, allow: gone })) !== null;
  const set = Object.entries(tags).map(
    ([name, value]) => `<Tag><Key>${encodeXml(name)}</Key><Value>${encodeXml(value)}</Value></Tag>`,
  );
  const body = `<Tagging><TagSet>${set.join('')}</TagSet></Tagging>`;
  return (await s3.request({ method: 'PUT', key, query, body, allow: gone })) !== null;
}

function tagging(versionId: string): Names {
  return { tagging: '', ...(versionId === 'null' ? {} : { versionId }) };
}

/** Whether the bucket keeps versions. Throws `precondition-failed` when there is no such bucket. */
export async function isVersioned(s3: S3): Promise<boolean> {
  const answer = await s3.request({ method: 'GET', query: { versioning: '' } });
  return textOf(answer?.body ?? '', 'Status') === 'Enabled';
}

/**
 * Runs work on all items, a few at a time; results in the order of the items. After a failure no more are
 * begun; it is thrown when those under way have ended.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const open = items.entries();
  const failures: unknown[] = [];
  // Lanes, not waves: one slow item does not keep the others from going on.
  const lane = async (): Promise<void> => {
    for (const [i, item] of open) {
      if (failures.length > 0) return;
      try {
        results[i] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}
