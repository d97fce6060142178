import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client as MinioClient } from 'minio';
import neo4j from 'neo4j-driver';
import pg from 'pg';
import type { Endpoints } from '../../../sandbox/servers/endpoints.ts';
import { bringUp, emptyStores, readStatus, takeDown } from '../../../sandbox/servers/sandbox.ts';
import { readState } from '../../../sandbox/servers/state.ts';

const execute = promisify(execFile);
const program = join(import.meta.dirname, '../../../sandbox/main.ts');
/** The stores of this test run belong to the other tests: these sandboxes have servers of their own. */
const ownServers = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEST_')));

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

async function cypher({ neo4j: { url, user, password } }: Endpoints, text: string) {
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password));
  try {
    return (await driver.executeQuery(text)).records;
  } finally {
    await driver.close();
  }
}

function objects({ minio }: Endpoints): MinioClient {
  const { hostname, port } = new URL(minio.url);
  const { accessKey, secretKey } = minio;
  return new MinioClient({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
}

/** Command lines of the machine's processes that name one of the folders. */
async function processesOf(folders: readonly string[]): Promise<string[]> {
  const { stdout } = await execute('ps', ['-eww', '-o', 'args='], { maxBuffer: 10_000_000 });
  return stdout.split('\n').filter((line) => folders.some((folder) => line.includes(folder)));
}

describe('a sandbox', () => {
  let parent = '';
  const folders: string[] = [];

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
  });
  afterAll(async () => {
    for (const folder of folders) await takeDown(folder);
    await rm(parent, { recursive: true });
  }, 120_000);

  function newFolder(): string {
    const folder = join(parent, `sandbox-${folders.length}`);
    folders.push(folder);
    return folder;
  }

  /** Takes it down and makes sure that nothing is left: no process, no data, no file. */
  async function expectGone(folder: string): Promise<void> {
    const state = await readState(folder);
    const places = [folder, state?.postgresFolder ?? folder];
    expect(await takeDown(folder)).toBe(true);
    expect(await processesOf(places)).toEqual([]);
    for (const place of places) expect(await stat(place).catch(() => null)).toBeNull();
    expect((await readdir(parent)).filter((name) => folder.endsWith(name.replace('.lock', '')))).toEqual([]);
  }

  it('lives beside another one without disturbing it, and taken down leaves nothing', async () => {
    const [first, second] = [newFolder(), newFolder()];
    const [one, two] = await Promise.all([
      bringUp({ folder: first, fast: true }),
      bringUp({ folder: second, fast: true }),
    ]);
    await Promise.all([cypher(one, 'CREATE (:Mark {of: 1})'), cypher(two, 'CREATE (:Mark {of: 2})')]);
    await query(one.postgres.url, 'CREATE TABLE mark AS SELECT 1 AS sandbox');
    await query(two.postgres.url, 'CREATE TABLE mark AS SELECT 2 AS sandbox');
    await objects(one).putObject(one.minio.bucket, 'mark', 'one');

    const identity = 'SELECT system_identifier FROM pg_control_system()';
    const clusters = [one.postgres, one.botPostgres, two.postgres, two.botPostgres];
    const identities = await Promise.all(clusters.map(async ({ url }) => (await query(url, identity)).rows[0]));
    expect(new Set(identities.map((row) => row.system_identifier)).size).toBe(4);
    expect((await objects(two).getBucketVersioning(two.minio.bucket)).Status).toBe('Enabled');
    await expect(objects(two).statObject(two.minio.bucket, 'mark')).rejects.toThrow();

    await expectGone(first);
    const status = await readStatus(second);
    const runs = Object.entries(status?.servers ?? {}).filter(([, { running }]) => running);
    expect(runs.map(([name]) => name).sort()).toEqual(['botPostgres', 'minio', 'neo4j', 'postgres']);
    expect((await cypher(two, 'MATCH (m:Mark) RETURN m.of AS of'))[0]?.get('of').toNumber()).toBe(2);
    expect((await query(two.postgres.url, 'SELECT sandbox FROM mark')).rows).toEqual([{ sandbox: 2 }]);

    await emptyStores(second);
    expect(await cypher(two, 'MATCH (n) RETURN n')).toEqual([]);
    const tables = await query(two.postgres.url, "SELECT FROM pg_tables WHERE tablename = 'mark'");
    expect(tables.rowCount).toBe(0);
    expect((await readStatus(second))?.servers.neo4j.pid).toBe(status?.servers.neo4j.pid);
    await expectGone(second);
  }, 240_000);

  it('brought up again takes what runs as it is, starts what died and keeps data, ports and passwords', async () => {
    const folder = newFolder();
    const only = ['postgres', 'minio'] as const;
    const first = await bringUp({ folder, only });
    await query(first.postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const before = await readStatus(folder);
    process.kill(before?.servers.postgres.pid ?? 0, 'SIGKILL');
    expect(await bringUp({ folder, only })).toEqual(first);
    const after = await readStatus(folder);
    expect(after?.servers.minio.pid).toBe(before?.servers.minio.pid);
    expect(after?.servers.postgres.pid).not.toBe(before?.servers.postgres.pid);
    expect((await query(first.postgres.url, 'SELECT answer FROM kept')).rows).toEqual([{ answer: 42 }]);
    expect(after?.servers.neo4j.running).toBe(false);
    await expectGone(folder);
  }, 120_000);

  it('whose bringing up is killed at any moment can be brought up again', async () => {
    const folder = newFolder();
    const env = { ...ownServers, TAS_SANDBOX_DIR: folder };
    let killed = 0;
    for (const delay of [300, 600, 900, 1300, 1800, 2400]) {
      const child: ChildProcess = spawn(process.execPath, [program, 'up', '--only', 'postgres,minio'], {
        env,
        stdio: 'ignore',
      });
      const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      const timer = setTimeout(() => child.kill('SIGKILL'), delay);
      if ((await ended) === 'SIGKILL') killed += 1;
      clearTimeout(timer);
    }
    expect(killed).toBeGreaterThan(1);
    const { stdout } = await execute(process.execPath, [program, 'up', '--only', 'postgres,minio', '--json'], { env });
    const { servers, endpoints } = JSON.parse(stdout);
    expect([servers.postgres.running, servers.botPostgres.running, servers.minio.running]).toEqual([true, true, true]);
    expect((await query(endpoints.postgres.url, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await expectGone(folder);
  }, 120_000);

  it('does not print its passwords into its logs, and its state is read by its owner only', async () => {
    const folder = newFolder();
    const endpoints = await bringUp({ folder, only: ['postgres', 'minio'] });
    await expect(
      query(endpoints.postgres.url.replace(endpoints.postgres.password, 'wrong-password'), 'SELECT 1'),
    ).rejects.toMatchObject({ code: '28P01' });
    const logs = await Promise.all(
      (await readdir(join(folder, 'logs'))).map((name) => readFile(join(folder, 'logs', name), 'utf8')),
    );
    for (const secret of [endpoints.postgres.password, endpoints.minio.secretKey]) {
      expect(logs.join('\n')).not.toContain(secret);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await expectGone(folder);
  }, 60_000);
});
