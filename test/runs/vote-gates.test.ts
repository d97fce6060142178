import fc from 'fast-check';
import type { Person, Role } from '../../src/runs/door.ts';
import type { Gate } from '../../src/runs/gates.ts';
import { runStatuses } from '../../src/runs/run-status.ts';
import { mayBreakGlass, mayVote } from '../../src/runs/vote-gates.ts';

type Ballot = Parameters<typeof mayVote>[0];

const person = (id: string, ...roles: Role[]): Person => ({ id, name: id.toLowerCase(), roles });
const alice = person('ALICE', 'operator');
const bob = person('BOB', 'approver');
const expiresAt = '2026-11-20T10:00:00.000Z';

function ballot(over: Partial<Omit<Ballot, 'run'>> & { run?: Partial<Ballot['run']> } = {}): Ballot {
  const { run, ...rest } = over;
  return {
    voter: bob,
    choice: 'approve',
    digest: 'd1',
    now: new Date('2026-11-20T09:59:59.999Z'),
    ...rest,
    run: {
      id: 'run-1',
      status: 'planned',
      digest: 'd1',
      requesterIds: [alice.id],
      expiresAt,
      voterIds: [],
      destroys: false,
      ...run,
    },
  };
}

function refusal(gate: Gate): Exclude<Gate, { pass: true }> {
  if (gate.pass) throw new Error('the gate let it pass');
  return gate;
}

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

describe('an approval of what destroys', () => {
  const destroys = { destroys: true };
  const now = new Date('2026-11-20T09:00:00.000Z');
  const since = (approverSince: string | null): Person => ({ ...bob, approverSince });

  it.each([
    ['has been an approver from the beginning', since(null)],
    ['has been one for a day', since('2026-11-19T09:00:00.000Z')],
  ])('counts from somebody who %s', (_what, voter) => {
    expect(mayVote(ballot({ voter, now, run: destroys })).pass).toBe(true);
  });

  it('does not count from somebody who became an approver less than a day ago, and says when it will', () => {
    const gate = refusal(mayVote(ballot({ voter: since('2026-11-19T09:00:00.001Z'), now, run: destroys })));
    expect(gate.code).toBe('not-allowed');
    expect(gate.message).toContain('bob was first seen among the approvers at 2026-11-19T09:00:00.001Z');
    expect(gate.advice).toContain('from 2026-11-20T09:00:00.001Z on');
  });

  it('does not count where nobody looked up since when the voter is one', () => {
    expect(refusal(mayVote(ballot({ voter: bob, now, run: destroys }))).code).toBe('not-allowed');
  });

  it('may be a no, or of what destroys nothing, from the first minute on', () => {
    const voter = since(now.toISOString());
    expect(mayVote(ballot({ voter, now, choice: 'reject', run: destroys })).pass).toBe(true);
    expect(mayVote(ballot({ voter, now })).pass).toBe(true);
  });
});

describe('break-glass', () => {
  const erin = person('ERIN', 'operator');
  const why = 'logins fail, and no approver answers';

  it('lets somebody approve who is no approver, too late, or one for a few minutes only', () => {
    const fresh: Person = { ...bob, approverSince: '2026-11-20T09:58:00.000Z' };
    expect(mayBreakGlass(ballot({ voter: erin }), why).pass).toBe(true);
    expect(mayBreakGlass(ballot({ now: new Date('2026-11-20T10:00:10.000Z') }), why).pass).toBe(true);
    expect(mayBreakGlass(ballot({ voter: fresh, run: { destroys: true } }), why).pass).toBe(true);
  });

  it.each([
    ['by who asked', ballot({ voter: alice }), why, 'not-allowed'],
    ['by who wrote the file', ballot({ voter: erin, run: { requesterIds: ['X', 'ERIN'] } }), why, 'not-allowed'],
    ['by a viewer', ballot({ voter: person('CAROL', 'viewer') }), why, 'not-allowed'],
    ['by somebody without a role', ballot({ voter: person('MALLORY') }), why, 'not-allowed'],
    ['by somebody who may approve it anyway', ballot(), why, 'wrong-use'],
    ['without a reason', ballot({ voter: erin }), null, 'wrong-use'],
    ['with an empty reason', ballot({ voter: erin }), '  ', 'wrong-use'],
    ['for a no', ballot({ voter: erin, choice: 'reject' }), why, 'wrong-use'],
    ['on another plan', ballot({ voter: erin, digest: 'd0' }), why, 'stale'],
    ['a second time', ballot({ voter: erin, run: { voterIds: ['ERIN'] } }), why, 'stale'],
    ...runStatuses
      .filter((status) => status !== 'planned')
      .map((status) => [`on a run that is ${status}`, ballot({ voter: erin, run: { status } }), why, 'stale'] as const),
  ] as const)('is refused %s', (_what, given, reason, code) => {
    const gate = refusal(mayBreakGlass(given, reason));
    expect(gate.code).toBe(code);
    expect(gate.advice).not.toBe('');
  });
});
