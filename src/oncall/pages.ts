import type { Clock } from '../shared/clock.ts';
import type { PageReason, PageStore, Pages } from './page.ts';

interface Deps {
  readonly store: Pick<PageStore, 'raise' | 'resolve'>;
  /** What the configuration wants somebody to be woken for. */
  readonly reasons: readonly PageReason[];
  readonly clock: Clock;
}

const longestSummary = 300;

/** Raises what the configuration pages for, and nothing else. */
export function createPages({ store, reasons, clock }: Deps): Pages {
  return {
    async raise(once, key, detail, at = clock.now()) {
      if (!reasons.includes(detail.reason)) return;
      const summary = detail.summary.slice(0, longestSummary);
      await store.raise(once, key, { ...detail, summary }, at);
    },
    resolve: (key, event) => store.resolve(key, clock.now(), event),
  };
}
