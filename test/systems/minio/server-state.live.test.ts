import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLoad } from '../../../src/systems/minio/load.ts';
import type { S3 } from '../../../src/systems/minio/s3.ts';
import type { DataModelVersion, System } from '../../../src/systems/system.ts';
import { failureOf, need } from '../contract-subject.ts';
import { type ScratchBucket, scratchBucket } from './scratch-bucket.ts';

const fence = (token: number) => ({ environment: 'test', token });
const one: DataModelVersion = { version: '2.0', runId: 'run-1', at: '2026-11-22T23:00:00.000Z' };
const kinds = ['minio.copy-keys', 'minio.remove-keys', 'minio.set-tags'];
let bucket: ScratchBucket;
let system: System;

beforeEach(async () => {
  bucket = await scratchBucket();
  system = bucket.system();
});

afterEach(async () => {
  await system.close();
  await bucket.remove();
});

const statusesOf = async (which: System, uses = kinds, bytes = 1_000) =>
  (await which.preflight?.({ uses, bytes }))?.map(({ check, status }) => `${check} ${status}`);

describe('preflight', () => {
  it('finds all there is to find on a server in order, and writes nothing', async () => {
    const all = ['bucket-there passed', 'bucket-versions passed', 'key-rights passed', 'free-disk passed'];
    expect(await statusesOf(system)).toEqual(all);
    expect(await bucket.client.bucketExists(`${bucket.name}-tas-journal`)).toBe(false);
  });

  it('refuses what does not fit on the drives', async () => {
    expect(await statusesOf(system, kinds, 1e18)).toContain('free-disk failed');
  });

  it('says that a bucket is missing, unless it will be made, and that one keeps no versions', async () => {
    const absent = bucket.system({ bucket: `${bucket.name}-none` });
    expect(await statusesOf(absent)).toEqual(['bucket-there failed']);
    expect(await statusesOf(absent, ['minio.create-bucket'])).toEqual([
      'bucket-there passed',
      'key-rights passed',
      'free-disk passed',
    ]);
    await absent.close();
    const plain = await scratchBucket({ versioned: false });
    const unversioned = plain.system();
    expect(await statusesOf(unversioned)).toContain('bucket-versions warning');
    expect(await statusesOf(unversioned, [...kinds, 'minio.set-versioning'])).toContain('bucket-versions passed');
    await unversioned.close();
    await plain.remove();
  });

  it('names the rights that a key lacks, and is skipped where it may not ask', async () => {
    const Policy = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['s3:Get*', 's3:List*'], Resource: ['arn:aws:s3:::*'] },
        {
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:CreateBucket'],
          Resource: [`arn:aws:s3:::${bucket.name}-tas-journal*`],
        },
      ],
    };
    // What a server answers to a key with this policy.
    const url = await bucket.proxy(async ({ path }, answer) => {
      if (path.endsWith('/accountinfo')) answer.end(JSON.stringify({ AccountName: 'bot', Policy }));
      if (path.endsWith('/storageinfo')) answer.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    });
    const limited = bucket.system({ url });
    const found = await limited.preflight?.({ uses: ['minio.copy-keys'], bytes: 1 });
    expect(found?.find(({ check }) => check === 'key-rights')).toMatchObject({
      status: 'failed',
      count: 3,
      samples: [
        `s3:PutObject on ${bucket.name}`,
        `s3:PutObjectTagging on ${bucket.name}`,
        `s3:DeleteObjectVersion on ${bucket.name}`,
      ],
    });
    expect(found?.find(({ check }) => check === 'free-disk')).toMatchObject({ status: 'skipped' });
    await limited.close();
  });

  it('is a finding where the server cannot be reached', async () => {
    const nowhere = bucket.system({ url: 'http://127.0.0.1:1' });
    expect(await statusesOf(nowhere)).toEqual(['server-reachable failed']);
    await nowhere.close();
  });
});

describe('load', () => {
  it('is low on a server at rest', async () => {
    const load = await system.load?.();
    expect(load?.strain).toBeGreaterThanOrEqual(0);
    expect(load?.strain).toBeLessThan(1);
  });

  it('is at the limit when the server asks to slow down, and says so', async () => {
    let asked = 0;
    const s3 = {
      request: async () => ({ headers: {}, body: '' }),
      askedToSlowDown: () => asked,
    } as unknown as S3;
    let clock = 0;
    let takes = 5;
    const load = createLoad(s3, () => (clock += takes));
    expect(await load()).toEqual({ strain: 0.02, why: null });
    takes = 500;
    expect(await load()).toEqual({ strain: 2, why: 'a question takes 500 ms' });
    asked = 2;
    takes = 5;
    expect(await load()).toMatchObject({ strain: 1.2, why: expect.stringContaining('asked 2 times') });
  });

  it('counts what the server answers when it is too busy', async () => {
    const url = await bucket.proxy(async ({ method }, answer) => {
      if (method === 'HEAD') answer.writeHead(503, { 'retry-after': '1' }).end();
    });
    const busy = bucket.system({ url });
    const load = await busy.load?.();
    expect(load?.strain).toBeGreaterThan(1);
    expect(load?.why).toContain('slow down');
    await busy.close();
  });
});

describe('data model', () => {
  const dataModel = () => {
    if (!system.dataModel) throw new Error('no data model');
    return system.dataModel;
  };

  it('remembers the version, refuses smaller tokens, and forgets it on request', async () => {
    const before = await need(system, 'fingerprint')();
    expect(await dataModel().read()).toBeNull();
    await dataModel().write(one, fence(5));
    expect(await dataModel().read()).toEqual(one);
    expect((await failureOf(() => dataModel().write({ ...one, version: '9' }, fence(4)))).code).toBe('fenced');
    expect(await dataModel().read()).toEqual(one);
    expect(await need(system, 'fingerprint')()).toEqual(before);
    await dataModel().write(null, fence(6));
    await dataModel().write(null, fence(6));
    expect(await dataModel().read()).toBeNull();
  });

  it('is rewound by a restore', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tas-minio-'));
    const context = { objectsFolder: join(folder, 'objects'), signal: AbortSignal.timeout(60_000), progress: () => {} };
    await mkdir(join(folder, 'objects'));
    const take = async (name: string) => {
      await mkdir(join(folder, name));
      return need(system, 'backup')(join(folder, name), context);
    };
    const empty = await take('empty');
    await dataModel().write(one, fence(1));
    const full = await take('full');
    await dataModel().write({ ...one, version: '3.0' }, fence(2));
    await need(system, 'restore')(full, join(folder, 'full'), context);
    expect(await dataModel().read()).toEqual(one);
    await need(system, 'restore')(empty, join(folder, 'empty'), context);
    expect(await dataModel().read()).toBeNull();
    await rm(folder, { recursive: true });
  });
});
