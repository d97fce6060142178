import { randomUUID } from 'node:crypto';
import type { Consumer } from 'kafkajs';
import type { Connection } from './connection.ts';

/** Groups by which the journal is read: no consumers of the platform. */
export const readerPrefix = 'tas-journal-';

/** The records of the journal's topic so far. The first record of a key stands; later ones with the same key are ignored. */
export interface JournalRecords {
  readonly first: ReadonlyMap<string, Buffer>;
  /** Every value of the keys that begin with `fence/`: the greatest counts, not the first. */
  readonly fences: ReadonlyMap<string, number>;
}

/** A log that all processes write to and read in the same order: so all agree on who was first. */
export interface JournalLog {
  /** Everything that was written before this call. */
  read(): Promise<JournalRecords>;
  /** Comes back when the record is in what `read` answers. */
  append(key: string, value: Buffer): Promise<JournalRecords>;
  close(): Promise<void>;
}

interface Reader {
  readonly consumer: Consumer;
  readonly group: string;
  readonly first: Map<string, Buffer>;
  readonly fences: Map<string, number>;
  /** The offset of the record that comes next. */
  next: bigint;
  failed: unknown;
  /** Called once when something came, or will never come. */
  readonly waiting: Set<() => void>;
}

const readWithinMs = 30_000;

/**
 * The topic keeps everything for ever and is not compacted: compaction keeps the last record of a key, and here the first
 * one counts. Its records are few: two a batch of a step, and one each time that the environment changes hands.
 */
export function createJournalLog(connection: Connection, topic: string): JournalLog {
  let reader: Promise<Reader> | null = null;
  let there = false;

  const stop = async (): Promise<void> => {
    const old = await reader?.catch(() => null);
    reader = null;
    if (!old) return;
    await old.consumer.disconnect().catch(() => undefined);
    await connection.ask((admin) => admin.deleteGroups([old.group])).catch(() => undefined);
  };
  const ends = async (): Promise<{ low: bigint; high: bigint } | null> => {
    if (!there) there = await isThere(connection, topic);
    if (!there) return null;
    const [only] = await connection.ask((admin) => admin.fetchTopicOffsets(topic));
    return { low: BigInt(only?.low ?? 0), high: BigInt(only?.high ?? 0) };
  };
  const readUntil = async (end: bigint): Promise<JournalRecords> => {
    reader ??= startReader(connection, topic).catch((error: unknown) => {
      reader = null;
      throw error;
    });
    const running = await reader;
    try {
      await waitFor(running, end);
    } catch (error) {
      await stop();
      throw error;
    }
    return running;
  };
  return {
    read: () =>
      connection.guard(async () => {
        const found = await ends();
        if (found === null || found.high === found.low) return { first: new Map(), fences: new Map() };
        // A topic that ends before where we are was made anew.
        if (reader !== null && (await reader).next > found.high) await stop();
        return readUntil(found.high);
      }),
    append: (key, value) =>
      connection.guard(async () => {
        if (!there) await makeTopic(connection, topic);
        there = true;
        return readUntil((await connection.append(topic, { key, value })) + 1n);
      }),
    close: stop,
  };
}

async function isThere(connection: Connection, topic: string): Promise<boolean> {
  return (await connection.ask((admin) => admin.listTopics())).includes(topic);
}

async function makeTopic(connection: Connection, topic: string): Promise<void> {
  const { brokers } = await connection.ask((admin) => admin.describeCluster());
  const replicas = Math.min(3, brokers.length);
  const configEntries = [
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'retention.ms', value: '-1' },
    { name: 'retention.bytes', value: '-1' },
    { name: 'min.insync.replicas', value: String(Math.max(1, replicas - 1)) },
  ];
  // Answers false where it is there already.
  await connection.ask((admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: replicas, configEntries }] }),
  );
}

async function startReader(connection: Connection, topic: string): Promise<Reader> {
  const group = `${readerPrefix}${randomUUID()}`;
  const consumer = connection.consumer({
    groupId: group,
    // How long the server keeps a question open: so long does ending take.
    maxWaitTimeInMs: 500,
    retry: { retries: 3, restartOnFailure: async () => false },
  });
  const reader: Reader = {
    consumer,
    group,
    first: new Map(),
    fences: new Map(),
    next: 0n,
    failed: null,
    waiting: new Set(),
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    reader.failed = payload.error;
    wake(reader);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key, value, offset } of batch.messages) {
          if (BigInt(offset) >= reader.next) take(reader, key?.toString() ?? '', value ?? Buffer.alloc(0));
        }
        // A reader that had to join again begins at the beginning again.
        const next = BigInt(batch.lastOffset()) + 1n;
        if (next > reader.next) reader.next = next;
        wake(reader);
      },
    });
    return reader;
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw error;
  }
}

function take({ first, fences }: Reader, key: string, value: Buffer): void {
  if (!key.startsWith('fence/')) {
    if (!first.has(key)) first.set(key, value);
    return;
  }
  const token = Number(value.toString());
  if (Number.isSafeInteger(token)) fences.set(key, Math.max(token, fences.get(key) ?? -1));
}

function wake({ waiting }: Reader): void {
  const called = [...waiting];
  waiting.clear();
  for (const call of called) call();
}

async function waitFor(reader: Reader, end: bigint): Promise<void> {
  const late = Date.now() + readWithinMs;
  while (reader.next < end) {
    if (reader.failed !== null) throw reader.failed;
    if (Date.now() > late) throw Object.assign(new Error('the journal cannot be read'), { name: 'KafkaJSTimeout' });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 250);
      reader.waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  if (reader.failed !== null) throw reader.failed;
}
