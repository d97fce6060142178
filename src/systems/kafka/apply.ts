import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import type { Change, ConfigChange, OffsetsChange, TopicChange } from './change.ts';
import { entriesOf } from './change.ts';
import type { Connection } from './connection.ts';
import { dropGroup, type Positions, readPositions, writePositions } from './groups.ts';
import { dropTopic, makeTopic, readEnds, readTopic, writeConfig } from './topics.ts';

const seenWithinMs = 30_000;
const lookEveryMs = 100;

/**
 * Brings one thing to what the intent says; may be called again at any time. Answers the entries that somebody changed
 * since the intent was written: they stay as they are.
 */
export async function applyChange(connection: Connection, change: Change): Promise<readonly string[]> {
  switch (change.did) {
    case 'make-topic':
      return applyMake(connection, change);
    case 'drop-topic':
      return applyDrop(connection, change);
    case 'config':
      return applyConfig(connection, change);
    case 'offsets':
      return applyOffsets(connection, change);
  }
}

async function applyMake(connection: Connection, change: TopicChange): Promise<readonly string[]> {
  await makeTopic(connection, change.topic, change);
  await waitUntil(connection, change.topic, async () => (await readTopic(connection, change.topic)) !== null);
  return [];
}

/** Looks once more: what got messages since it was judged empty stays. */
async function applyDrop(connection: Connection, change: TopicChange): Promise<readonly string[]> {
  if ((await readTopic(connection, change.topic)) === null) return [];
  if ((await readEnds(connection, change.topic)).some(({ high }) => high > 0n)) return entriesOf(change);
  await dropTopic(connection, change.topic);
  await waitUntil(connection, change.topic, async () => (await readTopic(connection, change.topic)) === null);
  return [];
}

async function applyConfig(connection: Connection, change: ConfigChange): Promise<readonly string[]> {
  const { topic, before, after } = change;
  const found = await readTopic(connection, topic);
  if (!found) return entriesOf(change);
  const ownValue = (name: string): string | null => found.config[name] ?? null;
  const open = Object.keys(after).filter((name) => ownValue(name) !== after[name]);
  const lost = open.filter((name) => ownValue(name) !== before[name]);
  const write = open.filter((name) => !lost.includes(name));
  if (write.length > 0) {
    const config: Record<string, string> = { ...found.config };
    for (const name of write) {
      const value = after[name];
      if (value === null || value === undefined) delete config[name];
      else config[name] = value;
    }
    await writeConfig(connection, topic, config);
    await waitUntil(connection, topic, async () => {
      const now = (await readTopic(connection, topic))?.config ?? {};
      return write.every((name) => (now[name] ?? null) === after[name]);
    });
  }
  return lost.map((name) => `${topic} ${name}`);
}

/** Another process may carry out the same change: then one of both finds the other in the group, and looks again. */
async function applyOffsets(connection: Connection, change: OffsetsChange): Promise<readonly string[]> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await bringOffsets(connection, change);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'conflict' || tries >= 3) throw error;
      await pause(100 + Math.random() * 500);
    }
  }
}

async function bringOffsets(connection: Connection, change: OffsetsChange): Promise<readonly string[]> {
  const { group, topic, before, after } = change;
  const now = (await readPositions(connection, group)).get(topic) ?? new Map<number, bigint>();
  const nowAt = (partition: string): string | null => now.get(Number(partition))?.toString() ?? null;
  const open = Object.keys(after).filter((partition) => nowAt(partition) !== after[partition]);
  const lost = open.filter((partition) => nowAt(partition) !== before[partition]);
  const write = open.filter((partition) => !lost.includes(partition));
  const name = (partition: string): string => `${group} ${topic}/${partition}`;
  if (write.length === 0) return lost.map(name);
  // Positions of a group that had none go with the group.
  if (write.every((partition) => after[partition] === null)) {
    if (lost.length > 0) return Object.keys(after).map(name);
    await dropGroup(connection, group);
    return [];
  }
  const offsets = new Map(write.map((partition) => [Number(partition), BigInt(after[partition] ?? 0)]));
  const wanted: Positions = new Map([[topic, offsets]]);
  await writePositions(connection, group, wanted);
  const read = (await readPositions(connection, group)).get(topic);
  const overtaken = [...offsets].filter(([partition, offset]) => read?.get(partition) !== offset);
  return [...lost, ...overtaken.map(([partition]) => String(partition))].map(name);
}

/** The controller answers before every broker knows: what follows must not meet the old state. */
async function waitUntil({ place }: Connection, topic: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + seenWithinMs; !(await holds()); await pause(lookEveryMs)) {
    if (Date.now() < end) continue;
    throw new Failure({
      code: 'timed-out',
      message: `${place.system}: the brokers do not show what was done to the topic ${topic} after ${seenWithinMs / 1000} s.`,
      advice: 'See whether all brokers run. Trying again goes on from there.',
      retryable: true,
    });
  }
}
