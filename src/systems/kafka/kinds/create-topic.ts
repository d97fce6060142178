import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { canonicalJson, digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepKind, type StepPreview } from '../../system.ts';
import { runBatch } from '../batch.ts';
import { imagesOf, type TopicChange } from '../change.ts';
import type { KindSetting } from '../journal-store.ts';
import { isInternal, readTopic, type Topic, tryTopic } from '../topics.ts';
import { previewUndo, undoBatch } from '../undo.ts';

export const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/, 'takes letters, digits, dots, dashes and underscores')
  .refine((name) => name !== '.' && name !== '..' && !isInternal(name), "is one of Kafka's own or of the bot's");

const inputSchema = z.strictObject({
  topic: topicName.describe('The name of the topic.'),
  partitions: z.number().int().min(1).max(10_000).describe('How many partitions.'),
  replication: z.number().int().min(1).max(32).default(1).describe('How many brokers hold each partition.'),
  config: z
    .record(z.string(), z.string())
    .default({})
    .describe('Settings, e.g. retention.ms; the others are defaults.'),
});
type Input = z.infer<typeof inputSchema>;

/** Makes a topic. One that is there as wanted stays, and undo never touches it. */
export function createTopicKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'kafka.create-topic',
    effect: 'adds',
    input: inputSchema,
    describe: ({ topic, partitions, replication }) =>
      `makes the topic ${topic} with ${partitions} partitions and ${replication} replicas`,
    preview: (input) => preview(setting, input),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, async () => {
        const found = await readTopic(setting.connection, input.topic);
        if (found && differenceOf(input, found).length > 0) throw isOther(setting.system, input.topic);
        return { version: 1, changes: found ? [] : [changeOf(input)], conflicts: [], missing: 0, cursor: null };
      });
      return { cursor, done };
    },
    async verify(input) {
      const found = await readTopic(setting.connection, input.topic);
      const wrong = found ? differenceOf(input, found) : ['it is not there'];
      const title = `The topic ${input.topic} is there as wanted`;
      const status = wrong.length === 0 ? 'passed' : 'failed';
      return [{ check: 'topic-there', title, status, count: wrong.length, samples: wrong.slice(0, 5) }];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    narrow: () => null,
  });
}

function changeOf({ topic, partitions, replication, config }: Input): TopicChange {
  return { did: 'make-topic', topic, partitions, replication, config };
}

/** In words; empty where the topic is as wanted. */
function differenceOf(input: Input, found: Topic): string[] {
  const parts: string[] = [];
  if (found.partitions !== input.partitions)
    parts.push(`${found.partitions} partitions instead of ${input.partitions}`);
  if (found.replication !== input.replication)
    parts.push(`${found.replication} replicas instead of ${input.replication}`);
  const wrong = Object.entries(input.config).filter(([name, value]) => found.config[name] !== value);
  parts.push(...wrong.map(([name, value]) => `${name} is ${found.config[name] ?? 'the default'} instead of ${value}`));
  return parts;
}

async function preview({ connection }: KindSetting, input: Input): Promise<StepPreview> {
  const found = await readTopic(connection, input.topic);
  const findings = found ? isThere(input, found) : await tryOut(() => tryTopic(connection, input.topic, input));
  return {
    count: found ? 0 : 1,
    exact: true,
    keysHash: digestOf(input.topic),
    schemaHash: digestOf(canonicalJson({ topic: input.topic, partitions: found?.partitions ?? null })),
    samples: found ? [] : [imagesOf(changeOf(input))],
    undoClass: 'reversible',
    locks: [],
    bytes: 1_000,
    findings,
  };
}

function isThere(input: Input, found: Topic): Finding[] {
  const samples = differenceOf(input, found);
  if (samples.length === 0) return [];
  const title = `The topic ${input.topic} is there already, but otherwise`;
  const advice = 'Correct the step, or change the topic first: kafka.set-topic-config.';
  return [
    { check: 'topic-as-wanted', title, status: 'failed', count: samples.length, samples: samples.slice(0, 5), advice },
  ];
}

/** What the server says when it is asked to only check. */
export async function tryOut(work: () => Promise<void>): Promise<Finding[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { message, advice } = error;
    return [{ check: 'server-allows', title: message, status: 'failed', count: 1, samples: [], advice }];
  }
}

function isOther(system: string, topic: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: the topic ${topic} is there already, with other partitions, replicas or settings.`,
    advice: 'Nothing was changed. Correct the step, or change the topic with kafka.set-topic-config.',
  });
}
