import { type Choice, chosenValue, stateOf } from './choices.ts';
import { showError } from './commands.ts';
import { dialogOf, type Element, type ElementName, elementsOf, findElement } from './elements.ts';
import type { EarlierForm, Message } from './message.ts';
import { actionTs, messageActionPayload, type StateValues, viewActionPayload } from './payloads.ts';
import type { Member } from './people.ts';
import { beginAct, endAct, type Outcome, type Stage } from './stage.ts';
import type { OpenView } from './views.ts';
import type { Channel } from './workspace.ts';

export interface ClickOptions {
  /** An earlier form of the message, which the person still sees: the click of somebody who was too slow. */
  readonly seen?: EarlierForm;
}

/** Clicks a button by its text or action id; a confirm dialog is confirmed. Throws when the person sees no such button. */
export async function click(
  stage: Stage,
  member: Member,
  target: Message | OpenView,
  name: ElementName,
  options: ClickOptions = {},
): Promise<Outcome> {
  const element = findElement(options.seen?.blocks ?? blocksOf(target), name);
  if (element.type !== 'button') throw new Error(`“${element.label}” is a ${element.type}, not a button`);
  const { text, value, style } = element.element;
  const more = { text, ...(value === undefined ? {} : { value }), ...(style === undefined ? {} : { style }) };
  return use(stage, member, target, element, more);
}

/** Clicks with made-up values, as somebody who forges requests in his own name would. */
export function clickForged(
  stage: Stage,
  member: Member,
  message: Message,
  forged: { readonly actionId: string; readonly value: string },
): Promise<Outcome> {
  const { actionId, value } = forged;
  const element = { blockId: 'forged', actionId, type: 'button', label: actionId, element: {}, input: null };
  return use(stage, member, message, element, { text: { type: 'plain_text', text: actionId, emoji: true }, value });
}

/** Chooses in a select, checkboxes or the like. An input tells the app only when it dispatches; null = it was not told. */
export async function choose(
  stage: Stage,
  member: Member,
  target: Message | OpenView,
  name: ElementName,
  choice: Choice,
): Promise<Outcome | null> {
  const element = findElement(blocksOf(target), name);
  const value = fill(stage, member, target, { element, choice });
  if (element.input && element.input.dispatch_action !== true) return null;
  const { type: _, ...chosen } = value;
  return use(stage, member, target, element, chosen);
}

/** Puts a choice into an element; the app hears of it with the next click or submission. Throws when there is no such option. */
export function fill(
  stage: Stage,
  member: Member,
  target: Message | OpenView,
  { element, choice }: { readonly element: Element; readonly choice: Choice },
): Readonly<Record<string, unknown>> {
  const key = chosenKey(member, target);
  const { blockId, actionId } = element;
  const value = chosenValue(element, choice, stage.suggested.get(`${key} ${blockId} ${actionId}`));
  const before = stage.chosen.get(key) ?? {};
  const inBlock = { ...before[blockId], [actionId]: value };
  if (element.type !== 'overflow') stage.chosen.set(key, { ...before, [blockId]: inBlock });
  return value;
}

/** What this person has filled in, in this message or view. */
export function filledIn(stage: Stage, member: Member, target: Message | OpenView): StateValues {
  return stateOf(elementsOf(blocksOf(target)), stage.chosen.get(chosenKey(member, target)) ?? {});
}

async function use(
  stage: Stage,
  member: Member,
  target: Message | OpenView,
  element: Element,
  more: object,
): Promise<Outcome> {
  const confirm = element.element.confirm === undefined ? {} : { confirm: element.element.confirm };
  const { type, blockId: block_id, actionId: action_id, label } = element;
  const action = { action_id, block_id, ...more, type, ...confirm, action_ts: actionTs() };
  const from = stage.workspace.messages.length;
  const what = `${label || action_id}`;
  const values = filledIn(stage, member, target);
  if (isView(target)) {
    const triggerId = stage.triggers.give({ user: member.id, viewId: target.id });
    const payload = viewActionPayload(member, { open: target, action, values }, triggerId);
    const acknowledgement = await stage.delivery.deliver('interactive', what, payload);
    return endAct(stage, member, { acknowledgement, from, path: null }, dialogOf(element.element));
  }
  const channel = channelSeenBy(stage, member, target);
  const handles = beginAct(stage, member, channel, target);
  const payload = messageActionPayload(member, channel, { message: target, action, values }, handles);
  const acknowledgement = await stage.delivery.deliver('interactive', what, payload);
  if (acknowledgement.error !== null) {
    showError(stage, member, channel, `The app did not answer the click on “${what}”: "${acknowledgement.error}"`);
  }
  return endAct(stage, member, { acknowledgement, from, path: handles.path }, dialogOf(element.element));
}

/** Throws when the person cannot see the message. */
export function channelSeenBy(stage: Stage, member: Member, message: Message): Channel {
  const channel = stage.workspace.channel(message.channel);
  const hidden = message.deleted || (message.onlyFor !== null && message.onlyFor !== member.id);
  if (!channel || hidden || !channel.members.has(member.id))
    throw new Error(`${member.name} does not see this message`);
  return channel;
}

export function isView(target: Message | OpenView): target is OpenView {
  return 'rootId' in target;
}

export function blocksOf(target: Message | OpenView): Message['blocks'] {
  return isView(target) ? target.view.blocks : target.blocks;
}

/** By container and person: an update of the view or message keeps what was chosen in blocks that stay. */
export function chosenKey(member: Member, target: Message | OpenView): string {
  return `${member.id} ${isView(target) ? target.id : `${target.channel} ${target.ts}`}`;
}
