import { type Input, limits, plainText, type SelectOption } from './message.ts';

/** One of a list. `tells`: the bot hears of the choice at once. */
export function select(
  field: string,
  label: string,
  options: readonly SelectOption[],
  tells: boolean,
  initial?: SelectOption,
): Input {
  return {
    type: 'input',
    block_id: field,
    label: plainText(label, limits.label),
    ...(tells ? { dispatch_action: true } : {}),
    element: {
      type: 'static_select',
      action_id: `choose-${field}`,
      placeholder: plainText('Choose', 150),
      options,
      ...(initial ? { initial_option: initial } : {}),
    },
  };
}

/** Some of a list, at most so many. */
export function selectSome(field: string, label: string, options: readonly SelectOption[], most: number): Input {
  return {
    type: 'input',
    block_id: field,
    label: plainText(label, limits.label),
    element: {
      type: 'multi_static_select',
      action_id: `choose-${field}`,
      placeholder: plainText('Choose', 150),
      options,
      max_selected_items: most,
    },
  };
}

/** One of a list that the bot makes while somebody types; it hears of the choice at once. */
export function suggested(field: string, label: string, placeholder: string): Input {
  return {
    type: 'input',
    block_id: field,
    label: plainText(label, limits.label),
    dispatch_action: true,
    element: {
      type: 'external_select',
      action_id: `choose-${field}`,
      placeholder: plainText(placeholder, 150),
      min_query_length: 0,
    },
  };
}

/** Something to be written, or left empty. */
export function written(field: string, label: string, hint: string, most: number, multiline = false): Input {
  return {
    type: 'input',
    block_id: field,
    label: plainText(label, limits.label),
    hint: plainText(hint, limits.label),
    optional: true,
    element: { type: 'plain_text_input', action_id: `type-${field}`, multiline, max_length: most },
  };
}
