import { Secret } from '../../../src/shared/secret.ts';
import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { type ScratchRedis, scratchRedis, startServer } from './scratch-redis.ts';

describe('redis.flush-keys', () => {
  let redis: ScratchRedis;
  let system: System;
  const name = 'redis.flush-keys';
  const preview = (input: unknown, one = system) => {
    const kind = kindOf(one, name);
    return kind.preview(kind.input.parse(input), stepContext({ runId: 'preview' }));
  };
  const flush = (input: unknown, over = {}, one = system, size = 700) =>
    performAll(kindOf(one, name), input, stepContext(over), size);

  beforeEach(async () => {
    redis = await scratchRedis();
    system = redis.system();
  });
  afterEach(() => redis.close());

  const cached = { patterns: ['tenant:*:notebooks'], rebuilds: true };

  it('previews exactly, by pattern and type, shows no value and changes nothing', async () => {
    await redis.fill('tenant:', 3_000, 500, ':notebooks');
    await redis.fill('tenant:', 40, 500, ':spaces');
    await redis.fill('session:', 10, 500);
    await redis.client.hSet('tenant:h:notebooks', 'a', 'b');
    await redis.client.expire('tenant:h:notebooks', 500);
    const found = await preview(cached);
    expect(found).toMatchObject({
      count: 3_001,
      exact: true,
      effect: 'changes',
      undoClass: 'reversible',
      findings: [],
    });
    expect(found.samples.length).toBe(5);
    expect(found.samples[0]).toMatchObject({ collection: 'keys', before: { type: 'string' }, after: { type: null } });
    expect(JSON.stringify(found)).not.toContain('value ');
    expect((await preview(cached)).keysHash).toBe(found.keysHash);
    expect((await preview({ ...cached, type: 'hash' })).count).toBe(1);
    expect((await preview({ ...cached, sample: 0 })).samples).toEqual([]);
    // A key that two patterns match counts once.
    const both = await preview({ patterns: ['tenant:*:notebooks', 'tenant:1*', 'tenant:*:spaces'] });
    expect(both).toMatchObject({ count: 3_041, effect: 'destroys', undoClass: 'one-way' });
    await redis.client.rename('tenant:1:notebooks', 'tenant:x:notebooks');
    expect(await preview(cached)).toMatchObject({ count: 3_001 });
    expect((await preview(cached)).keysHash).not.toBe(found.keysHash);
    // Without the one of another kind the pattern would match whatever is there.
    await redis.client.del((await redis.client.keys('session:*')).concat(await redis.client.keys('tenant:*:spaces')));
    expect((await preview(cached)).findings).toMatchObject([{ check: 'every-key', status: 'warning' }]);
    expect(await redis.count('*')).toBe(3_001);
  });

  it('removes what the preview counted, in batches, and nothing else; again there is nothing to do', async () => {
    await redis.fill('tenant:', 3_000, 500, ':notebooks');
    await redis.fill('session:', 100, 500);
    const results = await flush(cached);
    expect(sumDone(results)).toBe(3_000);
    expect(results.length).toBeGreaterThan(2);
    expect(await redis.count('tenant:*')).toBe(0);
    expect(await redis.count('session:*')).toBe(100);
    const kind = kindOf(system, name);
    expect(await kind.verify?.(kind.input.parse(cached), stepContext())).toMatchObject([{ status: 'passed' }]);
    expect(sumDone(await flush(cached, { runId: 'again' }))).toBe(0);
  });

  it('keeps keys that never expire and says so, unless they are asked for', async () => {
    await redis.fill('tenant:', 20, 500, ':notebooks');
    await redis.fill('tenant:p', 7, null, ':notebooks');
    await redis.fill('session:', 1, 500);
    const found = await preview(cached);
    expect(found.count).toBe(20);
    expect(found.findings).toMatchObject([{ check: 'persistent-keys', status: 'warning', count: 7 }]);
    expect(sumDone(await flush(cached))).toBe(20);
    expect(await redis.count('tenant:p*')).toBe(7);
    expect(sumDone(await flush({ ...cached, persistent: true }, { runId: 'all' }))).toBe(7);
  });

  it.each([['*'], ['**'], ['?*'], ['[a-z]*'], ['*[^x]']])(
    'refuses the pattern %s unless all is said',
    async (pattern) => {
      const { input } = kindOf(system, name);
      expect(input.safeParse({ patterns: [pattern] }).success).toBe(false);
      expect(input.safeParse({ patterns: [pattern], all: true }).success).toBe(true);
    },
  );

  it("never touches the bot's own keys, not even with *", async () => {
    expect(kindOf(system, name).input.safeParse({ patterns: ['tas:*'] }).success).toBe(false);
    await system.identity();
    await system.advanceFence?.({ environment: 'test', token: 1 });
    await redis.fill('k', 50, null);
    const before = (await redis.client.keys('tas:*')).sort();
    const everything = { patterns: ['*', 't*'], all: true, persistent: true };
    expect((await preview(everything)).count).toBe(50);
    expect(sumDone(await flush(everything))).toBe(50);
    expect((await redis.client.keys('tas:*')).sort()).toEqual(expect.arrayContaining(before));
    expect(await redis.count('k*')).toBe(0);
  });

  it('answers a batch that is called again by another process as it did, and removes nothing more', async () => {
    await redis.fill('tenant:', 2_000, 500, ':notebooks');
    const kind = kindOf(system, name);
    const input = kind.input.parse(cached);
    const batch = { index: 0, cursor: null, done: 0, size: 500 };
    const first = await kind.performBatch(input, batch, stepContext());
    expect(first.done).toBeGreaterThanOrEqual(500);
    const left = await redis.count('tenant:*');
    // The process was killed here; services fill the cache meanwhile.
    await redis.fill('tenant:new', 300, 500, ':notebooks');
    const later = stepContext({ fence: { environment: 'test', token: 2 } });
    expect(await kindOf(redis.system(), name).performBatch(input, batch, later)).toEqual(first);
    expect(await redis.count('tenant:*')).toBe(left + 300);
  });

  it('lets one of two processes carry a batch out that both begin', async () => {
    await redis.fill('tenant:', 900, 500, ':notebooks');
    const input = kindOf(system, name).input.parse(cached);
    const batch = { index: 0, cursor: null, done: 0, size: 5_000 };
    const context = stepContext({ cap: 900 });
    const [one, two] = await Promise.all(
      [system, redis.system()].map((each) => kindOf(each, name).performBatch(input, batch, context)),
    );
    expect(one).toEqual(two);
    expect(one?.done).toBe(900);
  });

  it('misses no key when the server is started anew between two batches', async () => {
    const own = await startServer(['requirepass own', 'appendonly yes', 'appendfsync always']);
    try {
      const other = redis.system({ port: own.port, password: new Secret('own') });
      const persistent = { patterns: ['tenant:*'], persistent: true };
      const filling = redis.system({ port: own.port, password: new Secret('own') });
      await filling.identity();
      const { createClient } = await import('@redis/client');
      const client = createClient({ socket: { port: own.port }, password: 'own' });
      client.on('error', () => undefined);
      await client.connect();
      for (let i = 0; i < 3_000; i += 1) await client.set(`tenant:${i}`, 'x');
      client.destroy();
      const kind = kindOf(other, name);
      const input = kind.input.parse(persistent);
      let result = await kind.performBatch(input, { index: 0, cursor: null, done: 0, size: 400 }, stepContext());
      let total = result.done;
      await own.restart();
      for (let index = 1; result.cursor !== null; index += 1) {
        const batch = { index, cursor: result.cursor, done: total, size: 400 };
        result = await kind
          .performBatch(input, batch, stepContext())
          .catch(() => kind.performBatch(input, batch, stepContext()));
        total += result.done;
      }
      expect(total).toBe(3_000);
      expect((await kind.preview(input, stepContext())).count).toBe(0);
    } finally {
      await own.stop();
    }
  });

  it('is refused for a token that was overtaken, in the moment of the deletion itself', async () => {
    await redis.fill('tenant:', 50, 500, ':notebooks');
    await system.advanceFence?.({ environment: 'test', token: 5 });
    await system.advanceFence?.({ environment: 'test', token: 3 });
    const late = { fence: { environment: 'test', token: 4 } };
    expect((await failureOf(() => flush(cached, late))).code).toBe('fenced');
    expect(await redis.count('tenant:*')).toBe(50);
    expect(sumDone(await flush(cached, { fence: { environment: 'test', token: 6 } }))).toBe(50);
    expect((await failureOf(() => flush(cached, { runId: 'b', fence: { environment: 'test', token: 5 } }))).code).toBe(
      'fenced',
    );
  });

  it('stops at the approved count and removes nothing of that batch', async () => {
    await redis.fill('tenant:', 100, 500, ':notebooks');
    expect((await failureOf(() => flush(cached, { cap: 99 }))).code).toBe('over-cap');
    expect(await redis.count('tenant:*')).toBe(100);
    expect(sumDone(await flush(cached, { cap: 100 }))).toBe(100);
  });

  it('undone, it removes what was cached since, and again when the undo is undone', async () => {
    await redis.fill('tenant:', 30, 500, ':notebooks');
    const kind = kindOf(system, name);
    const input = kind.input.parse(cached);
    const undo = undoContext({ runId: 'run-1', stepId: 'data.step' });
    expect(await kind.previewUndo?.(input, undo)).toMatchObject({ count: 0 });
    expect(await undoAll(kind, cached, undoContext({ runId: 'never', stepId: 'data.step' }))).toMatchObject([
      { done: 0 },
    ]);
    await flush(cached);
    await redis.fill('tenant:since', 12, 500, ':notebooks');
    const found = await kind.previewUndo?.(input, undo);
    expect(found?.count).toBe(12);
    expect(found?.findings.map(({ check }) => check)).toContain('undo-flushes');
    expect(await undoAll(kind, cached, undo)).toMatchObject([{ done: 12, kept: 0, missing: 0 }]);
    await redis.fill('tenant:later', 4, 500, ':notebooks');
    expect(await undoAll(kind, cached, undo)).toMatchObject([{ done: 12 }]);
    expect(await redis.count('tenant:*')).toBe(4);
    const redo = undoContext({ runId: undo.runId, stepId: 'data.step' });
    expect(await undoAll(kind, cached, redo)).toMatchObject([{ done: 4 }]);
    expect(await redis.count('tenant:*')).toBe(0);
  });

  it('tells what a user may not do before anything is changed', async () => {
    await redis.fill('tenant:', 5, 500, ':notebooks');
    const reader = await redis.user('reader', '~*', '+@read', '+ping', '+info', '+role', '+select', '+client');
    const failed = async (one: System) =>
      (await one.preflight?.({ uses: [name], bytes: 0 }))?.filter(({ status }) => status === 'failed') ?? [];
    const told = (await failed(reader)).map(({ title }) => title).join('\n');
    expect(told).toMatch(/not remove keys.*UNLINK/);
    expect(told).toMatch(/not run scripts.*EVAL/);
    expect((await preview(cached, reader)).count).toBe(5);
    const failure = await failureOf(() => flush(cached, {}, reader));
    expect(failure.code).toBe('missing-rights');
    expect(failure.message).toContain('EVAL');
    // Everything but the keys themselves.
    const elsewhere = await redis.user('elsewhere', '~tas:*', '~other:*', '+@all', '-@admin');
    expect((await failureOf(() => flush(cached, {}, elsewhere))).code).toBe('missing-rights');
    expect(await redis.count('tenant:*')).toBe(5);
    const rights = ['+@read', '+@connection', '+info', '+unlink', '+eval', '+set', '+hset', '+pexpire', '+role'];
    const enough = await redis.user('enough', '~*', ...rights);
    expect(await failed(enough)).toEqual([]);
    expect(sumDone(await flush(cached, { runId: 'enough' }, enough))).toBe(5);
  });

  it('does not begin on a replica', async () => {
    const own = await startServer([
      `replicaof 127.0.0.1 ${((await redis.client.sendCommand(['CONFIG', 'GET', 'port'])) as unknown as string[])[1]}`,
      `masterauth ${((await redis.client.sendCommand(['CONFIG', 'GET', 'requirepass'])) as unknown as string[])[1]}`,
      'requirepass own',
    ]);
    try {
      await system.identity();
      await redis.fill('tenant:', 5, 500, ':notebooks');
      const replica = redis.system({ port: own.port, password: new Secret('own') });
      while ((await preview(cached, replica).catch(() => ({ count: 0 }))).count < 5)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await replica.identity()).toBe(await system.identity());
      expect(await replica.checkHealth()).toMatchObject({ up: true, note: 'it is a replica' });
      expect((await preview(cached, replica)).findings[0]).toMatchObject({ check: 'redis-primary', status: 'failed' });
      const findings = await replica.preflight?.({ uses: [name], bytes: 0 });
      expect(findings?.find(({ check }) => check === 'redis-primary')?.status).toBe('failed');
      expect((await failureOf(() => flush(cached, {}, replica))).code).toBe('precondition-failed');
    } finally {
      await own.stop();
    }
  });
});
