import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOf } from '../../shared/checksum.ts';
import type { Json } from '../../shared/json.ts';
import { writeNdjsonZst } from '../../shared/ndjson.ts';
import type { BackupContext, BackupPart } from '../system.ts';
import type { Client } from './client.ts';
import { exportRealm, fingerprint } from './fingerprint.ts';
import { scan } from './reading.ts';

const realmFile = 'realm.json';
const usersFile = 'user-ids.ndjson.zst';
const excludes = [
  "users with their credentials, roles and groups (only their ids are here): they are in Keycloak's database, whose backup is the real one",
  'secrets of clients, keys and passwords of the realm: the export masks them as **********',
  'sessions and events',
  'other realms of the server',
];

/**
 * What the realm's own export gives, to compare with and to read: it cannot be restored from. Beside it the ids of all
 * users, so that what is gone can be named later.
 */
export async function backup(client: Client, folder: string, context: BackupContext): Promise<BackupPart> {
  const realm = await exportRealm(client, context.signal);
  await writeFile(join(folder, realmFile), `${JSON.stringify(realm, null, 2)}\n`, {
    flag: 'wx',
    flush: true,
    mode: 0o600,
  });
  await writeNdjsonZst(join(folder, usersFile), userIds(client, context));
  const files = [];
  for (const path of [realmFile, usersFile]) files.push({ path, ...(await checksumOf(join(folder, path))) });
  return { format: 'keycloak-realm-export/1', files, fingerprint: await fingerprint(client, context.signal), excludes };
}

async function* userIds(client: Client, context: BackupContext): AsyncIterable<Json> {
  let done = 0;
  for await (const { key } of scan(client, { collection: 'users', key: 'id', fields: [] })) {
    context.signal.throwIfAborted();
    done += 1;
    if (done % 500 === 0) context.progress(done, null, 'records');
    yield key;
  }
  context.progress(done, done, 'records');
}
