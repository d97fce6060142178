import { z } from 'zod';
import { defineStepKind, type StepKind } from '../../system.ts';
import { type KindSetting, previewOf, runBatch } from '../batch.ts';
import type { Change, MemoryStore } from '../memory-store.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { matchingKeys, whereSchema } from './where.ts';

const inputSchema = z.strictObject({ collection: z.string(), where: whereSchema.optional() });
type Input = z.infer<typeof inputSchema>;

/** Deletes the records that match; the journal keeps them whole. */
export function deleteRecordsKind(setting: KindSetting): StepKind {
  const { store } = setting;
  return defineStepKind<Input>({
    name: 'memory.delete-records',
    effect: 'destroys',
    input: inputSchema,
    describe: ({ collection }) => `deletes records of ${collection}`,
    preview: (input) =>
      store.exclusive(async () => previewOf(deletions(store, input, null, Infinity), [input.collection])),
    performBatch: (input, batch, context) =>
      runBatch(setting, context, batch, async () => {
        const changes = deletions(store, input, batch.cursor as string | null, batch.size);
        const cursor = changes.length < batch.size ? null : (changes.at(-1)?.key ?? null);
        return { body: { changes, conflicts: [] }, result: { cursor, done: changes.length } };
      }),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    undoForces: true,
  });
}

function deletions(store: MemoryStore, input: Input, cursor: string | null, size: number): Change[] {
  const keys = matchingKeys(store, input, cursor).slice(0, size === Infinity ? undefined : size);
  return keys.map((key) => {
    const before = store.records(input.collection).get(key) ?? {};
    return { collection: input.collection, key, fields: Object.keys(before), before, after: null };
  });
}
