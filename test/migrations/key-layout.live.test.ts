import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'minio';
import neo4j, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import { pino } from 'pino';
import { seed } from '../../sandbox/seed/seed.ts';
import type { StoreEndpoints } from '../../sandbox/servers/endpoints.ts';
import { readChecks } from '../../src/checks/check.ts';
import { runCheck } from '../../src/checks/run-check.ts';
import type { Migration, MigrationStep } from '../../src/migrations/migration.ts';
import { readMigrations } from '../../src/migrations/migration-files.ts';
import { type Environment, otherSystems } from '../../src/plans/environment.ts';
import { findHolds } from '../../src/plans/find-holds.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createMinioSystem } from '../../src/systems/minio/minio-system.ts';
import { createNeo4jSystem } from '../../src/systems/neo4j/neo4j-system.ts';
import { createPostgresSystem } from '../../src/systems/postgres/postgres-system.ts';
import type { StepKind, System } from '../../src/systems/system.ts';
import { liveStores } from '../live-stores.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../systems/step-contexts.ts';

const stores = liveStores();
const database = 'key_layout_test';
const bucket = 'aether-storage';
const pack = join(import.meta.dirname, '../../packs/tas');
const variables = { files_table: 'audimodal_files' };

let driver: Driver;
let admin: pg.Client;
let relational: pg.Client;
let minio: Client;
let systems: Map<string, System>;
let environment: Environment;
let migrations: ReadonlyMap<string, Migration>;

interface Doc {
  readonly id: string;
  readonly path: string;
  readonly file: string;
  readonly checksum: string;
}

