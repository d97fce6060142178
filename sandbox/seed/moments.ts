import type { Random } from './random.ts';

const DAY = 86_400_000;
/** Everything in the data happens after this moment, never "now": the data is the same whenever it is made. */
export const FIRST_DAY = new Date(Date.UTC(2024, 0, 1));

/** A moment up to `days` after another, in whole seconds. */
export function later(random: Random, than: Date, days: number): Date {
  return new Date(than.getTime() + random.integer(1, days * 86_400) * 1000);
}

export function plusDays(than: Date, days: number): Date {
  return new Date(than.getTime() + days * DAY);
}

export function plusSeconds(than: Date, seconds: number): Date {
  return new Date(than.getTime() + seconds * 1000);
}
