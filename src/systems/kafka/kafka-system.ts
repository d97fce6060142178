import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Health, System } from '../system.ts';
import { backup } from './backup/backup.ts';
import { previewRestore, restore } from './backup/restore.ts';
import { type Connection, connect, type KafkaOptions } from './connection.ts';
import { fingerprintOf, readContent } from './content.ts';
import { createJournal } from './journal.ts';
import { createJournalStore, type KindSetting } from './journal-store.ts';
import { awaitDrainedKind } from './kinds/await-drained.ts';
import { createTopicKind } from './kinds/create-topic.ts';
import { setOffsetsKind } from './kinds/set-offsets.ts';
import { setTopicConfigKind } from './kinds/set-topic-config.ts';
import { createLoad } from './load.ts';
import { preflight, unreachableFinding } from './preflight.ts';
import { lookup, scan } from './reading.ts';

export interface KafkaSystemOptions extends KafkaOptions {
  readonly seal: Seal;
  readonly logger: Logger;
  /** The topic that keeps the journal; absent = `__tas_journal`. Begins with `__tas_`. */
  readonly journalTopic?: string;
}

/** A Kafka cluster: topics, groups and where they stand. Connects at the first use. */
export function createKafkaSystem(options: KafkaSystemOptions): System {
  const { name, seal, logger, journalTopic = '__tas_journal' } = options;
  const connection = connect(options);
  const store = createJournalStore(connection, seal, journalTopic);
  const setting: KindSetting = { system: name, connection, journal: store };
  const load = createLoad(connection);
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await connection.guard(work);
    } catch (error) {
      if (error instanceof Failure) logger.debug({ err: error.cause, system: name }, 'kafka failed');
      throw error;
    }
  };
  return {
    name,
    type: 'kafka',
    kinds: [awaitDrainedKind(setting), createTopicKind(setting), setTopicConfigKind(setting), setOffsetsKind(setting)],
    identity: () => guard(async () => (await connection.ask((admin) => admin.describeCluster())).clusterId),
    checkHealth: () => checkHealth(connection),
    advanceFence: (fence) => guard(() => store.raiseFence(fence)),
    lookup: (query, keys) => guard(() => lookup(connection, query, keys)),
    scan: (query) => scan(connection, query),
    journal: createJournal(store),
    preflight: (needs) =>
      guard(() => preflight(connection, journalTopic, needs)).catch((error: unknown) => [unreachableFinding(error)]),
    load: () => guard(load),
    fingerprint: () => guard(async () => fingerprintOf(await readContent(connection))),
    counts: () => guard(async () => fingerprintOf(await readContent(connection)).counts),
    backup: (folder, context) => guard(() => backup(connection, folder, context)),
    previewRestore: (part, folder) => guard(() => previewRestore(connection, part, folder)),
    restore: (part, folder, context) => guard(() => restore(connection, part, folder, context)),
    async close() {
      await store.close();
      await connection.close();
    },
  };
}

/** The protocol tells no version of the software: brokers are told instead. */
async function checkHealth(connection: Connection): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    const { brokers, controller } = await connection.ask((admin) => admin.describeCluster());
    const version = `${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'}`;
    const note = controller === null ? { note: 'it has no controller: nothing can be changed' } : {};
    return { up: true, version, latencyMs: latency(), ...note };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}
