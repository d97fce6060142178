import fc from 'fast-check';
import { nextSize } from '../../src/runs/perform-step.ts';

const size = fc.integer({ min: 100, max: 5_000 });
const time = fc.double({ min: 0, max: 1e7, noNaN: true });

describe('the size of the next batch', () => {
  it.each([
    [2_000, 100, 4_000],
    [2_000, 499, 4_000],
    [2_000, 500, 2_000],
    [2_000, 2_000, 2_000],
    [2_000, 2_001, 1_000],
    [4_000, 1, 5_000],
    [101, 9_000, 100],
    [100, 60_000, 100],
  ])('after %d records in %d ms is %d', (before, ms, after) => {
    expect(nextSize(before, ms)).toBe(after);
  });

  it('stays between 100 and 5,000, whole, and never grows when a batch was slow', () => {
    fc.assert(
      fc.property(size, time, (before, ms) => {
        const after = nextSize(before, ms);
        expect(Number.isInteger(after)).toBe(true);
        expect(after).toBeGreaterThanOrEqual(100);
        expect(after).toBeLessThanOrEqual(5_000);
        if (ms >= 500) expect(after).toBeLessThanOrEqual(before);
        if (ms <= 2_000) expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it('settles at about a second a batch for any store of steady speed below the bound', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 4, noNaN: true }), (msEach) => {
        let records = 2_000;
        for (let i = 0; i < 12; i += 1) records = nextSize(records, records * msEach);
        expect(records * msEach).toBeGreaterThanOrEqual(500);
        expect(records * msEach).toBeLessThanOrEqual(2_000);
      }),
    );
  });
});
