import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { preflight } from '../../../src/systems/neo4j/preflight.ts';
import type { DataModelVersion, System } from '../../../src/systems/system.ts';
import { type FreshGraph, freshGraph, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const needs = { uses: ['neo4j.set-properties'], bytes: 1024 };
const first: DataModelVersion = { version: '1.4', runId: 'r1', at: '2026-01-02T03:04:05Z' };

let graph: FreshGraph;
let system: Required<Pick<System, 'preflight' | 'load' | 'dataModel' | 'fingerprint' | 'backup' | 'restore'>>;

beforeAll(async () => {
  graph = await freshGraph();
  system = graph.system as typeof system;
});
afterAll(() => graph.close());
beforeEach(() => wipe(graph.connection, 'journal-schema'));

async function statusOf(check: string, found: ReturnType<typeof preflight>): Promise<unknown> {
  return (await found).find((finding) => finding.check === check);
}

describe('preflight of Neo4j', () => {
  it('finds this server fit, and leaves nothing behind', async () => {
    await graph.query("CREATE (:User {id: 'u1'})");
    const count = 'MATCH (n) RETURN count(n), COUNT { CALL db.labels() YIELD label RETURN label }';
    const before = [await system.fingerprint(), await graph.query(count)];
    const found = await system.preflight(needs);
    expect(found.map(({ check, status }) => [check, status])).toEqual([
      ['neo4j-version', 'passed'],
      ['apoc-there', 'passed'],
      ['database-writable', 'passed'],
      ['rights', 'passed'],
      ['transaction-timeout', 'passed'],
      ['free-disk', 'skipped'],
    ]);
    expect(found.at(-1)?.advice).toContain('dataFolder');
    expect([await system.fingerprint(), await graph.query(count)]).toEqual(before);
  });

  it('looks at the disk where it can see it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tas-disk-'));
    const check = (bytes: number, where: string) =>
      statusOf('free-disk', preflight(graph.connection, { uses: [], bytes }, where));
    expect(await check(1024, folder)).toMatchObject({
      status: 'passed',
      title: '2.0 kB are free where the graph lies',
    });
    expect(await check(2 ** 52, folder)).toMatchObject({
      status: 'failed',
      advice: expect.stringContaining('are free'),
    });
    await rm(folder, { recursive: true });
    expect(await check(1024, folder)).toMatchObject({
      status: 'failed',
      advice: expect.stringContaining('cannot be read'),
    });
  });
});

describe('load of Neo4j', () => {
  it('sees transactions of others that are open for long, and not those of the bot', async () => {
    expect(await system.load()).toMatchObject({ strain: expect.any(Number), why: null });
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    await graph.query("CREATE (:User {id: 'u1'})");
    const lock = "MATCH (n:User {id: 'u1'}) SET n.x = 1";
    const strains: number[] = [];
    const open = graph.connection.write(
      async (transaction) => {
        await transaction.run(lock);
        await until;
      },
      { label: 'a batch' },
    );
    strains.push((await system.load()).strain);
    const waiting = Array.from({ length: 6 }, () =>
      graph.connection.write((transaction) => transaction.run(lock), { once: true }).catch(() => undefined),
    );
    let why: string | null = null;
    const end = Date.now() + 30_000;
    try {
      // A heap that is just about to be collected may be the greater strain for a moment.
      while (!/wait for locks/.test(why ?? '') && Date.now() < end) why = (await system.load()).why;
    } finally {
      release();
      await Promise.all([open, ...waiting]);
    }
    expect(why).toMatch(/^[56] transactions of others wait for locks$/);
    expect(strains[0]).toBeLessThan(1);
    expect((await system.load()).why).toBeNull();
  });
});

describe('the data-model version in Neo4j', () => {
  const fence = { environment: 'models', token: 3 };

  it('is written, overwritten and taken away under the fence', async () => {
    expect(await system.dataModel.read()).toBeNull();
    const before = await system.fingerprint();
    await system.dataModel.write(first, fence);
    await system.dataModel.write({ ...first, version: '1.5' }, fence);
    expect(await system.dataModel.read()).toEqual({ ...first, version: '1.5' });
    expect(await graph.query('MATCH (m:_TasDataModel) RETURN count(m)')).toEqual([[1n]]);
    expect(await system.fingerprint()).toEqual(before);
    await expect(system.dataModel.write(first, { ...fence, token: 2 })).rejects.toMatchObject({ code: 'fenced' });
    expect(await system.dataModel.read()).toMatchObject({ version: '1.5' });
    await system.dataModel.write(null, fence);
    expect(await system.dataModel.read()).toBeNull();
  });

  it('is in a backup, so that a restore rewinds it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tas-model-'));
    const context = { objectsFolder: folder, signal: AbortSignal.timeout(60_000), progress: () => undefined };
    await system.dataModel.write(first, fence);
    const part = await system.backup(folder, context);
    await system.dataModel.write({ ...first, version: '2.0' }, fence);
    await system.restore(part, folder, context);
    expect(await system.dataModel.read()).toEqual(first);
    await rm(folder, { recursive: true });
  });
});
