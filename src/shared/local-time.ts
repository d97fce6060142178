/** A moment that a local time stands for. `twice`: the clock shows it twice that night; this is the first. */
export interface LocalMoment {
  readonly at: Date;
  readonly twice: boolean;
}

const hour = 3_600_000;
const written = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})$/;
const writtenWithOffset = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$/;

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return !/^[+-]/.test(zone);
  } catch {
    return false;
  }
}

/**
 * What `2026-11-24 02:00` means in a zone; with `Z` or an offset behind it, it means that. Null = it is no time;
 * `gap` = the clock leaves it out that night.
 */
export function readLocalTime(text: string, zone: string): LocalMoment | 'gap' | null {
  if (writtenWithOffset.test(text)) {
    const at = new Date(text.replace(' ', 'T'));
    return Number.isNaN(at.getTime()) ? null : { at, twice: false };
  }
  const match = written.exec(text);
  if (match === null) return null;
  const wall = `${match[1]} ${match[2]}`;
  const asUtc = Date.parse(`${match[1]}T${match[2]}Z`);
  // A day that the month does not have becomes another one.
  if (Number.isNaN(asUtc) || wallTime(new Date(asUtc), 'UTC') !== wall) return null;
  // Zones are less than a day away from UTC: the offsets of the day before and after are all there can be.
  const offsets = new Set([-24, 0, 24].map((hours) => offsetOf(new Date(asUtc + hours * hour), zone)));
  const fitting = [...offsets].map((offset) => asUtc - offset).filter((at) => wallTime(new Date(at), zone) === wall);
  if (fitting.length === 0) return 'gap';
  return { at: new Date(Math.min(...fitting)), twice: fitting.length > 1 };
}

/** `2026-11-24 02:00 Europe/Berlin (UTC+1)`. */
export function sayLocalTime(iso: string, zone: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime()) || !isZone(zone)) return iso;
  if (zone === 'UTC') return `${wallTime(at, zone)} UTC`;
  const minutes = offsetOf(at, zone) / 60_000;
  const rest = Math.abs(minutes) % 60 === 0 ? '' : `:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
  const offset = `UTC${minutes < 0 ? '-' : '+'}${Math.floor(Math.abs(minutes) / 60)}${rest}`;
  return `${wallTime(at, zone)} ${zone} (${offset})`;
}

/** Milliseconds that the zone's clock is ahead of UTC. */
function offsetOf(at: Date, zone: string): number {
  const minute = Math.floor(at.getTime() / 60_000) * 60_000;
  return Date.parse(`${wallTime(new Date(minute), zone).replace(' ', 'T')}Z`) - minute;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making one takes much longer than asking it. */
function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  clocks.set(zone, made);
  return made;
}

/** What the clock on the wall shows: `2026-11-24 02:00`. */
export function wallTime(at: Date, zone: string): string {
  const parts = clockOf(zone).formatToParts(at);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}`;
}
