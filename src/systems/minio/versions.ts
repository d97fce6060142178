import { inParallel, keepMetadata, type Names } from './objects.ts';
import type { S3 } from './s3.ts';
import { childrenOf, decodeUrl, elementsOf, textOf } from './xml.ts';

/** One version of a key, or a delete marker. */
export interface Version {
  readonly key: string;
  readonly versionId: string;
  readonly isMarker: boolean;
  /** Empty for a delete marker. */
  readonly etag: string;
  readonly size: number;
  readonly metadata: Names;
}

const atOnce = 8;
const page = 1_000;
/** From so many keys of one folder on the folder is walked: asked for one key the server reads the folder's list each time. */
const walkFrom = 16;

/** Versions of one key, the newest first, at most 1,000. */
export async function listVersions(s3: S3, key: string): Promise<readonly Version[]> {
  const answer = await s3.request({ method: 'GET', query: { ...asked, prefix: key } });
  return versionsIn(answer?.body ?? '').filter((version) => version.key === key);
}

/** The same for many keys. Those that hold nothing have an empty list. */
export async function listVersionsOf(s3: S3, keys: readonly string[]): Promise<Map<string, readonly Version[]>> {
  const found = new Map<string, readonly Version[]>();
  const folders = Map.groupBy(new Set(keys), (key) => key.slice(0, key.lastIndexOf('/') + 1));
  const single: string[] = [];
  for (const [folder, members] of folders) {
    if (members.length < walkFrom) single.push(...members);
    else await walkFolder(s3, folder, new Set(members), found);
  }
  const lists = await inParallel(single, atOnce, (key) => listVersions(s3, key));
  for (const [i, key] of single.entries()) found.set(key, lists[i] ?? []);
  return found;
}

/** Reads a folder's list from its beginning to the last of the keys. */
async function walkFolder(
  s3: S3,
  folder: string,
  keys: ReadonlySet<string>,
  found: Map<string, readonly Version[]>,
): Promise<void> {
  const lists = new Map<string, Version[]>([...keys].map((key) => [key, []]));
  let markers: Names = {};
  let left = keys.size;
  for (let current = ''; left > 0; ) {
    const query = { ...asked, prefix: folder, 'max-keys': String(page), ...markers };
    const body = (await s3.request({ method: 'GET', query }))?.body ?? '';
    for (const version of versionsIn(body)) {
      if (version.key !== current && keys.has(current)) left -= 1;
      current = version.key;
      lists.get(version.key)?.push(version);
    }
    if (textOf(body, 'IsTruncated') !== 'true') break;
    markers = {
      'key-marker': decodeUrl(textOf(body, 'NextKeyMarker') ?? ''),
      'version-id-marker': textOf(body, 'NextVersionIdMarker') ?? '',
    };
  }
  for (const [key, list] of lists) found.set(key, list);
}

const asked: Names = { versions: '', 'encoding-type': 'url', metadata: 'true' };

/** In the order of the answer: by key, then the newest first. */
function versionsIn(body: string): Version[] {
  return [...body.matchAll(/<(Version|DeleteMarker)>([\s\S]*?)<\/\1>/g)].map((match) => {
    const content = match[2] ?? '';
    const own = content.replace(/<UserMetadata>[\s\S]*?<\/UserMetadata>/, '');
    return {
      key: decodeUrl(textOf(own, 'Key') ?? ''),
      versionId: textOf(own, 'VersionId') ?? 'null',
      isMarker: match[1] === 'DeleteMarker',
      etag: (textOf(own, 'ETag') ?? '').replaceAll('"', ''),
      size: Number(textOf(own, 'Size') ?? 0),
      metadata: keepMetadata(childrenOf(elementsOf(content, 'UserMetadata')[0] ?? '')),
    };
  });
}

/** Removes one version or delete marker for good. False where it may not go (a legal hold, a retention). Gone is gone. */
export async function removeVersion(s3: S3, key: string, versionId: string): Promise<boolean> {
  const locked = ['InvalidRequest', 'ObjectLocked'];
  return (await s3.request({ method: 'DELETE', key, query: { versionId }, allow: locked })) !== null;
}
