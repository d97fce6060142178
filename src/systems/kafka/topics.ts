import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { TopicShape } from './change.ts';
import type { Connection } from './connection.ts';
import { typeOf } from './failure.ts';

/** A partition's first offset that is still there, and the one that the next message gets. */
export interface PartitionEnds {
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

export interface Topic extends TopicShape {
  readonly name: string;
  /** Partitions whose replicas are not all in sync. */
  readonly lagging: number;
}

/** The protocol's number for topics, among things that have settings. */
const topicResource = 2;
/** A setting that was made for the topic itself: neither a default nor the broker's. */
const ofTopic = 1;
/** How many topics are asked for in one request. */
const page = 100;

const metadataSchema = z.object({
  topics: z.array(
    z.object({
      name: z.string(),
      partitions: z.array(
        z.object({ partitionId: z.number(), replicas: z.array(z.number()), isr: z.array(z.number()) }),
      ),
    }),
  ),
});

const configsSchema = z.object({
  resources: z.array(
    z.object({
      resourceName: z.string(),
      configEntries: z.array(
        z.object({ configName: z.string(), configValue: z.string().nullable(), configSource: z.number() }),
      ),
    }),
  ),
});

/** Kafka's own topics and the bot's journals: no part of what the platform keeps there. */
export function isInternal(topic: string): boolean {
  return (
    ['__consumer_offsets', '__transaction_state', '__share_group_state'].includes(topic) || topic.startsWith('__tas_')
  );
}

/** Names of the platform's topics, in order. */
export async function listTopics(connection: Connection): Promise<string[]> {
  const names = await connection.ask((admin) => admin.listTopics());
  return names.filter((name) => !isInternal(name)).sort();
}

/** Of these topics, those that are there, in the order asked for. */
export async function readTopics(connection: Connection, names: readonly string[]): Promise<Topic[]> {
  for (let tries = 0; ; tries += 1) {
    const known = new Set(names.length === 0 ? [] : await connection.ask((admin) => admin.listTopics()));
    const there = names.filter((name) => known.has(name));
    try {
      const topics: Topic[] = [];
      for (let at = 0; at < there.length; at += page) {
        topics.push(...(await readPage(connection, there.slice(at, at + page))));
      }
      return topics;
    } catch (error) {
      // A topic that goes just now is listed for a moment longer.
      if (!isGone(error) || tries >= 20) throw error;
      await pause(100);
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Failure && typeOf(error.cause) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export async function readTopic(connection: Connection, name: string): Promise<Topic | null> {
  return (await readTopics(connection, [name]))[0] ?? null;
}

async function readPage(connection: Connection, names: string[]): Promise<Topic[]> {
  const resources = names.map((name) => ({ type: topicResource, name }));
  const [metadata, configs] = await Promise.all([
    connection.ask((admin) => admin.fetchTopicMetadata({ topics: names })),
    connection.ask((admin) => admin.describeConfigs({ resources, includeSynonyms: false })),
  ]);
  const shapes = new Map(metadataSchema.parse(metadata).topics.map((topic) => [topic.name, topic.partitions]));
  const settings = new Map(
    configsSchema.parse(configs).resources.map(({ resourceName, configEntries }) => [resourceName, configEntries]),
  );
  return names.map((name) => {
    const partitions = shapes.get(name) ?? [];
    const own = (settings.get(name) ?? []).filter(({ configSource }) => configSource === ofTopic);
    return {
      name,
      partitions: partitions.length,
      replication: partitions[0]?.replicas.length ?? 0,
      lagging: partitions.filter(({ replicas, isr }) => isr.length < replicas.length).length,
      config: Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue ?? '']).sort()),
    };
  });
}

/** In the order of partitions. */
export async function readEnds(connection: Connection, topic: string): Promise<PartitionEnds[]> {
  const ends = await connection.ask((admin) => admin.fetchTopicOffsets(topic));
  return ends
    .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
    .sort((a, b) => a.partition - b.partition);
}

/** Makes it and comes back when its partitions have leaders. False where it was there already. */
export async function makeTopic(connection: Connection, topic: string, shape: TopicShape): Promise<boolean> {
  return connection.ask((admin) => admin.createTopics({ topics: [creation(topic, shape)], timeout: 20_000 }));
}

/** Whether the server would make it; throws what it would answer. Makes nothing. */
export async function tryTopic(connection: Connection, topic: string, shape: TopicShape): Promise<void> {
  await connection.ask((admin) =>
    admin.createTopics({ topics: [creation(topic, shape)], validateOnly: true, waitForLeaders: false }),
  );
}

function creation(topic: string, { partitions, replication, config }: TopicShape) {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  return { topic, numPartitions: partitions, replicationFactor: replication, configEntries };
}

/** Removes it; nothing where it is not there. */
export async function dropTopic(connection: Connection, topic: string): Promise<void> {
  if ((await readTopic(connection, topic)) === null) return;
  await connection.ask(async (admin) => {
    await admin.deleteTopics({ topics: [topic], timeout: 20_000 }).catch((error: unknown) => {
      if (typeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    });
  });
}

/**
 * Gives a topic exactly these settings of its own; all others are the broker's. The server knows to set all or none
 * through this driver, so callers read right before and look again right after.
 */
export async function writeConfig(
  connection: Connection,
  topic: string,
  config: TopicShape['config'],
  validateOnly = false,
): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  const resources = [{ type: topicResource, name: topic, configEntries }];
  await connection.ask((admin) => admin.alterConfigs({ resources, validateOnly }));
}
