import { z } from 'zod';
import { defineStepKind, type StepKind } from '../../system.ts';
import { type KindSetting, previewOf, runBatch } from '../batch.ts';
import type { Change, MemoryStore } from '../memory-store.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const inputSchema = z.strictObject({
  collection: z.string().describe('The collection whose records lose the field.'),
  field: z.string().describe('The field; its values are kept aside until the hold ends.'),
});
type Input = z.infer<typeof inputSchema>;

/** Takes a field away, and keeps its values aside under another name until they are released. */
export function dropFieldKind(setting: KindSetting): StepKind {
  const { store } = setting;
  return defineStepKind<Input>({
    name: 'memory.drop-field',
    effect: 'destroys',
    input: inputSchema,
    describe: ({ collection, field }) => `drops ${field} of ${collection}, kept aside`,
    writes: ({ collection, field }) => [
      { collection, field },
      { collection, field: asideName(field) },
    ],
    preview: (input) =>
      store.exclusive(async () => ({
        ...previewOf(drops(store, input), [input.collection]),
        undoClass: 'reversible-until',
      })),
    performBatch: (input, batch, context) =>
      runBatch(setting, context, batch, async () => {
        const changes = drops(store, input).slice(0, batch.size);
        const cursor = changes.length < batch.size ? null : batch.index + 1;
        return { body: { changes, conflicts: [] }, result: { cursor, done: changes.length } };
      }),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    undoForces: true,
    previewRelease: (input) => store.exclusive(async () => previewOf(releases(store, input), [input.collection])),
    releaseBatch: (input, batch, context) =>
      runBatch(setting, context, batch, async () => {
        const changes = releases(store, input).slice(0, batch.size);
        const cursor = changes.length < batch.size ? null : batch.index + 1;
        return { body: { changes, conflicts: [] }, result: { cursor, done: changes.length } };
      }),
  });
}

const asideName = (field: string): string => `kept_aside_${field}`;

function drops(store: MemoryStore, { collection, field }: Input): Change[] {
  return store.keys(collection).flatMap((key) => {
    const value = store.records(collection).get(key)?.[field];
    if (value === undefined) return [];
    const fields = [field, asideName(field)];
    return [{ collection, key, fields, before: { [field]: value }, after: { [asideName(field)]: value } }];
  });
}

/** What is aside in this collection; in this store there is one place for it, whoever dropped the field. */
function releases(store: MemoryStore, { collection, field }: Input): Change[] {
  const aside = asideName(field);
  return store.keys(collection).flatMap((key) => {
    const value = store.records(collection).get(key)?.[aside];
    return value === undefined ? [] : [{ collection, key, fields: [aside], before: { [aside]: value }, after: {} }];
  });
}
