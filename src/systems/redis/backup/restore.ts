import type { Finding } from '../../finding.ts';
import type { BackupContext, BackupPart, Fingerprint } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { isOwn, partOf, scanKeys } from '../keys.ts';
import { counts, fingerprint } from '../values.ts';
import { readSaved, type SavedKey, verifyPart } from './backup.ts';

/** Values that are under way at once: so many, or so many bytes. */
const [atOnce, bytesAtOnce] = [200, 8_000_000];
/** Keys of the set that are held in memory at once. */
const mostKeys = 500_000;

/**
 * Puts every key of the set back, over what is there, then removes the keys that the set does not have. All of the set is
 * read and checked before anything is written. The bot's own keys stay.
 */
export async function restore(
  connection: Connection,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  const { system } = connection.place;
  await verifyPart(system, part, folder);
  let total = 0;
  for await (const _ of readSaved(system, folder)) total += 1;
  let done = 0;
  for await (const window of windows(readSaved(system, folder))) {
    context.signal.throwIfAborted();
    await Promise.all(window.map((saved) => restoreKey(connection, saved)));
    done += window.length;
    context.progress(done, total, 'records');
  }
  await removeOthers(connection, folder, Math.max(1, Math.ceil(total / mostKeys)), context.signal);
  return fingerprint(connection, context.signal);
}

/** What a restore takes away beside the data, and what it cannot bring back. */
export async function previewRestore(
  connection: Connection,
  part: BackupPart,
  folder: string,
): Promise<readonly Finding[]> {
  const { system } = connection.place;
  await verifyPart(system, part, folder);
  const now = Date.now();
  let expired = 0;
  for await (const { expiresAt } of readSaved(system, folder)) if (expiresAt !== null && expiresAt <= now) expired += 1;
  const held = await counts(connection);
  const title = `The ${(held.keys ?? 0) + (held.expiring ?? 0)} keys that are there now are replaced; ${expired} of the set have expired and stay away`;
  const advice = 'What was cached or put into queues since the set is lost. Services should not run meanwhile.';
  return [{ check: 'redis-replaced', title, status: 'warning', count: expired, samples: [], advice }];
}

/** A key whose time has passed is not made: the server sees to that. */
async function restoreKey(connection: Connection, { key, value, expiresAt }: SavedKey): Promise<void> {
  if (isOwn(key)) return;
  await connection.ask('RESTORE', key, String(expiresAt ?? 0), value, 'REPLACE', 'ABSTTL');
}

async function removeOthers(connection: Connection, folder: string, parts: number, signal: AbortSignal): Promise<void> {
  for (let part = 0; part < parts; part += 1) {
    const wanted = new Set<string>();
    for await (const { key } of readSaved(connection.place.system, folder)) {
      if (partOf(key, parts) === part) wanted.add(key.toString('latin1'));
    }
    for await (const keys of scanKeys(connection, { patterns: ['*'], signal })) {
      const extra = keys.filter((key) => partOf(key, parts) === part && !wanted.has(key.toString('latin1')));
      if (extra.length > 0) await connection.ask('UNLINK', ...extra);
    }
  }
}

async function* windows(items: AsyncIterable<SavedKey>): AsyncIterable<SavedKey[]> {
  let [window, bytes]: [SavedKey[], number] = [[], 0];
  for await (const item of items) {
    window.push(item);
    bytes += item.value.length;
    if (window.length < atOnce && bytes < bytesAtOnce) continue;
    yield window;
    [window, bytes] = [[], 0];
  }
  if (window.length > 0) yield window;
}
