import { type Connection, listOf, pairsOf } from './connection.ts';

export interface Queue {
  readonly key: string;
  /** Pieces of work that are not done; null = the key holds something that is no queue. */
  readonly waiting: number | null;
}

const lengths: Readonly<Record<string, string>> = { list: 'LLEN', set: 'SCARD', zset: 'ZCARD' };

/** How much work lies under each key. A key that is not there holds none. */
export async function readQueues(connection: Connection, keys: readonly string[]): Promise<Queue[]> {
  return Promise.all(keys.map(async (key) => ({ key, waiting: await waitingIn(connection, key) })));
}

async function waitingIn(connection: Connection, key: string): Promise<number | null> {
  const type = String(await connection.ask('TYPE', key));
  if (type === 'none') return 0;
  const command = lengths[type];
  if (command !== undefined) return Number(await connection.ask(command, key));
  return type === 'stream' ? waitingInStream(connection, key) : null;
}

/** What no group has acknowledged; where nobody has made a group, all that is there. */
async function waitingInStream(connection: Connection, key: string): Promise<number> {
  const all = Number(await connection.ask('XLEN', key));
  const groups = listOf(await connection.ask('XINFO', 'GROUPS', key)).map(pairsOf);
  if (groups.length === 0) return all;
  let waiting = 0;
  for (const group of groups) {
    const lag = group.get('lag');
    // Servers before 7, and streams from which entries were deleted, do not say how many are left.
    const unread =
      typeof lag === 'number' ? lag : await countAfter(connection, key, String(group.get('last-delivered-id')));
    waiting += unread + Number(group.get('pending') ?? 0);
  }
  return waiting;
}

async function countAfter(connection: Connection, key: string, id: string): Promise<number> {
  return listOf(await connection.ask('XRANGE', key, `(${id}`, '+', 'COUNT', '10000')).length;
}
