import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { boxGroups, type ChecklistTools } from '../../blocks/checklist.ts';
import type { ChecklistView } from '../checklists/checklist-view.ts';
import type { ButtonTokens } from './button-tokens.ts';

/** What one group of boxes is, as it was shown: stored behind its token. */
const boxesMeaning = z.object({
  items: z.array(z.string()),
  /** Those that were ticked. */
  ticked: z.array(z.string()),
  /** Some of them take an approver: his right is asked anew, as for a vote. */
  approver: z.boolean(),
  /** Boxes that are shown anew are others, so that Slack draws them as they are. */
  revision: z.number(),
  /** Where they are drawn: what a person's boxes show there is another thing than what they show elsewhere. */
  place: z.string(),
});
export type BoxesMeaning = z.infer<typeof boxesMeaning>;

export function readBoxes(words: string | null): BoxesMeaning {
  return boxesMeaning.parse(JSON.parse(words ?? 'null'));
}

/**
 * Tokens for the boxes of a checklist as it is now. `all` = nothing folded. `link` is given for the one message in the channel;
 * null there = not known; absent = a window or an answer, of which each is a place of its own.
 */
export async function checklistTools(
  tokens: ButtonTokens,
  view: ChecklistView,
  all: boolean,
  link?: string | null,
): Promise<ChecklistTools> {
  const place = link === undefined ? randomUUID() : 'channel';
  const { runId, revision } = view;
  const boxes: string[] = [];
  for (const { items } of boxGroups(view, all)) {
    const meaning: BoxesMeaning = {
      items: items.map(({ id }) => id),
      ticked: items.filter(({ state }) => state === 'ticked').map(({ id }) => id),
      approver: items.some(({ who }) => who === 'approver'),
      revision,
      place,
    };
    boxes.push(await tokens.ofMeaning({ action: 'boxes', runId, digest: null, words: JSON.stringify(meaning) }));
  }
  const checklist = await tokens.ofMeaning({ action: 'checklist', runId, digest: null, words: null });
  return { boxes, buttons: { checklist }, link: link ?? null };
}
