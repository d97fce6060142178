import type { Effect } from '../systems/system.ts';

/** How many people other than the requester must approve, by what the plan does. Only reading needs nobody. */
export function votesNeeded(
  effect: Effect,
  environment: { readonly production: boolean; readonly votesRequired: number },
): number {
  if (effect === 'reads') return 0;
  // In production at least one other person: no configuration takes that away. Destroying always needs one.
  const least = environment.production || effect === 'destroys' ? 1 : 0;
  return Math.max(least, environment.votesRequired);
}