beforeAll(async () => {
  driver = neo4j.driver(stores.neo4j.url, neo4j.auth.basic(stores.neo4j.user, stores.neo4j.password));
  admin = new pg.Client({ connectionString: stores.postgres.url });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${database}`);
  const endpoints = endpointsOf();
  const { url, toolsFolder: _, ...postgres } = endpoints.postgres;
  relational = new pg.Client({ connectionString: url });
  await relational.connect();
  const { hostname, port } = new URL(stores.minio.url);
  const { accessKey, secretKey } = stores.minio;
  minio = new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
  await seed(endpoints, { kind: 240 });
  const shared = { seal: createSeal(Buffer.alloc(32, 3)), logger: pino({ level: 'silent' }) };
  const { user, password } = stores.neo4j;
  const all = [
    createMinioSystem({
      ...shared,
      name: 'objects',
      url: stores.minio.url,
      accessKey,
      secretKey: new Secret(secretKey),
      bucket,
    }),
    createNeo4jSystem({ ...shared, name: 'graph', url: stores.neo4j.url, user, password: new Secret(password) }),
    createPostgresSystem({ ...shared, ...postgres, name: 'relational', password: new Secret(postgres.password) }),
  ];
  systems = new Map(all.map((system) => [system.name, system]));
  environment = { name: 'test', systems } as unknown as Environment;
  migrations = await readMigrations([pack], variables);
  await performMigration('space-isolation', 'before');
}, 240_000);

afterAll(async () => {
  await Promise.all([...systems.values()].map((system) => system.close()));
  const session = driver.session();
  await session.run('MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS');
  for (const record of (await session.run('SHOW CONSTRAINTS YIELD name')).records)
    await session.run(`DROP CONSTRAINT ${record.get('name')}`);
  for (const record of (await session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'")).records)
    await session.run(`DROP INDEX ${record.get('name')}`);
  await session.close();
  await driver.close();
  await relational.end();
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
});

function endpointsOf(): StoreEndpoints {
  const url = new URL(stores.postgres.url);
  url.pathname = `/${database}`;
  const postgres = {
    url: url.href,
    host: url.hostname,
    port: Number(url.port),
    database,
    user: url.username,
    password: decodeURIComponent(url.password),
    toolsFolder: null,
  };
  return { neo4j: stores.neo4j, postgres, botPostgres: postgres, minio: { ...stores.minio, bucket } };
}

interface PlannedStep {
  readonly id: string;
  readonly step: MigrationStep;
  readonly kind: StepKind;
}

function stepsOf(id: string): PlannedStep[] {
  const { phases } = migrations.get(id) as Migration;
  return Object.entries(phases).flatMap(([phase, steps]) =>
    steps.map((step) => ({
      id: `${phase}.${step.id}`,
      step,
      kind: kindOf(systems.get(step.system) as System, step.use),
    })),
  );
}

const contextOf = (stepId: string, runId: string) => stepContext({ ...otherSystems(environment), runId, stepId });

/** Every step in order, as a run carries them out; answers how many records each wrote. */
async function performMigration(id: string, runId: string): Promise<Record<string, number>> {
  const done: Record<string, number> = {};
  for (const { id: stepId, step, kind } of stepsOf(id)) {
    const context = contextOf(stepId, runId);
    done[stepId] = sumDone(await performAll(kind, step.with, context, 50));
    const findings = (await kind.verify?.(kind.input.parse(step.with), context)) ?? [];
    expect(findings.filter(({ status }) => status === 'failed')).toEqual([]);
  }
  return done;
}

async function previewAll(runId: string) {
  const counts: Record<string, number> = {};
  for (const { id, step, kind } of stepsOf('key-layout')) {
    const preview = await kind.preview(kind.input.parse(step.with), contextOf(id, runId));
    expect(preview.findings.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(preview.exact).toBe(true);
    counts[id] = preview.count;
  }
  return counts;
}

async function checkAll(ids: readonly string[]): Promise<Record<string, string>> {
  const checks = await readChecks([pack], variables);
  const found: Record<string, string> = {};
  for (const id of ids) {
    const check = checks.get(id);
    if (check) found[id] = (await runCheck(check, systems)).status;
  }
  return found;
}

/** Every step's undo, the newest first, with what newer records refer to. */
async function undoMigration(runId: string, undoRunId: string): Promise<Record<string, [number, number]>> {
  const { references, coupled } = migrations.get('key-layout') as Migration;
  const steps = stepsOf('key-layout');
  const held = new Set<string>();
  const scope = {
    runId,
    steps: steps.map(({ id, step }) => ({ stepId: id, system: step.system })),
    references,
    coupled,
  };
  const nameOf = (field: { system: string; collection: string; field: string }, value: string) =>
    JSON.stringify([field.system, field.collection, field.field, value]);
  await findHolds(systems, scope, async (field, values) => {
    for (const value of values) held.add(nameOf(field, value));
  });
  const done: Record<string, [number, number]> = {};
  for (const { id, step, kind } of steps.toReversed()) {
    const context = undoContext(
      { runId, stepId: id },
      {
        ...otherSystems(environment),
        runId: undoRunId,
        stepId: id,
        coupled,
        held: async (field, values) => new Set(values.filter((value) => held.has(nameOf(field, value)))),
      },
    );
    const results = await undoAll(kind, step.with, context);
    const sum = (name: 'done' | 'kept') => results.reduce((total, result) => total + result[name], 0);
    done[id] = [sum('done'), sum('kept')];
  }
  return done;
}

async function documents(): Promise<Doc[]> {
  const { records } = await driver.executeQuery(
    `MATCH (d:Document) WHERE d.storage_path IS NOT NULL
     RETURN d.id AS id, d.storage_path AS path, d.processing_job_id AS file, d.checksum AS checksum ORDER BY d.id`,
  );
  return records.map((record) => record.toObject() as Doc);
}

async function files(): Promise<Map<string, { path: string; url: string }>> {
  const { rows } = await relational.query('SELECT id, path, url FROM audimodal_files');
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}

async function contentOf(key: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await minio.getObject(bucket, key)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function liveKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const item of minio.listObjects(bucket, '', true)) keys.push(String(item.name));
  return keys.sort();
}

/** Everything that the migration may touch. */
async function picture() {
  return { documents: await documents(), files: [...(await files())].sort(), keys: await liveKeys() };
}

it('moves the old keys in all three stores, and goes back without losing what users wrote since', async () => {
  const { requires, verify } = migrations.get('key-layout') as Migration;
  expect(Object.values(await checkAll(requires))).toEqual(requires.map(() => 'passed'));
  const before = await picture();
  const old = before.documents.filter(({ path }) => /^[^/]+\/files\//.test(path));
  const withObject = old.filter(({ path }) => before.keys.includes(path));
  expect(withObject.length).toBeGreaterThan(20);

  const expected = {
    'storage.copy-objects': withObject.length,
    'storage.file-paths': old.length,
    'storage.document-paths': old.length,
    'storage.remove-old-keys': withObject.length,
  };
  expect(await previewAll('preview')).toEqual(expected);
  expect(await picture()).toEqual(before);
  expect(await performMigration('key-layout', 'move')).toEqual(expected);

  const statuses = await checkAll(verify);
  expect(statuses).toEqual({
    'no-old-paths-in-graph': 'passed',
    'no-old-paths-in-files': 'passed',
    'paths-agree': 'passed',
    'addresses-agree': 'passed',
    // The seed makes contents for the first documents only.
    'documents-have-objects': expect.stringMatching(/passed|warning/),
    'objects-have-documents': 'passed',
  });
  const moved = await picture();
  expect(moved.keys.filter((key) => key.includes('/files/'))).toEqual([]);
  expect(moved.keys).toHaveLength(before.keys.length);
  for (const { path, checksum } of moved.documents.filter(({ path }) => moved.keys.includes(path))) {
    expect(
      createHash('sha256')
        .update(await contentOf(path))
        .digest('hex'),
    ).toBe(checksum);
  }

  const now = new Map(moved.documents.map((each) => [each.id, each]));
  const [rewritten, deleted, renamed] = withObject.map(({ id }) => now.get(id)) as [Doc, Doc, Doc];
  await minio.putObject(bucket, rewritten.path, 'what the user wrote since');
  await minio.removeObject(bucket, deleted.path);
  await driver.executeQuery('MATCH (d:Document {id: $id}) SET d.storage_path = $path', {
    id: renamed.id,
    path: 'mine/now',
  });
  const made = `${rewritten.path.split('/').slice(0, 2).join('/')}/documents/new/new.txt`;
  await minio.putObject(bucket, made, 'made in the new layout');

  expect(await undoMigration('move', 'back')).toEqual({
    'storage.remove-old-keys': [withObject.length - 1, 1],
    'storage.document-paths': [old.length - 2, 2],
    // Path and address of the one that was written over.
    'storage.file-paths': [old.length - 1, 2],
    'storage.copy-objects': [withObject.length - 2, 1],
  });
  const after = await picture();
  const kept = [rewritten.id, renamed.id];
  expect(after.documents.filter(({ id }) => !kept.includes(id))).toEqual(
    before.documents.filter(({ id }) => !kept.includes(id)),
  );
  expect(
    after.documents
      .filter(({ id }) => kept.includes(id))
      .map(({ path }) => path)
      .sort(),
  ).toEqual([rewritten.path, 'mine/now'].sort());
  const rows = await files();
  expect(rows.get(rewritten.file)).toEqual({ path: rewritten.path, url: `s3://${bucket}/${rewritten.path}` });
  expect((await contentOf(rewritten.path)).toString()).toBe('what the user wrote since');
  const was = new Map(before.documents.map((each) => [each.id, each]));
  expect(after.keys).toEqual(
    [...before.keys.filter((key) => key !== was.get(deleted.id)?.path), rewritten.path, made].sort(),
  );
}, 240_000);
