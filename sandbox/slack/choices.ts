import type { Element } from './elements.ts';
import { isObject } from './limits/rules.ts';
import type { StateValues } from './payloads.ts';

type Loose = Readonly<Record<string, unknown>>;

/** What a person puts into an element: a text, an option's value or words, an id; several for those that take several. */
export type Choice = string | readonly string[];

/** Under which name a type of element keeps a value of its own in `state.values`. */
const single: Readonly<Record<string, string>> = {
  plain_text_input: 'value',
  email_text_input: 'value',
  url_text_input: 'value',
  number_input: 'value',
  users_select: 'selected_user',
  channels_select: 'selected_channel',
  conversations_select: 'selected_conversation',
  datepicker: 'selected_date',
  timepicker: 'selected_time',
  datetimepicker: 'selected_date_time',
};
const several: Readonly<Record<string, string>> = {
  multi_users_select: 'selected_users',
  multi_channels_select: 'selected_channels',
  multi_conversations_select: 'selected_conversations',
};
const oneOption = ['static_select', 'external_select', 'radio_buttons', 'overflow'];
const manyOptions = ['multi_static_select', 'multi_external_select', 'checkboxes'];

/** What `state.values` says of an element with this choice; `suggested` = options that the app offered. Throws when there is no such option. */
export function chosenValue({ type, element: own }: Element, choice: Choice, suggested: readonly Loose[] = []): Loose {
  const element = { ...own, option_groups: [...listOf(own.option_groups), { options: suggested }] };
  const one = typeof choice === 'string' ? choice : (choice[0] ?? '');
  const many = typeof choice === 'string' ? [choice] : choice;
  if (oneOption.includes(type)) return { type, selected_option: optionOf(element, one) };
  if (manyOptions.includes(type)) return { type, selected_options: many.map((entry) => optionOf(element, entry)) };
  const name = single[type];
  if (name === 'selected_date_time') return { type, [name]: Number(one) };
  if (name) return { type, [name]: one === '' ? null : one };
  const list = several[type];
  if (list) return { type, [list]: many };
  throw new Error(`a ${type} takes no value`);
}

/** What it says before anybody touched the element; null where it says nothing (buttons). */
function initialValueOf({ type, element }: Element): Loose | null {
  if (type === 'button' || type === 'overflow') return null;
  if (oneOption.includes(type)) return { type, selected_option: element.initial_option ?? null };
  if (manyOptions.includes(type)) return { type, selected_options: element.initial_options ?? [] };
  const name = single[type];
  if (name)
    return {
      type,
      [name]: element[name.replace(/^selected_/, 'initial_').replace(/^value$/, 'initial_value')] ?? null,
    };
  const list = several[type];
  return list ? { type, [list]: element[list.replace('selected_', 'initial_')] ?? [] } : null;
}

/** `state.values` of these elements: what was chosen, and what stands there from the start. */
export function stateOf(elements: readonly Element[], chosen: StateValues): StateValues {
  const state: Record<string, Record<string, unknown>> = {};
  for (const element of elements) {
    const value = chosen[element.blockId]?.[element.actionId] ?? initialValueOf(element);
    if (value !== null) state[element.blockId] = { ...state[element.blockId], [element.actionId]: value };
  }
  return state;
}

/** Why Slack does not let a person submit this input, in its words; null = it may go. */
export function complaintAbout({ element, input, type }: Element, value: unknown): string | null {
  const content = isObject(value) ? Object.entries(value).find(([name]) => name !== 'type')?.[1] : null;
  const empty =
    content === null || content === undefined || content === '' || (Array.isArray(content) && content.length === 0);
  if (empty) return input && input.optional !== true ? 'Please complete this required field.' : null;
  if (typeof content !== 'string') return null;
  if (content.length < Number(element.min_length ?? 0))
    return `Please enter at least ${element.min_length} characters.`;
  if (content.length > Number(element.max_length ?? 3000))
    return `Please enter at most ${element.max_length ?? 3000} characters.`;
  if (type === 'email_text_input' && !/^\S+@\S+\.\S+$/.test(content)) return 'Please enter a valid email address.';
  if (type === 'url_text_input' && !URL.canParse(content)) return 'Please enter a valid URL.';
  if (type === 'number_input' && !Number.isFinite(Number(content))) return 'Please enter a number.';
  return null;
}

function optionOf(element: Loose, wanted: string): Loose {
  const initial = { options: [element.initial_option, ...listOf(element.initial_options)].filter(isObject) };
  const options = [element, ...listOf(element.option_groups), initial].flatMap((group) =>
    isObject(group) && Array.isArray(group.options) ? group.options : [],
  ) as Loose[];
  const wordsOf = (option: Loose): unknown => (isObject(option.text) ? option.text.text : undefined);
  const found = options.find(({ value }) => value === wanted) ?? options.find((option) => wordsOf(option) === wanted);
  if (found) return found;
  throw new Error(`there is no option “${wanted}”, there are: ${options.map(({ value }) => value).join(', ')}`);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
