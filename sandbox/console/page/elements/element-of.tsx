import type { ReactNode } from 'react';
import type { Loose } from '../../scene.ts';
import { wordsOf } from '../blocks/mrkdwn-text.tsx';
import { listOf, textOf } from '../loose.ts';
import { BlockButton } from './block-button.tsx';
import { DateInput } from './date-input.tsx';
import { ExternalSelect } from './external-select.tsx';
import { ListSelect } from './list-select.tsx';
import { OptionBoxes } from './option-boxes.tsx';
import { OverflowMenu } from './overflow-menu.tsx';
import { TextInput } from './text-input.tsx';

/** What every element gets. */
export interface ElementProps {
  readonly element: Loose;
  readonly blockId: string;
  /** What it is called where nothing is written on it. */
  readonly label: string;
  readonly labelledBy?: string;
  /** Ids of its hint and error, apart by spaces. */
  readonly describedBy?: string;
  readonly required?: boolean;
  readonly wrong?: boolean;
  /** An input of which the app hears before the submission. */
  readonly dispatches?: boolean;
}

/** An interactive element of any type. */
export function ElementOf(props: ElementProps): ReactNode {
  const type = textOf(props.element.type);
  if (type === 'button') return <BlockButton {...props} />;
  if (type === 'overflow') return <OverflowMenu {...props} />;
  if (type === 'checkboxes' || type === 'radio_buttons') return <OptionBoxes {...props} />;
  if (type.endsWith('external_select')) return <ExternalSelect {...props} />;
  if (type.endsWith('_select')) return <ListSelect {...props} />;
  if (type.endsWith('picker')) return <DateInput {...props} />;
  if (type.endsWith('_input')) return <TextInput {...props} />;
  return <span className="unknown">[{type}]</span>;
}

/** How a form control is called and what is said about it. */
export function naming({ element, label, labelledBy, describedBy, required, wrong }: ElementProps): {
  [name: `aria-${string}`]: string | boolean;
} {
  return {
    ...(labelledBy
      ? { 'aria-labelledby': labelledBy }
      : { 'aria-label': wordsOf(element.placeholder) || label || 'Choose' }),
    ...(describedBy ? { 'aria-describedby': describedBy } : {}),
    ...(required ? { 'aria-required': true } : {}),
    ...(wrong ? { 'aria-invalid': true } : {}),
  };
}

export interface Option {
  readonly value: string;
  readonly text: string;
  readonly loose: Loose;
}

export interface OptionGroup {
  readonly label: string;
  readonly options: readonly Option[];
}

export function optionsIn(list: unknown): Option[] {
  return listOf(list).map((loose) => ({ value: textOf(loose.value), text: wordsOf(loose.text), loose }));
}
