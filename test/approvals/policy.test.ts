import fc from 'fast-check';
import { votesNeeded } from '../../src/approvals/policy.ts';
import type { Effect } from '../../src/systems/system.ts';

describe('how many must approve', () => {
  it.each([
    ['reads', true, 3, 0],
    ['reads', false, 0, 0],
    ['adds', false, 0, 0],
    ['adds', false, 1, 1],
    ['adds', true, 0, 1],
    ['changes', false, 0, 0],
    ['changes', true, 0, 1],
    ['changes', true, 2, 2],
    ['destroys', false, 0, 1],
    ['destroys', true, 0, 1],
    ['destroys', false, 2, 2],
  ] as const)('%s, production %s, configured %d: %d', (effect, production, votesRequired, needed) => {
    expect(votesNeeded({ effect, undoClass: 'reversible' }, { production, votesRequired })).toBe(needed);
  });

  it('is two in production where there is no way back, and one elsewhere', () => {
    const needed = (effect: Effect, production: boolean, votesRequired: number) =>
      votesNeeded({ effect, undoClass: 'one-way' }, { production, votesRequired });
    expect(needed('changes', true, 1)).toBe(2);
    expect(needed('destroys', true, 0)).toBe(2);
    expect(needed('destroys', true, 3)).toBe(3);
    expect(needed('destroys', false, 0)).toBe(1);
    expect(needed('changes', false, 1)).toBe(1);
    // What only reads needs no way back.
    expect(needed('reads', true, 1)).toBe(0);
  });

  it('is at least one in production for all that does not only read, whatever is configured', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('adds', 'changes', 'destroys'),
        fc.integer({ min: 0, max: 9 }),
        (effect, configured) => {
          const needed = votesNeeded(
            { effect: effect as Effect, undoClass: 'reversible' },
            { production: true, votesRequired: configured },
          );
          expect(needed).toBeGreaterThanOrEqual(Math.max(1, configured));
        },
      ),
    );
  });
});
