import type { Window } from './window.ts';
import type { Occasion } from './words.ts';

/** What users should know of a window now. */
export interface Announcement {
  readonly occasion: Occasion;
  /** Unique in the window: `before:600000`. The same is told once. */
  readonly name: string;
  /** When it is no longer true; null = it stays true. ISO 8601. */
  readonly trueUntil: string | null;
}

/**
 * The one announcement that is true now. What came before it and was not told is not told any more: nobody needs to hear
 * that something begins in ten minutes when it has begun. `before` = how long ahead people are told, in milliseconds. Null = nothing
 * is to be told, or not yet: `modeOff` is false while users still see that maintenance is going on.
 */
export function announcementOf(
  window: Window,
  before: readonly number[],
  modeOff: boolean,
  now: Date,
): Announcement | null {
  switch (window.state) {
    case 'scheduled':
      return announceAhead(window, before, now);
    case 'active':
      return now.getTime() < Date.parse(window.to)
        ? { occasion: 'started', name: 'started', trueUntil: window.to }
        : { occasion: 'late', name: 'late', trueUntil: null };
    case 'ended':
      return modeOff ? { occasion: 'ended', name: 'ended', trueUntil: null } : null;
    case 'cancelled':
    case 'missed':
      return { occasion: 'cancelled', name: 'cancelled', trueUntil: null };
  }
}

/** The nearest one whose time has come; those whose time had come when the window was made are covered by its first one. */
function announceAhead(window: Window, before: readonly number[], now: Date): Announcement | null {
  const from = Date.parse(window.from);
  if (now.getTime() >= from) return null;
  const made = Date.parse(window.createdAt);
  const leads = before.filter((lead) => from - lead > made).sort((a, b) => a - b);
  const due = leads.find((lead) => now.getTime() >= from - lead);
  const next = leads.filter((lead) => now.getTime() < from - lead).at(-1) ?? 0;
  const trueUntil = new Date(from - next).toISOString();
  if (due === undefined) return { occasion: 'scheduled', name: 'scheduled', trueUntil: window.from };
  return { occasion: 'before', name: `before:${due}`, trueUntil };
}
