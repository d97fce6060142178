import { createHash } from 'node:crypto';
import type { Fingerprint } from '../system.ts';
import { type Argument, type Connection, listOf, pairsOf, type Reply } from './connection.ts';
import { wordOf } from './failure.ts';
import { KeySum, scanKeys } from './keys.ts';

/** One key's value: what it is made of, in an order of its own; and, if asked for, in the server's form. */
export interface Value {
  readonly key: Buffer;
  readonly hash: Buffer;
  /** Milliseconds since 1970; null = it does not expire. */
  readonly expiresAt: number | null;
  readonly dump: Buffer | null;
}

/** Whole values of so many keys are asked for at once. */
const atOnce = 50;

/**
 * Reads keys' values; a key that is gone meanwhile is left out. The server's own form is no measure of sameness: it
 * depends on how a value came to be. So a value is hashed by its type's elements. Memory: the largest value, several times.
 */
export async function* readValues(
  connection: Connection,
  keys: readonly Buffer[],
  withDump: boolean,
): AsyncIterable<Value> {
  for (let at = 0; at < keys.length; at += atOnce) {
    const values = await Promise.all(keys.slice(at, at + atOnce).map((key) => readValue(connection, key, withDump)));
    for (const value of values) if (value) yield value;
  }
}

async function readValue(connection: Connection, key: Buffer, withDump: boolean): Promise<Value | null> {
  for (let tries = 0; ; tries += 1) {
    const type = String(await connection.ask('TYPE', key));
    if (type === 'none') return null;
    const dumped = withDump || !(type in readers);
    try {
      const commands: Argument[][] = [['TIME'], ['PTTL', key], ...(readers[type]?.(key) ?? [])];
      const answers = await connection.askTogether(dumped ? [...commands, ['DUMP', key]] : commands);
      const dump = dumped ? (answers.at(-1) as Buffer | null) : null;
      const ttl = Number(answers[1]);
      if (ttl === -2 || (dumped && dump === null)) return null;
      const [seconds, micros] = listOf(answers[0] ?? []);
      const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
      const parts = type in readers ? answers.slice(2, 2 + commands.length - 2) : [dump];
      return { key, hash: hashOf(type, parts), expiresAt: ttl === -1 ? null : now + ttl, dump: withDump ? dump : null };
    } catch (error) {
      // Somebody wrote another type under the key in between.
      if (wordOf((error as { cause?: unknown }).cause) !== 'WRONGTYPE' || tries >= 5) throw error;
    }
  }
}

const readers: Readonly<Record<string, (key: Buffer) => Argument[][]>> = {
  string: (key) => [['GET', key]],
  list: (key) => [['LRANGE', key, '0', '-1']],
  set: (key) => [['SMEMBERS', key]],
  zset: (key) => [['ZRANGE', key, '0', '-1', 'WITHSCORES']],
  hash: (key) => [['HGETALL', key]],
  stream: (key) => [
    ['XRANGE', key, '-', '+'],
    ['XINFO', 'GROUPS', key],
  ],
};

function hashOf(type: string, answers: readonly Reply[]): Buffer {
  const hash = createHash('sha256').update(`${type}\n`);
  const [first = null, second = null] = answers;
  if (type === 'set') addAll(hash, [...listOf(first)].sort(compare));
  else if (type === 'hash') addAll(hash, sortedPairs(first));
  else if (type === 'stream') {
    add(hash, first);
    add(
      hash,
      listOf(second).map((group) => ofGroup(pairsOf(group))),
    );
  } else add(hash, first);
  return hash.digest();
}

/** Consumers come and go; what is delivered and what is not acknowledged stays. */
function ofGroup(group: ReadonlyMap<string, Reply>): Reply {
  return ['name', 'last-delivered-id', 'pending'].map((name) => group.get(name) ?? null);
}

function sortedPairs(reply: Reply): Reply[] {
  const list = listOf(reply);
  const pairs: Reply[][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) pairs.push([list[at] ?? null, list[at + 1] ?? null]);
  return pairs.sort(([a = null], [b = null]) => compare(a, b));
}

function compare(a: Reply, b: Reply): number {
  return Buffer.compare(Buffer.from(a as Buffer), Buffer.from(b as Buffer));
}

function addAll(hash: ReturnType<typeof createHash>, replies: readonly Reply[]): void {
  hash.update(`*${replies.length}\n`);
  for (const reply of replies) add(hash, reply);
}

function add(hash: ReturnType<typeof createHash>, reply: Reply): void {
  if (Array.isArray(reply)) addAll(hash, reply as readonly Reply[]);
  else {
    const bytes = Buffer.from(Buffer.isBuffer(reply) ? reply : String(reply ?? '-'));
    hash.update(`${bytes.length}:`).update(bytes);
  }
}

/** Adds values up to a fingerprint. Keys that expire come and go by themselves: they are counted, and not in the hash. */
export class ValueSum {
  readonly #sum = new KeySum();
  #expiring = 0;

  add({ key, hash, expiresAt }: Value): void {
    if (expiresAt === null) this.#sum.add(key, hash);
    else this.#expiring += 1;
  }

  end(): Fingerprint {
    return { counts: { keys: this.#sum.count, expiring: this.#expiring }, hash: this.#sum.digest() };
  }
}

export async function fingerprint(connection: Connection, signal?: AbortSignal): Promise<Fingerprint> {
  const sum = new ValueSum();
  for await (const keys of scanKeys(connection, { patterns: ['*'], signal })) {
    for await (const value of readValues(connection, keys, false)) sum.add(value);
  }
  return sum.end();
}

/** The fingerprint's counts without reading values. */
export async function counts(connection: Connection): Promise<Fingerprint['counts']> {
  let [all, expiring] = [0, 0];
  for await (const keys of scanKeys(connection, { patterns: ['*'] })) {
    const ttls = await Promise.all(keys.map((key) => connection.ask('PTTL', key)));
    all += ttls.filter((ttl) => ttl === -1).length;
    expiring += ttls.filter((ttl) => Number(ttl) >= 0).length;
  }
  return { keys: all, expiring };
}
