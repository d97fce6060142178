import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../src/shared/secret.ts';
import type { BackupContext, System } from '../../../src/systems/system.ts';
import { testBackup } from '../backup-contract.ts';
import { failureOf, need } from '../contract-subject.ts';
import { type ScratchRedis, scratchRedis, startServer } from './scratch-redis.ts';

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function fillAllTypes({ client }: ScratchRedis): Promise<void> {
  await client.set('text', 'ü & \u{1F600}');
  await client.set(
    Buffer.from([0, 255, 10, 13, 42]) as unknown as string,
    Buffer.from([1, 0, 255]) as unknown as string,
  );
  await client.setEx('tenant:1:notebooks', 5_000, 'cached');
  await client.rPush('list', ['a', 'b', 'a']);
  await client.sAdd(
    'set',
    Array.from({ length: 700 }, (_, i) => `member ${i}`),
  );
  await client.zAdd('ranking', [
    { score: 1.5, value: 'one' },
    { score: -2, value: 'two' },
  ]);
  await client.hSet('hash', Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`field ${i}`, `value ${i}`])));
  for (let i = 0; i < 5; i += 1) await client.xAdd('stream', '*', { job: `${i}` });
  await client.xGroupCreate('stream', 'workers', '0');
  await client.xReadGroup('workers', 'one', { key: 'stream', id: '>' }, { COUNT: 2 });
}

