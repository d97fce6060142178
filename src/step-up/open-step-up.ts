import type { StepUp } from '../runs/confirm-vote.ts';
import type { Secret } from '../shared/secret.ts';
import { createStepUp } from './ask-confirmation.ts';
import { type ConfirmDeps, createConfirmApproval } from './confirm-approval.ts';
import { createIdentityProvider } from './identity-provider.ts';
import { createStepUpServer, type StepUpServer } from './serve-step-up.ts';
import type { StepUpSettings } from './settings.ts';

/** What the door asks, and the pages on which people answer. */
export interface OpenStepUp {
  readonly gate: StepUp;
  pages(deps: Pick<ConfirmDeps, 'door' | 'person'>): StepUpServer;
}

export function openStepUp(
  deps: Omit<ConfirmDeps, 'door' | 'person' | 'provider'> & {
    readonly settings: StepUpSettings;
    readonly clientSecret: Secret;
  },
): OpenStepUp {
  return {
    gate: createStepUp(deps),
    pages: (others) => {
      const confirm = createConfirmApproval({ ...deps, ...others, provider: createIdentityProvider(deps) });
      return createStepUpServer({ ...deps, confirm });
    },
  };
}
