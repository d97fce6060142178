import fc from 'fast-check';
import type { Action } from '../../src/plans/plan.ts';
import type { Person, Role } from '../../src/runs/door.ts';
import { type Gate, isFree, mayAsk, mayOperate, mayRead, mayVote, requestersOf } from '../../src/runs/gates.ts';
import { runStatuses } from '../../src/runs/run-status.ts';
import { sampleRun } from '../sample-run.ts';

type Ballot = Parameters<typeof mayVote>[0];

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
const expiresAt = '2026-11-20T10:00:00.000Z';

function ballot(over: Partial<Omit<Ballot, 'run'>> & { run?: Partial<Ballot['run']> } = {}): Ballot {
  const { run, ...rest } = over;
  return {
    voter: bob,
    choice: 'approve',
    digest: 'd1',
    now: new Date('2026-11-20T09:59:59.999Z'),
    ...rest,
    run: { id: 'run-1', status: 'planned', digest: 'd1', requesterIds: [alice.id], expiresAt, voterIds: [], ...run },
  };
}

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

describe('a vote', () => {
  it('counts from an approver who did not ask, on the digest, in time', () => {
    expect(mayVote(ballot()).pass).toBe(true);
    expect(mayVote(ballot({ choice: 'reject' })).pass).toBe(true);
  });

  const refused: readonly (readonly [string, Ballot, string])[] = [
    ['by somebody without a role', ballot({ voter: person('MALLORY') }), 'not-allowed'],
    ['by a viewer', ballot({ voter: person('CAROL', 'viewer') }), 'not-allowed'],
    ['by an operator', ballot({ voter: person('ERIN', 'operator') }), 'not-allowed'],
    ['by who asked', ballot({ run: { requesterIds: ['X', bob.id] } }), 'not-allowed'],
    [
      'by who asked, though the plan is another',
      ballot({ run: { requesterIds: [bob.id], digest: 'd2' } }),
      'not-allowed',
    ],
    ['at the very moment it expires', ballot({ now: new Date(expiresAt) }), 'expired'],
    ['after it expired', ballot({ now: new Date('2026-11-21T00:00:00Z') }), 'expired'],
    ['on another digest', ballot({ digest: 'd0' }), 'stale'],
    ['on no digest', ballot({ digest: '' }), 'stale'],
    ['for the second time', ballot({ run: { voterIds: ['X', bob.id] } }), 'stale'],
    ['the other way after the first', ballot({ choice: 'reject', run: { voterIds: [bob.id] } }), 'stale'],
    ...runStatuses
      .filter((status) => status !== 'planned')
      .map((status) => [`on a run that is ${status}`, ballot({ run: { status } }), 'stale'] as const),
  ];

  it.each(refused)('does not count %s', (_what, given, code) => {
    const gate = refusal(mayVote(given));
    expect(gate.code).toBe(code);
    expect(gate.advice).not.toBe('');
  });

  it('to reject is open to an approver who asked: stopping needs nobody else', () => {
    expect(mayVote(ballot({ choice: 'reject', run: { requesterIds: [bob.id] } })).pass).toBe(true);
  });

  it('never counts as an approval by somebody who asked, whatever else is true', () => {
    const roles = fc.subarray<Role>(['viewer', 'operator', 'approver']);
    const ids = fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D'), { minLength: 1 });
    fc.assert(
      fc.property(
        ids,
        ids,
        roles,
        fc.constantFrom(...runStatuses),
        fc.constantFrom('d1', 'd2'),
        fc.date({ noInvalidDate: true }),
        (requesterIds, voterIds, voterRoles, status, digest, now) => {
          const voter = person(requesterIds[0] as string, ...voterRoles);
          expect(mayVote(ballot({ voter, digest, now, run: { requesterIds, voterIds, status } })).pass).toBe(false);
        },
      ),
    );
  });

  it('passes only when every single condition holds', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (approver, other, planned, inTime, sameDigest, first) => {
          const given = ballot({
            voter: person('BOB', approver ? 'approver' : 'operator'),
            digest: sameDigest ? 'd1' : 'd0',
            now: new Date(Date.parse(expiresAt) + (inTime ? -1 : 0)),
            run: {
              requesterIds: other ? ['ALICE'] : ['BOB'],
              status: planned ? 'planned' : 'queued',
              voterIds: first ? [] : ['BOB'],
            },
          });
          expect(mayVote(given).pass).toBe(approver && other && planned && inTime && sameDigest && first);
        },
      ),
    );
  });
});

describe('who asked', () => {
  it('is everybody who had a part in it: none of them may approve it', () => {
    const run = sampleRun({ requester: { id: 'UALICE', name: 'alice' } });
    expect(requestersOf(run)).toEqual(['UALICE']);
    const asked = { ...run, plan: { ...run.plan, alsoAskedBy: ['UBOB'] } };
    expect(requestersOf(asked)).toEqual(['UALICE', 'UBOB']);
    const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'] };
    const ballot = { ...asked, requesterIds: requestersOf(asked), voterIds: [] };
    const now = new Date(asked.requestedAt);
    expect(mayVote({ run: ballot, voter: bob, choice: 'approve', digest: run.digest, now })).toMatchObject({
      pass: false,
      code: 'not-allowed',
      message: `bob had a part in asking for ${run.id} (its file or its schedule) and cannot approve it.`,
    });
    expect(mayVote({ run: ballot, voter: bob, choice: 'reject', digest: run.digest, now })).toEqual({ pass: true });
  });
});
