import { type FocusEvent, type KeyboardEvent, type ReactNode, useRef, useState } from 'react';

interface MenuItem {
  readonly key: string;
  readonly text: string;
  readonly pick: () => void;
}

interface MenuProps {
  /** What the button is called, for its sign says nothing. */
  readonly label: string;
  readonly sign: string;
  readonly items: readonly MenuItem[];
  readonly look?: string;
}

/** A button and what opens at it. It closes when something is picked, by Escape, and when the focus goes elsewhere. */
export function MenuButton({ label, sign, items, look = 'button' }: MenuProps): ReactNode {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
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
  const onBlur = ({ currentTarget, relatedTarget }: FocusEvent): void => {
    if (!currentTarget.contains(relatedTarget)) setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only Escape and the way out, which its buttons pass on
    <span className="overflow" onKeyDown={onKeyDown} onBlur={onBlur}>
      <button
        type="button"
        className={look}
        ref={opener}
        aria-label={label}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden="true">{sign}</span>
      </button>
      {open && (
        <span className="menu">
          {items.map(({ key, text, pick }) => (
            <button
              type="button"
              key={key}
              onClick={() => {
                close();
                pick();
              }}
            >
              {text}
            </button>
          ))}
        </span>
      )}
    </span>
  );
}
