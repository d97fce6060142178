import type { Plan, PlanStep } from '../src/plans/plan.ts';
import type { Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';

/** Between these the platform's services are down. */
const stops = 'kubernetes.stop-services';
const starts = 'kubernetes.start-services';
const seals = 'backup.seal-set';

/** What somebody on a phone has to know before a vote, beside the headline: downtime, proof, votes. Not escaped. */
export function sayAtAGlance(run: Pick<Run, 'plan' | 'votes' | 'votesNeeded' | 'requestedAt'>): string {
  const proof = sayProof(run.plan, run.requestedAt);
  return [sayDowntime(run.plan), ...(proof === null ? [] : [proof]), sayVotes(run)].join(' · ');
}

/** `1 of 2 votes`. */
function sayVotes({ votes, votesNeeded }: Pick<Run, 'votes' | 'votesNeeded'>): string {
  const approvals = votes.filter(({ choice, countsFrom }) => choice === 'approve' && countsFrom === undefined).length;
  const broken = votes.some(({ countsFrom }) => countsFrom !== undefined) ? '🔨 GLASS BROKEN · ' : '';
  return `${broken}${approvals} of ${votesNeeded} ${votesNeeded === 1 ? 'vote' : 'votes'}`;
}

/** `services down for about 4 min`, as the estimates of the steps between have it. */
function sayDowntime({ stages }: Plan): string {
  const steps = stages.flatMap((stage) => stage.steps);
  const first = steps.findIndex(({ use, mode }) => (mode === 'perform' ? use === stops : use === starts));
  if (first < 0) return 'no service is stopped';
  const last = steps.findLastIndex(({ use, mode }) => (mode === 'perform' ? use === starts : use === stops));
  if (last < first) return '⚠ services stay down';
  return sayDown(steps.slice(first, last + 1));
}

function sayDown(steps: readonly PlanStep[]): string {
  const known = steps.flatMap(({ estimate }) => (estimate === null ? [] : [estimate.seconds]));
  if (known.length === 0) return '⚠ services down, how long is not known';
  const time = sayDuration(known.reduce((sum, seconds) => sum + seconds, 0) * 1000);
  return `⚠ services down for ${known.length === steps.length ? 'about' : 'at least'} ${time}`;
}

/** Null where it was not looked for. */
function sayProof({ lastProven, stages }: Plan, at: string): string | null {
  if (lastProven === undefined) return null;
  const fresh = stages.some(({ steps }) => steps.some(({ use }) => use === seals)) ? 'a new backup first, ' : '';
  if (lastProven === null) return `${fresh}⚠ no backup is proven`;
  const age = Math.max(0, Date.parse(at) - Date.parse(lastProven.createdAt));
  return `${fresh}last proven backup ${sayDuration(age)} old`;
}
