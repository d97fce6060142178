import { createHash } from 'node:crypto';
import { type Connection, listOf } from './connection.ts';

/** Keys of the bot itself: never counted, flushed, backed up or restored. */
export const ownPrefix = 'tas:';

/** Keys that are held in memory at once to tell whether one was seen already. */
const mostKeys = 500_000;
const scanCount = 1_000;

export interface ScanOptions {
  /** Patterns as `KEYS` takes them. */
  readonly patterns: readonly string[];
  /** Only keys that hold this type of value. */
  readonly type?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of keys held in memory; for tests. */
  readonly most?: number;
}

export function isOwn(key: Buffer): boolean {
  return key.subarray(0, ownPrefix.length).toString('latin1') === ownPrefix;
}

/** One page of a scan and the place where the next begins; `0` = there is none. */
export async function scanPage(
  connection: Connection,
  from: string,
  pattern: string,
  type?: string,
): Promise<{ next: string; keys: Buffer[] }> {
  const only = type === undefined ? [] : ['TYPE', type];
  const answer = await connection.askBytes('SCAN', from, 'MATCH', pattern, 'COUNT', String(scanCount), ...only);
  const [next, keys] = listOf(answer);
  return { next: String(next), keys: (listOf(keys ?? []) as Buffer[]).filter((key) => !isOwn(key)) };
}

/**
 * Every key that matches once, in pages, in no order. The server may tell a key more than once; so keys are remembered,
 * and where they are too many for that, the scan is done several times, each time for another part of them.
 */
export async function* scanKeys(connection: Connection, options: ScanOptions): AsyncIterable<readonly Buffer[]> {
  const { most = mostKeys, signal } = options;
  const parts = Math.ceil((await boundOf(connection, options, most)) / most) || 1;
  for (let part = 0; part < parts; part += 1) {
    const seen = new Set<string>();
    for (const pattern of options.patterns) {
      let from = '0';
      do {
        signal?.throwIfAborted();
        const { next, keys } = await scanPage(connection, from, pattern, options.type);
        const fresh = keys.filter((key) => {
          if (parts > 1 && partOf(key, parts) !== part) return false;
          const name = key.toString('latin1');
          return !seen.has(name) && seen.add(name) !== undefined;
        });
        if (fresh.length > 0) yield fresh;
        from = next;
      } while (from !== '0');
    }
  }
}

/** At least as many keys as match. */
async function boundOf(connection: Connection, options: ScanOptions, most: number): Promise<number> {
  const all = Number(await connection.ask('DBSIZE'));
  if (all <= most || options.patterns.includes('*')) return all;
  let matching = 0;
  for (const pattern of options.patterns) {
    let from = '0';
    do {
      options.signal?.throwIfAborted();
      const { next, keys } = await scanPage(connection, from, pattern, options.type);
      matching += keys.length;
      from = next;
    } while (from !== '0');
  }
  return matching;
}

/** Which of so many parts a key belongs to. */
export function partOf(key: Buffer, parts: number): number {
  return createHash('sha1').update(key).digest().readUInt32BE(0) % parts;
}

/** A sum over distinct keys that does not depend on their order. */
export class KeySum {
  #sum = 0n;
  #count = 0;

  add(...parts: readonly (Buffer | string)[]): void {
    const hash = createHash('sha256');
    for (const part of parts) {
      const bytes = Buffer.from(part as Buffer);
      hash.update(`${bytes.length}:`).update(bytes);
    }
    this.#sum = (this.#sum + BigInt(`0x${hash.digest('hex')}`)) & ((1n << 256n) - 1n);
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  digest(): string {
    return createHash('sha256')
      .update(`${this.#count} ${this.#sum.toString(16)}`)
      .digest('hex');
  }
}
