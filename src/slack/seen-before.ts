import type { Clock } from '../shared/clock.ts';

/** Remembers keys for a while. One process remembers for itself; a restart forgets. */
interface SeenBefore {
  /** True when the key was given before and not forgotten yet; remembers it until `forgetAt` (milliseconds). */
  check(key: string, forgetAt: number): boolean;
}

export function createSeenBefore(clock: Clock): SeenBefore {
  const keys = new Map<string, number>();
  let sweepAt = 0;
  return {
    check(key, forgetAt) {
      const now = clock.now().getTime();
      if (now >= sweepAt) {
        for (const [known, until] of keys) if (until <= now) keys.delete(known);
        sweepAt = now + 60_000;
      }
      const until = keys.get(key);
      if (until !== undefined && until > now) return true;
      keys.set(key, forgetAt);
      return false;
    },
  };
}
