import { decide } from '../approvals/decide.ts';
import { requestersOf } from '../plans/requesters.ts';
import type { Clock } from '../shared/clock.ts';
import type { FailureReport } from '../shared/failure.ts';
import { askToConfirm, type StepUp } from './confirm-vote.ts';
import { answerVote, castOf } from './counted-vote.ts';
import type { VoteOutcome, VoteRequest } from './door.ts';
import type { StepGate } from './run.ts';
import type { RunRecords, StoredRun } from './run-records.ts';
import { refusalOf } from './submit.ts';
import { mayVote } from './vote-gates.ts';

interface Deps {
  readonly records: RunRecords;
  readonly clock: Clock;
  readonly stepUp?: StepUp;
}

/** A vote on one step of a paused run, by the rules of every vote. */
export async function voteOnStep(
  deps: Deps,
  run: StoredRun,
  gate: StepGate,
  request: VoteRequest,
): Promise<VoteOutcome> {
  const { person, choice, reason } = request;
  if (request.breaksGlass === true) {
    return refusalOf({
      pass: false,
      code: 'wrong-use',
      message: `${run.id} waits for a vote on “${gate.step.title}”, and that cannot be given by break-glass.`,
      advice: `The run stands still and nothing is lost: an approver has to vote, or undo it (\`/tas rollback ${run.id}\`).`,
    });
  }
  const requesterIds = requestersOf(run);
  const now = deps.clock.now();
  const digest = request.digest ?? gate.digest;
  const ballot = mayVote({
    run: {
      id: `${run.id}, “${gate.step.title}”`,
      status: 'planned',
      digest: gate.digest,
      requesterIds,
      expiresAt: gate.expiresAt,
      voterIds: gate.votes.map(({ voter }) => voter.id),
      destroys: gate.step.effect === 'destroys',
    },
    again: `Resume the run (\`/tas resume ${run.id}\`): the step is then planned anew. Nothing was changed.`,
    voter: person,
    choice,
    digest,
    now,
  });
  if (!ballot.pass) return refusalOf(ballot);
  const { expiresAt, step } = gate;
  const unconfirmed = await askToConfirm(deps.stepUp, run, request, {
    digest,
    expiresAt,
    undoClass: step.undoClass,
    effect: step.effect,
  });
  if (unconfirmed !== null) return unconfirmed;
  const vote = castOf(request, digest, now);
  const outcome = await deps.records.voteOnGate(
    run.id,
    gate.id,
    vote,
    (votes) => decide(votes, gate.digest, requesterIds, gate.votesNeeded, now),
    saidNo(gate, person.name, reason),
  );
  const over = `${run.id} no longer waits for that vote.`;
  return answerVote(deps.records, request, outcome, { on: `“${step.title}”`, over });
}

function saidNo(gate: StepGate, name: string, reason: string | null): FailureReport {
  return {
    code: 'not-allowed',
    message: `${name} said no to “${gate.step.title}”${reason === null ? '' : `: ${reason}`}.`,
    advice: 'That step has changed nothing. Retry asks for the vote again; or undo the run, or keep it as it is.',
    retryable: true,
  };
}
