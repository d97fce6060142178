import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupContext, System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { failureOf, need } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
import { type ScratchCluster, scratchCluster } from './scratch-cluster.ts';

describe('kafka', () => {
  let cluster: ScratchCluster;
  let system: System;
  let folder = '';
  const context: BackupContext = { objectsFolder: '', signal: AbortSignal.timeout(300_000), progress: () => {} };
  const perform = (kind: string, input: unknown, over = {}, one = system) =>
    performAll(kindOf(one, kind), input, stepContext(over), 1000);
  const preview = (kind: string, input: unknown, one = system) => {
    const found = kindOf(one, kind);
    return found.preview(found.input.parse(input), stepContext());
  };

  beforeEach(async () => {
    cluster = await scratchCluster();
    system = cluster.system();
    folder = await mkdtemp(join(tmpdir(), 'tas-kafka-'));
  });
  afterEach(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });

  describe('a restore', () => {
    it('says per group what is read again and skipped, and then does exactly that', async () => {
      await cluster.makeTopic('documents', 2);
      await cluster.send('documents', 0, 50);
      await cluster.send('documents', 1, 50);
      await cluster.commit('audimodal', 'documents', { 0: 10, 1: 45 });
      await cluster.commit('indexer', 'documents', { 0: 5, 1: 5 });
      const part = await need(system, 'backup')(folder, context);
      expect(part.excludes.join()).toContain('messages themselves');
      expect(await system.previewRestore?.(part, folder)).toEqual([]);
      await cluster.send('documents', 0, 5);
      await cluster.commit('audimodal', 'documents', { 0: 55, 1: 40 });
      const titles = (await system.previewRestore?.(part, folder))?.map(({ title }) => title);
      expect(titles).toEqual([
        'audimodal on documents: 45 messages are read again; 5 messages are skipped and never read',
      ]);
      await need(system, 'restore')(part, folder, context);
      expect(await cluster.positionsOf('audimodal')).toEqual({ 'documents/0': 10, 'documents/1': 45 });
      expect(await cluster.positionsOf('indexer')).toEqual({ 'documents/0': 5, 'documents/1': 5 });
      expect((await system.counts?.())?.messages).toBe(105);
    });

    it('makes topics that are gone, empty, and puts their groups to the beginning: the set counts as restored', async () => {
      await cluster.makeTopic('documents', 3, { 'retention.ms': '123456789' });
      await cluster.send('documents', 1, 20);
      await cluster.commit('audimodal', 'documents', { 1: 15 });
      const part = await need(system, 'backup')(folder, context);
      await cluster.admin.deleteGroups(['audimodal']);
      await cluster.admin.deleteTopics({ topics: ['documents'] });
      await cluster.makeTopic('newer', 1);
      const findings = (await cluster.system().previewRestore?.(part, folder)) ?? [];
      expect(findings[0]).toMatchObject({ check: 'kafka-topics-gone', samples: ['documents'] });
      expect(findings[0]?.title).toContain('the 20 messages that they held are lost');
      const restored = await need(cluster.system(), 'restore')(part, folder, context);
      expect(restored.hash).toBe(part.fingerprint.hash);
      expect(await cluster.positionsOf('audimodal')).toEqual({ 'documents/1': 0 });
      expect(await cluster.configOf('documents')).toEqual({ 'retention.ms': '123456789' });
      expect((await cluster.admin.listTopics()).sort()).toEqual(expect.arrayContaining(['documents', 'newer']));
    });

    it('is refused before anything is written while a group has consumers, or a topic has more partitions', async () => {
      await cluster.makeTopic('documents', 1);
      await cluster.send('documents', 0, 5);
      await cluster.commit('audimodal', 'documents', { 0: 1 });
      const part = await need(system, 'backup')(folder, context);
      const consumer = await cluster.startConsumer('audimodal', 'documents');
      const failure = await failureOf(() => need(system, 'restore')(part, folder, context));
      expect(failure).toMatchObject({ code: 'conflict', retryable: true });
      expect(failure.message).toContain('audimodal');
      await consumer.disconnect();
      await cluster.admin.createPartitions({ topicPartitions: [{ topic: 'documents', count: 2 }] });
      const refused = await failureOf(() => need(system, 'restore')(part, folder, context));
      expect(refused).toMatchObject({ code: 'precondition-failed' });
      expect(refused.message).toContain('documents has 2 partitions');
    });
  });

  describe('kafka.set-offsets', () => {
    const input = { group: 'audimodal', topic: 'documents', to: 'earliest' };

    it('does not begin while consumers run, and goes on when they have left', async () => {
      await cluster.makeTopic('documents', 1);
      await cluster.send('documents', 0, 5);
      const consumer = await cluster.startConsumer('audimodal', 'documents');
      expect((await preview('kafka.set-offsets', { ...input, to: 'latest' })).findings).toEqual(
        expect.arrayContaining([expect.objectContaining({ check: 'groups-idle', status: 'warning' })]),
      );
      expect((await failureOf(() => perform('kafka.set-offsets', input))).code).toBe('conflict');
      while ((await cluster.positionsOf('audimodal'))['documents/0'] !== 5)
        await new Promise((resolve) => setTimeout(resolve, 50));
      await consumer.disconnect();
      expect(await perform('kafka.set-offsets', input)).toEqual([{ cursor: null, done: 1 }]);
      expect(await cluster.positionsOf('audimodal')).toEqual({ 'documents/0': 0 });
    });

    it('goes to the end, to a time and to given offsets, and says what is read twice and what never', async () => {
      await cluster.makeTopic('documents', 2);
      await cluster.send('documents', 0, 10);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const between = new Date().toISOString();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await cluster.send('documents', 0, 4);
      await cluster.commit('audimodal', 'documents', { 0: 12, 1: 0 });
      for (const [to, title, place] of [
        ['latest', '2 messages are skipped', 14],
        [{ timestamp: between }, '2 messages are read again', 10],
        [{ offsets: { 0: 3 } }, '9 messages are read again', 3],
      ] as const) {
        await cluster.commit('audimodal', 'documents', { 0: 12, 1: 0 });
        const found = await preview('kafka.set-offsets', { ...input, to });
        expect(found.findings.map((finding) => finding.title).join()).toContain(title);
        await perform('kafka.set-offsets', { ...input, to }, { runId: JSON.stringify(to) });
        expect(await cluster.positionsOf('audimodal')).toEqual({ 'documents/0': place, 'documents/1': 0 });
      }
      const beyond = await preview('kafka.set-offsets', { ...input, to: { offsets: { 0: 15 } } });
      expect(beyond.findings).toMatchObject([{ check: 'target-there', status: 'failed' }]);
      const failure = await failureOf(() =>
        perform('kafka.set-offsets', { ...input, to: { offsets: { 5: 0 } } }, { runId: 'x' }),
      );
      expect(failure.code).toBe('precondition-failed');
    });

    it('of a group that never read goes with the whole group, unless it has read elsewhere since', async () => {
      await cluster.makeTopic('documents', 2);
      await cluster.makeTopic('other', 1);
      const kind = kindOf(system, 'kafka.set-offsets');
      await perform('kafka.set-offsets', input);
      await undoAll(kind, input, undoContext({ runId: 'run-1', stepId: 'data.step' }));
      expect((await cluster.admin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain('audimodal');
      await perform('kafka.set-offsets', input, { runId: 'second' });
      await cluster.commit('audimodal', 'other', { 0: 0 });
      const undo = undoContext({ runId: 'second', stepId: 'data.step' });
      expect(await undoAll(kind, input, undo)).toMatchObject([{ done: 0, kept: 2 }]);
      const conflicts = await system.journal?.conflicts(undo.runId, undo.stepId, 10);
      expect(conflicts?.map(({ reason }) => reason)).toEqual(['coupled', 'coupled']);
    });
  });

  it('previews bad topics, settings and replicas as the server would refuse them, and makes nothing', async () => {
    await cluster.makeTopic('documents', 1);
    const topic = { topic: 'new', partitions: 1 };
    for (const [kind, input, text] of [
      ['kafka.create-topic', { ...topic, replication: 3 }, 'too few brokers'],
      ['kafka.create-topic', { ...topic, config: { 'no.such': '1' } }, 'refuses a setting'],
      ['kafka.create-topic', { topic: 'documents', partitions: 4 }, 'there already'],
      ['kafka.set-topic-config', { topic: 'documents', config: { 'retention.ms': 'soon' } }, 'refuses a setting'],
      ['kafka.set-topic-config', { topic: 'nothing', config: { 'retention.ms': '1' } }, 'no topic nothing'],
    ] as const) {
      const { findings } = await preview(kind, input);
      expect(findings).toMatchObject([{ status: 'failed' }]);
      expect(findings[0]?.title).toContain(text);
    }
    expect((await cluster.admin.listTopics()).filter((name) => !name.startsWith('__'))).toEqual(['documents']);
    for (const name of ['__consumer_offsets', '__tas_journal', '..', 'a b', '']) {
      expect(kindOf(system, 'kafka.create-topic').input.safeParse({ topic: name, partitions: 1 }).success).toBe(false);
    }
  });

  it('undoes a setting only where nobody has changed it since, and leaves what others set meanwhile', async () => {
    await cluster.makeTopic('documents', 1, { 'segment.ms': '600000' });
    const input = { topic: 'documents', config: { 'retention.ms': '7200000', 'segment.ms': null } };
    expect((await preview('kafka.set-topic-config', input)).locks.join()).toContain('deleted by the broker');
    await perform('kafka.set-topic-config', input);
    expect(await cluster.configOf('documents')).toEqual({ 'retention.ms': '7200000' });
    const others = [
      { name: 'retention.ms', value: '7200000' },
      { name: 'max.message.bytes', value: '12345' },
    ];
    await cluster.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: 'documents', configEntries: others }],
    });
    const undo = undoContext({ runId: 'run-1', stepId: 'data.step' });
    expect(await undoAll(kindOf(system, 'kafka.set-topic-config'), input, undo)).toMatchObject([{ done: 2, kept: 0 }]);
    expect(await cluster.configOf('documents')).toEqual({ 'max.message.bytes': '12345', 'segment.ms': '600000' });
  });

  it('tells missing rights by name before anything is changed, and what is given works', async () => {
    await cluster.makeTopic('documents', 1);
    const { password } = liveEndpoints().kafka;
    const guest = cluster.asUser('guest', password);
    const uses = ['kafka.create-topic'];
    const failed = (await guest.preflight?.({ uses, bytes: 0 }))?.filter(({ status }) => status === 'failed') ?? [];
    expect(failed.map(({ title }) => title).join('\n')).toMatch(
      /may not read groups[\s\S]*may not make and write the topic/,
    );
    const failure = await failureOf(() => perform('kafka.create-topic', { topic: 'new', partitions: 1 }, {}, guest));
    expect(failure.code).toBe('missing-rights');
    expect(await cluster.admin.listTopics()).not.toContain('new');
    const admin = cluster.asUser('admin', password);
    expect((await admin.preflight?.({ uses, bytes: 0 }))?.map(({ status }) => status)).not.toContain('failed');
    expect(await perform('kafka.create-topic', { topic: 'new', partitions: 1 }, {}, admin)).toEqual([
      { cursor: null, done: 1 },
    ]);
    expect(await admin.identity()).toBe(await system.identity());
  });

  it('is healthy and says what is strained; journal and fence of thousands of batches are read at once', async () => {
    expect(await system.checkHealth()).toMatchObject({ up: true, version: '1 broker' });
    expect((await system.load?.())?.strain).toBeLessThan(1);
    await cluster.makeTopic('documents', 1);
    const input = { topic: 'documents', config: { 'retention.ms': '1000000' } };
    for (let i = 0; i < 20; i += 1) await perform('kafka.set-topic-config', input, { runId: `run-${i}` });
    const begun = performance.now();
    expect(await perform('kafka.set-topic-config', input, { runId: 'run-0' }, cluster.system())).toEqual([
      { cursor: null, done: 1 },
    ]);
    expect(performance.now() - begun).toBeLessThan(5_000);
  }, 60_000);
});
