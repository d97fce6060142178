import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepKind, type StepPreview } from '../../system.ts';
import { runBatch } from '../batch.ts';
import { entriesOf, imagesOf, type OffsetsChange } from '../change.ts';
import type { Connection } from '../connection.ts';
import { readPositions, requireIdle } from '../groups.ts';
import type { KindSetting } from '../journal-store.ts';
import { replaysOf, sayReplay } from '../replay.ts';
import { type PartitionEnds, readEnds, readTopic } from '../topics.ts';
import { groupsRunning, isIdle, previewUndo, undoBatch } from '../undo.ts';
import { topicName } from './create-topic.ts';

const inputSchema = z.strictObject({
  group: z.string().min(1).describe('A consumer group whose consumers have stopped.'),
  topic: topicName.describe('A topic that is there.'),
  to: z
    .union([
      z.enum(['earliest', 'latest']),
      z.strictObject({ timestamp: z.iso.datetime().describe('The first message from this time on, ISO 8601 with Z.') }),
      z.strictObject({
        offsets: z
          .record(z.string().regex(/^\d{1,5}$/), z.number().int().min(0))
          .refine((offsets) => Object.keys(offsets).length > 0, 'names no partition')
          .describe('Partition → offset of the message that is read next; other partitions stay.'),
      }),
    ])
    .describe('Where the group goes on reading.'),
});
type Input = z.infer<typeof inputSchema>;

/** Sets where a group goes on reading. What lies between is read again, or never. */
export function setOffsetsKind(setting: KindSetting): StepKind {
  const { connection, system } = setting;
  return defineStepKind<Input>({
    name: 'kafka.set-offsets',
    effect: 'changes',
    input: inputSchema,
    describe: ({ group, topic, to }) => `lets ${group} go on reading ${topic} ${sayTarget(to)}`,
    writes: ({ topic }) => [{ collection: 'groups', field: topic }],
    preview: (input) => preview(setting, input),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, async () => {
        await requireIdle(connection, input.group);
        const change = await planChange(connection, input);
        if (change === null) throw wrongTarget(system, input);
        const changes = entriesOf(change).length === 0 ? [] : [change];
        return { version: 1, changes, conflicts: [], missing: 0, cursor: null };
      });
      return { cursor, done };
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    narrow: () => null,
  });
}

function sayTarget(to: Input['to']): string {
  if (to === 'earliest') return 'at the first message that is still there';
  if (to === 'latest') return 'after the last message';
  return 'timestamp' in to ? `from ${to.timestamp} on` : `at ${Object.keys(to.offsets).length} given offsets`;
}

/** What would change; null where the topic, a partition or an offset is not there. */
async function planChange(connection: Connection, input: Input): Promise<OffsetsChange | null> {
  const { group, topic } = input;
  if ((await readTopic(connection, topic)) === null) return null;
  const targets = await targetsOf(connection, input, await readEnds(connection, topic));
  if (targets === null) return null;
  const now = (await readPositions(connection, group)).get(topic);
  const open = [...targets].filter(([partition, offset]) => now?.get(partition) !== offset);
  const text = (offset: bigint | undefined): string | null => offset?.toString() ?? null;
  return {
    did: 'offsets',
    group,
    topic,
    before: Object.fromEntries(open.map(([partition]) => [partition, text(now?.get(partition))])),
    after: Object.fromEntries(open.map(([partition, offset]) => [partition, text(offset)])),
  };
}

async function targetsOf(
  connection: Connection,
  { topic, to }: Input,
  ends: readonly PartitionEnds[],
): Promise<Map<number, bigint> | null> {
  if (to === 'earliest') return new Map(ends.map(({ partition, low }) => [partition, low]));
  if (to === 'latest') return new Map(ends.map(({ partition, high }) => [partition, high]));
  if ('timestamp' in to) {
    const time = Date.parse(to.timestamp);
    // Where no message is that young, the server answers the end.
    const found = await connection.ask((admin) => admin.fetchTopicOffsetsByTimestamp(topic, time));
    return new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }
  const wanted = Object.entries(to.offsets).map(([partition, offset]) => [Number(partition), BigInt(offset)] as const);
  const inside = ([partition, offset]: readonly [number, bigint]): boolean =>
    ends.some((end) => end.partition === partition && offset >= end.low && offset <= end.high);
  return wanted.every(inside) ? new Map(wanted) : null;
}

async function preview(setting: KindSetting, input: Input): Promise<StepPreview> {
  const { connection } = setting;
  const change = await planChange(connection, input);
  const entries = change === null ? [] : entriesOf(change);
  const running = (await isIdle(setting, input.group)) ? [] : [input.group];
  return {
    count: entries.length,
    exact: true,
    keysHash: digestOf(entries.sort()),
    schemaHash: digestOf({ group: input.group, topic: input.topic }),
    samples: entries.length > 0 && change ? [imagesOf(change)] : [],
    undoClass: 'reversible',
    locks:
      entries.length > 0 ? [`the group ${input.group} must not read meanwhile: its services have to be stopped`] : [],
    bytes: 1_000 + entries.length * 100,
    findings: [
      ...(change === null ? [targetMissing(input)] : await tellReplay(connection, change)),
      ...groupsRunning(running),
    ],
  };
}

/** What is read twice and what is never read, in numbers. */
async function tellReplay(connection: Connection, change: OffsetsChange): Promise<Finding[]> {
  const ends = await readEnds(connection, change.topic);
  const targets = Object.entries(change.after).map(([partition, offset]) => ({
    group: change.group,
    topic: change.topic,
    partition: Number(partition),
    offset: BigInt(offset ?? 0),
  }));
  const now = (_group: string, _topic: string, partition: number): bigint | null => {
    const before = change.before[partition];
    return before === null || before === undefined ? null : BigInt(before);
  };
  return replaysOf(
    targets,
    now,
    (_topic, partition) => ends.find((end) => end.partition === partition) ?? null,
  ).flatMap((replay) => sayReplay(replay, 'kafka-replay'));
}

function targetMissing({ topic, to }: Input): Finding {
  const samples =
    typeof to === 'object' && 'offsets' in to ? Object.entries(to.offsets).map(([p, o]) => `${topic}/${p}: ${o}`) : [];
  const title = `The topic ${topic} is not there, or has no such partition or offset`;
  const advice = 'Correct topic, partitions and offsets; offsets lie between the first message and the end.';
  return { check: 'target-there', title, status: 'failed', count: 1, samples: samples.slice(0, 5), advice };
}

function wrongTarget(system: string, { topic }: Input): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: the topic ${topic} is not there, or has no such partition or offset.`,
    advice: 'Nothing was changed. Messages that the offsets name may have expired: ask again.',
  });
}
