import { parseJson } from './body.ts';
import { blocksOf, channelSeenBy, chosenKey, isView } from './clicks.ts';
import { type ElementName, findElement } from './elements.ts';
import { suggestions } from './limits/elements.ts';
import { isObject } from './limits/rules.ts';
import type { Message } from './message.ts';
import { suggestionPayload } from './payloads.ts';
import type { Member } from './people.ts';
import type { Stage } from './stage.ts';
import type { OpenView } from './views.ts';

type Option = Readonly<Record<string, unknown>>;

/** What stands in the list that opens while somebody types into an external select. */
export interface Suggested {
  /** Without groups: one with an empty label. */
  readonly groups: readonly { readonly label: string; readonly options: readonly Option[] }[];
  /** True where the list says that it has no result: no acknowledgement in time, or one that does not fit. */
  readonly trouble: boolean;
}

/** Asks the app for the options of an external select. Throws when the person sees no such select. */
export async function suggest(
  stage: Stage,
  member: Member,
  target: Message | OpenView,
  asked: { readonly name: ElementName; readonly typed: string },
): Promise<Suggested> {
  const { blockId, actionId, type } = findElement(blocksOf(target), asked.name);
  if (!type.endsWith('external_select')) throw new Error(`a ${type} asks the app for nothing`);
  const place = isView(target) ? { open: target } : { message: target, channel: channelSeenBy(stage, member, target) };
  const payload = suggestionPayload(member, place, { blockId, actionId, value: asked.typed });
  const { error, body } = await stage.delivery.deliver('interactive', `suggest ${actionId}`, payload);
  const answer = error === null ? parseJson(body) : undefined;
  const faults: string[] = [];
  suggestions(answer, '', faults);
  if (faults.length > 0) return { groups: [], trouble: true };
  const groups = groupsIn(answer);
  const key = `${chosenKey(member, target)} ${blockId} ${actionId}`;
  const known = stage.suggested.get(key) ?? [];
  stage.suggested.set(key, [...groups.flatMap(({ options }) => options), ...known].slice(0, 500));
  return { groups, trouble: false };
}

function groupsIn(answer: unknown): Suggested['groups'] {
  if (!isObject(answer)) return [];
  if (!Array.isArray(answer.option_groups)) return [{ label: '', options: answer.options as Option[] }];
  return answer.option_groups.map(({ label, options }) => ({ label: String(label.text), options }));
}
