import { z } from 'zod';
import type { DataModel, DataModelVersion, Fence } from '../system.ts';
import { readFile, writeFile } from './journal-store.ts';
import type { Worker } from './worker.ts';

const name = 'data-model';

export const dataModelSchema = z.strictObject({ version: z.string(), runId: z.string(), at: z.string() }).nullable();

/** The version of the data model, in one file beside the datasets. Backups hold it, and a restore rewinds it. */
export function createDataModel(worker: Worker, checkFence: (fence: Fence) => Promise<void>): DataModel {
  return {
    read: () => readDataModel(worker),
    async write(version, fence) {
      await checkFence(fence);
      await writeDataModel(worker, version);
    },
  };
}

export async function readDataModel(worker: Worker): Promise<DataModelVersion | null> {
  const file = await readFile(worker, name);
  return file && dataModelSchema.parse(JSON.parse(file.content.toString()));
}

/** Without a look at the fence: a restore has its own. */
export async function writeDataModel(worker: Worker, version: DataModelVersion | null): Promise<void> {
  const content = version && { version: version.version, runId: version.runId, at: version.at };
  await writeFile(worker, name, Buffer.from(JSON.stringify(content)));
}
