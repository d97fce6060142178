import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProveKind } from '../../src/backups/prove-kind.ts';
import { readClocks } from '../../src/schedules/clocks.ts';
import type { Finding } from '../../src/systems/finding.ts';
import type { System } from '../../src/systems/system.ts';
import type { Scratch } from '../../src/systems/trial.ts';
import { type ScratchBucket, scratchBucket } from '../systems/minio/scratch-bucket.ts';
import { type FreshGraph, freshGraph } from '../systems/neo4j/fresh-graph.ts';
import { asAdmin, createFreshDatabase, type FreshDatabase } from '../systems/postgres/fresh-database.ts';
import { stepContext } from '../systems/step-contexts.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const setId = 'bak-20261122-100000-aaaa';
const names = ['relational', 'objects', 'graph'] as const;

let sample: SampleFolder;
let database: FreshDatabase;
let bucket: ScratchBucket;
let graph: FreshGraph;
let systems: Map<string, System>;
let look: (system: string, scratch: Scratch) => Promise<readonly Finding[]>;

beforeEach(async () => {
  [sample, database, bucket, graph] = await Promise.all([
    sampleFolder(),
    createFreshDatabase(),
    scratchBucket(),
    freshGraph(),
  ]);
  look = async () => [];
  systems = new Map([
    ['relational', database.system],
    ['objects', bucket.system()],
    ['graph', graph.system],
  ]);
  await database.sql(`CREATE TABLE person (id serial PRIMARY KEY, name text NOT NULL)`);
  await database.sql(`INSERT INTO person (name) SELECT 'person ' || n FROM generate_series(1, 500) n`);
  await database.sql(`CREATE VIEW short AS SELECT * FROM person WHERE id < 10`);
  await bucket.put('a/plain.txt', 'one', { tags: { kind: 'note' }, metadata: { 'x-amz-meta-title': 'One' } });
  await bucket.put('a/other.txt', 'two');
  await bucket.putParts('b/large.bin', [Buffer.alloc(5 * 1024 * 1024, 1), Buffer.from('end')], {});
  await graph.query(`UNWIND range(1, 300) AS n CREATE (:User {id: n})-[:HAS]->(:Notebook {id: n, made: date()})`);
  for (const system of systems.values()) await sample.folder.takePart(sample.request(setId, system, slow()));
});
afterEach(async () => {
  await Promise.all([bucket.remove(), graph.close(), database.drop(), sample.remove()]);
});

const slow = () => ({ signal: AbortSignal.timeout(60_000) });
const seal = () => sample.folder.sealSet('test', setId, names, new Date('2026-11-22T10:00:00Z'), 'engine-1');
const at = (...inside: string[]): string => join(sample.root, 'test', setId, ...inside);
const proven = async () => (await sample.folder.listSets('test'))[0]?.proven ?? null;
const databases = async () => (await asAdmin(database.url, 'SELECT datname FROM pg_database ORDER BY 1')).map(String);
const drillDatabases = async () =>
  (await asAdmin(database.url, `SELECT datname FROM pg_database WHERE datname ~ '^tas_drill_'`)).length;
const drillBuckets = async () =>
  (await bucket.client.listBuckets()).filter(({ name }) => name.startsWith('tas-drill-')).map(({ name }) => name);

async function drill(): Promise<readonly Finding[]> {
  const kind = createProveKind({
    environment: 'test',
    systems,
    folder: sample.folder,
    clock: { now: () => new Date('2026-11-23T03:00:00Z') },
    look: (system, scratch) => look(system, scratch),
  });
  return (await kind.verify?.({ setId }, stepContext())) ?? [];
}

async function spoil(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0xff;
  await writeFile(file, bytes);
}

/** What stands where a drill restores to. */
async function placesOfDrills(): Promise<{ database: string; bucket: string }> {
  const found = { database: '', bucket: '' };
  look = async (system, scratch) => {
    if (system === 'relational') {
      const seen = await scratch.violations?.('SELECT current_database()::text AS name, count(*) AS n FROM person');
      expect(seen?.samples[0]).toMatchObject({ n: 500 });
      found.database = String(seen?.samples[0]?.name);
    } else {
      [found.bucket = ''] = await drillBuckets();
    }
    return [];
  };
  await drill();
  look = async () => [];
  return found;
}

