import type { PlanWindow } from '../plans/plan.ts';

/** What has become of a window, as far as it matters to runs that are bound to it. */
export type WindowNow = 'to-come' | 'open' | 'over';

export type WindowGate =
  | { readonly pass: true }
  | { readonly pass: false; readonly waitMs: number }
  | { readonly pass: false; readonly why: string };

/**
 * Whether a run may start by its window: before it waits, after it not at all. `state` = what the window says of itself: it may
 * have begun early, or been cancelled.
 */
export function windowGate(window: PlanWindow, state: WindowNow, now: Date): WindowGate {
  if (state === 'over') return { pass: false, why: `its maintenance window ${window.id} is over or was cancelled` };
  if (now.getTime() >= Date.parse(window.until)) {
    return { pass: false, why: `its maintenance window ${window.id} ended at ${window.until}` };
  }
  const waitMs = Date.parse(window.from) - now.getTime();
  return state === 'open' || waitMs <= 0 ? { pass: true } : { pass: false, waitMs };
}
