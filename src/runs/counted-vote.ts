import type { CastVote } from '../approvals/vote.ts';
import type { VoteOutcome, VoteRequest } from './door.ts';
import { findRun } from './find-run.ts';
import type { RunRecords } from './run-records.ts';
import { refusalOf } from './submit.ts';

/** The vote that a request stands for, once every gate is passed. */
export function castOf({ person, choice, reason, confirmation }: VoteRequest, digest: string, now: Date): CastVote {
  return {
    voter: { id: person.id, name: person.name },
    choice,
    digest,
    reason,
    at: now.toISOString(),
    ...(confirmation === undefined ? {} : { confirmation }),
  };
}

/** What a person is answered when the vote was stored, or somebody was faster. `on`: what was voted on; `over`: how it waits no longer. */
export async function answerVote(
  records: Pick<RunRecords, 'find'>,
  { runId, person }: VoteRequest,
  outcome: Awaited<ReturnType<RunRecords['voteAndMove']>>,
  { on, over }: { readonly on: string; readonly over: string },
): Promise<VoteOutcome> {
  if (outcome === 'doubled' || outcome === 'over') {
    const message = outcome === 'doubled' ? `${person.name} has voted on ${on} already.` : over;
    return refusalOf({ pass: false, code: 'stale', message, advice: 'Nothing was changed.' });
  }
  const decision = outcome === 'queued' ? 'approved' : outcome;
  return { kind: 'counted', run: await findRun(records, runId), decision };
}
