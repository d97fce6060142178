import { createHash } from 'node:crypto';
import { Client as MinioClient } from 'minio';
import neo4j, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import { type SeedKind, type SeedSummary, seed } from '../../sandbox/seed/seed.ts';
import type { StoreEndpoints } from '../../sandbox/servers/endpoints.ts';
import { liveStores } from '../live-stores.ts';

const DATABASE = 'seed_test';
const BUCKET = 'seed-test';
const stores = liveStores();
const endpoints = endpointsOf();
let driver: Driver;
let admin: pg.Client;
let relational: pg.Client;
let minio: MinioClient;

function endpointsOf(): StoreEndpoints {
  const url = new URL(stores.postgres.url);
  url.pathname = `/${DATABASE}`;
  const postgres = {
    url: url.href,
    host: url.hostname,
    port: Number(url.port),
    database: DATABASE,
    user: url.username,
    password: url.password,
    toolsFolder: null,
  };
  return { neo4j: stores.neo4j, postgres, botPostgres: postgres, minio: { ...stores.minio, bucket: BUCKET } };
}

const cypher = async (statement: string): Promise<unknown[][]> => {
  const session = driver.session();
  try {
    return (await session.run(statement)).records.map((record) => [...record.values()]);
  } finally {
    await session.close();
  }
};
const sql = async (statement: string): Promise<unknown[][]> =>
  (await relational.query({ text: statement, rowMode: 'array' })).rows;

async function listObjects(): Promise<{ name: string; etag: string; versions: number }[]> {
  const objects = new Map<string, { name: string; etag: string; versions: number }>();
  const listed: AsyncIterable<{ name: string; etag: string }> = minio.listObjects(BUCKET, '', true, {
    IncludeVersion: true,
  });
  for await (const { name, etag } of listed) {
    const known = objects.get(name);
    if (known) known.versions++;
    else objects.set(name, { name, etag, versions: 1 });
  }
  return [...objects.values()];
}

/** Everything that the stores hold, schemas included, as one hash. */
async function fingerprint(): Promise<string> {
  const text = (values: unknown) => JSON.stringify(values);
  const graph = await cypher(
    'MATCH (n) RETURN labels(n), apoc.map.sortedProperties(n {.*}) ORDER BY labels(n)[0], n.id',
  );
  const links = await cypher(
    'MATCH (a)-[r]->(b) RETURN a.id, type(r), apoc.map.sortedProperties(r {.*}), b.id ORDER BY a.id, type(r), b.id',
  );
  const schema = await cypher('SHOW INDEXES YIELD name, type, labelsOrTypes, properties RETURN * ORDER BY name');
  const tables = await sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
  const rows = await Promise.all(tables.map(([table]) => sql(`SELECT to_json(t)::text FROM ${table} t ORDER BY id`)));
  const objects = (await listObjects()).sort((a, b) => (a.name < b.name ? -1 : 1));
  return createHash('sha256').update([graph, links, schema, tables, rows, objects].map(text).join('\n')).digest('hex');
}

/** The counts that the stores themselves tell, in the form of a summary. */
async function countsInStores(): Promise<Omit<SeedSummary, 'kind' | 'ms'>> {
  const asCounts = (list: unknown[][]) => Object.fromEntries(list.map(([name, count]) => [name, Number(count)]));
  const tables = await sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
  const rows = await Promise.all(
    tables.map(async ([table]) => [table, (await sql(`SELECT count(*) FROM ${table}`))[0]?.[0]]),
  );
  return {
    nodes: asCounts(await cypher('MATCH (n) RETURN labels(n)[0], count(*)')),
    relationships: asCounts(await cypher('MATCH ()-[r]->() RETURN type(r), count(*)')),
    rows: asCounts(rows.filter(([, count]) => Number(count) > 0)),
    objects: (await listObjects()).length,
  };
}

const fill = async (kind: SeedKind) => {
  const { kind: _, ms, ...counts } = await seed(endpoints, { kind });
  expect(ms).toBeGreaterThan(0);
  return counts;
};

