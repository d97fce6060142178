import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import { botClientId, type Connection } from './connection.ts';
import { readerPrefix } from './journal-log.ts';
import { isInternal } from './topics.ts';

/** Where a group goes on reading: the offset of the next message, by topic and partition. */
export type Positions = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

/**
 * `running` = it has members. `unseen` = it is there, but tells its members only in a newer protocol: whoever would
 * write its positions has to take it for running.
 */
export type GroupState = 'absent' | 'empty' | 'running' | 'unseen';

export interface GroupMembers {
  readonly state: GroupState;
  readonly members: number;
  /** True where all of its members are processes of the bot, which set positions and leave. */
  readonly ours: boolean;
}

const joinWithinMs = 60_000;
/** After so long the server drops a member that was killed. */
const sessionMs = 10_000;

/** Consumer groups of the platform, in order. */
export async function listGroups(connection: Connection): Promise<string[]> {
  const { groups } = await connection.ask((admin) => admin.listGroups());
  const names = groups.filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '');
  return names
    .map(({ groupId }) => groupId)
    .filter((group) => !group.startsWith(readerPrefix))
    .sort();
}

export async function readMembers(connection: Connection, group: string): Promise<GroupMembers> {
  const described = await connection.ask((admin) => admin.describeGroups([group]));
  const { state = 'Dead', members = [] } = described.groups[0] ?? {};
  const ours = members.length > 0 && members.every(({ clientId }) => clientId === botClientId);
  if (members.length > 0) return { state: 'running', members: members.length, ours };
  if (state === 'Empty') return { state: 'empty', members: 0, ours };
  if (state !== 'Dead') return { state: 'running', members: 0, ours };
  const { groups } = await connection.ask((admin) => admin.listGroups());
  return { state: groups.some(({ groupId }) => groupId === group) ? 'unseen' : 'absent', members: 0, ours };
}

/** What the group has committed, the bot's own topics left out. Empty where it has committed nothing. */
export async function readPositions(connection: Connection, group: string): Promise<Positions> {
  const fetched = await connection.ask((admin) => admin.fetchOffsets({ groupId: group }));
  const positions = new Map<string, Map<number, bigint>>();
  for (const { topic, partitions } of fetched) {
    const known = partitions.filter(({ offset }) => BigInt(offset) >= 0n);
    if (known.length === 0 || isInternal(topic)) continue;
    positions.set(topic, new Map(known.map(({ partition, offset }) => [partition, BigInt(offset)])));
  }
  return positions;
}

/**
 * Writes positions of a group that has no consumers, all or none of them: we join as its only member, so that the
 * server itself refuses it when somebody else joins. Throws `conflict` (retryable) where consumers run.
 */
export async function writePositions(connection: Connection, group: string, positions: Positions): Promise<void> {
  const topics = [...positions.keys()];
  if (topics.length === 0) return;
  await requireIdle(connection, group);
  const consumer = connection.consumer({
    groupId: group,
    maxWaitTimeInMs: 100,
    rebalanceTimeout: joinWithinMs,
    sessionTimeout: sessionMs,
    retry: { retries: 2, restartOnFailure: async () => false },
  });
  await connection.guard(async () => {
    try {
      await consumer.connect();
      await consumer.subscribe({ topics });
      const assigned = new Promise<number>((resolve, reject) => {
        const timer = setTimeout(() => reject(hasConsumers(connection, group)), joinWithinMs);
        const settle = (): void => clearTimeout(timer);
        consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
          settle();
          resolve(Object.values(payload.memberAssignment).flat().length);
        });
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          settle();
          reject(payload.error);
        });
      });
      await consumer.run({ autoCommit: false, eachMessage: async () => undefined });
      consumer.pause(topics.map((topic) => ({ topic })));
      await assigned;
      if ((await readMembers(connection, group)).members > 1) throw hasConsumers(connection, group);
      await consumer.commitOffsets(
        [...positions].flatMap(([topic, partitions]) =>
          [...partitions].map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
        ),
      );
    } finally {
      await consumer.disconnect().catch(() => undefined);
    }
  });
}

/** Removes a group and all of its positions; nothing where it is not there. */
export async function dropGroup(connection: Connection, group: string): Promise<void> {
  if ((await requireIdle(connection, group)) === 'absent') return;
  await connection.ask((admin) => admin.deleteGroups([group]));
}

/** Throws `conflict` where the group has consumers, or may have some. A process of the bot is waited for: it leaves soon. */
export async function requireIdle(connection: Connection, group: string): Promise<GroupState> {
  for (const end = Date.now() + 2 * sessionMs; ; await pause(200)) {
    const { state, ours } = await readMembers(connection, group);
    if (state === 'absent' || state === 'empty') return state;
    if (!ours || Date.now() > end) throw hasConsumers(connection, group);
  }
}

function hasConsumers({ place }: Connection, group: string): Failure {
  return new Failure({
    code: 'conflict',
    message: `${place.system}: the group ${group} has running consumers, which would write over its positions.`,
    advice: 'Stop the services that read with this group, wait until they have left it, and try again.',
    retryable: true,
  });
}
