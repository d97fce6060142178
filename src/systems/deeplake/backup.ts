import { readFile as readLocalFile, writeFile as writeLocalFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checksumOf, corrupt, verifyFiles } from '../../shared/checksum.ts';
import { digestOf } from '../../shared/json.ts';
import type { BackupContext, BackupPart, Fingerprint } from '../system.ts';
import { dataModelSchema, readDataModel, writeDataModel } from './data-model.ts';
import { type DatasetFingerprint, fingerprintOf } from './reading.ts';
import { listAll } from './setting.ts';
import type { Worker } from './worker.ts';

const format = 'deeplake-files/1';
const indexName = 'datasets.json';
const hours = 4 * 3_600_000;
const excludes = [
  'the journal of runs and what they keep aside: both lie beside the datasets, which a restore does not touch',
  'writes that no client had committed',
  'what the service in front of the datasets holds in memory',
];

const fileSchema = z.strictObject({ path: z.string(), sha256: z.string(), bytes: z.number() });
const savedSchema = z.strictObject({ version: z.string(), files: z.array(fileSchema) });
const indexSchema = z.strictObject({
  dataModel: dataModelSchema,
  datasets: z.array(
    savedSchema.extend({
      dataset: z.string(),
      count: z.number(),
      dimension: z.number().nullable(),
      hash: z.string(),
    }),
  ),
});
type Index = z.infer<typeof indexSchema>;

/** All datasets together; the order is that of their names. */
export function sumOf(
  found: readonly (Pick<DatasetFingerprint, 'count' | 'dimension' | 'hash'> & { dataset: string })[],
): Fingerprint {
  return {
    counts: Object.fromEntries(found.map(({ dataset, count }) => [dataset, count])),
    hash: digestOf(found.map(({ dataset, count, dimension, hash }) => ({ dataset, count, dimension, hash }))),
  };
}

export async function fingerprint(worker: Worker, signal?: AbortSignal): Promise<Fingerprint> {
  const found = [];
  for (const dataset of await listAll(worker))
    found.push({ dataset, ...(await fingerprintOf(worker, dataset, signal)) });
  return sumOf(found);
}

const nothing = z.strictObject({});

/** Copies each dataset at one commit, file by file; contents that the folder of objects has already are not written again. */
export async function backup(worker: Worker, folder: string, context: BackupContext): Promise<BackupPart> {
  const { signal, objectsFolder: objects } = context;
  const datasets: Index['datasets'] = [];
  let bytes = 0;
  for (const dataset of await listAll(worker)) {
    const progress = (done: number): void => context.progress(bytes + done, null, 'bytes');
    const saved = await worker.call('archive-save', { dataset, objects }, savedSchema, {
      signal,
      timeLimitMs: hours,
      progress,
    });
    const { count, dimension, hash, version } = await fingerprintOf(worker, dataset, signal);
    // Both must tell of one commit: else the copy is taken again.
    const again = version === saved.version ? null : await retake(worker, dataset, context);
    datasets.push(again ?? { dataset, ...saved, count, dimension, hash });
    bytes += saved.files.reduce((sum, file) => sum + file.bytes, 0);
  }
  const index: Index = { dataModel: await readDataModel(worker), datasets };
  await writeLocalFile(join(folder, indexName), JSON.stringify(index), { flag: 'wx', flush: true });
  const files = [{ path: indexName, ...(await checksumOf(join(folder, indexName))) }];
  return { format, files, fingerprint: sumOf(datasets), excludes };
}

async function retake(worker: Worker, dataset: string, context: BackupContext): Promise<Index['datasets'][number]> {
  const { signal, objectsFolder: objects } = context;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const saved = await worker.call('archive-save', { dataset, objects }, savedSchema, { signal, timeLimitMs: hours });
    const { count, dimension, hash, version } = await fingerprintOf(worker, dataset, signal);
    if (version === saved.version) return { dataset, ...saved, count, dimension, hash };
  }
  throw corrupt(dataset, 'somebody writes to it all the time; stop the writers and take it again');
}

/** Checks all of the set, then brings each dataset back under its name and takes away those that the set has not. */
export async function restore(
  worker: Worker,
  system: string,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  const { signal, objectsFolder: objects } = context;
  if (part.format !== format) throw corrupt(system, `its form is ${part.format}, known is ${format}`);
  await verifyFiles(folder, part.files, system);
  const index = await readIndex(folder, system);
  for (const { files } of index.datasets) {
    await worker.call('archive-verify', { objects, files }, nothing, { signal, timeLimitMs: hours });
  }
  const total = index.datasets.reduce((sum, { files }) => files.reduce((part, file) => part + file.bytes, sum), 0);
  let done = 0;
  for (const { dataset, files, ...wanted } of index.datasets) {
    const progress = (bytes: number): void => context.progress(done + bytes, total, 'bytes');
    if (!(await isSame(worker, dataset, wanted))) {
      await worker.call('archive-restore', { dataset, objects, files }, nothing, {
        signal,
        timeLimitMs: hours,
        progress,
      });
    }
    done += files.reduce((sum, file) => sum + file.bytes, 0);
  }
  const wanted = new Set(index.datasets.map(({ dataset }) => dataset));
  for (const dataset of await listAll(worker)) {
    if (!wanted.has(dataset)) await worker.call('remove', { dataset }, nothing, { signal });
  }
  await writeDataModel(worker, index.dataModel);
  return fingerprint(worker, signal);
}

/** At the same commit with the same vectors: it stays as it is. One that cannot be read is replaced. */
async function isSame(
  worker: Worker,
  dataset: string,
  wanted: Pick<DatasetFingerprint, 'version' | 'hash'>,
): Promise<boolean> {
  try {
    const found = await fingerprintOf(worker, dataset);
    return found.version === wanted.version && found.hash === wanted.hash;
  } catch {
    return false;
  }
}

async function readIndex(folder: string, system: string): Promise<Index> {
  try {
    return indexSchema.parse(JSON.parse(await readLocalFile(join(folder, indexName), 'utf8')));
  } catch (error) {
    throw corrupt(system, `${indexName} cannot be read`, error);
  }
}
