import type { Vote } from './vote.ts';

/** What the votes on a digest come to now: one rejection ends it, enough approvals by different people carry it. */
export function decide(
  votes: readonly Vote[],
  digest: string,
  requesterIds: readonly string[],
  needed: number,
  now: Date,
): 'wait' | 'queued' | 'rejected' {
  const valid = votes.filter((vote) => vote.digest === digest);
  if (valid.some((vote) => vote.choice === 'reject')) return 'rejected';
  const counting = valid.filter(
    ({ countsFrom }) => countsFrom === undefined || Date.parse(countsFrom) <= now.getTime(),
  );
  const approvers = new Set(counting.map((vote) => vote.voter.id).filter((id) => !requesterIds.includes(id)));
  return approvers.size >= needed ? 'queued' : 'wait';
}
