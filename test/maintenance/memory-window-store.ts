import type { StatusPost, Window, WindowStore } from '../../src/maintenance/window.ts';

/** Windows in memory, by the rules that `test/storage/maintenance-store.live.test.ts` holds the database to. */
export function memoryWindowStore(windows: readonly Window[] = []): WindowStore & {
  readonly posts: Omit<StatusPost, 'attempts'>[];
  readonly bound: string[];
} {
  const all = new Map(windows.map((window) => [window.id, window]));
  const posts: Omit<StatusPost, 'attempts'>[] = [];
  const bound: string[] = [];
  let keeper: { holder: string; until: number } | null = null;
  const open = (window: Window): boolean => window.state === 'scheduled' || window.state === 'active';
  return {
    posts,
    bound,
    async create(window) {
      const other = [...all.values()].find(
        (one) => one.environment === window.environment && open(one) && one.from < window.to && one.to > window.from,
      );
      if (!other) all.set(window.id, window);
      return other ?? null;
    },
    find: async (id) => all.get(id) ?? null,
    list: async (environment, since) =>
      [...all.values()]
        .filter((one) => environment === null || one.environment === environment)
        .filter((one) => open(one) || Date.parse(one.endedAt ?? '') > since.getTime()),
    boundTo: async (environment, migration) =>
      [...all.values()].find((one) => one.environment === environment && one.migration === migration && open(one)) ??
      null,
    async start(id, at) {
      const window = all.get(id);
      const busy = [...all.values()].some((one) => one.environment === window?.environment && one.state === 'active');
      if (window?.state !== 'scheduled' || busy || Date.parse(window.to) <= at.getTime()) return false;
      const now = at.toISOString();
      all.set(id, { ...window, state: 'active', startedAt: now, from: now < window.from ? now : window.from });
      return true;
    },
    async finish(id, to, at, remark) {
      const window = all.get(id);
      if (window?.state !== (to === 'ended' ? 'active' : 'scheduled')) return false;
      all.set(id, { ...window, state: to, endedAt: at.toISOString(), remark });
      return true;
    },
    runsOf: async () => bound,
    async keep(_name, holder, now, until) {
      if (keeper !== null && keeper.holder !== holder && keeper.until > now.getTime()) return false;
      keeper = { holder, until: until.getTime() };
      return true;
    },
    async addPost(post) {
      if (!posts.some(({ id }) => id === post.id)) posts.push(post);
    },
    claimPosts: async () => [],
    settlePost: async () => undefined,
    postponePost: async () => undefined,
  };
}
