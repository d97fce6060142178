import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { MaintenanceSettings, StatusPageSettings } from './settings.ts';
import type { StatusPost, WindowStore } from './window.ts';

interface Deps {
  readonly store: Pick<WindowStore, 'claimPosts' | 'settlePost' | 'postponePost'>;
  readonly settings: ReadonlyMap<string, MaintenanceSettings>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const patience = 10_000;
const firstWait = 5_000;
const longestWait = 600_000;

/**
 * Tells status pages what waits for them, in order. The id goes along, in the body and as `Idempotency-Key`: after a lost answer
 * it is told again, and counts once. It never follows a redirect: the header is a secret of that one address.
 */
export async function tellStatusPages({ store, settings, clock, logger }: Deps): Promise<void> {
  for (const post of await store.claimPosts(clock.now())) {
    const page = settings.get(post.environment)?.statusPage ?? null;
    const answer = page === null ? 'refused' : await send(page, post);
    if (answer !== 'again') {
      if (answer === 'refused') logger.warn({ post: post.id }, 'the status page refused what it was told');
      await store.settlePost(post.id, answer);
      continue;
    }
    const wait = Math.min(longestWait, firstWait * 2 ** Math.min(post.attempts, 20));
    logger.warn({ post: post.id, wait }, 'the status page did not take what it was told, will try again');
    await store.postponePost(post.id, new Date(clock.now().getTime() + wait));
  }
}

async function send({ url, header }: StatusPageSettings, post: StatusPost): Promise<'delivered' | 'refused' | 'again'> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': post.id,
        [header.name]: header.value.reveal(),
      },
      body: JSON.stringify({ id: post.id, ...post.body }),
    });
    await response.body?.cancel();
    if (response.ok) return 'delivered';
    const later = response.status >= 500 || response.status === 429 || response.status === 408;
    return later ? 'again' : 'refused';
  } catch {
    // What fetch throws may name the address with its secrets: that it did not answer is all that is told.
    return 'again';
  }
}
