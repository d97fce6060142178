import { checklistMessage } from '../../blocks/checklist.ts';
import type { Message } from '../../blocks/message.ts';
import type { Desks } from '../../commands/desks.ts';
import type { ButtonTokens } from './button-tokens.ts';
import { checklistTools } from './checklist-boxes.ts';
import type { PostOnce } from './post-once.ts';
import { SlackBusy, type SlackCalls, SlackRefused } from './slack-calls.ts';

/** A run's checklist as it is at this moment, with boxes; null = there is none. `since` = its run is not much older: ISO 8601. */
export type ChecklistTeller = (runId: string, since: string) => Promise<Message | null>;

export function createChecklistTeller(deps: {
  readonly desks: Pick<Desks, 'checklists'>;
  readonly tokens: ButtonTokens;
  readonly posts: Pick<PostOnce, 'find'>;
  readonly calls: Pick<SlackCalls, 'link'>;
}): ChecklistTeller {
  const { desks, tokens, posts, calls } = deps;
  const links = new Map<string, string>();

  /** To the run's own message. Evidence is told without it rather than late. */
  async function linkTo(runId: string, since: string): Promise<string | null> {
    const known = links.get(runId);
    if (known !== undefined) return known;
    try {
      const card = await posts.find({ id: runId, since }, 'card');
      const link = card === null ? null : await calls.link(card.channel, card.ts);
      if (links.size > 1_000) links.clear();
      if (link !== null) links.set(runId, link);
      return link;
    } catch (error) {
      if (error instanceof SlackBusy || error instanceof SlackRefused) return null;
      throw error;
    }
  }

  return async (runId, since) => {
    const view = await desks.checklists.read(runId);
    if (view === null) return null;
    return checklistMessage(view, await checklistTools(tokens, view, false, await linkTo(runId, since)));
  };
}
