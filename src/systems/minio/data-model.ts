import { z } from 'zod';
import type { DataModel, DataModelVersion } from '../system.ts';
import { type JournalStore, journalBucket } from './journal-store.ts';
import type { S3 } from './s3.ts';

const key = 'data-model';
const missing = ['NoSuchKey', 'NotFound', 'NoSuchBucket'];

export const dataModelSchema = z.strictObject({ version: z.string(), runId: z.string(), at: z.string() }).nullable();

/** The version of the data model, in one object beside the journal. Backups hold it, and a restore rewinds it. */
export function createDataModel(s3: S3, journal: JournalStore): DataModel {
  return {
    read: () => readDataModel(s3),
    async write(version, fence) {
      await journal.checkFence(fence);
      await writeDataModel(s3, journal, version);
    },
  };
}

export async function readDataModel(s3: S3): Promise<DataModelVersion | null> {
  const answer = await s3.request({ method: 'GET', bucket: journalBucket(s3.bucket), key, allow: missing });
  return answer && dataModelSchema.parse(JSON.parse(answer.body));
}

/** Without a look at the fence: a restore has its own. */
export async function writeDataModel(
  s3: S3,
  journal: Pick<JournalStore, 'makeBucket'>,
  version: DataModelVersion | null,
): Promise<void> {
  const bucket = journalBucket(s3.bucket);
  if (version === null) {
    await s3.request({ method: 'DELETE', bucket, key, allow: missing });
    return;
  }
  await journal.makeBucket();
  const { version: name, runId, at } = version;
  await s3.request({ method: 'PUT', bucket, key, body: JSON.stringify({ version: name, runId, at }) });
}
