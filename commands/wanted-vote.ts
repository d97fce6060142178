import { requestersOf } from '../src/plans/requesters.ts';
import type { Person } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';

/** Whether this person's vote would count, as far as it can be seen: the vote itself is judged at the door. */
export function isVoteWanted(run: Run, person: Person): boolean {
  const waits = run.status === 'planned' || run.control.ballot !== null;
  const votes = run.control.ballot === null ? run.votes : run.control.ballot.votes;
  const voted = votes.some(({ voter }) => voter.id === person.id);
  return waits && !voted && !requestersOf(run).includes(person.id) && person.roles.includes('approver');
}
