import { decide } from '../approvals/decide.ts';
import { type CastVote, vetoMinutes } from '../approvals/vote.ts';
import { effectOf } from '../plans/build-plan.ts';
import { requestersOf } from '../plans/requesters.ts';
import type { Clock } from '../shared/clock.ts';
import { askToConfirm, type StepUp } from './confirm-vote.ts';
import { answerVote, castOf } from './counted-vote.ts';
import type { VoteOutcome, VoteRequest } from './door.ts';
import { findRun } from './find-run.ts';
import { type Gate, isFree } from './gates.ts';
import type { Run } from './run.ts';
import type { RunRecords, StoredRun } from './run-records.ts';
import { standsStill } from './run-status.ts';
import { refusalOf } from './submit.ts';
import { mayBreakGlass, mayVote } from './vote-gates.ts';
import { voteOnStep } from './vote-on-step.ts';

interface Deps {
  readonly records: RunRecords;
  readonly clock: Clock;
  readonly stepUp?: StepUp;
}

const vetoTime = vetoMinutes * 60_000;

/** A vote on a run's plan, or on the step that it stands before. Vote, decision and the place in the queue are one transaction. */
export async function castVote(deps: Deps, request: VoteRequest): Promise<VoteOutcome> {
  const run = await findRun(deps.records, request.runId);
  const gate = run.control.ballot;
  if (gate !== null) return voteOnStep(deps, run, gate, request);
  const now = deps.clock.now();
  const refused = await judge(deps, run, request, now);
  if (!refused.pass) return refusalOf(refused);
  const digest = request.digest ?? run.digest;
  const { undoClass } = run.plan;
  const unconfirmed = await askToConfirm(deps.stepUp, run, request, {
    digest,
    expiresAt: closesAt(run, request, now),
    undoClass,
    effect: effectOf(run.plan),
  });
  if (unconfirmed !== null) return unconfirmed;
  const cast: CastVote = {
    ...castOf(request, digest, now),
    ...(request.breaksGlass === true ? { countsFrom: new Date(now.getTime() + vetoTime).toISOString() } : {}),
  };
  const outcome = await deps.records.voteAndMove(run.id, cast, (votes) =>
    decide(votes, run.digest, requestersOf(run), run.votesNeeded, now),
  );
  return answerVote(deps.records, request, outcome, { on: run.id, over: `${run.id} no longer waits for votes.` });
}

async function judge({ records }: Deps, run: StoredRun, request: VoteRequest, now: Date): Promise<Gate> {
  const { person: voter, choice, digest } = request;
  const ballot = {
    run: {
      ...run,
      requesterIds: requestersOf(run),
      voterIds: run.votes.map(({ voter: { id } }) => id),
      destroys: effectOf(run.plan) === 'destroys',
    },
    voter,
    choice,
    digest: digest ?? run.digest,
    now,
  };
  const voting = request.breaksGlass === true ? mayBreakGlass(ballot, request.reason) : mayVote(ballot);
  if (!voting.pass || choice === 'reject') return voting;
  const holder = await records.leaseHolder(run.environment);
  const inherits = run.plan.action === 'restore' ? (holder?.runId ?? null) : run.plan.subject;
  return isFree(run.environment, holder, holder !== null && standsStill(holder.status) ? inherits : null);
}

/** Until when a login may confirm it: who breaks the glass has time for it though the votes' own is over. */
function closesAt(run: Run, { breaksGlass }: VoteRequest, now: Date): string {
  return breaksGlass === true ? new Date(now.getTime() + vetoTime).toISOString() : run.expiresAt;
}

/** What it takes to count approvals by break-glass. */
export type GlassRecords = Pick<RunRecords, 'brokenGlassDue' | 'find' | 'countVotes'>;

/** Counts approvals by break-glass that nobody has vetoed in time. Called again and again, by any number of processes. */
export async function countBrokenGlass({
  records,
  clock,
}: {
  readonly records: GlassRecords;
  readonly clock: Clock;
}): Promise<void> {
  const now = clock.now();
  for (const id of await records.brokenGlassDue(now)) {
    const run = await records.find(id);
    if (run === null) continue;
    await records.countVotes(id, (votes) => decide(votes, run.digest, requestersOf(run), run.votesNeeded, now));
  }
}
