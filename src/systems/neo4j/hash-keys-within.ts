import { createHash } from 'node:crypto';

/** Rows between two looks at the clock. */
const LOOK_EVERY = 1000;

/**
 * Count and hash over keys that come in sorted order, for so many milliseconds: then the count is a lower bound, and the
 * hash is empty since it would say nothing of the rest. Absent = to the end.
 */
export async function hashKeysWithin(
  keys: AsyncIterable<readonly unknown[]>,
  limitMs: number | undefined,
): Promise<{ count: number; exact: boolean; keysHash: string }> {
  const hash = createHash('sha256');
  const end = limitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + limitMs;
  let count = 0;
  for await (const [key] of keys) {
    hash.update(`${JSON.stringify(String(key))}\n`);
    count++;
    if (count % LOOK_EVERY === 0 && performance.now() > end) return { count, exact: false, keysHash: '' };
  }
  return { count, exact: true, keysHash: hash.digest('hex') };
}
