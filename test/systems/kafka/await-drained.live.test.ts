import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { type ScratchCluster, scratchCluster } from './scratch-cluster.ts';

describe('kafka.await-drained', () => {
  let cluster: ScratchCluster;
  let system: System;
  const kind = () => kindOf(system, 'kafka.await-drained');
  const wait = (input: unknown) => performAll(kind(), input, stepContext(), 1);
  const preview = (input: unknown) => kind().preview(kind().input.parse(input), stepContext());

  beforeEach(async () => {
    cluster = await scratchCluster();
    system = cluster.system();
    await cluster.makeTopic('documents', 2);
  });
  afterEach(() => cluster.close());

  it('comes back when consumers have read everything and the producer has stopped, with notes on the way', async () => {
    await cluster.send('documents', 0, 40);
    await cluster.startConsumer('audimodal', 'documents', 12);
    let sent = 0;
    const producer = setInterval(() => {
      sent += 1;
      if (sent <= 12) void cluster.send('documents', 1, 2);
    }, 250);
    try {
      const results = await wait({ groups: ['audimodal'], topics: ['documents'], stillFor: '1s', within: '40s' });
      expect(sent).toBeGreaterThanOrEqual(12);
      expect(await cluster.positionsOf('audimodal')).toEqual({ 'documents/0': 40, 'documents/1': 24 });
      expect(results.length).toBeGreaterThan(1);
      expect(results[0]?.note).toMatch(/^\d+ messages are left to read.*: audimodal documents\/\d: \d+/);
      expect(results.every(({ done }) => done === 0)).toBe(true);
    } finally {
      clearInterval(producer);
    }
  }, 60_000);

  it('does not come back while a producer writes, though everything is read at once', async () => {
    await cluster.send('documents', 0, 1);
    await cluster.startConsumer('audimodal', 'documents');
    const producer = setInterval(() => void cluster.send('documents', 0, 1), 300);
    try {
      const failure = await failureOf(() => wait({ groups: ['audimodal'], stillFor: '2s', within: '6s' }));
      expect(failure).toMatchObject({ code: 'timed-out', retryable: true });
      expect(failure.message).toMatch(/(messages? .*written|producers still write|are written)/);
    } finally {
      clearInterval(producer);
    }
  }, 30_000);

  it('gives up on a lag that does not fall: group, topic, partition, rate, and that nobody reads', async () => {
    await cluster.send('documents', 0, 10);
    await cluster.send('documents', 1, 3);
    await cluster.commit('audimodal', 'documents', { 0: 4, 1: 3 });
    const { samples, findings } = await preview({ groups: ['audimodal'] });
    expect(samples).toMatchObject([{ key: 'audimodal documents/0', before: { 'left to read': 6 } }]);
    expect(findings).toMatchObject([
      { check: 'lag-now', status: 'warning', samples: ['no consumer runs in audimodal'] },
    ]);
    const failure = await failureOf(() => wait({ groups: ['audimodal'], stuckFor: '1s', within: '5m' }));
    expect(failure).toMatchObject({ code: 'timed-out', retryable: true });
    expect(failure.message).toContain('audimodal documents/0: 6');
    expect(failure.message).toContain('0 messages a second are read');
    expect(failure.message).toContain('no consumer runs in audimodal');
    expect(failure.message).not.toContain('documents/1');
  });

  it('goes on after a crash where it was: the cursor alone holds how long it has waited', async () => {
    await cluster.send('documents', 0, 5);
    await cluster.commit('audimodal', 'documents', { 0: 0, 1: 0 });
    const input = kind().input.parse({ groups: ['audimodal'], within: '5s', stuckFor: '10m' });
    const first = await kind().performBatch(input, { index: 0, cursor: null, done: 0, size: 1 }, stepContext());
    const batch = { index: 1, cursor: first.cursor, done: 0, size: 1 };
    const other = kindOf(cluster.system(), 'kafka.await-drained');
    const failure = await failureOf(() => other.performBatch(input, batch, stepContext()));
    expect(failure.message).toContain('after 5 s');
    expect(first.cursor).toMatchObject({ waitedMs: expect.any(Number), lag: 5 });
  }, 20_000);

  it('counts everything that is there as left for a group without a position in a named topic', async () => {
    await cluster.send('documents', 1, 9);
    await cluster.makeTopic('other', 1);
    await cluster.commit('audimodal', 'other', { 0: 0 });
    const { samples } = await preview({ groups: ['audimodal'], topics: ['documents'] });
    expect(samples).toMatchObject([{ key: 'audimodal documents/1', before: { 'left to read': 9 } }]);
  });

  it('refuses groups and topics that are not there before anything begins', async () => {
    await cluster.commit('audimodal', 'documents', { 0: 0 });
    const missing = await preview({ groups: ['audimodal', 'nobody'], topics: ['documents', 'nothing'] });
    expect(missing.findings).toMatchObject([
      { status: 'failed', count: 2, samples: ['group nobody', 'topic nothing'] },
    ]);
    expect(await cluster.admin.listTopics()).not.toContain('nothing');
  });

  it('ends at once when the run is stopped', async () => {
    await cluster.send('documents', 0, 5);
    await cluster.commit('audimodal', 'documents', { 0: 0 });
    const stop = new AbortController();
    const running = performAll(kind(), { groups: ['audimodal'] }, stepContext({ signal: stop.signal }), 1);
    setTimeout(() => stop.abort(), 700);
    const begun = Date.now();
    await expect(running).rejects.toThrow();
    expect(Date.now() - begun).toBeLessThan(3_000);
  });
});
