import type { Action } from '../../src/plans/plan.ts';
import { requestersOf } from '../../src/plans/requesters.ts';
import type { Person, Role } from '../../src/runs/door.ts';
import { type Gate, isFree, mayAsk, mayOperate, mayRead } from '../../src/runs/gates.ts';
import { mayVote } from '../../src/runs/vote-gates.ts';
import { sampleRun } from '../sample-run.ts';

const person = (id: string, ...roles: Role[]): Person => ({ id, name: id.toLowerCase(), roles });
const alice = person('ALICE', 'operator');
const bob = person('BOB', 'approver');
const actions: readonly Action[] = [
  'backup',
  'restore',
  'migrate',
  'validate',
  'rollback',
  'release',
  'drill',
  'retention',
  'self-check',
];

function refusal(gate: Gate): Exclude<Gate, { pass: true }> {
  if (gate.pass) throw new Error('the gate let it pass');
  return gate;
}

describe('who may ask', () => {
  const allowed: Record<Action, readonly Role[]> = {
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
  const table = actions.flatMap((action) =>
    (['viewer', 'operator', 'approver'] as const).map(
      (role) => [role, action, allowed[action].includes(role)] as const,
    ),
  );

  it.each(table)('a %s asking for %s: %s', (role, action, pass) => {
    const gate = mayAsk(person('SOMEBODY', role), action);
    expect(gate.pass).toBe(pass);
    if (!gate.pass) expect(gate).toMatchObject({ code: 'not-allowed', message: expect.stringContaining('somebody') });
  });

  it.each(actions)('nobody without a role asks for %s', (action) => {
    expect(refusal(mayAsk(person('MALLORY'), action)).code).toBe('not-allowed');
  });

  it('any role reads, none does not', () => {
    for (const role of ['viewer', 'operator', 'approver'] as const) expect(mayRead(person('X', role)).pass).toBe(true);
    expect(refusal(mayRead(person('MALLORY'))).code).toBe('not-allowed');
  });

  it('only operators handle a parked run', () => {
    expect(mayOperate(alice).pass).toBe(true);
    for (const other of [bob, person('CAROL', 'viewer'), person('MALLORY')]) {
      expect(refusal(mayOperate(other)).code).toBe('not-allowed');
    }
  });
});

describe('an environment', () => {
  const holder = (status: 'running' | 'parked') => ({ runId: 'run-7', status, since: '2026-11-20T09:00:00.000Z' });

  it('is free when nobody holds it, or the very run that is undone', () => {
    expect(isFree('staging', null, null).pass).toBe(true);
    expect(isFree('staging', holder('parked'), 'run-7').pass).toBe(true);
  });

  it('is busy otherwise, and says who holds it and since when', () => {
    for (const inherits of [null, 'run-8', '']) {
      const gate = refusal(isFree('staging', holder('running'), inherits));
      expect(gate.code).toBe('environment-busy');
      expect(gate.message).toContain('run-7 is running there since 2026-11-20T09:00:00.000Z');
    }
  });

  it('tells how to clear a parked run up', () => {
    const gate = refusal(isFree('staging', holder('parked'), null));
    expect(gate.message).toContain('is parked there');
    expect(gate.advice).toContain('/tas rollback run-7');
  });
});

describe('who asked', () => {
  it('is everybody who had a part in it: none of them may approve it', () => {
    const run = sampleRun({ requester: { id: 'UALICE', name: 'alice' } });
    expect(requestersOf(run)).toEqual(['UALICE']);
    const asked = { ...run, plan: { ...run.plan, alsoAskedBy: ['UBOB'] } };
    expect(requestersOf(asked)).toEqual(['UALICE', 'UBOB']);
    const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'] };
    const ballot = { ...asked, requesterIds: requestersOf(asked), voterIds: [], destroys: false };
    const now = new Date(asked.requestedAt);
    expect(mayVote({ run: ballot, voter: bob, choice: 'approve', digest: run.digest, now })).toMatchObject({
      pass: false,
      code: 'not-allowed',
      message: `bob had a part in asking for ${run.id} (its file or its schedule) and cannot approve it.`,
    });
    expect(mayVote({ run: ballot, voter: bob, choice: 'reject', digest: run.digest, now })).toEqual({ pass: true });
  });
});
