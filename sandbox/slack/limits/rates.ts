interface Bucket {
  tokens: number;
  at: number;
}

/** Requests a minute and how many at once, by method; chat.postMessage counts by channel. */
const tiers: Readonly<Record<string, { readonly perMinute: number; readonly burst: number }>> = {
  'chat.postMessage': { perMinute: 60, burst: 5 },
  'chat.update': { perMinute: 50, burst: 10 },
  'chat.postEphemeral': { perMinute: 100, burst: 20 },
  'views.open': { perMinute: 100, burst: 20 },
  'conversations.history': { perMinute: 50, burst: 10 },
  'conversations.list': { perMinute: 20, burst: 5 },
  'users.list': { perMinute: 20, burst: 5 },
  'usergroups.list': { perMinute: 20, burst: 5 },
  'usergroups.users.list': { perMinute: 20, burst: 10 },
};

const otherwise = { perMinute: 100, burst: 20 };

/** Slack's rate limits as token buckets. Answers the seconds to wait (Retry-After), or 0. */
export function createRates(now: () => number): (method: string, channel: string | undefined) => number {
  const buckets = new Map<string, Bucket>();
  return (method, channel) => {
    const { perMinute, burst } = tiers[method] ?? otherwise;
    const key = method === 'chat.postMessage' ? `${method} ${channel}` : method;
    const bucket = buckets.get(key) ?? { tokens: burst, at: now() };
    buckets.set(key, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((now() - bucket.at) / 60_000) * perMinute);
    bucket.at = now();
    if (bucket.tokens < 1) return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60) / perMinute));
    bucket.tokens -= 1;
    return 0;
  };
}
