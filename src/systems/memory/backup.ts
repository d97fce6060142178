import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checksumOf, corrupt, verifyFiles } from '../../shared/checksum.ts';
import { canonicalJson, type Json } from '../../shared/json.ts';
import type { BackupContext, BackupPart, Fingerprint } from '../system.ts';
import { batchName, byCodePoint, type Content, type Fields, type MemoryStore } from './memory-store.ts';

const backupFormat = 'memory-records/1';
const recordsFile = 'records.ndjson';
const journalFile = 'journal.ndjson';
const dataModelFile = 'data-model.json';

const recordLine = z.tuple([z.string(), z.string(), z.record(z.string(), z.json())]);
const journalLine = z.strictObject({
  runId: z.string(),
  stepId: z.string(),
  index: z.number(),
  body: z.string(),
  result: z.json(),
});

const dataModelVersion = z.strictObject({ version: z.string(), runId: z.string(), at: z.string() }).nullable();

export function fingerprintOf(content: Content): Fingerprint {
  const hash = createHash('sha256');
  const counts: { [collection: string]: number } = {};
  for (const collection of [...content.collections.keys()].sort(byCodePoint)) {
    const records = content.collections.get(collection) ?? new Map<string, Fields>();
    counts[collection] = records.size;
    hash.update(`${JSON.stringify(collection)}\n`);
    for (const line of recordLines(collection, records)) hash.update(line);
  }
  return { counts, hash: hash.digest('hex') };
}

function recordLines(collection: string, records: ReadonlyMap<string, Fields>): string[] {
  const keys = [...records.keys()].sort(byCodePoint);
  return keys.map((key) => `${canonicalJson([collection, key, records.get(key) ?? {}])}\n`);
}

/** Records and journal, a line each. Empty collections are lines with an empty key and no fields. */
export async function backup(store: MemoryStore, folder: string, context: BackupContext): Promise<BackupPart> {
  const { collections, journal } = store.content;
  const names = [...collections.keys()].sort(byCodePoint);
  const lines = names.flatMap((name) => {
    const records = collections.get(name) ?? new Map<string, Fields>();
    return records.size === 0 ? [`${canonicalJson([name, '', {}])}\n`] : recordLines(name, records);
  });
  context.signal.throwIfAborted();
  await writeFile(join(folder, recordsFile), lines.join(''), { flag: 'wx' });
  const batches = [...journal.values()].map((batch) => `${canonicalJson({ ...batch } as Json)}\n`);
  await writeFile(join(folder, journalFile), batches.join(''), { flag: 'wx' });
  await writeFile(join(folder, dataModelFile), canonicalJson(store.content.dataModel as Json), { flag: 'wx' });
  context.progress(lines.length, lines.length, 'records');
  const files = [];
  for (const path of [recordsFile, journalFile, dataModelFile])
    files.push({ path, ...(await checksumOf(join(folder, path))) });
  return { format: backupFormat, files, fingerprint: fingerprintOf(store.content), excludes: [] };
}

/** Reads and checks all of the part before anything is replaced. Fences never go back. */
export async function restore(store: MemoryStore, part: BackupPart, folder: string): Promise<Fingerprint> {
  store.content = await readContent(store, part, folder);
  return fingerprintOf(store.content);
}

/** What the store would hold after a restore. */
export async function readContent(store: MemoryStore, part: BackupPart, folder: string): Promise<Content> {
  if (part.format !== backupFormat) throw corrupt(store.name, `its form is ${part.format}, known is ${backupFormat}`);
  await verifyFiles(folder, part.files, store.name);
  const content: Content = {
    collections: new Map(),
    journal: new Map(),
    fences: store.content.fences,
    dataModel: null,
  };
  for (const [collection, key, fields] of await readLines(store, join(folder, recordsFile), recordLine)) {
    const records = content.collections.get(collection) ?? new Map<string, Fields>();
    content.collections.set(collection, records);
    if (key !== '') records.set(key, fields as Fields);
  }
  for (const batch of await readLines(store, join(folder, journalFile), journalLine)) {
    content.journal.set(batchName(batch), { ...batch, result: batch.result as Json });
  }
  content.dataModel = dataModelVersion.parse(JSON.parse(await readFile(join(folder, dataModelFile), 'utf8')));
  return content;
}

async function readLines<T>(store: MemoryStore, path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const parsed = schema.safeParse(JSON.parse(line));
      if (!parsed.success) throw corrupt(store.name, `${path.split('/').at(-1)} holds a line that cannot be read`);
      return parsed.data;
    });
}
