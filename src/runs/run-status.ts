/**
 * planned   it waits for votes (or, where none is needed, to be taken up at once)
 * queued    approved; a worker will take it up
 * running   a worker carries it out and holds the environment
 * paused    it stands still between two batches, for a person, a vote on one step, or a strained store; the environment stays held
 * done      carried out; `findings` may still have failed ones (validation)
 * parked    a step failed: nothing moves, and the environment stays held until it is retried, undone or closed
 * rejected, expired, voided   it never started: a person said no, time ran out, or the data had moved too far
 * closed    parked, then given up by a person ("keep and stop"), or undone by another run
 */
export type RunStatus =
  | 'planned'
  | 'queued'
  | 'running'
  | 'paused'
  | 'done'
  | 'parked'
  | 'rejected'
  | 'expired'
  | 'voided'
  | 'closed';

const moves: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  planned: [
    'queued', // enough votes, or none needed
    'rejected', // a person who may vote said no
    'expired', // nobody voted in time
    'voided', // planned again at the vote: it would no longer do what the card said
    'closed', // withdrawn by a person
  ],
  queued: [
    'running', // a worker took it up
    'closed', // withdrawn by a person before a worker took it up
    'expired', // it waited for the environment for longer than the approval lasts
    'voided', // the comparison before the start found more than the tolerance
  ],
  running: [
    'done', // every stage went through
    'paused', // a person asked for it, a step needs a vote of its own, or a store stayed strained
    'parked', // a step failed, a person stopped it, or a worker gave up
    'voided', // planned again just before the first change: too different, nothing was changed
  ],
  paused: [
    'running', // resumed, by a person or by the vote it waited for
    'parked', // stopped by a person, or the step's own vote said no
  ],
  parked: [
    'running', // retried from where it stopped
    'closed', // undone by another run, or kept as it is by a person
  ],
  done: [],
  rejected: [],
  expired: [],
  voided: [],
  closed: [],
};

/** Whether a run may go from one status to another. */
export function mayMove(from: RunStatus, to: RunStatus): boolean {
  return moves[from].includes(to);
}

/** True when nothing moves and the environment stays held, until a person decides. */
export function standsStill(status: RunStatus): boolean {
  return status === 'parked' || status === 'paused';
}

/** True when nothing will happen to the run any more. */
export function isOver(status: RunStatus): boolean {
  return moves[status].length === 0;
}

export const runStatuses = Object.keys(moves) as readonly RunStatus[];
