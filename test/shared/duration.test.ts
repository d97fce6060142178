import { sayDuration } from '../../src/shared/duration.ts';
import { durationSchema, millisecondsOf } from '../../src/shared/duration-text.ts';

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

describe('a duration as people write it', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['3d', 259_200_000],
  ])('reads %s', (text, milliseconds) => {
    expect(millisecondsOf(durationSchema.parse(text))).toBe(milliseconds);
  });

  it.each(['', '0s', '5', 'm', '5 m', '-5m', '5M', '1.5h', '5m30s'])('refuses "%s"', (text) => {
    expect(durationSchema.safeParse(text).success).toBe(false);
  });
});
