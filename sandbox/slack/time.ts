/** The time as the workspace sees it: lifetimes, rates and the three seconds all go by it. */
export interface SlackTime {
  /** Milliseconds since 1970, with fractions. */
  now(): number;
  /** Calls `act` once after so many milliseconds; the answer takes that back. */
  after(milliseconds: number, act: () => void): () => void;
}

/** Never keeps the process alive by itself. */
export const realTime: SlackTime = {
  now: () => performance.timeOrigin + performance.now(),
  after(milliseconds, act) {
    const timer = setTimeout(act, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** A time that stands still until it is moved. */
export interface FakeTime extends SlackTime {
  /** Moves on, and calls what falls due on the way, in order. */
  advance(milliseconds: number): void;
}

export function createFakeTime(start: number = Date.UTC(2026, 0, 5, 9)): FakeTime {
  let now = start;
  let waiting: { readonly at: number; readonly act: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, act) {
      const entry = { at: now + milliseconds, act };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const next = waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        waiting = waiting.filter((other) => other !== next);
        now = Math.max(now, next.at);
        next.act();
      }
      now = end;
    },
  };
}
