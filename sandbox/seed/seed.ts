import { Client as MinioClient } from 'minio';
import neo4j from 'neo4j-driver';
import pg from 'pg';
import type { StoreEndpoints } from '../servers/endpoints.ts';
import { createGraphWriter } from './graph.ts';
import { createObjectWriter } from './objects.ts';
import { people } from './people.ts';
import type { Person } from './records.ts';
import { createRelationalWriter } from './relational.ts';
import { type SeedKind, type Shape, shapeOf } from './shape.ts';

export type { SeedKind } from './shape.ts';

export interface SeedOptions {
  readonly kind: SeedKind;
  /** Called with a line for people: what is being done and how far it is. */
  readonly onProgress?: (line: string) => void;
}

interface Counts {
  readonly [collection: string]: number;
}

/** What the stores hold now. */
export interface SeedSummary {
  readonly kind: SeedKind;
  /** Nodes by label. */
  readonly nodes: Counts;
  /** Relationships by type. */
  readonly relationships: Counts;
  /** Rows by table. */
  readonly rows: Counts;
  readonly objects: number;
  readonly ms: number;
}

/** More do not help a server with few cores, and each holds a batch in memory. */
const IN_FLIGHT = 2;

interface Writer {
  prepare(): Promise<void>;
  write(people: readonly Person[]): Promise<void>;
}

/**
 * Replaces all that the platform's stores hold by made data, the same for the same kind. Memory does not grow with the
 * number of users. Throws the failure `wrong-use` for an impossible kind, and what the drivers throw.
 */
export async function seed(endpoints: StoreEndpoints, options: SeedOptions): Promise<SeedSummary> {
  const started = performance.now();
  const say = options.onProgress ?? (() => {});
  const shape = shapeOf(options.kind);
  const { url, user, password } = endpoints.neo4j;
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password));
  const pool = new pg.Pool({
    connectionString: endpoints.postgres.url,
    max: IN_FLIGHT,
    application_name: 'sandbox-seed',
  });
  try {
    const graph = createGraphWriter(driver, shape);
    const relational = createRelationalWriter(pool);
    const objects = createObjectWriter(minioClient(endpoints), endpoints.minio.bucket);
    say('emptying the stores');
    const writers = [graph, relational, objects];
    await Promise.all(writers.map((writer) => writer.prepare()));
    await fill(shape, writers, say);
    say('building indexes');
    await Promise.all([graph.finish(), relational.finish()]);
    return {
      kind: options.kind,
      nodes: graph.nodes.counts(),
      relationships: graph.relationships.counts(),
      rows: relational.rows.counts(),
      objects: objects.count,
      ms: Math.round(performance.now() - started),
    };
  } finally {
    await Promise.all([pool.end(), driver.close()]);
  }
}

/** Batch by batch, some in flight at a time: while the stores take those, the next one is made. */
async function fill(shape: Shape, writers: readonly Writer[], say: (line: string) => void): Promise<void> {
  const remaining = batches(people(shape), shape.batch);
  let done = 0;
  const work = async () => {
    for (const batch of remaining) {
      await Promise.all(writers.map((writer) => writer.write(batch)));
      done += batch.length;
      say(`${done} of ${shape.people} users written`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

function* batches(all: Iterable<Person>, size: number): Generator<Person[]> {
  let batch: Person[] = [];
  for (const person of all) {
    batch.push(person);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function minioClient({ minio }: StoreEndpoints): MinioClient {
  const { hostname, port, protocol } = new URL(minio.url);
  const useSSL = protocol === 'https:';
  return new MinioClient({
    endPoint: hostname,
    port: port === '' ? (useSSL ? 443 : 80) : Number(port),
    useSSL,
    accessKey: minio.accessKey,
    secretKey: minio.secretKey,
  });
}
