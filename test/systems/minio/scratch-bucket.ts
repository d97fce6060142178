import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  /** As a browser uploads it: its metadata may be outside of ASCII. */
  postForm(key: string, content: string, title: string): Promise<void>;
  /** Removes all versions and delete markers of a key. */
  removeVersions(key: string): Promise<void>;
  /** Uploads in these parts. */
  putParts(key: string, parts: readonly Buffer[], metadata: Record<string, string>): Promise<void>;
  tagsOf(key: string): Promise<Record<string, string>>;
  textOf(key: string): Promise<string>;
  /** How many versions and delete markers there are of a key. */
  versionsOf(key: string): Promise<number>;
  /** The server behind an address at which each request waits for what is done before it, or is answered by that. */
  proxy(before: (request: { method: string; path: string }, answer: ServerResponse) => Promise<void>): Promise<string>;
  /** Another bucket, with all that it holds. */
  removeBucket(bucket: string): Promise<void>;
  remove(): Promise<void>;
}

let count = 0;

export async function scratchBucket(options: { versioned?: boolean; locked?: boolean } = {}): Promise<ScratchBucket> {
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
  const proxies: Server[] = [];
  const removeBucket = (bucket: string): Promise<void> =>
    client
      .makeRequestAsyncOmit(
        { method: 'DELETE', bucketName: bucket, headers: { 'x-minio-force-delete': 'true' } },
        '',
        [204],
        'us-east-1',
      )
      .then(() => undefined)
      .catch((error: { code?: string }) => {
        if (error.code === 'MethodNotAllowed') return client.removeBucket(bucket);
        if (error.code !== 'NoSuchBucket') throw error;
      });
  count += 1;
  const name = `scratch-${process.pid}-${Date.now()}-${count}`;
  await client.makeBucket(name, 'us-east-1', { ObjectLocking: options.locked ?? false });
  if (options.versioned !== false) await client.setBucketVersioning(name, { Status: 'Enabled' });
  const seal = createSeal(Buffer.alloc(32, 9));
  const logger = pino({ level: 'silent' });
  const shared = { name: 'objects', url, accessKey, bucket: name, seal, logger };
  return {
    name,
    client,
    removeBucket,
    system: (over = {}) => createMinioSystem({ ...shared, secretKey: new Secret(secretKey), ...over }),
    async put(key, content, { tags, metadata } = {}) {
      const bytes = Buffer.from(content);
      await client.putObject(name, key, bytes, bytes.length, metadata ?? {});
      if (tags) await client.setObjectTagging(name, key, tags);
    },
    async postForm(key, content, title) {
      const policy = client.newPostPolicy();
      policy.setBucket(name);
      policy.setKey(key);
      policy.setExpires(new Date(Date.now() + 60_000));
      policy.setUserMetaData({ title });
      const { postURL, formData } = await client.presignedPostPolicy(policy);
      const form = new FormData();
      for (const [field, value] of Object.entries(formData)) form.append(field, String(value));
      form.append('file', new Blob([content]));
      const sent = await fetch(postURL, { method: 'POST', body: form });
      if (!sent.ok) throw new Error(`POST ${key}: ${sent.status} ${await sent.text()}`);
    },
    async removeVersions(key) {
      for await (const item of client.listObjects(name, key, true, { IncludeVersion: true })) {
        const { name: found, versionId } = item as { name: string; versionId: string };
        if (found === key) await client.removeObject(name, key, { versionId });
      }
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
      let found = 0;
      for await (const item of client.listObjects(name, key, true, { IncludeVersion: true })) {
        if (item.name === key) found += 1;
      }
      return found;
    },
    async proxy(before) {
      const server = createServer((incoming, outgoing) => void forward(incoming, outgoing));
      const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
        const { method = '', url: path = '', headers } = incoming;
        await before({ method, path }, outgoing);
        if (outgoing.writableEnded) return;
        const sent = request({ hostname, port, method, path, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        });
        incoming.pipe(sent);
      };
      proxies.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    async remove() {
      for (const server of proxies.splice(0)) server.close();
      // A bucket with object lock cannot be removed as a whole.
      if (options.locked) {
        for await (const item of client.listObjects(name, '', true, { IncludeVersion: true })) {
          const { name: key, versionId } = item as { name: string; versionId: string };
          await client.removeObject(name, key, { versionId });
        }
      }
      for (const bucket of [name, `${name}-tas-journal`]) await removeBucket(bucket);
    },
  };
}