beforeAll(async () => {
  driver = neo4j.driver(stores.neo4j.url, neo4j.auth.basic(stores.neo4j.user, stores.neo4j.password));
  admin = new pg.Client({ connectionString: stores.postgres.url });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  relational = new pg.Client({ connectionString: endpoints.postgres.url });
  await relational.connect();
  const { hostname, port } = new URL(stores.minio.url);
  const { accessKey, secretKey } = stores.minio;
  minio = new MinioClient({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
}, 60_000);

afterAll(async () => {
  // Other tests find an empty graph.
  const session = driver.session();
  await session.run('MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS');
  for (const record of (await session.run('SHOW CONSTRAINTS YIELD name')).records)
    await session.run(`DROP CONSTRAINT ${record.get('name')}`);
  for (const record of (await session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'")).records)
    await session.run(`DROP INDEX ${record.get('name')}`);
  await session.close();
  await driver.close();
  await relational.end();
  await admin.query(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
  await admin.end();
  const versions: { name: string; versionId: string }[] = [];
  for await (const version of minio.listObjects(BUCKET, '', true, { IncludeVersion: true })) versions.push(version);
  if (versions.length > 0) await minio.removeObjects(BUCKET, versions);
  await minio.removeBucket(BUCKET);
}, 60_000);

describe('seeding the stores', () => {
  it('fills them with what it says, in real types', async () => {
    const counts = await fill('demo');
    expect(await countsInStores()).toEqual(counts);
    expect(counts).toMatchObject({
      nodes: { User: 1200, Space: 400 },
      rows: { users: 800, spaces: 400 },
      objects: 150,
    });
    const [types] = await cypher(`
      MATCH (d:Document) WHERE d.confidence_score IS NOT NULL MATCH (u:User) MATCH (n:Notebook) WHERE size(n.tags) > 0
      RETURN valueType(d.confidence_score), valueType(d.size_bytes), valueType(d.created_at), valueType(d.processing_time),
        valueType(u.created_at), valueType(u.keycloak_roles), valueType(n.tags), valueType(n.document_count) LIMIT 1`);
    expect(types).toEqual([
      'FLOAT NOT NULL',
      'INTEGER NOT NULL',
      'ZONED DATETIME NOT NULL',
      'INTEGER NOT NULL',
      'ZONED DATETIME NOT NULL',
      'LIST<STRING NOT NULL> NOT NULL',
      'LIST<STRING NOT NULL> NOT NULL',
      'INTEGER NOT NULL',
    ]);
  }, 120_000);

  it('leaves out what the migration is to bring', async () => {
    const indexed = await cypher(
      "SHOW INDEXES YIELD properties WHERE 'personal_tenant_id' IN properties RETURN count(*)",
    );
    expect(Number(indexed[0]?.[0])).toBe(0);
    const columns = await sql(
      "SELECT 1 FROM information_schema.columns WHERE table_name = 'audimodal_files' AND column_name = 'space_id'",
    );
    expect(columns).toEqual([]);
    expect(await cypher('MATCH (u:User) WHERE u.personal_tenant_id IS NULL RETURN count(*) = 800')).toEqual([[true]]);
  });

  it('lets every file of the demo find its user through the graph', async () => {
    const found = await cypher(
      'MATCH (d:Document)-[:OWNED_BY]->(u:User {id: d.owner_id}) RETURN d.processing_job_id, u.id',
    );
    const owners = new Map(found.map(([job, owner]) => [job, owner]));
    const files = await sql('SELECT id FROM audimodal_files');
    expect(files.filter(([id]) => !owners.has(id))).toEqual([]);
    expect(owners.size).toBe(files.length);
    expect(
      await cypher(
        `MATCH (n:Notebook) WHERE NOT EXISTS { (n)-[:OWNED_BY]->(:User {id: n.owner_id}) } RETURN count(*) = 0`,
      ),
    ).toEqual([[true]]);
  });

  it('keeps in the bucket the very bytes that the documents tell of', async () => {
    const documents = await cypher('MATCH (d:Document) RETURN d.storage_path, d.checksum');
    const checksums = new Map(documents.map(([path, checksum]) => [path, checksum]));
    for (const { name } of (await listObjects()).slice(0, 20)) {
      const sum = createHash('sha256');
      for await (const part of await minio.getObject(BUCKET, name)) sum.update(part as Buffer);
      expect(sum.digest('hex')).toBe(checksums.get(name));
    }
  });

  it('makes the same again, whatever was done to the stores in between', async () => {
    const before = await fingerprint();
    await cypher("MATCH (u:User) WITH u LIMIT 10 SET u.status = 'gone', u.extra = 1");
    await cypher('CREATE (:Stranger {id: 1})-[:KNOWS]->(:Stranger {id: 2})');
    await cypher('CREATE CONSTRAINT `odd ``name` FOR (n:User) REQUIRE n.personal_tenant_id IS UNIQUE');
    await cypher('CREATE FULLTEXT INDEX words FOR (n:Document) ON EACH [n.name]');
    await sql('ALTER TABLE audimodal_files ADD COLUMN space_id text');
    await sql('CREATE SCHEMA tas_journal CREATE TABLE tas_journal.batch (id int)');
    await sql('CREATE TABLE stranger (id int)');
    const [first] = await listObjects();
    await minio.putObject(BUCKET, first?.name ?? '', 'overwritten');
    await minio.putObject(BUCKET, 'stranger', 'new');
    await minio.removeObject(BUCKET, 'stranger');
    expect(await fingerprint()).not.toBe(before);
    await fill('demo');
    expect(await fingerprint()).toBe(before);
    expect(await sql("SELECT 1 FROM pg_namespace WHERE nspname = 'tas_journal'")).toEqual([]);
    expect((await listObjects()).every((object) => object.versions === 1)).toBe(true);
  }, 240_000);

  it('takes the messy data as it is', async () => {
    const counts = await fill('messy');
    expect(await countsInStores()).toEqual(counts);
    const [shared] = await cypher(
      "MATCH (u:User {personal_tenant_id: '9855e094-36a6-4d3a-a4f5-d77da4614439'}) RETURN count(*) > 1",
    );
    expect(shared).toEqual([true]);
    const constraints = await cypher(
      "SHOW CONSTRAINTS YIELD name, properties WHERE properties = ['email'] RETURN name",
    );
    expect(constraints).toEqual([['uniq_mail_2023']]);
  }, 120_000);

  it('streams a number of users, and tells how far it is', async () => {
    const lines: string[] = [];
    const summary = await seed(endpoints, { kind: 2600, onProgress: (line) => lines.push(line) });
    expect(await countsInStores()).toEqual({
      nodes: summary.nodes,
      relationships: summary.relationships,
      rows: summary.rows,
      objects: summary.objects,
    });
    expect(summary.nodes.User).toBe(2600);
    expect(lines.filter((line) => line.includes('of 2600 users')).length).toBeGreaterThan(1);
    expect(lines).toContain('2600 of 2600 users written');
  }, 240_000);
});
