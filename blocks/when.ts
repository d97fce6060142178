import { plain } from './escape.ts';
import { sayUtc } from './say.ts';

/** A time that Slack shows in the reader's own zone; UTC where it cannot. */
export function when(iso: string): string {
  const seconds = Math.floor(new Date(iso).getTime() / 1000);
  return Number.isFinite(seconds)
    ? `<!date^${seconds}^{date_short_pretty} {time}|${sayUtc(iso)}>`
    : plain(sayUtc(iso), 60);
}

/** A time so many milliseconds after another; no time stays what it is. */
export function later(iso: string, milliseconds: number): string {
  const time = new Date(new Date(iso).getTime() + milliseconds);
  return Number.isNaN(time.getTime()) ? iso : time.toISOString();
}

/** The time of day alone, for what is minutes away. */
export function clockTime(iso: string): string {
  const seconds = Math.floor(new Date(iso).getTime() / 1000);
  return Number.isFinite(seconds) ? `<!date^${seconds}^{time}|${sayUtc(iso)}>` : plain(sayUtc(iso), 60);
}
