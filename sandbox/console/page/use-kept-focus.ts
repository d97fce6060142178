import { type RefObject, useLayoutEffect, useRef } from 'react';

/**
 * When an edit takes the button away that had the focus, the message gets it: nobody starts again at the top of the page.
 * The browser's own events are heard, for React is silent while it changes the page, and that is when a dialog gives back the focus.
 */
export function useKeptFocus(): RefObject<HTMLElement | null> {
  const ref = useRef<HTMLElement>(null);
  const last = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const article = ref.current;
    const come = ({ target }: FocusEvent): void => {
      last.current = target instanceof Element ? target : null;
    };
    const leave = ({ relatedTarget }: FocusEvent): void => {
      if (relatedTarget !== null) last.current = null;
    };
    article?.addEventListener('focusin', come);
    article?.addEventListener('focusout', leave);
    return () => {
      article?.removeEventListener('focusin', come);
      article?.removeEventListener('focusout', leave);
    };
  }, []);
  useLayoutEffect(() => {
    if (last.current === null || last.current.isConnected) return;
    last.current = null;
    if (document.activeElement === document.body) ref.current?.focus({ preventScroll: true });
  });
  return ref;
}
