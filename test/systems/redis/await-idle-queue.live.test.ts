import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { type ScratchRedis, scratchRedis } from './scratch-redis.ts';

describe('redis.await-idle-queue', () => {
  let redis: ScratchRedis;
  let system: System;
  const kind = () => kindOf(system, 'redis.await-idle-queue');
  const wait = (input: unknown) => performAll(kind(), input, stepContext(), 1);
  const preview = (input: unknown) => kind().preview(kind().input.parse(input), stepContext());

  beforeEach(async () => {
    redis = await scratchRedis();
    system = redis.system();
  });
  afterEach(() => redis.close());

  it('comes back when nothing has been there for a while, and writes nothing', async () => {
    expect(await wait({ keys: ['jobs', 'none'], stillFor: '300ms' })).toEqual([{ cursor: null, done: 0 }]);
    expect(await redis.client.dbSize()).toBe(0);
  });

  it('waits while workers take work out, through several batches with notes', async () => {
    await redis.client.rPush(
      'jobs',
      Array.from({ length: 60 }, (_, i) => `${i}`),
    );
    const worker = setInterval(() => void redis.client.lPop('jobs'), 90);
    try {
      const results = await wait({ keys: ['jobs'], within: '30s', stillFor: '500ms' });
      expect(results.length).toBeGreaterThan(1);
      expect(results[0]?.note).toMatch(/^\d+ pieces of work are left: jobs: \d+$/);
      expect(await redis.client.lLen('jobs')).toBe(0);
    } finally {
      clearInterval(worker);
    }
  }, 40_000);

  it('gives up when work is left, and says how much, where and that it does not fall', async () => {
    await redis.client.rPush('jobs', ['a', 'b', 'c']);
    await redis.client.zAdd('delayed', { score: 1, value: 'later' });
    const failure = await failureOf(() => wait({ keys: ['jobs', 'delayed'], within: '1s' }));
    expect(failure).toMatchObject({ code: 'timed-out', retryable: true });
    expect(failure.message).toContain('jobs: 3, delayed: 1');
    expect(failure.message).toContain('it does not fall');
  });

  it('takes a stream for idle when its groups have read and acknowledged everything', async () => {
    const { client } = redis;
    for (let i = 0; i < 3; i += 1) await client.xAdd('events', '*', { i: `${i}` });
    const waiting = async () => (await preview({ keys: ['events'] })).samples[0]?.before.waiting ?? 0;
    expect(await waiting()).toBe(3);
    await client.xGroupCreate('events', 'workers', '0');
    expect(await waiting()).toBe(3);
    await client.xReadGroup('workers', 'one', { key: 'events', id: '>' }, { COUNT: 2 });
    expect(await waiting()).toBe(3);
    await client.xReadGroup('workers', 'one', { key: 'events', id: '>' }, { COUNT: 2 });
    const pending = await client.xPendingRange('events', 'workers', '-', '+', 10);
    await client.xAck(
      'events',
      'workers',
      pending.map(({ id }) => String(id)),
    );
    expect(await waiting()).toBe(0);
    expect(await wait({ keys: ['events'], stillFor: '300ms' })).toEqual([{ cursor: null, done: 0 }]);
  });

  it('refuses a key that is no queue before anything begins', async () => {
    await redis.client.set('text', 'x');
    expect((await preview({ keys: ['text'] })).findings).toMatchObject([{ status: 'failed', samples: ['text'] }]);
  });
});
