import { z } from 'zod';
import { digestOf, type Json } from '../../shared/json.ts';
import type { Fingerprint } from '../system.ts';
import type { Connection } from './connection.ts';
import { listGroups, readPositions } from './groups.ts';
import { listTopics, readEnds, readTopics } from './topics.ts';

const offset = z.string().regex(/^\d+$/);

/** What a cluster holds beside the messages themselves. Also the form in which a backup keeps it. */
export const contentSchema = z.strictObject({
  clusterId: z.string(),
  topics: z.array(
    z.strictObject({
      name: z.string(),
      partitions: z.number().int().min(1),
      replication: z.number().int().min(1),
      config: z.record(z.string(), z.string()),
      /** First offset that is there and end, in the order of partitions. */
      ends: z.array(z.tuple([offset, offset])),
    }),
  ),
  groups: z.array(
    z.strictObject({
      name: z.string(),
      positions: z.array(z.strictObject({ topic: z.string(), partition: z.number().int().min(0), offset })),
    }),
  ),
});
export type Content = z.infer<typeof contentSchema>;

/** Groups are read one after the other: while consumers run, each stands where it stood at that moment. */
export async function readContent(connection: Connection, signal?: AbortSignal): Promise<Content> {
  const { clusterId } = await connection.ask((admin) => admin.describeCluster());
  const topics: Content['topics'] = [];
  for (const topic of await readTopics(connection, await listTopics(connection))) {
    signal?.throwIfAborted();
    const { name, partitions, replication, config } = topic;
    const ends = (await readEnds(connection, name)).map(({ low, high }): [string, string] => [`${low}`, `${high}`]);
    topics.push({ name, partitions, replication, config: { ...config }, ends });
  }
  const groups: Content['groups'] = [];
  for (const name of await listGroups(connection)) {
    signal?.throwIfAborted();
    const positions = [...(await readPositions(connection, name))].flatMap(([topic, partitions]) =>
      [...partitions].map(([partition, at]) => ({ topic, partition, offset: String(at) })),
    );
    if (positions.length > 0) groups.push({ name, positions: positions.sort(byPlace) });
  }
  return { clusterId, topics, groups };
}

function byPlace(a: { topic: string; partition: number }, b: { topic: string; partition: number }): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1;
}

/** Messages count, but their contents are not looked at: the hash is over topics, settings and positions. */
export function fingerprintOf({ topics, groups }: Content): Fingerprint {
  const shapes = topics.map(({ ends: _, ...shape }) => shape);
  const ends = topics.flatMap((topic) => topic.ends);
  return {
    counts: {
      topics: topics.length,
      partitions: topics.reduce((sum, { partitions }) => sum + partitions, 0),
      groups: groups.length,
      messages: Number(ends.reduce((sum, [low, high]) => sum + BigInt(high) - BigInt(low), 0n)),
    },
    hash: digestOf({ topics: shapes, groups } as unknown as Json),
  };
}
