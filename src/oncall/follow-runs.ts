import { vetoMinutes } from '../approvals/vote.ts';
import { sayAsked } from '../plans/plan.ts';
import type { Run, RunEvent, RunEventType } from '../runs/run.ts';
import { eventName, type PageDetail, type PageStore, type Pages, type Severity } from './page.ts';

interface Deps {
  readonly store: Pick<PageStore, 'cursor' | 'moveCursor'>;
  readonly pages: Pages;
  readonly events: (afterId: number, limit: number) => Promise<readonly RunEvent[]>;
  readonly run: (runId: string) => Promise<Run | null>;
  /** Whether the run has left services down. */
  readonly servicesDown: (run: Run) => Promise<boolean>;
}

const atOnce = 200;

/**
 * Pages for runs that stop or that nobody carries out, and takes that back when they are over. Any number of replicas may
 * follow at once: each event counts once, and all of them go through the events in their order.
 */
export async function followRuns(deps: Deps): Promise<void> {
  for (;;) {
    const events = await deps.events(await deps.store.cursor(), atOnce);
    for (const event of events) {
      await follow(deps, event);
      await deps.store.moveCursor(event.id);
    }
    if (events.length < atOnce) return;
  }
}

const runKey = (runId: string): string => `run:${runId}`;
const lostKey = (runId: string): string => `lost:${runId}`;
export const bakeKey = (runId: string): string => `bake:${runId}`;

export const disputeKey = (runId: string): string => `disputed:${runId}`;
const glassKey = (runId: string): string => `glass:${runId}`;
export const voteKey = (runId: string): string => `vote:${runId}`;
/** After these nobody needs to look at an approval by break-glass: it did not start, or what it started is over. */
const glassOver: readonly RunEventType[] = ['rejected', 'expired', 'voided', 'closed', 'done'];
/** Nobody has to vote any more. */
const votedOn: readonly RunEventType[] = ['approved', 'rejected', 'expired', 'voided', 'closed', 'resumed', 'failed'];

/** Signs of life after which a run is no longer lost. */
const goesOn: readonly RunEventType[] = ['resumed', 'stage-started', 'step-started', 'progress', 'step-done'];
/** A run that stopped stays somebody's case while a retry goes on, until it is over. */
const ends: readonly RunEventType[] = ['done', 'closed', 'voided'];

async function follow({ pages, run: read, servicesDown }: Deps, { id, runId, type, at }: RunEvent): Promise<void> {
  if (type === 'failed' || type === 'lost') {
    const run = await read(runId);
    if (run === null) return;
    const severity: Severity = (await servicesDown(run)) ? 'critical' : 'error';
    const key = type === 'failed' ? runKey(runId) : lostKey(runId);
    await pages.raise(eventName(id), key, detailOf(run, type, severity), new Date(at));
  }
  if (type !== 'lost' && (type === 'failed' || goesOn.includes(type) || ends.includes(type))) {
    await pages.resolve(lostKey(runId), id);
  }
  if (type === 'disputed') {
    const run = await read(runId);
    if (run !== null) await pages.raise(eventName(id), disputeKey(runId), disputeOf(run), new Date(at));
  }
  if (type === 'glass-broken') {
    const run = await read(runId);
    if (run !== null) await pages.raise(eventName(id), glassKey(runId), glassOf(run), new Date(at));
  }
  if (glassOver.includes(type)) await pages.resolve(glassKey(runId), id);
  if (votedOn.includes(type)) await pages.resolve(voteKey(runId), id);
  if (ends.includes(type)) await pages.resolve(runKey(runId), id);
  // What was undone is not watched any more.
  const undone = type === 'done' ? await read(runId) : null;
  if (undone?.plan.action === 'rollback') await pages.resolve(bakeKey(undone.plan.subject));
}

function detailOf(run: Run, type: 'failed' | 'lost', severity: Severity): PageDetail {
  const { environment, plan, id } = run;
  const what = sayAsked(plan);
  const down = severity === 'critical' ? ' Services are down.' : '';
  return {
    reason: type === 'lost' ? 'run-lost' : plan.action === 'backup' ? 'backup-failed' : 'run-failed',
    environment,
    severity,
    summary:
      type === 'failed'
        ? `${environment}: ${what} stopped and holds the environment (${run.failure?.code ?? 'step-failed'}).${down}`
        : `${environment}: nobody carries ${what} out; it holds the environment.${down}`,
    advice: `In Slack: /tas rollback ${id} shows the ways back; /tas retry ${id} goes on; /tas status env:${environment} shows where things are.`,
    runId: id,
  };
}

/** No name: it leaves the house. */
function disputeOf({ environment, plan, id }: Run): PageDetail {
  return {
    reason: 'vote-disputed',
    environment,
    severity: 'critical',
    summary: `${environment}: a vote on ${sayAsked(plan)} was not its voter's.`,
    advice: `An account may be in other hands. In Slack: /tas runs ${id} shows the votes; /tas rollback ${id} the ways back. Once it is known who voted: /tas oncall settled ${id}.`,
    runId: id,
  };
}

const disputedFor = 24 * 3_600_000;

/** Nothing in a run says that a dispute is settled: where nobody says so either it is only in the thread after a day. */
export async function settleDisputes({
  store,
  pages,
  now,
}: {
  readonly store: Pick<PageStore, 'open'>;
  readonly pages: Pick<Pages, 'resolve'>;
  readonly now: Date;
}): Promise<void> {
  for (const { reason, key, raisedAt } of await store.open(null)) {
    if (reason === 'vote-disputed' && now.getTime() - Date.parse(raisedAt) > disputedFor) await pages.resolve(key);
  }
}

/** No name and no reason: it leaves the house. */
function glassOf({ environment, plan, id }: Run): PageDetail {
  return {
    reason: 'glass-broken',
    environment,
    severity: 'critical',
    summary: `${environment}: ${sayAsked(plan)} was approved by break-glass, without an approver.`,
    advice: `It starts ${vetoMinutes} minutes after that unless somebody says no. In Slack: /tas reject ${id} reason:"…", or /tas cancel ${id}.`,
    runId: id,
  };
}
