import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'minio';
import type { MinioEndpoint } from '../../sandbox/servers/endpoints.ts';
import { runProgram } from '../../sandbox/servers/run-program.ts';
import type { System } from '../../src/systems/system.ts';
import type { Contest } from './contest.ts';
import { perform } from './perform.ts';

/** A versioned bucket of the bench's own. */
export const benchBucket = 'bench';

interface Objects {
  readonly count: number;
  readonly bytes: number;
}

export function openObjects({ url, accessKey, secretKey }: MinioEndpoint): Client {
  const { hostname, port } = new URL(url);
  return new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
}

interface Listed {
  readonly name: string;
  readonly etag: string;
  readonly size: number;
}

async function list(client: Client, prefix: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for await (const { name, etag, size } of client.listObjectsV2(benchBucket, prefix, true)) {
    found.push({ name: String(name).slice(prefix.length), etag: String(etag), size: Number(size) });
  }
  return found;
}

async function hash(client: Client, key: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of await client.getObject(benchBucket, key)) sum.update(chunk as Buffer);
  return sum.digest('hex');
}

/** The same bytes: a copy in parts has another ETag, and is read. */
async function isSame(
  client: Client,
  from: string,
  to: string,
  one: Listed,
  copy: Listed | undefined,
): Promise<boolean> {
  if (!copy || copy.size !== one.size) return false;
  if (copy.etag === one.etag) return true;
  return (await hash(client, from + one.name)) === (await hash(client, to + one.name));
}

/** Objects under `from-…/`, each of other content. */
async function makeObjects(client: Client, prefix: string, { count, bytes }: Objects): Promise<void> {
  if (!(await client.bucketExists(benchBucket))) await client.makeBucket(benchBucket);
  await client.setBucketVersioning(benchBucket, { Status: 'Enabled' });
  const content = randomBytes(bytes);
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let n = lane; n < count; n += 8) {
      const body = Buffer.concat([Buffer.from(String(n).padStart(8, '0')), content.subarray(8)]);
      await client.putObject(benchBucket, `${prefix}tenant_${n % 50}/files/report-${n}.pdf`, body, bytes, {
        'Content-Type': 'application/pdf',
      });
    }
  });
  await Promise.all(lanes);
}

/** `minio.copy-keys` against MinIO's own client, which copies at the server as well, several at once; it keeps no journal. */
export function objectContests(
  endpoint: MinioEndpoint,
  system: System,
  mc: { readonly path: string; readonly folder: string },
  sizes: { readonly [what: string]: Objects },
): Contest[] {
  const client = openObjects(endpoint);
  return Object.entries(sizes).map(([what, objects]): Contest => {
    const [from, to] = [`from-${what}/`, `to-${what}/`];
    const { url, accessKey, secretKey } = endpoint;
    const env = { MC_HOST_bench: url.replace('://', `://${accessKey}:${secretKey}@`), MC_CONFIG_DIR: mc.folder };
    const place = (prefix: string): string => `bench/${benchBucket}/${prefix}`;
    const call = async (...args: readonly string[]): Promise<void> => void (await runProgram(mc.path, args, { env }));
    let made: Promise<void> | undefined;
    return {
      name: `minio.copy-keys (${objects.count.toLocaleString('en')} of ${describeBytes(objects.bytes)})`,
      records: objects.count,
      async reset() {
        made ??= makeObjects(client, from, objects);
        await made;
        if ((await list(client, to)).length > 0)
          await call('rm', '--quiet', '--recursive', '--versions', '--force', place(to));
      },
      ours: () =>
        perform(system, { use: 'minio.copy-keys', with: { prefix: from, match: `^${from}(.*)$`, target: `${to}$1` } }),
      rivals: {
        'mc cp --recursive': () => call('cp', '--quiet', '--recursive', place(from), place(to)),
        'mc mirror': () => call('mirror', '--quiet', place(from), place(to)),
      },
      async check() {
        const [wanted, found] = [await list(client, from), await list(client, to)];
        const copies = new Map(found.map((one) => [one.name, one]));
        let same = 0;
        for (const one of wanted) if (await isSame(client, from, to, one, copies.get(one.name))) same += 1;
        if (same !== objects.count || found.length !== objects.count) {
          throw new Error(`${same} of ${objects.count} objects are copied, ${found.length} are there`);
        }
      },
    };
  });
}

function describeBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes / 1024} KiB` : `${bytes / 2 ** 20} MiB`;
}
