import type { Action } from '../plans/plan.ts';
import type { FailureCode } from '../shared/failure.ts';
import type { ControlWord, Person, Role } from './door.ts';
import type { Run } from './run.ts';
import type { LeaseView } from './run-records.ts';
import { standsStill } from './run-status.ts';

/** Pure answers to "may this go on?". A refusal says what happened and what to do. */
export type Gate =
  | { readonly pass: true }
  | { readonly pass: false; readonly code: FailureCode; readonly message: string; readonly advice: string };

export const pass: Gate = { pass: true };
export const refuse = (code: FailureCode, message: string, advice: string): Gate => ({
  pass: false,
  code,
  message,
  advice,
});

const rightToAsk: Readonly<Record<Action, readonly Role[]>> = {
  validate: ['viewer', 'operator', 'approver'],
  backup: ['operator'],
  migrate: ['operator'],
  restore: ['operator'],
  rollback: ['operator'],
  release: ['operator'],
  maintenance: ['operator'],
  drill: ['operator'],
  retention: ['operator'],
  'self-check': ['operator'],
};

/** Whether a person may ask for an action. */
export function mayAsk(person: Person, action: Action): Gate {
  if (person.roles.some((role) => rightToAsk[action].includes(role))) return pass;
  return refuse(
    'not-allowed',
    `${person.name} may not ask for ${action}.`,
    `It takes one of these roles: ${rightToAsk[action].join(', ')}. Ask the platform team for it. Nothing was changed.`,
  );
}

/** Whether a person may read runs, backups and status. */
export function mayRead(person: Person): Gate {
  if (person.roles.length > 0) return pass;
  return refuse(
    'not-allowed',
    `${person.name} has no role here.`,
    'Ask the platform team to add you to a group. Nothing was changed.',
  );
}

/** Whether a person may handle a parked run. */
export function mayOperate(person: Person): Gate {
  if (person.roles.includes('operator')) return pass;
  return refuse('not-allowed', `${person.name} may not do this.`, 'It takes an operator. Nothing was changed.');
}

/** Whether a person may pause, resume, stop or pace a run; whoever asked for it may withdraw it too. */
export function mayControl(
  run: Pick<Run, 'id' | 'requester' | 'status' | 'control' | 'votes'>,
  what: ControlWord,
  person: Person,
  now: Date,
): Gate {
  if (what === 'dispute') return hasVoted(run, person);
  if (!(what === 'cancel' && run.requester.id === person.id)) {
    const operator = mayOperate(person);
    if (!operator.pass) return operator;
  }
  const gate = what === 'resume' ? run.control.ballot : null;
  if (gate === null || now.getTime() >= Date.parse(gate.expiresAt)) return pass;
  return refuse(
    'precondition-failed',
    `${run.id} waits for a vote on “${gate.step.title}” until ${gate.expiresAt}.`,
    `It goes on by itself once that is approved (\`/tas approve ${run.id}\`). Nothing was changed.`,
  );
}

/** Whoever a vote stands for may say that it was not theirs, and nobody else; a role lost since changes nothing. */
function hasVoted({ id, votes, control }: Pick<Run, 'id' | 'votes' | 'control'>, person: Person): Gate {
  const all = [...votes, ...control.gates.flatMap((gate) => gate.votes)];
  if (all.some(({ voter }) => voter.id === person.id)) return pass;
  return refuse(
    'not-allowed',
    `${person.name} has not voted on ${id}: there is no vote to dispute.`,
    'If something else is wrong with it, an operator can stop it. Nothing was changed.',
  );
}

/** Whether the environment is free for a changing run. `inherits` = the run, standing still, that this one undoes. */
export function isFree(environment: string, holder: LeaseView | null, inherits: string | null): Gate {
  if (holder === null || holder.runId === inherits) return pass;
  const state = standsStill(holder.status) ? `is ${holder.status} there` : 'is running there';
  const advice = standsStill(holder.status)
    ? `${holder.status === 'paused' ? 'Resume or stop' : 'Retry'} it, undo it (\`/tas rollback ${holder.runId}\`) or close it first. Nothing was changed.`
    : 'Wait until it is done; `/tas status` shows how far it is. Nothing was changed.';
  return refuse('environment-busy', `${environment} is held: ${holder.runId} ${state} since ${holder.since}.`, advice);
}
