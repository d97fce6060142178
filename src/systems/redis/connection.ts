import { createClient, RESP_TYPES } from '@redis/client';
import type { Secret } from '../../shared/secret.ts';
import { type ErrorPlace, toFailure } from './failure.ts';

export interface RedisOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database?: number;
  readonly user?: string;
  readonly password?: Secret;
  readonly tls?: boolean;
}

export type Argument = string | Buffer;

/** What the server answers, in the oldest form of the protocol: lists are arrays, no value is null. */
export type Reply = string | number | Buffer | null | readonly Reply[];

/** One connection to one database. Connects at the first use, again after a loss; every error leaves as a `Failure`. */
export interface Connection {
  readonly place: ErrorPlace;
  readonly database: number;
  /** Texts of the answer as text. Not for values, which may be any bytes. */
  ask(...command: readonly Argument[]): Promise<Reply>;
  /** Texts of the answer as bytes. */
  askBytes(...command: readonly Argument[]): Promise<Reply>;
  /** All at the same moment, texts as bytes. */
  askTogether(commands: readonly (readonly Argument[])[]): Promise<readonly Reply[]>;
  close(): Promise<void>;
}

const asBytes = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer } as const;

export function connect(options: RedisOptions): Connection {
  const { name, host, port, database = 0 } = options;
  const place: ErrorPlace = { system: name, at: `${host}:${port}/${database}` };
  let open: Promise<ReturnType<typeof makeClient>> | null = null;
  const start = async (): Promise<ReturnType<typeof makeClient>> => {
    const client = makeClient(options);
    // Each command tells of the loss by itself.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      open = null;
      if (client.isOpen) client.destroy();
      throw error;
    }
  };
  const get = async (): ReturnType<typeof start> => {
    open ??= start();
    const first = open;
    const client = await first;
    if (client.isReady) return client;
    // The connection was lost: whoever sees it first makes the next one.
    if (open === first || open === null) open = start();
    return open;
  };
  const use = async <T>(work: (client: ReturnType<typeof makeClient>) => Promise<T>): Promise<T> => {
    try {
      return await work(await get());
    } catch (error) {
      throw toFailure(error, place);
    }
  };
  return {
    place,
    database,
    ask: (...command) => use((client) => client.sendCommand<Reply>([...command])),
    askBytes: (...command) => use((client) => client.sendCommand<Reply>([...command], { typeMapping: asBytes })),
    askTogether: (commands) => use((client) => transact(client, commands)),
    async close() {
      const client = await open?.catch(() => null);
      open = null;
      if (client?.isOpen) client.destroy();
    },
  };
}

/**
 * Sent in one go, so that nothing comes in between. The driver's own way would read every text as UTF-8, which values are
 * not.
 */
async function transact(
  client: ReturnType<typeof makeClient>,
  commands: readonly (readonly Argument[])[],
): Promise<readonly Reply[]> {
  const options = { typeMapping: asBytes, chainId: Symbol('transaction') };
  const sent = [['MULTI'], ...commands, ['EXEC']].map((command) => client.sendCommand<Reply>([...command], options));
  const answers = await Promise.allSettled(sent);
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (refused) throw refused.reason;
  const last = answers.at(-1);
  const replies = last?.status === 'fulfilled' ? listOf(last.value) : [];
  const failed = (replies as readonly unknown[]).find((reply) => reply instanceof Error);
  if (failed) throw failed;
  return replies;
}

function makeClient({ host, port, database = 0, user, password, tls = false }: RedisOptions) {
  const socket = { host, port, connectTimeout: 5_000, reconnectStrategy: false as const };
  return createClient({
    socket: tls ? { ...socket, tls: true } : socket,
    RESP: 2,
    database,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    disableOfflineQueue: true,
  });
}

/** An answer that is a list. */
export function listOf(reply: Reply): readonly Reply[] {
  if (!Array.isArray(reply)) throw new Error('the server answered no list');
  return reply as readonly Reply[];
}

/** `name value name value …` as a map. */
export function pairsOf(reply: Reply): Map<string, Reply> {
  const list = listOf(reply);
  const pairs = new Map<string, Reply>();
  for (let at = 0; at + 1 < list.length; at += 2) pairs.set(String(list[at]), list[at + 1] ?? null);
  return pairs;
}
