import { Client } from 'minio';
import { pino } from 'pino';
import { createSeal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createMinioSystem, type MinioOptions } from '../../../src/systems/minio/minio-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';

/** A bucket of a test's own on the real server, written with the driver itself. */
export interface ScratchBucket {
  readonly name: string;
  readonly client: Client;
  system(over?: Partial<MinioOptions>): System;
  put(
    key: string,
    content: string | Buffer,
    more?: { tags?: Record<string, string>; metadata?: Record<string, string> },
  ): Promise<void>;
  /** Uploads in these parts. */
  putParts(key: string, parts: readonly Buffer[], metadata: Record<string, string>): Promise<void>;
  tagsOf(key: string): Promise<Record<string, string>>;
  textOf(key: string): Promise<string>;
  /** How many versions and delete markers there are of a key. */
  versionsOf(key: string): Promise<number>;
  remove(): Promise<void>;
}

let count = 0;

export async function scratchBucket(options: { versioned?: boolean } = {}): Promise<ScratchBucket> {
  const { url, accessKey, secretKey } = liveStores().minio;
  const { hostname, port } = new URL(url);
  const client = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey,
    secretKey,
    region: 'us-east-1',
  });
  count += 1;
  const name = `scratch-${process.pid}-${Date.now()}-${count}`;
  await client.makeBucket(name);
  if (options.versioned !== false) await client.setBucketVersioning(name, { Status: 'Enabled' });
  const seal = createSeal(Buffer.alloc(32, 9));
  const logger = pino({ level: 'silent' });
  const shared = { name: 'objects', url, accessKey, bucket: name, seal, logger };
  return {
    name,
    client,
    system: (over = {}) => createMinioSystem({ ...shared, secretKey: new Secret(secretKey), ...over }),
    async put(key, content, { tags, metadata } = {}) {
      const bytes = Buffer.from(content);
      await client.putObject(name, key, bytes, bytes.length, metadata ?? {});
      if (tags) await client.setObjectTagging(name, key, tags);
    },
    async putParts(key, parts, metadata) {
      const uploadID = await client.initiateNewMultipartUpload(name, key, metadata);
      const etags = [];
      for (const [i, part] of parts.entries()) {
        const place = { bucketName: name, objectName: key, uploadID, partNumber: i + 1, headers: {} };
        etags.push({ part: i + 1, etag: (await client.uploadPart(place, part)).etag });
      }
      await client.completeMultipartUpload(name, key, uploadID, etags);
    },
    async tagsOf(key) {
      const tags = await client.getObjectTagging(name, key);
      return Object.fromEntries(tags.map((tag) => [tag.Key, String(tag.Value)]));
    },
    async textOf(key) {
      const chunks: Buffer[] = [];
      for await (const chunk of await client.getObject(name, key)) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
    async versionsOf(key) {
      const found: unknown[] = [];
      for await (const item of client.listObjects(name, key, true, { IncludeVersion: true })) found.push(item);
      return found.length;
    },
    async remove() {
      for (const bucket of [name, `${name}-tas-journal`]) {
        const headers = { 'x-minio-force-delete': 'true' };
        await client
          .makeRequestAsyncOmit({ method: 'DELETE', bucketName: bucket, headers }, '', [204], 'us-east-1')
          .catch((error: { code?: string }) => {
            if (error.code !== 'NoSuchBucket') throw error;
          });
      }
    },
  };
}
