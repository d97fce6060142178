import type { ReactNode } from 'react';
import { isWebAddress } from '../blocks/mrkdwn.ts';
import { wordsOf } from '../blocks/mrkdwn-text.tsx';
import { textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import type { ElementProps } from './element-of.tsx';

/** A button; one with an address opens it and tells the app as well. */
export function BlockButton({ element, blockId }: ElementProps): ReactNode {
  const { press } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  const url = textOf(element.url);
  const name = textOf(element.accessibility_label);
  const shared = {
    className: `button ${textOf(element.style)}`,
    onClick: () => press(at, element),
    ...(name === '' ? {} : { 'aria-label': name }),
  };
  if (isWebAddress(url))
    return (
      <a {...shared} href={url} target="_blank" rel="noopener noreferrer">
        {wordsOf(element.text)}
      </a>
    );
  return (
    <button type="button" {...shared}>
      {wordsOf(element.text)}
    </button>
  );
}
