import { isZone, readLocalTime, sayLocalTime } from '../../src/shared/local-time.ts';

const berlin = 'Europe/Berlin';
const read = (text: string, zone = berlin): string => {
  const moment = readLocalTime(text, zone);
  return moment === null || moment === 'gap'
    ? String(moment)
    : `${moment.at.toISOString()}${moment.twice ? ' twice' : ''}`;
};

describe('a local time', () => {
  it('is the moment at which the clock of its zone shows it', () => {
    expect(read('2026-11-24 02:00')).toBe('2026-11-24T01:00:00.000Z');
    expect(read('2026-07-24T02:00')).toBe('2026-07-24T00:00:00.000Z');
    expect(read('2026-11-24 02:00', 'UTC')).toBe('2026-11-24T02:00:00.000Z');
    expect(read('2026-11-24 02:00', 'Asia/Kathmandu')).toBe('2026-11-23T20:15:00.000Z');
    expect(read('2026-11-24 02:00', 'Pacific/Kiritimati')).toBe('2026-11-23T12:00:00.000Z');
    expect(read('2026-11-24 00:00', 'America/Los_Angeles')).toBe('2026-11-24T08:00:00.000Z');
  });

  it('in the night in which clocks go back comes twice, and the first is meant', () => {
    expect(read('2026-10-25 01:59')).toBe('2026-10-24T23:59:00.000Z');
    expect(read('2026-10-25 02:00')).toBe('2026-10-25T00:00:00.000Z twice');
    expect(read('2026-10-25 02:59')).toBe('2026-10-25T00:59:00.000Z twice');
    expect(read('2026-10-25 03:00')).toBe('2026-10-25T02:00:00.000Z');
    expect(read('2026-10-25 04:00')).toBe('2026-10-25T03:00:00.000Z');
  });

  it('in the night in which clocks go forward is left out for an hour', () => {
    expect(read('2027-03-28 01:59')).toBe('2027-03-28T00:59:00.000Z');
    expect(read('2027-03-28 02:00')).toBe('gap');
    expect(read('2027-03-28 02:30')).toBe('gap');
    expect(read('2027-03-28 03:00')).toBe('2027-03-28T01:00:00.000Z');
    expect(read('2026-10-04 02:15', 'Australia/Lord_Howe')).toBe('gap');
    expect(read('2026-10-04 02:30', 'Australia/Lord_Howe')).toBe('2026-10-03T15:30:00.000Z');
  });

  it('with an offset behind it means that, whatever the zone', () => {
    expect(read('2026-10-25 02:30+01:00')).toBe('2026-10-25T01:30:00.000Z');
    expect(read('2026-10-25T02:30Z')).toBe('2026-10-25T02:30:00.000Z');
  });

  it.each([
    'tomorrow',
    '2026-02-30 02:00',
    '2026-13-01 02:00',
    '2026-11-24 25:00',
    '2026-11-24',
    '24.11.2026 02:00',
    '',
  ])('is refused where it is none: %s', (text) => expect(read(text)).toBe('null'));

  it('is shown as its zone shows it, with what tells the two hours of that night apart', () => {
    expect(sayLocalTime('2026-10-25T00:00:00.000Z', berlin)).toBe('2026-10-25 02:00 Europe/Berlin (UTC+2)');
    expect(sayLocalTime('2026-10-25T01:00:00.000Z', berlin)).toBe('2026-10-25 02:00 Europe/Berlin (UTC+1)');
    expect(sayLocalTime('2026-11-24T01:00:00.000Z', 'Asia/Kathmandu')).toBe(
      '2026-11-24 06:45 Asia/Kathmandu (UTC+5:45)',
    );
    expect(sayLocalTime('2026-11-24T01:00:00.000Z', 'America/St_Johns')).toBe(
      '2026-11-23 21:30 America/St_Johns (UTC-3:30)',
    );
    expect(sayLocalTime('2026-11-24T01:00:00.000Z', 'UTC')).toBe('2026-11-24 01:00 UTC');
  });
});

it('knows which zones there are', () => {
  expect([isZone(berlin), isZone('UTC'), isZone('Mars/Olympus'), isZone(''), isZone('+02:00')]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
