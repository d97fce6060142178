import fc from 'fast-check';
import { type Cron, lastDue, nextDue, readCron } from '../../src/schedules/cron.ts';

const cron = (text: string): Cron => {
  const read = readCron(text);
  if (typeof read === 'string') throw new Error(read);
  return read;
};
const from = (text: string, zone: string, after: string, count: number): string[] => {
  const found: string[] = [];
  for (let at: Date | null = new Date(after); found.length < count; ) {
    at = nextDue(cron(text), zone, at);
    if (at === null) break;
    found.push(at.toISOString().slice(0, 16));
  }
  return found;
};

describe('when a schedule comes due', () => {
  it('is by the clock on the wall, in summer and winter', () => {
    expect(from('0 3 * * *', 'Europe/Berlin', '2026-10-23T12:00:00Z', 3)).toEqual([
      '2026-10-24T01:00',
      '2026-10-25T02:00',
      '2026-10-26T02:00',
    ]);
    expect(from('30 23 * * 0', 'America/New_York', '2026-11-22T12:00:00Z', 2)).toEqual([
      '2026-11-23T04:30',
      '2026-11-30T04:30',
    ]);
  });

  it('is once, when the clock goes on, for a time that the clock leaves out', () => {
    expect(from('30 2 * * *', 'Europe/Berlin', '2027-03-26T12:00:00Z', 3)).toEqual([
      '2027-03-27T01:30',
      '2027-03-28T01:00',
      '2027-03-29T00:30',
    ]);
  });

  it('is once, the first time, for a time that the clock shows twice', () => {
    expect(from('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  it('is after years for a rare one', () => {
    expect(from('0 0 29 2 *', 'UTC', '2026-11-22T00:00:00Z', 1)).toEqual(['2028-02-29T00:00']);
  });

  it('is the last of the times that were missed, with how many came before it', () => {
    const at = (text: string) => new Date(text);
    const nightly = cron('0 3 * * *');
    expect(lastDue(nightly, 'UTC', at('2026-11-20T03:00:00Z'), at('2026-11-21T02:59:00Z'))).toBeNull();
    expect(lastDue(nightly, 'UTC', at('2026-11-20T03:00:00Z'), at('2026-11-23T04:00:00Z'))).toEqual({
      at: at('2026-11-23T03:00:00Z'),
      missed: 2,
    });
    const often = lastDue(cron('*/5 * * * *'), 'UTC', at('2026-01-01T00:00:00Z'), at('2026-11-23T04:02:00Z'));
    expect(often?.at).toEqual(at('2026-11-23T04:00:00Z'));
    expect(often?.missed).toBeGreaterThanOrEqual(100);
  });

  it('comes after the moment that was asked for, and nothing lies in between, whatever the zone', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'];
    const moments = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });
    fc.assert(
      fc.property(
        moments,
        fc.constantFrom(...zones),
        fc.constantFrom('0 3 * * *', '15 2 * * *', '*/20 1-3 * * *'),
        (after, zone, text) => {
          const next = nextDue(cron(text), zone, new Date(after));
          if (next === null) return false;
          const again = nextDue(cron(text), zone, new Date(next.getTime() - 1));
          return (
            next.getTime() > after && next.getTime() - after <= 26 * 3_600_000 && again?.getTime() === next.getTime()
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('what is no schedule', () => {
  it.each([
    ['61 * * * *', /61 is a invalid expression for minute/],
    ['0 0 31 2 *', /31 2 is an impossible day/],
    ['* * *', /expected 5 or 6 fields/],
    ['0 0 3 * * *', /write five fields/],
    ['0 3 L * *', /L, W and # are not known/],
    ['* * * * *', /at most every 5 minutes/],
    ['1,3 4 * * *', /at most every 5 minutes/],
  ])('%s', (text, says) => {
    expect(readCron(text)).toMatch(says);
  });
});
