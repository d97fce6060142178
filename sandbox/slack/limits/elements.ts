import {
  among,
  anything,
  fault,
  flag,
  isObject,
  list,
  matching,
  type Rule,
  shape,
  string,
  webAddress,
  whole,
} from './rules.ts';
import { actionId, anyText, confirmDialog, imageFields, plainText } from './texts.ts';

const optionFields = { value: string(150), description: plainText(75) };
/** Selects draw no mrkdwn; checkboxes and radio buttons do. */
const option = shape(
  { text: plainText(75), value: string(150) },
  { description: plainText(75), url: webAddress(3000) },
);
const richOption = shape({ text: anyText(75), value: optionFields.value }, { description: anyText(75) });
const options = list(option, 100);
const optionGroups = list(shape({ label: plainText(75), options }, {}), 100);

const shared = { action_id: actionId, confirm: confirmDialog, focus_on_load: flag };
const select = { ...shared, placeholder: plainText(150) };
const id = string(255);
const ids = list(id, 100);

/** Slack takes either options or groups of them, and initial options that are among them. */
const eitherOptions: Rule = (value, at, faults) => {
  if (!isObject(value)) return;
  if ((value.options === undefined) === (value.option_groups === undefined)) {
    faults.push(fault('must provide either options or option_groups', at));
  }
  initialAmongOptions(value, at, faults);
};

const initialAmongOptions: Rule = (value, at, faults) => {
  if (!isObject(value)) return;
  const groups = Array.isArray(value.option_groups) ? value.option_groups : [];
  const all = [value, ...groups].flatMap((group) =>
    isObject(group) && Array.isArray(group.options) ? group.options : [],
  );
  const values = new Set(all.map((entry: unknown) => (isObject(entry) ? entry.value : undefined)));
  const initial = [value.initial_option, ...(Array.isArray(value.initial_options) ? value.initial_options : [])];
  for (const entry of initial) {
    if (isObject(entry) && !values.has(entry.value))
      faults.push(fault('initial option must match one of the options', at));
  }
};

function kind(
  type: string,
  required: Record<string, Rule>,
  optional: Record<string, Rule>,
  also?: Rule,
): Record<string, Rule> {
  return { [type]: shape({ type: among(type), ...required }, optional, also) };
}

/** A select of people, channels or conversations, or several of them. */
function chooser(type: string, initial: string, more: Record<string, Rule> = {}): Record<string, Rule> {
  return {
    ...kind(type, {}, { ...select, ...more, [`initial_${initial}`]: id }),
    ...kind(
      `multi_${type}`,
      {},
      { ...select, ...more, [`initial_${initial}s`]: ids, max_selected_items: whole(1, 100) },
    ),
  };
}

const texts = { action_id: actionId, initial_value: string(3000, 0), placeholder: plainText(150), focus_on_load: flag };
const dispatch = shape({}, { trigger_actions_on: list(among('on_enter_pressed', 'on_character_entered'), 2) });
const lengths: Rule = (value, at, faults) => {
  if (!isObject(value)) return;
  const { min_length: least, max_length: most } = value;
  if (typeof least === 'number' && typeof most === 'number' && least > most) {
    faults.push(fault('min_length must not be greater than max_length', at));
  }
};

const button = kind(
  'button',
  { text: plainText(75) },
  {
    action_id: actionId,
    url: webAddress(3000),
    value: string(2000, 0),
    style: among('primary', 'danger'),
    confirm: confirmDialog,
    accessibility_label: string(75),
  },
);

export const image = { image: shape(imageFields.required, imageFields.optional) };

const overflow = kind('overflow', { options: list(option, 5) }, { action_id: actionId, confirm: confirmDialog });

const choices: Readonly<Record<string, Rule>> = {
  ...kind(
    'static_select',
    {},
    { ...select, options, option_groups: optionGroups, initial_option: option },
    eitherOptions,
  ),
  ...kind(
    'multi_static_select',
    {},
    {
      ...select,
      options,
      option_groups: optionGroups,
      initial_options: list(option, 100),
      max_selected_items: whole(1, 100),
    },
    eitherOptions,
  ),
  ...kind('external_select', {}, { ...select, initial_option: option, min_query_length: whole(0, 100) }),
  ...kind(
    'multi_external_select',
    {},
    {
      ...select,
      initial_options: list(option, 100),
      min_query_length: whole(0, 100),
      max_selected_items: whole(1, 100),
    },
  ),
  ...chooser('users_select', 'user'),
  ...chooser('channels_select', 'channel', { response_url_enabled: flag }),
  ...chooser('conversations_select', 'conversation', {
    response_url_enabled: flag,
    default_to_current_conversation: flag,
    filter: anything,
  }),
  ...kind(
    'checkboxes',
    { options: list(richOption, 10) },
    { ...shared, initial_options: list(richOption, 10) },
    initialAmongOptions,
  ),
  ...kind(
    'radio_buttons',
    { options: list(richOption, 10) },
    { ...shared, initial_option: richOption },
    initialAmongOptions,
  ),
  ...kind('datepicker', {}, { ...select, initial_date: matching(/^\d{4}-\d{2}-\d{2}$/, 'date') }),
  ...kind('timepicker', {}, { ...select, initial_time: matching(/^\d{2}:\d{2}$/, 'time'), timezone: id }),
};

const dateTime = kind('datetimepicker', {}, { ...shared, initial_date_time: whole(1_000_000_000, 9_999_999_999) });

/** What a person types into; in input blocks only. */
const typed: Readonly<Record<string, Rule>> = {
  ...kind(
    'plain_text_input',
    {},
    {
      ...texts,
      multiline: flag,
      min_length: whole(0, 3000),
      max_length: whole(1, 3000),
      dispatch_action_config: dispatch,
    },
    lengths,
  ),
  ...kind('email_text_input', {}, { ...texts, dispatch_action_config: dispatch }),
  ...kind('url_text_input', {}, { ...texts, dispatch_action_config: dispatch }),
  ...kind(
    'number_input',
    { is_decimal_allowed: flag },
    { ...texts, min_value: string(50), max_value: string(50), dispatch_action_config: dispatch },
  ),
};

/** What an app answers when it is asked for the options of an external select. */
export const suggestions: Rule = (value, at, faults) => {
  const rule = isObject(value) && value.option_groups !== undefined ? groupsOfSuggestions : plainSuggestions;
  rule(value, at, faults);
};
const plainSuggestions = shape({ options: list(option, 100, 0) }, {});
const groupsOfSuggestions = shape(
  { option_groups: list(shape({ label: plainText(75), options: list(option, 100, 0) }, {}), 100, 0) },
  {},
);

export const accessories = { ...button, ...image, ...overflow, ...choices };
export const actionElements = { ...button, ...overflow, ...choices, ...dateTime };
export const inputElements = { ...choices, ...dateTime, ...typed };
