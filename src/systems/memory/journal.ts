import type { Seal } from '../../shared/sealed.ts';
import type { Conflict, Journal } from '../system.ts';
import { asText, type BatchBody, batchName, type MemoryStore, type StoredBatch } from './memory-store.ts';

/** A step's batches in order. */
export function batchesOf(store: MemoryStore, runId: string, stepId: string): StoredBatch[] {
  const batches = [...store.content.journal.values()];
  return batches.filter((batch) => batch.runId === runId && batch.stepId === stepId).sort((a, b) => a.index - b.index);
}

export async function openBody(seal: Seal, batch: StoredBatch): Promise<BatchBody> {
  const plain = await seal.open(Buffer.from(batch.body, 'base64'), batchName(batch));
  return JSON.parse(plain.toString()) as BatchBody;
}

export async function bodiesOfRun(store: MemoryStore, seal: Seal, runId: string): Promise<BatchBody[]> {
  const batches = [...store.content.journal.values()].filter((batch) => batch.runId === runId);
  return Promise.all(batches.map((batch) => openBody(seal, batch)));
}

/** Reads what runs wrote. */
export function createJournal(store: MemoryStore, seal: Seal): Journal {
  return {
    async *writtenValues(runId, stepId, field) {
      store.checkReachable();
      for (const batch of batchesOf(store, runId, stepId)) {
        const { changes } = await openBody(seal, batch);
        const texts = changes
          .filter((change) => change.fields.includes(field))
          .map((change) => asText(change.after?.[field]));
        const values = texts.filter((text) => text !== null);
        if (values.length > 0) yield values;
      }
    },
    async foreignReferences(runId, collection, field, values) {
      store.checkReachable();
      const ours = new Set<string>();
      for (const body of await bodiesOfRun(store, seal, runId)) {
        for (const change of body.changes) {
          if (change.collection === collection && change.after && change.fields.includes(field)) ours.add(change.key);
        }
      }
      const wanted = new Set(values);
      const found = new Set<string>();
      for (const [key, record] of store.records(collection)) {
        const value = asText(record[field]);
        if (value !== null && wanted.has(value) && !ours.has(key)) found.add(value);
      }
      return found;
    },
    async conflicts(runId, stepId, limit) {
      store.checkReachable();
      const conflicts: Conflict[] = [];
      for (const batch of batchesOf(store, runId, stepId)) conflicts.push(...(await openBody(seal, batch)).conflicts);
      return conflicts.slice(0, limit);
    },
  };
}
