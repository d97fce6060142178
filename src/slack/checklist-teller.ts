import { checklistMessage } from '../../blocks/checklist.ts';
import type { Message } from '../../blocks/message.ts';
import type { Desks } from '../../commands/desks.ts';
import type { ButtonTokens } from './button-tokens.ts';
import { checklistTools } from './checklist-boxes.ts';
import type { RunLinks } from './run-links.ts';

/** A run's checklist as it is at this moment, with boxes; null = there is none. `since` = its run is not much older: ISO 8601. */
export type ChecklistTeller = (runId: string, since: string) => Promise<Message | null>;

export function createChecklistTeller(deps: {
  readonly desks: Pick<Desks, 'checklists'>;
  readonly tokens: ButtonTokens;
  readonly links: RunLinks;
}): ChecklistTeller {
  const { desks, tokens, links } = deps;
  return async (runId, since) => {
    const view = await desks.checklists.read(runId);
    if (view === null) return null;
    return checklistMessage(view, await checklistTools(tokens, view, false, await links.to(runId, since)));
  };
}
