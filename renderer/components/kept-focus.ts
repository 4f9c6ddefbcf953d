// Where the keyboard's focus goes when what had it is gone, such as the button of a row that it removed: not to the top of
// the document, but to what is left beside it.
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

/** For the element around: when a focused part of it goes away, its first button takes the focus. */
export function useKeptFocus<E extends HTMLElement>(): RefObject<E | null> {
  const around = useRef<E>(null);
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    const note = ({ target }: FocusEvent): void => {
      focused.current = target instanceof Element && around.current?.contains(target) ? target : null;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
  useLayoutEffect(() => {
    if (focused.current === null || focused.current.isConnected) return;
    if (document.activeElement === document.body)
      around.current?.querySelector<HTMLElement>('button:not(:disabled)')?.focus();
    focused.current = null;
  });
  return around;
}

/**
 * After a dialog that removed what it was opened from: the page takes the focus, as after navigation. Two frames later, since
 * the dialog gives the focus back in the first.
 */
export function focusPage(): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) document.querySelector('main')?.focus();
    }),
  );
}
