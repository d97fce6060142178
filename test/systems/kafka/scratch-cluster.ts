import { randomUUID } from 'node:crypto';
import { type Admin, type Consumer, Kafka, logLevel, type Producer } from 'kafkajs';
import { pino } from 'pino';
import { createSeal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createKafkaSystem, type KafkaSystemOptions } from '../../../src/systems/kafka/kafka-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';

/** The real cluster, emptied for one test, written with the driver itself. */
export interface ScratchCluster {
  readonly admin: Admin;
  readonly journalTopic: string;
  /** Closed with the cluster. */
  system(over?: Partial<KafkaSystemOptions>): System;
  /** Over the listener that asks for user and password. */
  asUser(user: string, password: string): System;
  makeTopic(topic: string, partitions: number, config?: Record<string, string>): Promise<void>;
  /** Sends so many messages to a partition. */
  send(topic: string, partition: number, count: number): Promise<void>;
  /** A consumer that reads until it is stopped; `perSecond` slows it down. */
  startConsumer(group: string, topic: string, perSecond?: number): Promise<Consumer>;
  /** Reads so many messages of a partition with the group and stops. */
  commit(group: string, topic: string, offsets: Record<number, number>): Promise<void>;
  positionsOf(group: string): Promise<Record<string, number>>;
  configOf(topic: string): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function scratchCluster(): Promise<ScratchCluster> {
  const { brokers, securedBrokers } = liveEndpoints().kafka;
  const kafka = new Kafka({ clientId: 'test', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer: Producer = kafka.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  await wipe(admin);
  const journalTopic = `__tas_journal_${randomUUID().slice(0, 8)}`;
  const shared = { seal: createSeal(Buffer.alloc(32, 9)), logger: pino({ level: 'silent' }), journalTopic };
  const systems: System[] = [];
  const consumers: Consumer[] = [];
  const make = (options: Pick<KafkaSystemOptions, 'brokers'> & Partial<KafkaSystemOptions>): System => {
    const system = createKafkaSystem({ name: 'events', ...shared, ...options });
    systems.push(system);
    return system;
  };
  return {
    admin,
    journalTopic,
    system: (over = {}) => make({ brokers, ...over }),
    asUser: (user, secret) =>
      make({ brokers: securedBrokers, sasl: { mechanism: 'plain', user, password: new Secret(secret) } }),
    async makeTopic(topic, partitions, config = {}) {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }] });
    },
    async send(topic, partition, count) {
      const messages = Array.from({ length: count }, (_, i) => ({ partition, key: `k${i}`, value: `message ${i}` }));
      await producer.send({ topic, acks: -1, messages });
    },
    async startConsumer(group, topic, perSecond = Number.POSITIVE_INFINITY) {
      const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 100 });
      consumers.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const joined = new Promise<void>((resolve) => {
        consumer.on(consumer.events.GROUP_JOIN, () => resolve());
      });
      await consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async () => {
          if (Number.isFinite(perSecond)) await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
        },
      });
      await joined;
      return consumer;
    },
    async commit(group, topic, offsets) {
      const partitions = Object.entries(offsets).map(([partition, at]) => ({
        partition: Number(partition),
        offset: `${at}`,
      }));
      await commitAsMember(kafka.consumer({ groupId: group, maxWaitTimeInMs: 100 }), topic, partitions);
    },
    async positionsOf(group) {
      const fetched = await admin.fetchOffsets({ groupId: group });
      const all = fetched.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
      );
      return Object.fromEntries(all.sort());
    },
    async configOf(topic) {
      const { resources } = await admin.describeConfigs({
        resources: [{ type: 2, name: topic }],
        includeSynonyms: false,
      });
      const own = (resources[0]?.configEntries ?? []).filter((entry) => (entry.configSource as number) === 1);
      return Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]));
    },
    async close() {
      await Promise.all(systems.splice(0).map((system) => system.close()));
      await Promise.all(consumers.splice(0).map((consumer) => consumer.disconnect()));
      await wipe(admin);
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}

async function commitAsMember(
  consumer: Consumer,
  topic: string,
  partitions: readonly { partition: number; offset: string }[],
): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topic });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  await consumer.run({ autoCommit: false, eachMessage: async () => undefined });
  await joined;
  await consumer.commitOffsets(partitions.map((partition) => ({ topic, ...partition })));
  await consumer.disconnect();
}

/** Deletes every group and every topic but Kafka's own. */
async function wipe(admin: Admin): Promise<void> {
  for (const { groupId } of (await admin.listGroups()).groups) await admin.deleteGroups([groupId]);
  const topics = (await admin.listTopics()).filter((topic) => !/^__(consumer|transaction|share)/.test(topic));
  if (topics.length > 0) await admin.deleteTopics({ topics });
}
