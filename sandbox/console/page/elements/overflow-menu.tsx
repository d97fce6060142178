import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, optionsIn } from './element-of.tsx';

/** The button with three dots and what opens under it. */
export function OverflowMenu({ element, blockId, label }: ElementProps): ReactNode {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const { choose } = useSurface();
  const close = (): void => {
    setOpen(false);
    opener.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open) return;
    event.stopPropagation();
    event.preventDefault();
    close();
  };
  const pick = (value: string): void => {
    close();
    choose({ blockId, actionId: textOf(element.action_id) }, element, value);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only Escape, which its buttons pass on
    <span className="overflow" onKeyDown={onKeyDown}>
      <button
        type="button"
        className="button"
        ref={opener}
        aria-label={`More actions${label === '' ? '' : ` for ${label}`}`}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        ⋯
      </button>
      {open && (
        <span className="menu">
          {optionsIn(element.options).map(({ value, text }) => (
            <button type="button" key={value} onClick={() => pick(value)}>
              {text}
            </button>
          ))}
        </span>
      )}
    </span>
  );
}
