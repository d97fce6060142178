import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import { type BatchRequest, defineStepKind, type StepContext, type StepKind } from '../../system.ts';
import { type KindSetting, previewOf, runBatch } from '../batch.ts';
import type { Change, Fields, MemoryStore } from '../memory-store.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { matchingKeys, whereSchema } from './where.ts';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const inputSchema = z.strictObject({
  collection: z.string(),
  where: whereSchema.optional(),
  /** `{sequence}` in a text becomes a generated id: 16 digits, unique in the run. Null removes the field. */
  set: z.record(z.string(), value),
});
type Input = z.infer<typeof inputSchema>;

/** Sets fields of the records that match. Records that hold these values already are left alone. */
export function setFieldsKind(setting: KindSetting): StepKind {
  const { store } = setting;
  return defineStepKind<Input>({
    name: 'memory.set-fields',
    effect: 'changes',
    input: inputSchema,
    describe: ({ collection, set }) => `sets ${Object.keys(set).join(', ')} of ${collection}`,
    writes: ({ collection, set }) => Object.keys(set).map((field) => ({ collection, field })),
    preview(input, context) {
      return store.exclusive(async () => {
        const changes = findChanges(store, input, { index: 0, cursor: null, done: 0, size: Infinity }, context);
        return previewOf(changes, [input.collection]);
      });
    },
    performBatch: (input, batch, context) =>
      runBatch(setting, context, batch, async () => {
        const changes = findChanges(store, input, batch, context);
        const cursor = changes.length < batch.size ? null : (changes.at(-1)?.key ?? null);
        return { body: { changes, conflicts: [] }, result: { cursor, done: changes.length } };
      }),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    undoForces: true,
  });
}

function findChanges(store: MemoryStore, input: Input, batch: BatchRequest, context: StepContext): Change[] {
  const fields = Object.keys(input.set);
  const changes: Change[] = [];
  for (const key of matchingKeys(store, input, batch.cursor)) {
    if (changes.length >= batch.size) break;
    const record = store.records(input.collection).get(key) ?? {};
    const after: { [field: string]: Json } = {};
    for (const [field, template] of Object.entries(input.set)) {
      const filled = fill(template, context.sequenceBase, batch.done + changes.length);
      if (filled !== null) after[field] = filled;
    }
    if (fields.every((field) => (record[field] ?? null) === (after[field] ?? null))) continue;
    changes.push({ collection: input.collection, key, fields, before: pick(record, fields), after });
  }
  return changes;
}

function fill(template: z.infer<typeof value>, base: string, ordinal: number): Json {
  if (typeof template !== 'string') return template;
  return template.replaceAll('{sequence}', (BigInt(base) + BigInt(ordinal)).toString().padStart(16, '0'));
}

function pick(record: Fields, fields: readonly string[]): Fields {
  return Object.fromEntries(fields.filter((field) => field in record).map((field) => [field, record[field] ?? null]));
}
