import type { Effect, UndoClass } from '../systems/system.ts';

/** How many people other than the requester must approve, by what would be done. Only reading needs nobody. */
export function votesNeeded(
  { effect, undoClass }: { readonly effect: Effect; readonly undoClass: UndoClass },
  environment: { readonly production: boolean; readonly votesRequired: number },
): number {
  if (effect === 'reads') return 0;
  // In production at least one other person, and two where there is no way back: no configuration takes that away.
  // Destroying always needs one.
  const inProduction = undoClass === 'one-way' ? 2 : 1;
  const least = environment.production ? inProduction : Number(effect === 'destroys');
  return Math.max(least, environment.votesRequired);
}
