import { announcementOf } from '../../src/maintenance/announcement.ts';
import { sampleWindow } from './sample-window.ts';

const hour = 3_600_000;
const before = [24 * hour, hour, hour / 6];
const at = (text: string): Date => new Date(text);
const say = (over: Parameters<typeof sampleWindow>[0], now: string, modeOff = true): string | null => {
  const told = announcementOf(sampleWindow(over), before, modeOff, at(now));
  return told === null ? null : `${told.name} until ${told.trueUntil}`;
};
/** Asked for three days before. */
const long = { createdAt: '2026-11-21T01:00:00.000Z' };

describe('what users should know of a window', () => {
  it('is that it is planned, then that it comes, by the nearest of the times before', () => {
    expect(say(long, '2026-11-21T01:00:00Z')).toBe('scheduled until 2026-11-24T01:00:00.000Z');
    expect(say(long, '2026-11-23T01:00:00Z')).toBe('before:86400000 until 2026-11-24T00:00:00.000Z');
    expect(say(long, '2026-11-24T00:00:00Z')).toBe('before:3600000 until 2026-11-24T00:50:00.000Z');
    expect(say(long, '2026-11-24T00:59:59Z')).toBe('before:600000 until 2026-11-24T01:00:00.000Z');
  });

  it('never is that it begins in a day where it was asked for five hours before', () => {
    const short = { createdAt: '2026-11-23T20:00:00.000Z' };
    expect(say(short, '2026-11-23T20:00:01Z')).toBe('scheduled until 2026-11-24T01:00:00.000Z');
    expect(say(short, '2026-11-24T00:00:01Z')).toBe('before:3600000 until 2026-11-24T00:50:00.000Z');
  });

  it('says nothing in the moment between the time and its beginning', () => {
    expect(say(long, '2026-11-24T01:00:00Z')).toBeNull();
  });

  it('is that it has begun, that it takes longer, and that it is over when users no longer see the banner', () => {
    expect(say({ ...long, state: 'active' }, '2026-11-24T01:00:05Z')).toBe('started until 2026-11-24T03:00:00.000Z');
    expect(say({ ...long, state: 'active' }, '2026-11-24T03:00:00Z')).toBe('late until null');
    expect(say({ ...long, state: 'ended' }, '2026-11-24T03:10:00Z', false)).toBeNull();
    expect(say({ ...long, state: 'ended' }, '2026-11-24T03:10:00Z')).toBe('ended until null');
    expect(say({ ...long, state: 'cancelled' }, '2026-11-23T03:10:00Z')).toBe('cancelled until null');
    expect(say({ ...long, state: 'missed' }, '2026-11-25T03:10:00Z')).toBe('cancelled until null');
  });
});
