import type { NewNotice, Notices } from '../notices/notice.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import { type Contact, contactsOf } from './contact.ts';
import type { Page, PageStore } from './page.ts';
import type { PagerDuty } from './pager-duty.ts';

export interface DeliverDeps {
  readonly store: Pick<PageStore, 'claim' | 'delivered' | 'postpone'>;
  /** Null = none is configured: the contacts are called in Slack. */
  readonly pagerDuty: Pick<PagerDuty, 'send'> | null;
  readonly contacts: readonly Contact[];
  /** The environment's channel; null = it is no longer configured. */
  readonly channelOf: (environment: string) => string | null;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly logger: Logger;
}

const firstWait = 5_000;
const longestWait = 300_000;
/** Deliveries that may fail before the contacts are called in Slack as well. */
const patience = 3;

/**
 * Brings pages to where they are read. What PagerDuty does not take is kept and tried again; a page that was resolved before
 * anybody heard of it is not sent at all. After a crash it is sent again under the same key, which is the same page there.
 */
export async function deliverPages(deps: DeliverDeps): Promise<void> {
  for (const page of await deps.store.claim(deps.clock.now())) {
    if (page.state === 'raised' || page.tried) await deliver(deps, page);
    else await deps.store.delivered(page.key, page.version);
  }
}

async function deliver(deps: DeliverDeps, page: Page): Promise<void> {
  const { store, pagerDuty, clock, logger } = deps;
  if (pagerDuty === null) {
    await callContacts(deps, page, null);
    return store.delivered(page.key, page.version);
  }
  try {
    await pagerDuty.send(page);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    logger.warn({ page: page.key, why: error.message }, 'a page was not delivered');
    if (!error.retryable || page.attempts + 1 >= patience) await callContacts(deps, page, error.message);
    const wait = error.retryable ? Math.min(longestWait, firstWait * 2 ** Math.min(page.attempts, 10)) : longestWait;
    return store.postpone(page.key, page.version, new Date(clock.now().getTime() + wait));
  }
  await store.delivered(page.key, page.version);
}

/** Mentioned in the channel, and each told directly: once a version of the page. */
async function callContacts(deps: DeliverDeps, page: Page, note: string | null): Promise<void> {
  const channel = deps.channelOf(page.environment);
  const users = contactsOf(deps.contacts, page.environment).flatMap(({ user }) => (user === undefined ? [] : [user]));
  // The card of the run is in the channel already: without anybody to call there is nothing to add.
  if (users.length === 0 && note === null) return;
  const raised = page.state === 'raised';
  const places = [...(channel === null ? [] : [{ channel }]), ...[...new Set(users)].map((user) => ({ user }))];
  const notices = places.map((to): NewNotice => {
    const place = 'channel' in to ? to.channel : to.user;
    return {
      topic: `page:${page.key}`,
      to,
      anew: raised,
      once: `page:${page.key}:${page.version}:${place}`,
      content: {
        kind: 'page',
        state: page.state,
        environment: page.environment,
        severity: page.severity,
        summary: page.summary,
        advice: page.advice,
        runId: page.runId,
        users: 'channel' in to && raised ? [...new Set(users)] : [],
        note,
      },
    };
  });
  if (notices.length > 0) await deps.notices.add(notices);
}
