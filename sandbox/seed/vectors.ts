import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { people } from './people.ts';
import type { Person } from './records.ts';
import { type SeedKind, shapeOf } from './shape.ts';

export interface VectorSeedOptions {
  /** The folder of the datasets. */
  readonly root: string;
  /** A Python with DeepLake (`installDeeplake`). */
  readonly python: string;
  /** Vectors come from there; null = they are made up, the same each time. */
  readonly endpoint: { readonly url: string; readonly apiKey: string } | null;
  readonly kind: SeedKind;
  /** At most so many tenants, the first ones; absent = all. A chunk takes the endpoint about 20 ms. */
  readonly tenants?: number;
  readonly onProgress?: (line: string) => void;
}

export interface VectorSeedSummary {
  readonly datasets: number;
  readonly vectors: number;
  readonly ms: number;
}

const model = 'text-embedding-ada-002';
const dimension = 1536;
const lineSchema = z.strictObject({ dataset: z.string(), vectors: z.number() });

/**
 * One dataset `tenants/<tenant>/default` for each tenant of the seed that has chunks, with a vector a chunk; replaces datasets of
 * these names. Called on its own: `seed` does not call it.
 */
export async function seedVectors(options: VectorSeedOptions): Promise<VectorSeedSummary> {
  const started = performance.now();
  await mkdir(options.root, { recursive: true });
  const child = spawn(options.python, ['-B', join(import.meta.dirname, 'vectors.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const { endpoint, root } = options;
  const setting = { root, model, dimension, endpoint: endpoint && { url: endpoint.url, key: endpoint.apiKey } };
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(setting)}\n`);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let datasets = 0;
  let vectors = 0;
  for (const one of datasetsOf(options.kind)) {
    if (options.tenants !== undefined && datasets >= options.tenants) break;
    child.stdin.write(`${JSON.stringify(one)}\n`);
    const answer = await answers.next();
    if (answer.done) throw new Error(`writing ${one.dataset} failed`);
    datasets += 1;
    vectors += lineSchema.parse(JSON.parse(answer.value)).vectors;
    if (datasets % 20 === 0) options.onProgress?.(`${datasets} datasets with ${vectors} vectors written`);
  }
  child.stdin.end();
  const [status] = await ended;
  if (status !== 0) throw new Error(`the Python that writes the vectors ended with ${status}`);
  return { datasets, vectors, ms: Math.round(performance.now() - started) };
}

interface SeededDataset {
  readonly dataset: string;
  readonly rows: readonly {
    readonly id: string;
    readonly document_id: string;
    readonly chunk_id: string;
    readonly content: string;
    readonly metadata: { readonly [name: string]: string };
  }[];
}

/** In the order of people, one at a time. */
function* datasetsOf(kind: SeedKind): Generator<SeededDataset> {
  const seen = new Set<string>();
  for (const person of people(shapeOf(kind))) {
    const tenant = person.user.personal_tenant_id;
    // A tenant that several people share has the first one's vectors.
    if (!tenant || person.chunks.length === 0 || seen.has(tenant)) continue;
    seen.add(tenant);
    yield { dataset: `tenants/${tenant}/default`, rows: rowsOf(person, tenant) };
  }
}

function rowsOf({ chunks, documents, user }: Person, tenant: string): SeededDataset['rows'] {
  const documentOf = new Map(documents.map(({ id, processing_job_id }) => [processing_job_id, id]));
  return chunks.map((chunk) => ({
    id: `vector-${String(chunk.id)}`,
    document_id: documentOf.get(String(chunk.file_id)) ?? String(chunk.file_id),
    chunk_id: String(chunk.id),
    content: String(chunk.content ?? ''),
    metadata: { tenant_id: tenant, space_id: user.personal_space_id ?? '', user_id: user.id },
  }));
}
