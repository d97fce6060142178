import { z } from 'zod';

/** A length of time as people write it in files: `90s`, `5m`, `2h`. */
export const durationSchema = z.string().regex(/^[1-9]\d{0,6}(ms|s|m|h|d)$/, 'write 90s, 5m or 2h');

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a text that fits `durationSchema`. */
export function millisecondsOf(duration: string): number {
  const unit = /[a-z]+$/.exec(duration)?.[0] as keyof typeof units;
  return Number.parseInt(duration, 10) * units[unit];
}
