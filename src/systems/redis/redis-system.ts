import { randomUUID } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Health, System } from '../system.ts';
import { backup } from './backup/backup.ts';
import { previewRestore, restore } from './backup/restore.ts';
import { type Connection, connect, type RedisOptions } from './connection.ts';
import { type KindSetting, raiseFence } from './flush.ts';
import { readInfo } from './info.ts';
import { ownPrefix } from './keys.ts';
import { awaitIdleQueueKind } from './kinds/await-idle-queue.ts';
import { flushKeysKind } from './kinds/flush-keys.ts';
import { createLoad } from './load.ts';
import { preflight, unreachableFinding } from './preflight.ts';
import { recovery } from './recovery.ts';
import { counts, fingerprint } from './values.ts';

export interface RedisSystemOptions extends RedisOptions {
  readonly seal: Seal;
  readonly logger: Logger;
}

const identityKey = `${ownPrefix}identity`;

/** One database of a Redis server. Connects at the first use. */
export function createRedisSystem(options: RedisSystemOptions): System {
  const { name, seal, logger } = options;
  const connection = connect(options);
  const setting: KindSetting = { system: name, connection, seal };
  const load = createLoad(connection);
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Failure) logger.debug({ code: error.code, system: name }, 'redis failed');
      throw error;
    }
  };
  return {
    name,
    type: 'redis',
    kinds: [flushKeysKind(setting), awaitIdleQueueKind(setting)],
    identity: () => guard(() => readIdentity(connection)),
    checkHealth: () => checkHealth(connection),
    advanceFence: (fence) => guard(() => raiseFence(connection, fence)),
    preflight: (needs) =>
      guard(() => preflight(connection, needs)).catch((error: unknown) => [unreachableFinding(error)]),
    load: () => guard(load),
    recovery: (run) => recovery(options, run),
    fingerprint: () => guard(() => fingerprint(connection)),
    counts: () => guard(() => counts(connection)),
    backup: (folder, context) => guard(() => backup(connection, folder, context)),
    previewRestore: (part, folder) => guard(() => previewRestore(connection, part, folder)),
    restore: (part, folder, context) => guard(() => restore(connection, part, folder, context)),
    close: () => connection.close(),
  };
}

/**
 * The server has no id that outlives a restart, so it gets one at the first question: a random one, kept among the data.
 * A replica that takes over has it too. Who empties the whole server makes another one of it.
 */
async function readIdentity(connection: Connection): Promise<string> {
  const known = await connection.ask('GET', identityKey);
  if (known !== null) return String(known);
  await connection.ask('SET', identityKey, randomUUID(), 'NX');
  return String(await connection.ask('GET', identityKey));
}

async function checkHealth(connection: Connection): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    await connection.ask('PING');
    const latencyMs = latency();
    const [server, persistence, replication] = await Promise.all(
      ['server', 'persistence', 'replication'].map((section) => readInfo(connection, section)),
    );
    const notes = [
      ...(replication?.get('role') === 'slave' ? ['it is a replica'] : []),
      ...(persistence?.get('rdb_last_bgsave_status') === 'err' ? ['it could not save its data to disk'] : []),
    ];
    const version = server?.get('redis_version') ?? 'unknown';
    return { up: true, version, latencyMs, ...(notes.length > 0 ? { note: notes.join('; ') } : {}) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'missing-rights')
      return { up: true, version: 'unknown', latencyMs: latency(), note: error.message };
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}
