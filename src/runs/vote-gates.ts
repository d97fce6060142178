import { seasoning } from '../approvals/seniority.ts';
import type { Person } from './door.ts';
import { type Gate, pass, refuse } from './gates.ts';
import type { RunStatus } from './run-status.ts';

interface Ballot {
  readonly run: {
    readonly id: string;
    readonly status: RunStatus;
    readonly digest: string;
    readonly requesterIds: readonly string[];
    readonly expiresAt: string;
    readonly voterIds: readonly string[];
    readonly destroys: boolean;
  };
  readonly voter: Person;
  readonly choice: 'approve' | 'reject';
  /** Of the plan that the voter saw. */
  readonly digest: string;
  readonly now: Date;
  /** What to do when the time is over; absent = ask for the run again. */
  readonly again?: string;
}

/** Whether a vote counts. Judged at the vote itself, whatever the card showed. */
export function mayVote(ballot: Ballot): Gate {
  const { run, voter, choice, now, again } = ballot;
  const second = isSecondPerson(ballot);
  if (!second.pass) return second;
  if (!voter.roles.includes('approver')) {
    return refuse(
      'not-allowed',
      `${voter.name} is not an approver.`,
      'Somebody from the approvers has to vote. The run still waits.',
    );
  }
  if (choice === 'approve' && run.destroys && !isSeasoned(voter, now)) return refuseNewApprover(voter, now);
  const waiting = isWaiting(ballot);
  if (!waiting.pass) return waiting;
  if (now.getTime() >= Date.parse(run.expiresAt)) {
    return refuse(
      'expired',
      `${run.id} could be voted on until ${run.expiresAt}.`,
      again ?? 'Ask for it again: the plan is then made anew. Nothing was changed.',
    );
  }
  return isOnThis(ballot);
}

/**
 * Whether somebody may approve who is no approver, or too late: in an emergency, with a reason that all get to read. The
 * second person, the digest and the one vote a person stay; backup and lease are the run's own.
 */
export function mayBreakGlass(ballot: Ballot, reason: string | null): Gate {
  const { run, voter, choice } = ballot;
  if (choice !== 'approve' || reason === null || reason.trim() === '') {
    return refuse(
      'wrong-use',
      'Break-glass approves, and needs a reason.',
      'Say why it cannot wait. No vote was counted.',
    );
  }
  const second = isSecondPerson(ballot);
  if (!second.pass) return second;
  if (!voter.roles.some((role) => role === 'operator' || role === 'approver')) {
    return refuse(
      'not-allowed',
      `${voter.name} may not break the glass.`,
      'It takes an operator or an approver. The run still waits.',
    );
  }
  if (mayVote(ballot).pass) {
    return refuse(
      'wrong-use',
      `${voter.name} may approve ${run.id} as it is: there is no glass to break.`,
      `Look at it and approve it: \`/tas approve ${run.id}\`. No vote was counted.`,
    );
  }
  const waiting = isWaiting(ballot);
  return waiting.pass ? isOnThis(ballot) : waiting;
}

/** A no of one of those who asked counts all the same. */
function isSecondPerson({ run, voter, choice }: Ballot): Gate {
  if (choice === 'reject' || !run.requesterIds.includes(voter.id)) return pass;
  return refuse(
    'not-allowed',
    run.requesterIds[0] === voter.id
      ? `${voter.name} asked for ${run.id} and cannot approve it.`
      : `${voter.name} had a part in asking for ${run.id} (its file or its schedule) and cannot approve it.`,
    'A second person has to approve. The run still waits.',
  );
}

function isWaiting({ run }: Ballot): Gate {
  if (run.status === 'planned') return pass;
  return refuse(
    'stale',
    `${run.id} no longer waits for votes: it is ${run.status}.`,
    `\`/tas status\` shows where things are. Nothing was changed.`,
  );
}

function isOnThis({ run, voter, digest }: Ballot): Gate {
  if (digest !== run.digest) {
    return refuse(
      'stale',
      'That card shows another plan than the one that waits.',
      `Look at ${run.id} again and vote on what it shows. Nothing was changed.`,
    );
  }
  if (run.voterIds.includes(voter.id)) {
    return refuse('stale', `${voter.name} has voted on ${run.id} already.`, 'One vote a person. Nothing was changed.');
  }
  return pass;
}

/** Whoever put himself among the approvers is noticed before he can approve that something is destroyed. */
function isSeasoned({ approverSince }: Person, now: Date): boolean {
  if (approverSince === undefined) return false;
  return approverSince === null || now.getTime() - Date.parse(approverSince) >= seasoning;
}

function refuseNewApprover({ name, approverSince }: Person, now: Date): Gate {
  const since = approverSince ?? now.toISOString();
  return refuse(
    'not-allowed',
    `${name} was first seen among the approvers at ${since}, and cannot approve yet what destroys records.`,
    `That counts from ${new Date(Date.parse(since) + seasoning).toISOString()} on; until then somebody who has been an approver for longer has to vote. The run still waits.`,
  );
}
