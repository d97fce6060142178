import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'minio';
import type { MinioEndpoint } from '../endpoints.ts';
import type { Server } from '../server.ts';
import { storeEndpointsOf } from '../state.ts';
import { findTool } from '../toolbox.ts';
import { minioProgram } from './minio-program.ts';

/** MinIO with one drive and the platform's versioned bucket. */
export const minioServer: Server = {
  name: 'minio',
  title: 'MinIO',
  readyWithinMs: 60_000,
  endsWithinMs: 15_000,
  async missingTools() {
    return (await minioProgram.isBuilt()) || (await findTool('go')) !== null ? [] : ['go'];
  },
  async prepare({ folder, task }) {
    await minioProgram.build(task);
    await mkdir(dataFolder(folder), { recursive: true });
    return {};
  },
  async describe({ folder, state }) {
    const { accessKey, secretKey } = storeEndpointsOf(state).minio;
    const data = dataFolder(folder);
    return {
      command: await minioProgram.path(),
      args: ['server', '--quiet', '--address', `127.0.0.1:${state.ports.minio}`, data],
      mark: data,
      stopSignal: 'SIGTERM',
      cwd: folder,
      env: {
        MINIO_ROOT_USER: accessKey,
        MINIO_ROOT_PASSWORD: secretKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        MINIO_CALLHOME_ENABLE: 'off',
      },
    };
  },
  async check({ minio: endpoint }) {
    try {
      const response = await fetch(`${endpoint.url}/minio/health/ready`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      if (!response.ok) return `health answers ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer';
    }
    return ensureBucket(endpoint);
  },
  async wipe({ minio }) {
    const { bucket } = minio;
    const client = connect(minio);
    for (const { name } of await client.listBuckets()) {
      await emptyBucket(client, name);
      await client.removeBucket(name);
    }
    await client.makeBucket(bucket);
    await client.setBucketVersioning(bucket, { Status: 'Enabled' });
    return true;
  },
  dataFolders: ({ folder }) => [dataFolder(folder)],
};

function dataFolder(folder: string): string {
  return join(folder, 'minio/data');
}

function connect(endpoint: MinioEndpoint): Client {
  const url = new URL(endpoint.url);
  return new Client({
    endPoint: url.hostname,
    port: Number(url.port),
    useSSL: false,
    accessKey: endpoint.accessKey,
    secretKey: endpoint.secretKey,
  });
}

/**
 * Makes the versioned bucket where it is missing; null when it is there, else why not. A server that is ready may still refuse for a moment while its bucket metadata loads: said,
 * not thrown.
 */
async function ensureBucket(endpoint: MinioEndpoint): Promise<string | null> {
  const client = connect(endpoint);
  try {
    if (!(await client.bucketExists(endpoint.bucket))) await client.makeBucket(endpoint.bucket);
    const versioning = await client.getBucketVersioning(endpoint.bucket);
    if (versioning.Status !== 'Enabled') await client.setBucketVersioning(endpoint.bucket, { Status: 'Enabled' });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'the bucket cannot be made';
  }
}

/** Every version and delete marker of every object, a thousand at a time. */
async function emptyBucket(client: Client, bucket: string): Promise<void> {
  let batch: { name: string; versionId: string }[] = [];
  for await (const item of client.listObjects(bucket, '', true, { IncludeVersion: true })) {
    batch.push({ name: String(item.name), versionId: String(item.versionId) });
    if (batch.length < 1000) continue;
    await client.removeObjects(bucket, batch);
    batch = [];
  }
  if (batch.length > 0) await client.removeObjects(bucket, batch);
}
