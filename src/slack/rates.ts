/** Gives calls of the Web API their turn, so that Slack never has to refuse one because there were too many. */
export interface Rates {
  /** Resolves with true when the call may be made, with false when that would take longer than `patience` milliseconds. */
  turn(call: RatedCall, patience?: number): Promise<boolean>;
  /** Resolves when a call of the method would have its turn by its own rate, and takes nothing. */
  free(method: string): Promise<void>;
  /** Slack wants no calls of this method for so many milliseconds; other methods go on. */
  rest(method: string, milliseconds: number): void;
  /** Nobody gets a turn any more. */
  stop(): void;
}

interface RatedCall {
  readonly method: string;
  /** For messages: where it stands; null = in no channel. */
  readonly channel: string | null;
  /** Smaller ones go first: each step is worth a few seconds of waiting. */
  readonly rank: number;
}

/** So many calls a minute for ever, and so many at once after a pause. */
interface Rate {
  readonly perMinute: number;
  readonly burst: number;
}

interface Waiting extends RatedCall {
  readonly since: number;
  readonly go: (may: boolean) => void;
}

/** A little below what Slack documents for its tiers: its clock is another one. */
const tiers = {
  two: { perMinute: 18, burst: 6 },
  three: { perMinute: 45, burst: 5 },
  four: { perMinute: 90, burst: 15 },
  many: { perMinute: 240, burst: 10 },
} as const;

const rateOf: Readonly<Record<string, Rate>> = {
  'chat.postMessage': tiers.many,
  'chat.getPermalink': tiers.many,
  'conversations.list': tiers.two,
  'usergroups.users.list': tiers.two,
  'views.open': tiers.four,
  'views.push': tiers.four,
  'views.publish': tiers.four,
  'views.update': tiers.four,
  'files.getUploadURLExternal': tiers.four,
  'files.completeUploadExternal': tiers.four,
};

const rankWorth = 4_000;

/** Milliseconds between two messages, new or edited, in one channel; `factor` speeds everything else up, for tests. */
interface RatesPace {
  readonly message: number;
  readonly factor: number;
}

interface Buckets {
  /** Milliseconds until the call may be made, 0 = now. */
  waitOf(call: RatedCall): number;
  take(call: RatedCall): void;
  /** Milliseconds between two calls of the method in the long run. */
  spacing(method: string): number;
  rest(method: string, until: number): void;
}

function createBuckets(pace: RatesPace): Buckets {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const resting = new Map<string, number>();

  function ratesOf({ method, channel }: RatedCall): [string, Rate][] {
    const { perMinute, burst } = rateOf[method] ?? tiers.three;
    const own: [string, Rate] = [method, { perMinute: perMinute * pace.factor, burst }];
    if (channel === null || pace.message === 0) return [own];
    return [own, [`in ${channel}`, { perMinute: 60_000 / pace.message, burst: 1 }]];
  }

  function emptyFor(key: string, { perMinute, burst }: Rate, now: number): number {
    const bucket = buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 60_000) * perMinute);
    bucket.at = now;
    if (buckets.size > 10_000) buckets.clear();
    buckets.set(key, bucket);
    // What is missing by rounding is no reason to wait.
    return bucket.tokens >= 0.999 ? 0 : Math.ceil(((1 - bucket.tokens) / perMinute) * 60_000);
  }

  return {
    waitOf(call) {
      const now = Date.now();
      const rest = (resting.get(call.method) ?? 0) - now;
      return Math.max(0, rest, ...ratesOf(call).map(([key, rate]) => emptyFor(key, rate, now)));
    },
    take(call) {
      for (const [key] of ratesOf(call)) {
        const bucket = buckets.get(key);
        if (bucket !== undefined) bucket.tokens -= 1;
      }
    },
    spacing: (method) => 60_000 / ((rateOf[method] ?? tiers.three).perMinute * pace.factor),
    rest: (method, until) => void resting.set(method, Math.max(resting.get(method) ?? 0, until)),
  };
}

export function createRates(pace: RatesPace): Rates {
  const buckets = createBuckets(pace);
  const waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  const dueOf = ({ since, rank }: Waiting): number => since + rank * rankWorth;

  function pump(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    waiting.sort((a, b) => dueOf(a) - dueOf(b));
    let next = Number.POSITIVE_INFINITY;
    for (const call of [...waiting]) {
      const wait = buckets.waitOf(call);
      if (wait > 0) {
        next = Math.min(next, wait);
        continue;
      }
      buckets.take(call);
      waiting.splice(waiting.indexOf(call), 1);
      call.go(true);
    }
    if (next < Number.POSITIVE_INFINITY) timer = setTimeout(pump, Math.min(next, 60_000));
  }

  return {
    turn(call, patience = Number.POSITIVE_INFINITY) {
      if (stopped) return Promise.resolve(false);
      const ahead = waiting.filter(({ method }) => method === call.method).length;
      const wait = buckets.waitOf(call) + ahead * buckets.spacing(call.method);
      if (wait > patience) return Promise.resolve(false);
      return new Promise((resolve) => {
        waiting.push({ ...call, since: Date.now(), go: resolve });
        pump();
      });
    },
    async free(method) {
      for (;;) {
        const wait = stopped ? 0 : buckets.waitOf({ method, channel: null, rank: 0 });
        if (wait === 0) return;
        await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 1_000)));
      }
    },
    rest(method, milliseconds) {
      buckets.rest(method, Date.now() + milliseconds);
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      for (const { go } of waiting.splice(0)) go(false);
    },
  };
}
