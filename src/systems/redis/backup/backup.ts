import { join } from 'node:path';
import { z } from 'zod';
import { checksumOf, corrupt, verifyFiles } from '../../../shared/checksum.ts';
import type { Json } from '../../../shared/json.ts';
import { readNdjsonZst, writeNdjsonZst } from '../../../shared/ndjson.ts';
import type { BackupContext, BackupPart } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { scanKeys } from '../keys.ts';
import { readValues, ValueSum } from '../values.ts';

export const backupFormat = 'redis-dump/1';
const fileName = 'keys.ndjson.zst';

const excludes = [
  'one moment for all: each key is as it was when it was read, so services that write meanwhile leave a mixture',
  'keys that have expired since: a restore does not bring them back',
  'users, settings, scripts, subscriptions and other databases of the server',
  "the bot's own keys (tas:*)",
];

const base64 = z.base64();
const lineSchema = z.strictObject({
  key: base64,
  /** What DUMP answers. */
  value: base64,
  /** Milliseconds since 1970; null = it does not expire. */
  expiresAt: z.number().int().nullable(),
});

export interface SavedKey {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly expiresAt: number | null;
}

/** Every key in the server's own form, with the time when it expires. */
export async function backup(connection: Connection, folder: string, context: BackupContext): Promise<BackupPart> {
  const sum = new ValueSum();
  const total = Number(await connection.ask('DBSIZE'));
  async function* lines(): AsyncIterable<Json> {
    let done = 0;
    for await (const keys of scanKeys(connection, { patterns: ['*'], signal: context.signal })) {
      for await (const value of readValues(connection, keys, true)) {
        sum.add(value);
        const { key, dump, expiresAt } = value;
        yield { key: key.toString('base64'), value: (dump ?? Buffer.alloc(0)).toString('base64'), expiresAt };
      }
      done += keys.length;
      context.progress(done, Math.max(total, done), 'records');
    }
  }
  const path = join(folder, fileName);
  await writeNdjsonZst(path, lines());
  return {
    format: backupFormat,
    files: [{ path: fileName, ...(await checksumOf(path)) }],
    fingerprint: sum.end(),
    excludes,
  };
}

/** Throws `corrupt-backup` where the part is not what was written. */
export async function verifyPart(system: string, part: BackupPart, folder: string): Promise<void> {
  if (part.format !== backupFormat) throw corrupt(system, `its form is ${part.format}, known is ${backupFormat}`);
  await verifyFiles(folder, part.files, system);
}

export async function* readSaved(system: string, folder: string): AsyncIterable<SavedKey> {
  for await (const line of readNdjsonZst(join(folder, fileName))) {
    const parsed = lineSchema.safeParse(line);
    if (!parsed.success) throw corrupt(system, `${fileName} holds a line that cannot be read`);
    const { key, value, expiresAt } = parsed.data;
    yield { key: Buffer.from(key, 'base64'), value: Buffer.from(value, 'base64'), expiresAt };
  }
}