describe('redis as a system', () => {
  let redis: ScratchRedis;
  let system: System;
  let folder = '';

  beforeEach(async () => {
    redis = await scratchRedis();
    system = redis.system();
    folder = await mkdtemp(join(tmpdir(), 'tas-redis-'));
  });
  afterEach(async () => {
    await redis.close();
    await rm(folder, { recursive: true });
  });

  it('says the same identity over and over, over another connection too, and it is no key that counts', async () => {
    await redis.fill('k', 3, null);
    const before = await need(system, 'fingerprint')();
    const identity = await system.identity();
    expect(identity).toMatch(/^[0-9a-f-]{36}$/);
    expect(await redis.system().identity()).toBe(identity);
    expect(await need(system, 'fingerprint')()).toEqual(before);
    expect(before.counts).toEqual({ keys: 3, expiring: 0 });
  });

  it('makes one identity when two processes ask for the first time at the same moment', async () => {
    const all = await Promise.all([system, redis.system(), redis.system()].map((one) => one.identity()));
    expect(new Set(all).size).toBe(1);
  });

  it('is healthy, tells its version and is not loaded', async () => {
    expect(await system.checkHealth()).toMatchObject({ up: true, version: expect.stringMatching(/^\d+\.\d+/) });
    const load = await system.load?.();
    expect(load?.strain).toBeLessThan(1);
  });

  it('is strained when memory that may not be emptied is nearly full, and not when a cache is', async () => {
    for (const [policy, strained] of [
      ['noeviction', true],
      ['allkeys-lru', false],
    ] as const) {
      const own = await startServer(['requirepass own', 'maxmemory 1mb', `maxmemory-policy ${policy}`]);
      try {
        const load = await redis.system({ port: own.port, password: new Secret('own') }).load?.();
        expect({ policy, strained: (load?.strain ?? 0) > 0.5 }).toEqual({ policy, strained });
        expect(load?.why?.includes('memory') ?? false).toBe(strained);
      } finally {
        await own.stop();
      }
    }
  });

  it('counts as its fingerprint does, and sees every change of every type', async () => {
    await fillAllTypes(redis);
    const { client } = redis;
    expect(await system.counts?.()).toEqual((await need(system, 'fingerprint')()).counts);
    const seen = new Set([(await need(system, 'fingerprint')()).hash]);
    const changes: (() => Promise<unknown>)[] = [
      () => client.append('text', '.'),
      () => client.lSet('list', 0, 'z'),
      () => client.sRem('set', 'member 5'),
      () => client.zIncrBy('ranking', 0.25, 'one'),
      () => client.hSet('hash', 'field 3', 'other'),
      () => client.xAdd('stream', '*', { job: 'new' }),
      () => client.xReadGroup('workers', 'one', { key: 'stream', id: '>' }, { COUNT: 1 }),
      () => client.rename('list', 'other list'),
      () => client.expire('hash', 5_000),
    ];
    for (const change of changes) {
      await change();
      seen.add((await need(system, 'fingerprint')()).hash);
    }
    expect(seen.size).toBe(changes.length + 1);
  });

  it('does not see the order in which a set or hash was filled', async () => {
    const members = Array.from({ length: 900 }, (_, i) => `m${i}`);
    await redis.client.sAdd('set', members);
    const before = await need(system, 'fingerprint')();
    await redis.client.del('set');
    for (const member of [...members].reverse()) await redis.client.sAdd('set', member);
    expect(await need(system, 'fingerprint')()).toEqual(before);
  });

  it('brings back what has not expired, whose time is the one of old, and says what stays away', async () => {
    await redis.client.set('soon', 'gone', { PX: 300 });
    await redis.client.setEx('later', 1_000, 'there');
    await mkdir(join(folder, 'set'));
    const context: BackupContext = { objectsFolder: folder, signal: AbortSignal.timeout(60_000), progress: () => {} };
    const part = await need(system, 'backup')(join(folder, 'set'), context);
    expect(part.fingerprint.counts).toEqual({ keys: 0, expiring: 2 });
    await redis.client.flushAll();
    await redis.client.set('newer', 'x');
    const told = async (): Promise<string> =>
      String((await system.previewRestore?.(part, join(folder, 'set')))?.map(({ title }) => title));
    await until(async () => (await told()).includes('1 of the set have expired'));
    expect(await told()).toContain('The 1 keys that are there now are replaced');
    await need(system, 'restore')(part, join(folder, 'set'), context);
    expect((await redis.client.keys('*')).sort()).toEqual(['later']);
    expect(await redis.client.ttl('later')).toBeLessThanOrEqual(1_000);
    expect(await redis.client.ttl('later')).toBeGreaterThan(900);
  });

  it('refuses a wrong password, none at all, and an absent server, without showing the password', async () => {
    const wrong = redis.system({ password: new Secret('not-the-password-77') });
    const failure = await failureOf(() => need(wrong, 'fingerprint')());
    expect(failure.code).toBe('wrong-password');
    expect(JSON.stringify([failure, failure.message, await wrong.checkHealth()])).not.toContain('not-the-password-77');
    const without = redis.system({ password: undefined as unknown as Secret });
    expect((await failureOf(() => need(without, 'fingerprint')())).message).toContain('asks for a password');
    const absent = redis.system({ port: 1 });
    expect((await failureOf(() => need(absent, 'fingerprint')())).code).toBe('unreachable');
    expect(await absent.checkHealth()).toMatchObject({ up: false, version: null });
    expect((await absent.preflight?.({ uses: [], bytes: 0 }))?.map(({ status }) => status)).toEqual(['failed']);
  });

  it('connects again after its connection was cut', async () => {
    await redis.fill('k', 2, null);
    const before = await need(system, 'fingerprint')();
    await redis.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    const after = await need(system, 'fingerprint')().catch(() => need(system, 'fingerprint')());
    expect(after).toEqual(before);
  });

  describe('backup', () => {
    const opened: System[] = [];
    beforeEach(() => fillAllTypes(redis));
    testBackup({
      subject: () => ({
        system,
        examples: [],
        async change() {
          await redis.client.set('text', 'changed');
          await redis.client.del('list');
          await redis.client.set('newer', 'x');
          await redis.client.hSet('hash', 'field 7', 'changed');
        },
        close: async () => undefined,
      }),
      folder: () => folder,
      again: async () => redis.system(),
      fingerprint: () => need(system, 'fingerprint')(),
      track(one) {
        opened.push(one);
        return one;
      },
    });
  });
});
