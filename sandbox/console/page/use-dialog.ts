import { type RefObject, type SyntheticEvent, useLayoutEffect, useRef } from 'react';

/**
 * Shows a native dialog for as long as it is drawn: the browser keeps the focus inside, makes the rest inert, and gives
 * the focus back at the end. Escape asks `leave` in place of closing by itself.
 */
export function useDialog(leave: () => void): {
  readonly ref: RefObject<HTMLDialogElement | null>;
  readonly onCancel: (event: SyntheticEvent) => void;
} {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    const around = opener?.closest<HTMLElement>('article, section');
    dialog?.showModal();
    // As in Slack: whoever opened a form wants to fill it in.
    dialog?.querySelector<HTMLElement>('.body :is(input, select, textarea)')?.focus();
    return () => {
      dialog?.close();
      // What opened it may be gone: an answered card has no buttons any more.
      if (opener?.isConnected === false) around?.focus({ preventScroll: true });
    };
  }, []);
  return {
    ref,
    onCancel: (event) => {
      event.preventDefault();
      leave();
    },
  };
}
