import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../shared/json.ts';
import type { Fingerprint } from '../system.ts';
import { copyMark } from './copy-object.ts';
import type { ObjectEntry } from './objects.ts';

/** Adds objects up, in the order of their keys: key, content (ETag and size), metadata and tags. Versions and our mark do not count. */
export interface FingerprintSum {
  add(entry: Pick<ObjectEntry, 'key' | 'etag' | 'size' | 'metadata' | 'tags'>): void;
  end(): Fingerprint;
}

export function sumFingerprint(bucket: string): FingerprintSum {
  const hash = createHash('sha256');
  let count = 0;
  return {
    add({ key, etag, size, metadata, tags }) {
      count += 1;
      const { [copyMark]: _, ...own } = metadata;
      hash.update(`${canonicalJson([key, etag, size, own, tags] as Json)}\n`);
    },
    end: () => ({ counts: { [bucket]: count }, hash: hash.digest('hex') }),
  };
}
