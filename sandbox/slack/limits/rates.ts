interface Rate {
  /** Calls a minute that go on for ever. */
  readonly perMinute: number;
  /** Calls that are taken at once after a pause. */
  readonly burst: number;
}

/** Slack's tiers 1 to 4: it documents the calls a minute and says that bursts are tolerated, not how long ones. */
const tiers = {
  one: { perMinute: 1, burst: 10 },
  two: { perMinute: 20, burst: 10 },
  three: { perMinute: 50, burst: 10 },
  four: { perMinute: 100, burst: 20 },
  special: { perMinute: 300, burst: 50 },
} as const;

/** One post a second and channel. */
const perChannel: Rate = { perMinute: 60, burst: 5 };

const rates: Readonly<Record<string, Rate>> = {
  'api.test': tiers.special,
  'apps.connections.open': tiers.one,
  'auth.test': tiers.special,
  'chat.delete': tiers.three,
  'chat.getPermalink': tiers.special,
  'chat.postEphemeral': tiers.four,
  'chat.postMessage': tiers.special,
  'chat.update': tiers.three,
  'conversations.history': tiers.three,
  'conversations.info': tiers.three,
  'conversations.join': tiers.three,
  'conversations.list': tiers.two,
  'conversations.members': tiers.four,
  'conversations.open': tiers.three,
  'conversations.replies': tiers.three,
  'files.completeUploadExternal': tiers.four,
  'files.getUploadURLExternal': tiers.four,
  'pins.add': tiers.two,
  'reactions.add': tiers.three,
  'usergroups.list': tiers.two,
  'usergroups.users.list': tiers.two,
  'users.info': tiers.four,
  'users.list': tiers.two,
  'users.lookupByEmail': tiers.three,
  'views.open': tiers.four,
  'views.publish': tiers.four,
  'views.push': tiers.four,
  'views.update': tiers.four,
};

/** Answers the seconds that the caller must wait (Retry-After), 0 when the call is within the rate. */
export type Rates = (method: string, channel: string | null) => number;

/** Token buckets by method, and for posts by channel as well. */
export function createRates(now: () => number): Rates {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const wait = (key: string, { perMinute, burst }: Rate): number => {
    const bucket = buckets.get(key) ?? { tokens: burst, at: now() };
    buckets.set(key, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((now() - bucket.at) / 60_000) * perMinute);
    bucket.at = now();
    if (bucket.tokens < 1) return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60) / perMinute));
    bucket.tokens -= 1;
    return 0;
  };
  return (method, channel) => {
    const posts = method === 'chat.postMessage' && channel !== null;
    const channelWait = posts ? wait(`${method} ${channel}`, perChannel) : 0;
    return channelWait > 0 ? channelWait : wait(method, rates[method] ?? tiers.three);
  };
}
