import { digestOf } from '../../shared/json.ts';
import type { Connection } from './connection.ts';
import type { Lag, Look } from './drain.ts';
import { readMembers, readPositions } from './groups.ts';
import { type PartitionEnds, readEnds } from './topics.ts';

/** Which topics a group is asked about: those named, else those that it has read from. */
export async function topicsOf(
  connection: Connection,
  group: string,
  named: readonly string[] | undefined,
): Promise<string[]> {
  return named ? [...named] : [...(await readPositions(connection, group)).keys()].sort();
}

/** One look at how far groups are behind. Where a group has no position, everything that is there is left to read. */
export async function lookAtGroups(
  connection: Connection,
  groups: readonly string[],
  named: readonly string[] | undefined,
): Promise<Look> {
  const known = new Map<string, Promise<PartitionEnds[]>>();
  const endsOf = (topic: string): Promise<PartitionEnds[]> => {
    const ends = known.get(topic) ?? readEnds(connection, topic);
    known.set(topic, ends);
    return ends;
  };
  const lags: Lag[] = [];
  const withoutConsumers: string[] = [];
  for (const group of groups) {
    // Positions first: a message that comes in between then counts as left to read, never as read.
    const positions = await readPositions(connection, group);
    const topics = named ?? [...positions.keys()].sort();
    for (const topic of topics) lags.push(...lagsOf(group, topic, await endsOf(topic), positions.get(topic)));
    if ((await readMembers(connection, group)).members === 0) withoutConsumers.push(group);
  }
  const ends: [string, string][] = [];
  let written = 0n;
  for (const topic of [...known.keys()].sort()) {
    for (const { partition, high } of await endsOf(topic)) {
      ends.push([`${topic}/${partition}`, String(high)]);
      written += high;
    }
  }
  return { lags, ends: digestOf(ends), written: Number(written), withoutConsumers };
}

export function lagsOf(
  group: string,
  topic: string,
  ends: readonly PartitionEnds[],
  positions: ReadonlyMap<number, bigint> | undefined,
): Lag[] {
  return ends.flatMap(({ partition, low, high }) => {
    const at = positions?.get(partition) ?? low;
    const messages = Number(high - (at > low ? at : low));
    return messages > 0 ? [{ group, topic, partition, messages }] : [];
  });
}
