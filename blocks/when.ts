import { plain } from './escape.ts';
import { sayUtc } from './say.ts';

/** A time that Slack shows in the reader's own zone; UTC where it cannot. */
export function when(iso: string): string {
  const seconds = Math.floor(new Date(iso).getTime() / 1000);
  return Number.isFinite(seconds)
    ? `<!date^${seconds}^{date_short_pretty} {time}|${sayUtc(iso)}>`
    : plain(sayUtc(iso), 60);
}

/** The time of day alone, for what is minutes away. */
export function clockTime(iso: string): string {
  const seconds = Math.floor(new Date(iso).getTime() / 1000);
  return Number.isFinite(seconds) ? `<!date^${seconds}^{time}|${sayUtc(iso)}>` : plain(sayUtc(iso), 60);
}