it('restores database and bucket beside the live ones, reads the graph back, and leaves nothing behind', async () => {
  await seal();
  const prints = await Promise.all([...systems.values()].map((system) => system.fingerprint?.()));
  const before = await databases();
  const places = await placesOfDrills();
  expect(places.database).toMatch(/^tas_drill_/);
  expect(places.bucket).toMatch(/^tas-drill-/);
  expect(await proven()).toMatchObject({ systems: { relational: 'restored', objects: 'restored', graph: 'read' } });
  expect(await Promise.all([...systems.values()].map((system) => system.fingerprint?.()))).toEqual(prints);
  expect(await databases()).toEqual(before);
  expect([await drillDatabases(), await drillBuckets()]).toEqual([0, []]);
});

it('hears from each store what time it is', async () => {
  const clocks = await readClocks(systems, { now: () => new Date() });
  expect([...clocks.keys()].sort()).toEqual(['graph', 'objects', 'relational']);
  for (const skew of clocks.values()) expect(Math.abs(skew)).toBeLessThan(5_000);
});

it('sees each part that was spoilt on the disk, and proves nothing', async () => {
  await seal();
  await drill();
  expect(await proven()).not.toBeNull();
  const dump = (await readdir(at('relational', 'dump'))).find((name) => name.endsWith('.dat.gz')) ?? '';
  const objects = join(sample.root, 'test', 'objects');
  const blob = (await readdir(objects, { recursive: true })).find((name) => /[0-9a-f]{64}$/.test(name)) ?? '';
  await spoil(at('relational', 'dump', dump));
  await spoil(join(objects, blob));
  await spoil(at('graph', 'nodes.ndjson.zst'));
  const findings = await drill();
  expect(findings.map(({ check, status }) => [check, status])).toEqual([
    ['drill-relational', 'failed'],
    ['drill-objects', 'failed'],
    ['drill-graph', 'failed'],
  ]);
  expect(await proven()).toBeNull();
  expect([await drillDatabases(), await drillBuckets()]).toEqual([0, []]);
});

it('sees a set that is whole on the disk and restores to something else', async () => {
  for (const name of names) {
    const file = at(name, 'part.json');
    const part = JSON.parse(await readFile(file, 'utf8'));
    part.fingerprint.hash = part.fingerprint.hash.replace(/^./, (first: string) => (first === 'a' ? 'b' : 'a'));
    await writeFile(file, JSON.stringify(part));
  }
  await seal();
  await sample.folder.verifySet('test', setId);
  expect((await drill()).map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
  expect(await proven()).toBeNull();
  expect([await drillDatabases(), await drillBuckets()]).toEqual([0, []]);
});

it('is killed while the copy stands, and the next one takes it away', async () => {
  await seal();
  const script = join(import.meta.dirname, 'trial-process.ts');
  const args = ['--no-warnings', script, database.url.href, at('relational')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await drillDatabases()).toBe(1);
  expect((await drill()).every(({ status }) => status === 'passed')).toBe(true);
  expect(await drillDatabases()).toBe(0);
});

it('clears away what a killed drill has left, and nothing that is not its own', async () => {
  await seal();
  const places = await placesOfDrills();
  await asAdmin(database.url, `CREATE DATABASE ${places.database}`);
  await bucket.client.makeBucket(places.bucket);
  // Killed between making them and marking them: they are empty.
  expect((await drill()).every(({ status }) => status === 'passed')).toBe(true);

  await asAdmin(database.url, `CREATE DATABASE ${places.database}`);
  const foreign = database.at({ database: places.database });
  await bucket.client.makeBucket(places.bucket);
  await bucket.client.putObject(places.bucket, 'somebody', 'else');
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: foreign.href });
  await client.connect();
  await client.query('CREATE TABLE precious (id int)');
  await client.end();
  expect((await drill()).map(({ status }) => status)).toEqual(['failed', 'failed', 'passed']);
  expect(await drillDatabases()).toBe(1);
  expect(await drillBuckets()).toEqual([places.bucket]);

  const mark = 'restored by tas to try a backup; it may be dropped';
  await asAdmin(database.url, `COMMENT ON DATABASE ${places.database} IS '${mark}'`);
  await bucket.client.setBucketTagging(places.bucket, { 'tas-drill': 'may be removed' });
  expect((await drill()).every(({ status }) => status === 'passed')).toBe(true);
  expect([await drillDatabases(), await drillBuckets()]).toEqual([0, []]);
});
