import type { Vote } from '../approvals/vote.ts';
import type { NewNotice, Notices } from '../notices/notice.ts';
import { sayAsked } from '../plans/plan.ts';
import type { RunRecords, StoredRun, VoteName } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';

interface Deps {
  readonly records: Pick<RunRecords, 'list' | 'find' | 'votedSince'>;
  readonly notices: Notices;
  /** The environment's channel, and whether it is production; null = it is not configured any more. */
  readonly environmentOf: (name: string) => { readonly channel: string; readonly production: boolean } | null;
  /** Three quarters of the time are over, and nobody has voted. */
  readonly escalate: (run: StoredRun, digest: string) => Promise<void>;
  readonly clock: Clock;
}

/** Older ones were told of, or are of the time before receipts. */
const receiptsFor = 24 * 3_600_000;
/** A vote is dated before it is stored: what was looked for is looked for again for a while. */
const overlap = 60_000;
/** Many more than anybody would let wait at once. */
const mostWaiting = 1_000;

/** Called again and again by any number of processes: each thing is told once, by its name. */
export interface FollowVotes {
  /** Gives every voter a receipt. Reads only runs that were voted on since the last time. */
  giveReceipts(): Promise<void>;
  /** Reminds of votes that are wanted when half of their time is over, and calls somebody when three quarters are, where it matters. */
  remind(): Promise<void>;
}

export function createFollowVotes(deps: Deps): FollowVotes {
  const { records, clock } = deps;
  let followedUntil: Date | null = null;
  /** The names that this process has told are not asked of the database again. */
  const told = new Set<string>();
  const tell = (due: readonly NewNotice[]) => tellOnce(deps.notices, told, due);
  return {
    async giveReceipts() {
      const now = clock.now();
      const since = followedUntil?.getTime() ?? now.getTime() - receiptsFor;
      const votes = await records.votedSince(new Date(since));
      // Those of the overlap are told: their runs are not read again.
      const ids = new Set(votes.filter((vote) => !told.has(receiptName(vote))).map(({ runId }) => runId));
      for (const id of ids) {
        const run = await records.find(id);
        if (run !== null) await tell(receiptsOf(run, now.getTime()));
      }
      followedUntil = new Date(now.getTime() - overlap);
    },
    async remind() {
      const now = clock.now().getTime();
      const waiting = await records.list({ statuses: ['planned', 'paused'], limit: mostWaiting });
      await tell(waiting.flatMap((run) => reminderOf(deps, run, now)));
      for (const run of waiting) await escalateOverdue(deps, run, now);
    },
  };
}

async function tellOnce(notices: Notices, told: Set<string>, due: readonly NewNotice[]): Promise<void> {
  const fresh = due.filter(({ once }) => !told.has(once));
  if (fresh.length > 0) await notices.add(fresh);
  if (told.size > 10_000) told.clear();
  for (const { once } of fresh) told.add(once);
}

const receiptName = ({ runId, digest, voterId }: VoteName): string => `receipt:${runId}:${digest}:${voterId}`;

function receiptsOf(run: StoredRun, now: number): NewNotice[] {
  const given = [
    ...run.votes.map((vote) => ({ vote, destroys: run.plan.totals.destroys, undo: run.plan.undoClass })),
    ...run.control.gates.flatMap(({ votes, step }) =>
      votes.map((vote) => ({ vote, destroys: step.effect === 'destroys' ? step.count : 0, undo: step.undoClass })),
    ),
  ];
  return given
    .filter(({ vote }) => now - Date.parse(vote.at) < receiptsFor)
    .map(({ vote, destroys, undo }) => receipt(run, vote, destroys, undo === 'one-way'));
}

function receipt(run: StoredRun, vote: Vote, destroys: number, oneWay: boolean): NewNotice {
  const { voter, choice, digest, at } = vote;
  const { environment, id: runId } = run;
  const topic = `vote:${runId}:${voter.id}`;
  return {
    topic,
    to: { user: voter.id },
    anew: true,
    once: receiptName({ runId, digest, voterId: voter.id }),
    content: {
      kind: 'vote-receipt',
      runId,
      choice,
      environment,
      about: sayAsked(run.plan),
      destroys,
      oneWay,
      digest,
      at,
    },
  };
}

/** What waits for votes now: the plan, or one step of a paused run; null = nothing. */
function ballotOf(run: StoredRun) {
  const { ballot } = run.control;
  if (ballot !== null) return { ...ballot, from: ballot.askedAt };
  if (run.status !== 'planned') return null;
  const { digest, votesNeeded, votes, requestedAt, expiresAt } = run;
  return { digest, votesNeeded, votes, from: requestedAt, expiresAt };
}

/** How much of the time for votes is over; at least 1 = all of it. */
function shareOver({ from, expiresAt }: { readonly from: string; readonly expiresAt: string }, now: number): number {
  return (now - Date.parse(from)) / Math.max(1, Date.parse(expiresAt) - Date.parse(from));
}

function reminderOf({ environmentOf }: Deps, run: StoredRun, now: number): NewNotice[] {
  const ballot = ballotOf(run);
  const place = environmentOf(run.environment);
  if (ballot === null || place === null || ballot.votesNeeded === 0) return [];
  const over = shareOver(ballot, now);
  if (over < 0.5 || over >= 1) return [];
  const votes = ballot.votes.filter(({ choice }) => choice === 'approve').length;
  const { environment, id: runId } = run;
  return [
    {
      topic: `vote:${runId}`,
      to: { channel: place.channel },
      anew: true,
      once: `reminder:${runId}:${ballot.digest}`,
      thread: runId,
      content: {
        kind: 'vote-wanted',
        runId,
        environment,
        about: sayAsked(run.plan),
        votes,
        votesNeeded: ballot.votesNeeded,
        expiresAt: ballot.expiresAt,
      },
    },
  ];
}

/** Somebody is woken only where a window or production waits. */
async function escalateOverdue(deps: Deps, run: StoredRun, now: number): Promise<void> {
  const ballot = ballotOf(run);
  if (ballot === null || ballot.votesNeeded === 0) return;
  const matters = deps.environmentOf(run.environment)?.production === true || run.plan.window !== undefined;
  const over = shareOver(ballot, now);
  if (matters && over >= 0.75 && over < 1) await deps.escalate(run, ballot.digest);
}
