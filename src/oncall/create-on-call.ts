import type { Notices } from '../notices/notice.ts';
import type { Role } from '../runs/door.ts';
import { closesStores, standingFor } from '../runs/intrusions.ts';
import type { RunRecords } from '../runs/run-records.ts';
import type { Secret } from '../shared/secret.ts';
import { type BakeDeps, type BakeLooks, bake } from './bake.ts';
import type { Contact } from './contact.ts';
import { type DeliverDeps, deliverPages } from './deliver-pages.ts';
import { followRuns, settleDisputes } from './follow-runs.ts';
import { createOnCallDesk, type OnCallDesk } from './on-call-desk.ts';
import type { PageReason, PageStore, Pages } from './page.ts';
import { connectPagerDuty, type PagerDuty, type PagerDutyOptions } from './pager-duty.ts';
import { createPages } from './pages.ts';
import { settleDispute } from './settle-dispute.ts';

/** The configuration's part on who is called and for what. */
export interface OnCallSettings {
  readonly pagerduty?:
    | (Omit<PagerDutyOptions, 'token' | 'routingKey' | 'ca'> & {
        readonly routingKey: string;
        readonly routingKeys: { readonly [environment: string]: string };
        readonly token?: string | undefined;
      })
    | undefined;
  readonly contacts: readonly Contact[];
  readonly pages: readonly PageReason[];
  readonly phoneFor: readonly Role[];
  readonly bake: { readonly minutes: number; readonly checks: readonly string[] };
}

interface Deps extends Pick<BakeDeps, 'environments' | 'clock' | 'logger'> {
  readonly settings: OnCallSettings;
  readonly reveal: (reference: string) => Secret;
  /** PEM of an own certificate authority; null = none. */
  readonly ca: string | null;
  readonly store: PageStore;
  readonly looks: BakeLooks;
  readonly notices: Notices;
  readonly records: Pick<RunRecords, 'leaseHolder' | 'event' | 'events' | 'find'>;
}

export interface OnCall {
  readonly desk: OnCallDesk;
  /** For whoever finds that somebody is needed. */
  readonly pages: Pages;
  /** Follows runs and delivers what is not delivered; called again and again, by any number of processes. */
  tick(): Promise<void>;
  /** Looks after runs that have ended; called at least once a minute. */
  bake(): Promise<void>;
}

/** Puts the parts together: who is on call, who is called for what, and the watch after a run. */
export function createOnCall(deps: Deps): OnCall {
  const { settings, store, records, environments, clock } = deps;
  const pagerDuty = connect(deps);
  const pages = createPages({ store, reasons: settings.pages, clock });
  const deliver: DeliverDeps = {
    ...deps,
    pagerDuty,
    contacts: settings.contacts,
    channelOf: (environment) => environments.get(environment)?.channel ?? null,
  };
  return {
    desk: {
      ...createOnCallDesk({ ...settings, pagerDuty, store, clock }),
      settle: (run, person) => settleDispute({ ...deliver, store, pages }, run, person),
    },
    pages,
    async tick() {
      await followRuns({
        store,
        pages,
        events: (afterId, limit) => records.events(afterId, limit),
        run: (runId) => records.find(runId),
        async servicesDown(run) {
          const systems = environments.get(run.environment)?.systems;
          return systems !== undefined && (await closesStores(systems, standingFor(run)));
        },
      });
      await settleDisputes({ store, pages, now: clock.now() });
      await deliverPages(deliver);
    },
    bake: () => bake({ ...deps, pages, minutes: settings.bake.minutes, checks: settings.bake.checks }),
  };
}

function connect({ settings, reveal, ca }: Deps): PagerDuty | null {
  const { pagerduty } = settings;
  if (pagerduty === undefined) return null;
  const { token, routingKey, routingKeys } = pagerduty;
  return connectPagerDuty({
    ...pagerduty,
    ca,
    token: token === undefined ? null : reveal(token),
    routingKey: (environment) => reveal(routingKeys[environment] ?? routingKey),
  });
}
