import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOf, corrupt, verifyFiles } from '../../../shared/checksum.ts';
import type { BackupContext, BackupPart } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { type Content, contentSchema, fingerprintOf, readContent } from '../content.ts';

export const backupFormat = 'kafka-positions/1';
const fileName = 'kafka.json';

const excludes = [
  'the messages themselves: they stay in their topics for as long as those keep them, and in a topic that is gone they are lost',
  'topics and groups that were made after the set: a restore leaves them as they are',
  'access rules, quotas, users and the settings of the brokers',
  'the journal of runs',
];

/** Topics with their settings, first and last offsets, and where each consumer group goes on reading. */
export async function backup(connection: Connection, folder: string, context: BackupContext): Promise<BackupPart> {
  const content = await readContent(connection, context.signal);
  const path = join(folder, fileName);
  await writeFile(path, `${JSON.stringify(content, null, 1)}\n`, { flag: 'wx', flush: true });
  const fingerprint = fingerprintOf(content);
  const records = content.topics.length + content.groups.length;
  context.progress(records, records, 'records');
  return { format: backupFormat, files: [{ path: fileName, ...(await checksumOf(path)) }], fingerprint, excludes };
}

/** Throws `corrupt-backup` where the part is not what was written. */
export async function readSaved(system: string, part: BackupPart, folder: string): Promise<Content> {
  if (part.format !== backupFormat) throw corrupt(system, `its form is ${part.format}, known is ${backupFormat}`);
  await verifyFiles(folder, part.files, system);
  try {
    return contentSchema.parse(JSON.parse(await readFile(join(folder, fileName), 'utf8')));
  } catch (error) {
    throw corrupt(system, `${fileName} cannot be read`, error);
  }
}
