import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import { defineStepKind, type StepKind, type StepPreview } from '../../system.ts';
import { runBatch } from '../batch.ts';
import { type ConfigChange, imagesOf } from '../change.ts';
import type { KindSetting } from '../journal-store.ts';
import { readTopic, type Topic, writeConfig } from '../topics.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { topicName, tryOut } from './create-topic.ts';

const inputSchema = z.strictObject({
  topic: topicName.describe('A topic that is there.'),
  config: z
    .record(z.string().min(1), z.string().nullable())
    .refine((config) => Object.keys(config).length > 0, 'names no setting')
    .describe("Setting → value; null = the broker's default again."),
});
type Input = z.infer<typeof inputSchema>;

/** Changes settings of a topic. Others stay, and undo gives back only those that nobody changed since. */
export function setTopicConfigKind(setting: KindSetting): StepKind {
  const { connection, system } = setting;
  return defineStepKind<Input>({
    name: 'kafka.set-topic-config',
    effect: 'changes',
    input: inputSchema,
    describe: ({ topic, config }) => `sets ${Object.keys(config).join(', ')} of the topic ${topic}`,
    writes: ({ config }) => Object.keys(config).map((field) => ({ collection: 'topics', field })),
    preview: (input) => preview(setting, input),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, async () => {
        const found = await readTopic(connection, input.topic);
        if (!found) throw noTopic(system, input.topic);
        const change = changeOf(input, found);
        return { version: 1, changes: change ? [change] : [], conflicts: [], missing: 0, cursor: null };
      });
      return { cursor, done };
    },
    async verify(input) {
      const found = await readTopic(connection, input.topic);
      const open = found ? Object.keys(changeOf(input, found)?.after ?? {}) : [input.topic];
      const title = `The topic ${input.topic} has these settings`;
      const status = open.length === 0 ? 'passed' : 'failed';
      return [{ check: 'topic-config', title, status, count: open.length, samples: open.slice(0, 5) }];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    narrow: () => null,
  });
}

/** Null where all is as wanted. */
function changeOf({ topic, config }: Input, found: Topic): ConfigChange | null {
  const open = Object.entries(config).filter(([name, value]) => (found.config[name] ?? null) !== value);
  if (open.length === 0) return null;
  const before = Object.fromEntries(open.map(([name]) => [name, found.config[name] ?? null]));
  return { did: 'config', topic, before, after: Object.fromEntries(open) };
}

async function preview({ connection, system }: KindSetting, input: Input): Promise<StepPreview> {
  const found = await readTopic(connection, input.topic);
  const change = found ? changeOf(input, found) : null;
  const names = Object.keys(change?.after ?? {});
  const findings = await tryOut(async () => {
    if (!found) throw noTopic(system, input.topic);
    const set = Object.entries({ ...found.config, ...input.config }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    );
    await writeConfig(connection, input.topic, Object.fromEntries(set), true);
  });
  return {
    count: names.length,
    exact: true,
    keysHash: digestOf(names.map((name) => `${input.topic} ${name}`).sort()),
    schemaHash: digestOf({ topic: input.topic, partitions: found?.partitions ?? null }),
    samples: change ? [imagesOf(change)] : [],
    undoClass: 'reversible',
    locks: shortens(change)
      ? [
          'messages that are older or more than the new setting allows are deleted by the broker: undo does not bring them back',
        ]
      : [],
    bytes: 1_000 + names.length * 200,
    findings,
  };
}

/** Settings by which the broker deletes messages. */
function shortens(change: ConfigChange | null): boolean {
  return Object.keys(change?.after ?? {}).some((name) => /^(retention|cleanup|delete|max\.compaction)/.test(name));
}

function noTopic(system: string, topic: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: there is no topic ${topic}, or this user may not see it.`,
    advice: 'Nothing was changed. Correct its name, or make it first: kafka.create-topic.',
  });
}
