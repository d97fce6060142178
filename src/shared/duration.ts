import { z } from 'zod';

/** A length of time in milliseconds as a person says it: `850 ms`, `12 s`, `4 min 5 s`, `2 h 10 min`. */
export function sayDuration(milliseconds: number): string {
  if (Math.round(milliseconds) < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** A length of time as people write it in files: `90s`, `5m`, `2h`. */
export const durationSchema = z.string().regex(/^[1-9]\d{0,6}(ms|s|m|h|d)$/, 'write 90s, 5m or 2h');

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a text that fits `durationSchema`. */
export function millisecondsOf(duration: string): number {
  const unit = /[a-z]+$/.exec(duration)?.[0] as keyof typeof units;
  return Number.parseInt(duration, 10) * units[unit];
}
