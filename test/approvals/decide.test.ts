import fc from 'fast-check';
import { decide } from '../../src/approvals/decide.ts';
import type { Vote } from '../../src/approvals/vote.ts';

const vote = (id: string, choice: Vote['choice'] = 'approve', digest = 'signed'): Vote => ({
  voter: { id, name: id },
  choice,
  digest,
  reason: null,
  at: '2026-11-20T10:00:00.000Z',
});
const late = (id: string, from: string): Vote => ({ ...vote(id), countsFrom: `2026-11-20T${from}Z` });
const now = new Date('2026-11-20T10:05:00.000Z');
const people = ['A', 'B', 'C', 'D', 'E'];
const anyVote = fc
  .tuple(
    fc.constantFrom(...people),
    fc.constantFrom('approve' as const, 'reject' as const),
    fc.constantFrom('signed', 'old'),
  )
  .map(([id, choice, digest]) => vote(id, choice, digest));
const anyVotes = fc.array(anyVote, { maxLength: 12 });
const anyRequesters = fc.uniqueArray(fc.constantFrom(...people), { minLength: 1 });
const anyNeed = fc.integer({ min: 1, max: 4 });

describe('what votes come to', () => {
  it.each([
    ['nobody voted', [], 1, 'wait'],
    ['one of one', [vote('B')], 1, 'queued'],
    ['one of two', [vote('B')], 2, 'wait'],
    ['two of two', [vote('B'), vote('C')], 2, 'queued'],
    ['one person twice', [vote('B'), vote('B')], 2, 'wait'],
    ['who asked', [vote('A')], 1, 'wait'],
    ['who asked and one other, two needed', [vote('A'), vote('B')], 2, 'wait'],
    ['a rejection', [vote('B', 'reject')], 1, 'rejected'],
    ['a rejection beside enough approvals', [vote('B'), vote('C', 'reject')], 1, 'rejected'],
    ['an approval of another plan', [vote('B', 'approve', 'old')], 1, 'wait'],
    ['one by break-glass that does not count yet', [late('B', '10:05:00.001')], 1, 'wait'],
    ['one by break-glass that counts by now', [late('B', '10:05:00.000')], 1, 'queued'],
    ['one by break-glass and an approver, two needed', [late('B', '10:10:00.000'), vote('C')], 2, 'wait'],
    ['an approver beside one by break-glass', [late('B', '10:10:00.000'), vote('C')], 1, 'queued'],
    ['a no to one by break-glass', [late('B', '10:00:00.000'), vote('C', 'reject')], 1, 'rejected'],
    ['a rejection of another plan', [vote('B', 'reject', 'old'), vote('C')], 1, 'queued'],
  ] as const)('%s', (_what, votes, needed, outcome) => {
    expect(decide(votes, 'signed', ['A'], needed, now)).toBe(outcome);
  });

  it('is never carried by those who asked, however many they are and however often they vote', () => {
    fc.assert(
      fc.property(anyVotes, anyRequesters, anyNeed, (votes, requesters, needed) => {
        const own = votes.filter(({ voter }) => requesters.includes(voter.id));
        expect(decide(own, 'signed', requesters, needed, now)).not.toBe('queued');
      }),
    );
  });

  it('does not depend on votes for other plans', () => {
    fc.assert(
      fc.property(anyVotes, anyRequesters, anyNeed, (votes, requesters, needed) => {
        const valid = votes.filter(({ digest }) => digest === 'signed');
        expect(decide(votes, 'signed', requesters, needed, now)).toBe(decide(valid, 'signed', requesters, needed, now));
      }),
    );
  });

  it('counts a person once, and does not depend on the order', () => {
    fc.assert(
      fc.property(anyVotes, anyRequesters, anyNeed, (votes, requesters, needed) => {
        const outcome = decide(votes, 'signed', requesters, needed, now);
        expect(decide([...votes, ...votes], 'signed', requesters, needed, now)).toBe(outcome);
        expect(decide(votes.toReversed(), 'signed', requesters, needed, now)).toBe(outcome);
      }),
    );
  });

  it('is carried only by as many other people as are needed, none of them against', () => {
    fc.assert(
      fc.property(anyVotes, anyRequesters, anyNeed, (votes, requesters, needed) => {
        const valid = votes.filter(({ digest }) => digest === 'signed');
        const against = valid.some(({ choice }) => choice === 'reject');
        const others = people.filter((id) => !requesters.includes(id) && valid.some(({ voter }) => voter.id === id));
        const expected = against ? 'rejected' : others.length >= needed ? 'queued' : 'wait';
        expect(decide(votes, 'signed', requesters, needed, now)).toBe(expected);
      }),
    );
  });
});
