// What the engine says of one profile (its routes, its MTU), kept fresh: asked for when a page opens, when the profiles or
// the connection change and when the engine comes back; replaced by every event and by the answer to every change.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ContractError, MtuView, RoutesView } from '../../main/ipc/contract.ts';
import { contractError } from '../client/error.ts';
import { useEngine, useModel } from './context.tsx';
import type { Model } from './model.ts';

interface Views {
  readonly routes: RoutesView;
  readonly mtu: MtuView;
}

export interface ProfileView<V> {
  /** The newest known; null: not heard yet. */
  readonly view: V | null;
  /** Why it could not be had. */
  readonly error: ContractError | null;
  /** Takes the answer to a change. */
  put(view: V): void;
  reload(): void;
}

const profilesOf = (model: Model) => model.profiles;
const openOf = (model: Model): boolean => model.link.state === 'open';
/** Changes where the engine's view may: another state, another profile, another tunnel. */
const runOf = (model: Model): string => {
  const engine = model.status?.engine;
  if (!engine) return '';
  return `${engine.state} ${'profile' in engine ? engine.profile : ''} ${engine.state === 'connected' ? engine.tunnel.since : ''}`;
};

export function useProfileView<K extends keyof Views>(name: K, profile: string): ProfileView<Views[K]> {
  const engine = useEngine();
  const profiles = useModel(profilesOf);
  const open = useModel(openOf);
  const run = useModel(runOf);
  const heard = useModel(useCallback((model: Model) => model[name][profile] as Views[K] | undefined, [name, profile]));
  const [state, setState] = useState<{ readonly view: Views[K] | null; readonly error: ContractError | null }>({
    view: null,
    error: null,
  });
  /** Counts what came: an answer to a question asked earlier says less than an event since. */
  const turn = useRef(0);

  const put = useCallback((view: Views[K]) => {
    turn.current++;
    setState({ view, error: null });
  }, []);
  const ask = useCallback(() => {
    const mine = ++turn.current;
    const answer: Promise<RoutesView | MtuView> =
      name === 'routes' ? engine.call('routes', { profile }) : engine.call('mtu', { profile });
    answer.then(
      (view) => {
        if (turn.current === mine) setState({ view: view as Views[K], error: null });
      },
      (error: unknown) => {
        if (turn.current === mine) setState((old) => ({ ...old, error: contractError(error) }));
      },
    );
  }, [engine, name, profile]);

  // First: what is asked for below is newer than an event that was heard before this page opened.
  useEffect(() => {
    if (heard) put(heard);
  }, [heard, put]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: these three say when to ask again
  useEffect(() => {
    if (open) ask();
  }, [ask, open, profiles, run]);
  // An answer that comes when nobody looks any more.
  useEffect(
    () => () => {
      turn.current++;
    },
    [],
  );

  return { ...state, view: state.view?.profile === profile ? state.view : null, put, reload: ask };
}
