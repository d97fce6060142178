import type { ReactNode } from 'react';
import { textOf } from '../loose.ts';
import { MenuButton } from '../menu-button.tsx';
import { useSurface } from '../surface.ts';
import { type ElementProps, optionsIn } from './element-of.tsx';

/** The button with three dots and what opens under it. */
export function OverflowMenu({ element, blockId, label }: ElementProps): ReactNode {
  const { choose } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  return (
    <MenuButton
      label={`More actions${label === '' ? '' : ` for ${label}`}`}
      sign="⋯"
      items={optionsIn(element.options).map(({ value, text }) => ({
        key: value,
        text,
        pick: () => choose(at, element, value),
      }))}
    />
  );
}
