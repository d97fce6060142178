import { sayDuration } from '../../src/shared/duration.ts';

describe('a duration in words', () => {
  it.each([
    [0, '0 ms'],
    [849.6, '850 ms'],
    [1_000, '1 s'],
    [12_400, '12 s'],
    [60_000, '1 min'],
    [245_000, '4 min 5 s'],
    [3_600_000, '1 h'],
    [7_800_000, '2 h 10 min'],
    [59_999, '1 min'],
    [3_599_999, '1 h'],
  ])('says %d ms as %s', (milliseconds, text) => {
    expect(sayDuration(milliseconds)).toBe(text);
  });

  it('never says 1000 ms', () => {
    expect(sayDuration(999.7)).toBe('1 s');
  });
});
