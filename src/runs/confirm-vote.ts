import type { Effect, UndoClass } from '../systems/system.ts';
import type { Confirmable, VoteRequest } from './door.ts';
import type { Run } from './run.ts';

/** Approvals that count only once the voter has confirmed them at an identity provider outside of the environments. */
export interface StepUp {
  /** Whether an approval of this needs it. */
  needs(what: { readonly effect: Effect; readonly undoClass: UndoClass }): boolean;
  /** Keeps that this person is to confirm exactly this, in place of an earlier link for it, and answers where. */
  ask(asked: AskedConfirmation): Promise<{ readonly link: string; readonly expiresAt: string }>;
}

export interface AskedConfirmation {
  readonly runId: string;
  /** Of the plan, or of the step, that is approved. */
  readonly digest: string;
  readonly person: { readonly id: string; readonly name: string };
  readonly reason: string | null;
  readonly breaksGlass: boolean;
  /** When the vote closes: ISO 8601. */
  readonly closesAt: string;
}

/**
 * Asked when every gate is passed: null = the vote may be cast. One that names a confirmation is cast, and does not
 * count unless that confirmation was given for just this: the store judges it in the vote's own transaction.
 */
export async function askToConfirm(
  stepUp: StepUp | undefined,
  run: Run,
  { person, choice, reason, breaksGlass, confirmation }: VoteRequest,
  on: { readonly digest: string; readonly expiresAt: string; readonly effect: Effect; readonly undoClass: UndoClass },
): Promise<Confirmable | null> {
  if (choice !== 'approve' || confirmation !== undefined || !stepUp?.needs(on)) return null;
  const { id, name } = person;
  const asked = {
    runId: run.id,
    digest: on.digest,
    person: { id, name },
    reason,
    breaksGlass: breaksGlass === true,
    closesAt: on.expiresAt,
  };
  return { kind: 'to-confirm', run, ...(await stepUp.ask(asked)) };
}
