import type { Conflict, Journal } from '../system.ts';
import { type Change, type CopyChange, imagesOf } from './change.ts';
import { isCopyOf } from './changes/copies.ts';
import type { BatchKey, JournalStore } from './journal-store.ts';
import { inParallel, listLatest, type ObjectEntry, readHead } from './objects.ts';
import type { S3 } from './s3.ts';
import { fieldOf } from './selection.ts';

const page = 1_000;

/** Reads what runs wrote. */
export function createJournal(s3: S3, store: JournalStore): Journal {
  return {
    async *writtenValues(runId, stepId, field) {
      for await (const changes of batchesOf(store, runId, stepId)) {
        const texts = changes.map((change) => writtenValue(change, field)).filter((value) => value !== null);
        if (texts.length > 0) yield texts;
      }
    },
    foreignReferences(runId, collection, field, values) {
      if (collection !== s3.bucket) return Promise.resolve(new Set());
      if (field === 'key') return foreignObjects(s3, store, runId, values);
      return foreignReferences(s3, store, runId, field, values);
    },
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

/** What the change wrote to the field, if it did. */
function writtenValue(change: Change, field: string): string | null {
  if (change.did === 'copy') return field === 'key' ? change.key : null;
  if (change.did !== undefined) return null;
  return change.after[field.replace(/^tag\./, '')] ?? null;
}

/** Of these keys, those that hold an object which the run did not make: users wrote there since. */
async function foreignObjects(
  s3: S3,
  store: JournalStore,
  runId: string,
  keys: readonly string[],
): Promise<Set<string>> {
  const heads = (await inParallel(keys, 8, (key) => readHead(s3, key))).filter((head) => head !== null);
  const foreign = heads.filter(({ metadata }) => !isCopyOf(metadata, runId));
  if (foreign.length === 0) return new Set();
  const made = await unmarkedCopies(store, runId, new Set(foreign.map(({ key }) => key)));
  return new Set(foreign.filter(({ key, versionId }) => made.get(key) !== versionId).map(({ key }) => key));
}

/** The versions of copies that could not carry the run in their metadata. */
async function unmarkedCopies(
  store: JournalStore,
  runId: string,
  keys: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const ours = (change: Change): change is CopyChange =>
    change.did === 'copy' && !change.marked && keys.has(change.key);
  for (const stepId of await store.listSteps(runId)) {
    const total = await store.countBatches(runId, stepId);
    for (let index = 0; index < total; index += 1) {
      const changes = (await store.readIntent({ runId, stepId, index }))?.changes.filter(ours) ?? [];
      if (changes.length === 0) continue;
      const made = (await store.readOutcome({ runId, stepId, index }))?.made ?? {};
      for (const { key } of changes) found.set(key, made[key] ?? '');
    }
  }
  return found;
}

async function* batchesOf(store: JournalStore, runId: string, stepId: string): AsyncIterable<readonly Change[]> {
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
    const { before, after } = imagesOf(change);
    const [name = ''] = Object.keys(after);
    const field = change.did === undefined ? `tag.${name}` : name;
    const shared = { collection: s3.bucket, key: change.key, field, reason: 'changed-since' as const };
    return { ...shared, base: after[name] ?? null, ours: before[name] ?? null, theirs: null };
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
      for (const change of changes) {
        if (change.did === undefined && field.slice(4) in change.after && keys.has(change.key)) written.add(change.key);
      }
    }
  }
  return written;
}
