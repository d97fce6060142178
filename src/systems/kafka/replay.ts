import type { Finding } from '../finding.ts';

/** A position that is going to be written. */
export interface Target {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** What one group meets in one topic when its positions are written. */
export interface Replay {
  readonly group: string;
  readonly topic: string;
  /** Messages that it has read and will read again. */
  readonly again: number;
  /** Messages that are there and that it will never read. */
  readonly skipped: number;
  /** Messages between the position and the first one that is still there: nobody can read them any more. */
  readonly lost: number;
  /** Partitions that are not there, or end before the position: it begins at their end, or at 0. */
  readonly moved: number;
}

interface Ends {
  readonly low: bigint;
  readonly high: bigint;
}

/** Where a position can really be put: between the first message that is there and the end. */
export function placeWithin(offset: bigint, ends: Ends | null): bigint {
  if (ends === null) return 0n;
  if (offset < ends.low) return ends.low;
  return offset > ends.high ? ends.high : offset;
}

/**
 * What writing these positions would replay, skip or show as lost, by group and topic, in the order of the targets. `now`
 * answers where a group stands (null = nowhere yet), `endsOf` what a partition holds (null = it is not there).
 */
export function replaysOf(
  targets: readonly Target[],
  now: (group: string, topic: string, partition: number) => bigint | null,
  endsOf: (topic: string, partition: number) => Ends | null,
): Replay[] {
  const byName = new Map<string, { -readonly [K in keyof Replay]: Replay[K] }>();
  for (const { group, topic, partition, offset } of targets) {
    const name = `${group}\n${topic}`;
    const sum = byName.get(name) ?? { group, topic, again: 0, skipped: 0, lost: 0, moved: 0 };
    byName.set(name, sum);
    const ends = endsOf(topic, partition);
    if (ends === null || offset > ends.high) sum.moved += 1;
    if (ends === null) continue;
    const place = placeWithin(offset, ends);
    if (offset < ends.low) sum.lost += Number(ends.low - offset);
    const at = now(group, topic, partition);
    if (at === null) continue;
    const from = placeWithin(at, ends);
    if (from > place) sum.again += Number(from - place);
    else sum.skipped += Number(place - from);
  }
  return [...byName.values()];
}

/** As findings; none where nothing is read twice, skipped or lost. */
export function sayReplay({ group, topic, again, skipped, lost, moved }: Replay, check: string): Finding[] {
  const parts = [
    ...(again > 0 ? [`${again} messages are read again`] : []),
    ...(skipped > 0 ? [`${skipped} messages are skipped and never read`] : []),
    ...(lost > 0 ? [`${lost} messages are there no more and cannot be read again`] : []),
    ...(moved > 0 ? [`${moved} partitions are not there or end earlier: it begins at their end`] : []),
  ];
  if (parts.length === 0) return [];
  const title = `${group} on ${topic}: ${parts.join('; ')}`;
  const advice =
    'Services that read with this group must bear messages that come twice. What is skipped or lost has to be sent again by its producer.';
  return [{ check, title, status: 'warning', count: again + skipped + lost, samples: [], advice }];
}
