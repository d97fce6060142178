import { parse, validateDetailed } from 'node-cron';
import { readLocalTime, wallTime } from '../shared/local-time.ts';

/** When something comes due, by the clock on the wall. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** A 29th of February on a given weekday comes after 28 years at most; more rarely than that is never. */
const farthestDays = 366 * 29;
/** Each firing is a run. */
const closestMinutes = 5;

/** Reads `0 3 * * *`; a text says what is wrong with it. Days of month and week both have to fit. */
export function readCron(text: string): Cron | string {
  const { valid, errors } = validateDetailed(text);
  if (!valid) return errors[0]?.message ?? 'it cannot be read';
  if (text.trim().split(/\s+/).length !== 5) return 'write five fields: minute, hour, day, month, weekday';
  const fields = parse(text);
  const lists = [fields.minute, fields.hour, fields.dayOfMonth, fields.month, fields.dayOfWeek].map((list) => [
    ...list,
  ]);
  if (!lists.flat().every((value) => typeof value === 'number')) return 'write numbers: L, W and # are not known here';
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = lists as number[][];
  if (minutes.some((value, index) => index > 0 && value - Number(minutes[index - 1]) < closestMinutes)) {
    return `at most every ${closestMinutes} minutes: each time is a run`;
  }
  return { minutes, hours, days, months, weekdays };
}

/**
 * The first time after `after` at which it comes due in the zone; null = never. A time that the clock leaves out comes due
 * when the clock goes on, one that the clock shows twice comes due the first time.
 */
export function nextDue(cron: Cron, zone: string, after: Date): Date | null {
  const [today = ''] = wallTime(after, zone).split(' ');
  const first = Date.parse(`${today}T00:00Z`) - day;
  for (let index = 0; index < farthestDays; index += 1) {
    const date = new Date(first + index * day);
    if (!cron.months.includes(date.getUTCMonth() + 1) || !cron.days.includes(date.getUTCDate())) continue;
    if (!cron.weekdays.includes(date.getUTCDay())) continue;
    const found = firstOfDay(cron, zone, date, after);
    if (found !== null) return found;
  }
  return null;
}

/** The times at which it came due after `after` and until `now`: the last one, and how many there were before it (100 at most are counted). */
export function lastDue(
  cron: Cron,
  zone: string,
  after: Date,
  now: Date,
): { readonly at: Date; readonly missed: number } | null {
  let last: Date | null = null;
  let missed = -1;
  for (let next = nextDue(cron, zone, after); next !== null && next <= now; next = nextDue(cron, zone, next)) {
    last = next;
    missed += 1;
    // It was away for long: the rest is not counted.
    if (missed === 100 && now.getTime() - next.getTime() > 2 * day) next = new Date(now.getTime() - 2 * day);
  }
  return last === null ? null : { at: last, missed };
}

function firstOfDay(cron: Cron, zone: string, date: Date, after: Date): Date | null {
  const written = date.toISOString().slice(0, 10);
  const wallAfter = Date.parse(`${wallTime(after, zone).replace(' ', 'T')}Z`);
  for (const hour of cron.hours) {
    for (const at of cron.minutes) {
      const wall = date.getTime() + (hour * 60 + at) * minute;
      // No clock is set back by more than three hours: what lies before is over.
      if (wall < wallAfter - 180 * minute) continue;
      const moment = momentOf(`${written} ${two(hour)}:${two(at)}`, zone);
      if (moment !== null && moment > after) return moment;
    }
  }
  return null;
}

/** A time in the gap of a clock change is when the clock goes on. */
function momentOf(wall: string, zone: string): Date | null {
  const found = readLocalTime(wall, zone);
  if (found !== 'gap') return found?.at ?? null;
  const asUtc = Date.parse(`${wall.replace(' ', 'T')}Z`);
  for (let later = 1; later <= 180; later += 1) {
    const next = readLocalTime(new Date(asUtc + later * minute).toISOString().slice(0, 16), zone);
    if (next !== 'gap') return next?.at ?? null;
  }
  return null;
}

const two = (value: number): string => String(value).padStart(2, '0');
