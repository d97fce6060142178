import { randomUUID } from 'node:crypto';
import type { StepUp } from '../runs/confirm-vote.ts';
import type { Clock } from '../shared/clock.ts';
import type { ConfirmationStore } from './confirmation.ts';
import { hashOf, newSecret } from './secrets.ts';
import { publicAddress, type StepUpSettings } from './settings.ts';

const goodFor = 10 * 60_000;

/** What the door asks before it counts an approval. */
export function createStepUp(deps: {
  readonly settings: Pick<StepUpSettings, 'for' | 'publicUrl'>;
  readonly store: Pick<ConfirmationStore, 'add'>;
  readonly clock: Clock;
}): StepUp {
  const { settings, store, clock } = deps;
  return {
    needs({ effect, undoClass }) {
      if (effect === 'reads') return false;
      if (settings.for === 'changes' || undoClass === 'one-way') return true;
      return settings.for === 'destroys' && effect === 'destroys';
    },
    async ask({ closesAt, ...asked }) {
      const token = newSecret();
      const askedAt = clock.now();
      const expiresAt = new Date(Math.min(askedAt.getTime() + goodFor, Date.parse(closesAt)));
      const tokenHash = hashOf(token);
      await store.add({ ...asked, id: randomUUID(), tokenHash, askedAt, expiresAt });
      return { link: publicAddress(settings, token).href, expiresAt: expiresAt.toISOString() };
    },
  };
}
