import { Failure } from '../../../shared/failure.ts';
import { canonicalJson } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import type { BackupContext, BackupPart, Fingerprint } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { type Content, fingerprintOf, readContent } from '../content.ts';
import { type Positions, requireIdle, writePositions } from '../groups.ts';
import { placeWithin, replaysOf, sayReplay, type Target } from '../replay.ts';
import { makeTopic, readTopic, writeConfig } from '../topics.ts';
import { readSaved } from './backup.ts';

/**
 * Makes topics that are missing, gives all of the set their settings, and puts groups back to where they stood. Deletes
 * nothing. Refused before anything is written while a group has consumers.
 *
 * A position that cannot be any more (the topic was made again and is empty, or its messages have expired) goes to the
 * nearest one that can; the fingerprint counts it as restored.
 */
export async function restore(
  connection: Connection,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  const { system } = connection.place;
  const saved = await readSaved(system, part, folder);
  for (const { name } of saved.groups) await requireIdle(connection, name);
  await refuseOtherShapes(connection, saved);
  let done = 0;
  const step = (): void => {
    context.signal.throwIfAborted();
    context.progress(++done, saved.topics.length + saved.groups.length, 'records');
  };
  for (const topic of saved.topics) {
    await restoreTopic(connection, topic);
    step();
  }
  const before = await readContent(connection, context.signal);
  for (const group of saved.groups) {
    await writePositions(connection, group.name, placesOf(group, before));
    step();
  }
  return fingerprintOf(asRestored(saved, await readContent(connection, context.signal)));
}

/** What a restore would replay, skip or not find any more, by group and topic. */
export async function previewRestore(
  connection: Connection,
  part: BackupPart,
  folder: string,
): Promise<readonly Finding[]> {
  const saved = await readSaved(connection.place.system, part, folder);
  const now = await readContent(connection);
  const targets = saved.groups.flatMap(({ name, positions }): Target[] =>
    positions.map(({ topic, partition, offset }) => ({ group: name, topic, partition, offset: BigInt(offset) })),
  );
  const standing = positionsOf(now);
  const replays = replaysOf(
    targets,
    (group, topic, partition) => standing.get(`${group} ${topic}/${partition}`) ?? null,
    (topic, partition) => endsOf(now, topic, partition),
  );
  return [...missingTopics(saved, now), ...replays.flatMap((replay) => sayReplay(replay, 'kafka-replay'))];
}

function missingTopics(saved: Content, now: Content): Finding[] {
  const there = new Set(now.topics.map(({ name }) => name));
  const gone = saved.topics.filter(({ name }) => !there.has(name));
  if (gone.length === 0) return [];
  const held = gone.flatMap(({ ends }) => ends).reduce((sum, [low, high]) => sum + BigInt(high) - BigInt(low), 0n);
  const title = `Topics that are gone are made again, empty: the ${held} messages that they held are lost`;
  const samples = gone.slice(0, 5).map(({ name }) => name);
  const advice = 'The set holds no messages: only their producers can send them again.';
  return [{ check: 'kafka-topics-gone', title, status: 'warning', count: gone.length, samples, advice }];
}

/** Partitions cannot be taken away: a topic that has more than in the set cannot be as it was. */
async function refuseOtherShapes(connection: Connection, saved: Content): Promise<void> {
  for (const { name, partitions } of saved.topics) {
    const found = await readTopic(connection, name);
    if (!found || found.partitions <= partitions) continue;
    throw new Failure({
      code: 'precondition-failed',
      message: `${connection.place.system}: the topic ${name} has ${found.partitions} partitions now and ${partitions} in the set; a topic cannot lose partitions.`,
      advice:
        'Nothing was changed. Restore the other systems, or copy its messages to a topic with fewer partitions first.',
    });
  }
}

async function restoreTopic(connection: Connection, topic: Content['topics'][number]): Promise<void> {
  const { name, partitions, config } = topic;
  const found = await readTopic(connection, name);
  if (!found) {
    const { brokers } = await connection.ask((admin) => admin.describeCluster());
    await makeTopic(connection, name, { ...topic, replication: Math.min(topic.replication, brokers.length) });
    return;
  }
  if (found.partitions < partitions) {
    await connection.ask((admin) => admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] }));
  }
  if (canonicalJson(found.config) !== canonicalJson(config)) await writeConfig(connection, name, config);
}

function endsOf(content: Content, topic: string, partition: number): { low: bigint; high: bigint } | null {
  const ends = content.topics.find(({ name }) => name === topic)?.ends[partition];
  return ends ? { low: BigInt(ends[0]), high: BigInt(ends[1]) } : null;
}

function placesOf({ positions }: Content['groups'][number], now: Content): Positions {
  const places = new Map<string, Map<number, bigint>>();
  for (const { topic, partition, offset } of positions) {
    const ends = endsOf(now, topic, partition);
    // A position on a topic that neither the set nor the cluster has: there is nothing to stand on.
    if (ends === null) continue;
    const partitions = places.get(topic) ?? new Map<number, bigint>();
    places.set(topic, partitions.set(partition, placeWithin(BigInt(offset), ends)));
  }
  return places;
}

function positionsOf({ groups }: Content): Map<string, bigint> {
  return new Map(
    groups.flatMap(({ name, positions }) =>
      positions.map(({ topic, partition, offset }) => [`${name} ${topic}/${partition}`, BigInt(offset)] as const),
    ),
  );
}

/** What the cluster holds of the set; positions that were moved to the nearest possible one are as in the set. */
function asRestored(saved: Content, now: Content): Content {
  const standing = positionsOf(now);
  const topics = saved.topics.flatMap(({ name, replication }) => {
    const found = now.topics.find((topic) => topic.name === name);
    // A smaller cluster holds fewer replicas.
    return found ? [{ ...found, replication: Math.max(found.replication, replication) }] : [];
  });
  const groups = saved.groups.map(({ name, positions }) => ({
    name,
    positions: positions.flatMap((position) => {
      const { topic, partition, offset } = position;
      const ends = endsOf(now, topic, partition);
      const at = standing.get(`${name} ${topic}/${partition}`);
      if (ends === null) return [position];
      if (at === undefined) return [];
      return [at === placeWithin(BigInt(offset), ends) ? position : { ...position, offset: String(at) }];
    }),
  }));
  return { clusterId: now.clusterId, topics, groups };
}
