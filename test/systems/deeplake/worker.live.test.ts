import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { z } from 'zod';
import { Secret } from '../../../src/shared/secret.ts';
import { createWorker, type Worker } from '../../../src/systems/deeplake/worker.ts';
import { failureOf } from '../contract-subject.ts';
import { deeplakePython } from './deeplake-python.ts';
import { idsOf, type ScratchVectors, scratchVectors } from './scratch-vectors.ts';

const name = 'tenants/tenant_1/default';
const any = z.json();

describe("DeepLake's worker", () => {
  let vectors: ScratchVectors;
  let worker: Worker;

  const start = async (over: object = {}): Promise<Worker> =>
    createWorker({
      system: 'vectors',
      python: (await deeplakePython()) ?? 'python3',
      root: vectors.root,
      logger: pino({ level: 'silent' }),
      ...over,
    });

  beforeEach(async () => {
    vectors = await scratchVectors();
    worker = await start();
    await vectors.users({ do: 'create', path: name, ids: idsOf(4), dimension: 8, tenant: 'tenant_1' });
  });

  afterEach(async () => {
    await worker.close();
    await vectors.remove();
  });

  it('ends an operation with its time limit and with its signal, and goes on with the next one', async () => {
    const describe = (): Promise<unknown> => worker.call('describe', { dataset: name }, any);
    await describe();
    expect((await failureOf(() => worker.call('fingerprint', { dataset: name }, any, { timeLimitMs: 0 }))).code).toBe(
      'timed-out',
    );
    expect(await describe()).toMatchObject({ count: 4 });
    const stop = new AbortController();
    const stopped = failureOf(() => worker.call('fingerprint', { dataset: name }, any, { signal: stop.signal }));
    stop.abort();
    expect((await stopped).code).toBe('cancelled');
    expect(await describe()).toMatchObject({ count: 4 });
  });

  it('says that it was killed, and is there again', async () => {
    const { deeplake } = await worker.versions();
    expect(deeplake).toMatch(/^4\./);
    const killed = await start({ memoryBytes: 1_000 });
    expect((await failureOf(() => killed.call('list', { glob: '*' }, any))).code).toMatch(
      /^(unreachable|precondition-failed|step-failed)$/,
    );
    await killed.close();
    expect(await worker.call('list', { glob: 'tenants/*/*' }, any)).toEqual({ datasets: [name] });
  });

  it('leads nowhere out of its root, and never into the hub', async () => {
    for (const dataset of ['../other', '/etc', 'tenants/../../other', 'a//b', '']) {
      expect((await failureOf(() => worker.call('describe', { dataset }, any))).code).toBe('wrong-use');
    }
    const hub = await start({ root: 'hub://someone/vectors' });
    const failure = await failureOf(() => hub.call('list', { glob: '*' }, any));
    expect(failure).toMatchObject({ code: 'wrong-use', message: expect.stringContaining('hub') });
    await hub.close();
  });

  it('gets secrets on its first line: neither arguments nor environment hold them', async () => {
    const s3 = {
      endpointUrl: 'http://127.0.0.1:1',
      accessKey: 'k',
      secretKey: new Secret('not-to-be-seen-77'),
      region: 'r',
    };
    const secretive = await start({ root: 's3://bucket/x', s3 });
    await secretive.versions();
    const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').catch(() => '');
    const pids = children.trim().split(' ').filter(Boolean);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) {
      for (const file of ['cmdline', 'environ']) {
        expect(await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')).not.toContain('not-to-be-seen-77');
      }
    }
    expect((await failureOf(() => secretive.call('list', { glob: '*' }, any))).code).toBe('unreachable');
    await secretive.close();
  });

  it('says how to get a Python that has what it needs', async () => {
    const bare = await start({ python: '/usr/bin/env' });
    const failure = await failureOf(() => bare.versions());
    expect([failure.code, failure.advice]).toEqual([
      'precondition-failed',
      expect.stringContaining('requirements.txt'),
    ]);
    await bare.close();
    const absent = await start({ python: '/nowhere/python' });
    expect((await failureOf(() => absent.versions())).code).toBe('precondition-failed');
    await absent.close();
  });
});
