import type { KeyboardEvent, ReactNode } from 'react';
import { wordsOf } from '../blocks/mrkdwn-text.tsx';
import { isLoose, textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, naming } from './element-of.tsx';

const types: Readonly<Record<string, string>> = { email_text_input: 'email', url_text_input: 'url' };

/** What a person types, on one line or several. */
export function TextInput(props: ElementProps): ReactNode {
  const { element, blockId } = props;
  const { chosen, put, choose } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  const initial = textOf(element.initial_value);
  const config = isLoose(element.dispatch_action_config) ? element.dispatch_action_config.trigger_actions_on : null;
  const tellsCharacters = props.dispatches === true && Array.isArray(config) && config.includes('on_character_entered');
  const shared = {
    ...naming(props),
    value: String(chosen(at, element) ?? initial),
    placeholder: wordsOf(element.placeholder),
    onChange: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
      (tellsCharacters ? choose : put)(at, element, currentTarget.value),
    onKeyDown: (event: KeyboardEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      if (event.key !== 'Enter' || !props.dispatches || tellsCharacters) return;
      event.preventDefault();
      choose(at, element, event.currentTarget.value);
    },
  };
  if (element.multiline === true) return <textarea rows={4} {...shared} />;
  const numeric = element.type === 'number_input' ? { inputMode: 'decimal' as const } : {};
  return <input type={types[textOf(element.type)] ?? 'text'} autoComplete="off" {...numeric} {...shared} />;
}
