// A value that tells when it changes, and a hook that draws again only when the selected part did.
import { useCallback, useRef, useSyncExternalStore } from 'react';

export interface Store<S> {
  get(): S;
  set(next: S): void;
  /** Returns how to stop. */
  subscribe(listener: () => void): () => void;
}

export function createStore<S>(initial: S): Store<S> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** `select` should return a part of the state, or something equal by Object.is when nothing changed. */
export function useStore<S, T>(store: Store<S>, select: (state: S) => T): T {
  const last = useRef<{ readonly state: S; readonly select: (state: S) => T; readonly part: T } | null>(null);
  const snapshot = useCallback(() => {
    const state = store.get();
    if (last.current && Object.is(last.current.state, state) && last.current.select === select)
      return last.current.part;
    const part = select(state);
    last.current = { state, select, part };
    return part;
  }, [store, select]);
  return useSyncExternalStore(store.subscribe, snapshot);
}
