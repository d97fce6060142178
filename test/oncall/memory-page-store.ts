import { isWorse, type Page, type PageStore } from '../../src/oncall/page.ts';

/** Pages in memory, by the rules that `test/storage/page-store.live.test.ts` holds the database to. */
export function memoryPageStore(): PageStore & {
  readonly pages: Map<string, Page & { delivered: number; nextAt: number }>;
} {
  const pages = new Map<string, Page & { delivered: number; nextAt: number }>();
  const seen = new Set<string>();
  const byEvent = new Map<string, number>();
  let cursor = 0;
  return {
    pages,
    async raise(once, key, detail, at) {
      if (seen.has(once)) return;
      seen.add(once);
      const event = /^event:(\d+)$/.exec(once)?.[1];
      if (event !== undefined) byEvent.set(key, Math.max(Number(event), byEvent.get(key) ?? 0));
      const before = pages.get(key);
      if (before?.state === 'raised' && !isWorse(detail.severity, before.severity)) return;
      pages.set(key, {
        ...detail,
        key,
        state: 'raised',
        raisedAt: at.toISOString(),
        version: (before?.version ?? 0) + 1,
        tried: before?.tried ?? false,
        attempts: 0,
        delivered: before?.delivered ?? 0,
        nextAt: at.getTime(),
      });
    },
    async resolve(key, at, event) {
      const page = pages.get(key);
      if (page?.state !== 'raised' || (event !== undefined && (byEvent.get(key) ?? 0) > event)) return;
      pages.set(key, { ...page, state: 'resolved', version: page.version + 1, attempts: 0, nextAt: at.getTime() });
    },
    async claim(now) {
      const due = [...pages.values()].filter((page) => page.delivered < page.version && page.nextAt <= now.getTime());
      for (const page of due) pages.set(page.key, { ...page, tried: page.tried || page.state === 'raised' });
      return due.map((page) => ({ ...page, tried: page.tried || page.state === 'raised' }));
    },
    async delivered(key, version) {
      const page = pages.get(key);
      if (!page) return;
      const tried = page.state === 'raised' || page.version > version;
      pages.set(key, { ...page, delivered: Math.max(page.delivered, version), attempts: 0, tried });
    },
    async postpone(key, version, next) {
      const page = pages.get(key);
      if (page?.version === version) pages.set(key, { ...page, attempts: page.attempts + 1, nextAt: next.getTime() });
    },
    async open(environment) {
      return [...pages.values()].filter(
        (page) => page.state === 'raised' && (environment === null || page.environment === environment),
      );
    },
    cursor: async () => cursor,
    async moveCursor(eventId) {
      cursor = Math.max(cursor, eventId);
    },
  };
}
