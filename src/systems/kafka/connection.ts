import { type Admin, type Consumer, type ConsumerConfig, Kafka, logLevel, type SASLOptions } from 'kafkajs';
import type { Secret } from '../../shared/secret.ts';
import { type ErrorPlace, toFailure, typeOf } from './failure.ts';

export interface KafkaOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly tls?: boolean;
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly user: string;
    readonly password: Secret;
  };
}

/** The one door to the brokers. Connects at the first use; every error leaves as a `Failure`. */
export interface Connection {
  readonly place: ErrorPlace;
  ask<T>(work: (admin: Admin) => Promise<T>): Promise<T>;
  /** Acknowledged by all replicas in sync when this comes back; answers the record's offset. */
  append(topic: string, record: { readonly key: string; readonly value: Buffer }): Promise<bigint>;
  /** Not connected yet. The caller disconnects it. */
  consumer(config: ConsumerConfig): Consumer;
  /** For work of a consumer that the caller drives. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How the brokers name us among the members of a group. */
export const botClientId = 'tas-bot';
const patience = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 };

export function connect(options: KafkaOptions): Connection {
  const { name, brokers, tls = false, sasl } = options;
  const place: ErrorPlace = { system: name, at: brokers.join(', ') };
  // Made late, so that the password is revealed to nothing but the driver.
  const kafka = new Kafka({
    clientId: botClientId,
    brokers: [...brokers],
    ssl: tls,
    ...(sasl ? { sasl: saslOf(sasl) } : {}),
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: patience,
    // The driver logs what goes through it, addresses and members included: errors are told by us instead.
    logLevel: logLevel.NOTHING,
  });
  const admin = once(() => kafka.admin({ retry: patience }));
  const producer = once(() => kafka.producer({ allowAutoTopicCreation: false, retry: patience }));
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toFailure(error, place);
    }
  };
  return {
    place,
    guard,
    ask: (work) =>
      guard(async () => {
        try {
          return await admin.use(work);
        } catch (error) {
          // The driver asks for every topic that it was ever asked about, and fails once one of them is gone.
          if (typeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
          admin.renew();
          return admin.use(work);
        }
      }),
    append: (topic, record) =>
      guard(async () => {
        const [written] = await producer.use((client) => client.send({ topic, acks: -1, messages: [record] }));
        return BigInt(written?.baseOffset ?? written?.offset ?? -1);
      }),
    consumer: (config) => kafka.consumer({ allowAutoTopicCreation: false, ...config }),
    async close() {
      await Promise.all([admin.close(), producer.close()]);
    },
  };
}

function saslOf({ mechanism, user, password }: NonNullable<KafkaOptions['sasl']>): SASLOptions {
  return { mechanism, username: user, password: password.reveal() } as SASLOptions;
}

interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** One that is connected at the first use; a failed connect is tried anew at the next. */
function once<T extends Connectable>(make: () => T) {
  interface Open {
    readonly client: T;
    users: number;
    retired: boolean;
  }
  let open: Promise<Open> | null = null;
  const end = (client: T): Promise<void> => client.disconnect().catch(() => undefined);
  const start = async (): Promise<Open> => {
    const client = make();
    try {
      await client.connect();
      return { client, users: 0, retired: false };
    } catch (error) {
      open = null;
      await end(client);
      throw error;
    }
  };
  return {
    async use<R>(work: (client: T) => Promise<R>): Promise<R> {
      open ??= start();
      const current = await open;
      current.users += 1;
      try {
        return await work(current.client);
      } finally {
        current.users -= 1;
        if (current.retired && current.users === 0) void end(current.client);
      }
    },
    /** The next use gets a new one; those that are under way keep theirs. */
    renew(): void {
      const old = open;
      open = null;
      void old?.then(
        (current) => {
          current.retired = true;
          if (current.users === 0) void end(current.client);
        },
        () => undefined,
      );
    },
    async close(): Promise<void> {
      const current = await open?.catch(() => null);
      open = null;
      if (current) await end(current.client);
    },
  };
}
