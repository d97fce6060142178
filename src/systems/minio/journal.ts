import type { Conflict, Journal } from '../system.ts';
import type { BatchKey, JournalStore, TagChange } from './journal-store.ts';
import { listLatest, type ObjectEntry } from './objects.ts';
import type { S3 } from './s3.ts';
import { fieldOf } from './selection.ts';

const page = 1_000;

/** Reads what runs wrote. */
export function createJournal(s3: S3, store: JournalStore): Journal {
  return {
    async *writtenValues(runId, stepId, field) {
      for await (const changes of batchesOf(store, runId, stepId)) {
        const values = changes.map((change) => change.after[field.replace(/^tag\./, '')] ?? null);
        const texts = values.filter((value) => value !== null);
        if (texts.length > 0) yield texts;
      }
    },
    foreignReferences: (runId, collection, field, values) =>
      collection === s3.bucket ? foreignReferences(s3, store, runId, field, values) : Promise.resolve(new Set()),
    async conflicts(runId, stepId, limit) {
      const conflicts: Conflict[] = [];
      const total = await store.countBatches(runId, stepId);
      for (let index = 0; index < total && conflicts.length < limit; index += 1) {
        conflicts.push(...(await conflictsOf(s3, store, { runId, stepId, index })));
      }
      return conflicts.slice(0, limit);
    },
  };
}

async function* batchesOf(store: JournalStore, runId: string, stepId: string): AsyncIterable<readonly TagChange[]> {
  const total = await store.countBatches(runId, stepId);
  for (let index = 0; index < total; index += 1) {
    const key = { runId, stepId, index };
    const lost = new Set((await store.readOutcome(key))?.lost);
    yield ((await store.readIntent(key))?.changes ?? []).filter((change) => !lost.has(change.key));
  }
}

async function conflictsOf(s3: S3, store: JournalStore, key: BatchKey): Promise<Conflict[]> {
  const intent = await store.readIntent(key);
  const lost = new Set((await store.readOutcome(key))?.lost);
  const late = (intent?.changes ?? []).filter((change) => lost.has(change.key));
  const lateConflicts = late.map((change): Conflict => {
    const [tag = ''] = Object.keys(change.after);
    const shared = { collection: s3.bucket, key: change.key, field: `tag.${tag}`, reason: 'changed-since' as const };
    return { ...shared, base: change.after[tag] ?? null, ours: change.before[tag] ?? null, theirs: null };
  });
  return [...(intent?.conflicts ?? []), ...lateConflicts];
}

async function foreignReferences(
  s3: S3,
  store: JournalStore,
  runId: string,
  field: string,
  values: readonly string[],
): Promise<Set<string>> {
  const wanted = new Set(values);
  const found = new Set<string>();
  let hits: ObjectEntry[] = [];
  const judge = async (): Promise<void> => {
    const ours = hits.length === 0 ? new Set() : await writtenKeys(store, runId, field, hits);
    for (const hit of hits) if (!ours.has(hit.key)) found.add(String(fieldOf(hit, field)));
    hits = [];
  };
  for await (const entry of listLatest(s3)) {
    const value = String(fieldOf(entry, field));
    if (wanted.has(value) && !found.has(value)) hits.push(entry);
    if (hits.length >= page) await judge();
  }
  await judge();
  return found;
}

/** Which of these objects' fields the run wrote itself. */
async function writtenKeys(
  store: JournalStore,
  runId: string,
  field: string,
  hits: readonly ObjectEntry[],
): Promise<Set<string>> {
  const keys = new Set(hits.map((hit) => hit.key));
  const written = new Set<string>();
  if (!field.startsWith('tag.')) return written;
  for (const stepId of await store.listSteps(runId)) {
    for await (const changes of batchesOf(store, runId, stepId)) {
      for (const change of changes) if (field.slice(4) in change.after && keys.has(change.key)) written.add(change.key);
    }
  }
  return written;
}
