// The engine as the interface has it: a model kept up to date by the link, and the acts of a person. An act is a wish until
// the engine takes it up: a wish made while the engine is away, or lost with it, is told to the next one.
import type { CallName, EventName, Params, Result } from '../../main/ipc/contract.ts';
import { EVENT_NAMES } from '../../main/ipc/contract.ts';
import { contractError } from '../client/error.ts';
import type { Link } from '../client/link.ts';
import { EMPTY, type Happening, type Heard, type Model, reduce, type Wish } from './model.ts';
import { createStore, type Store } from './store.ts';

export interface Engine {
  readonly store: Store<Model>;
  connect(profile: string): void;
  disconnect(): void;
  pick(profile: string): void;
  /** Any other call. Rejects with ContractError. */
  call<K extends CallName>(name: K, params: Params<K>): Promise<Result<K>>;
  /** Attempts to reach the engine now. */
  retry(): void;
  dismissRestart(): void;
  dismissRefusal(): void;
  close(): void;
}

export interface EngineDeps {
  readonly link: Link;
  readonly initial?: Partial<Model>;
}

export function createEngine({ link, initial }: EngineDeps): Engine {
  const store = createStore<Model>({ ...EMPTY, ...initial, link: link.state });
  /** The wish that this engine knows of: by our call, or because it was at it already when the link opened. */
  let told: Wish | null = null;
  /** Our call is not answered yet: its answer settles the wish, not a status on the way. */
  let pending: Wish | null = null;
  /** A status was heard since the link opened. */
  let current = false;

  const happen = (happening: Happening): void => store.set(reduce(store.get(), happening));

  const settle = (wish: Wish): void => {
    if (store.get().wish === wish) happen({ kind: 'wish', wish: null });
  };

  /** Tells the engine of the wish, once a connection, after its status says that there is something to do. */
  const pursue = (): void => {
    const { wish, link: way, status } = store.get();
    if (!wish || way.state !== 'open' || !status || !current) return;
    const stand = standing(wish, status.engine);
    if (stand === 'reached' || (stand === 'over' && told === wish && pending !== wish)) {
      settle(wish);
      return;
    }
    if (told === wish) return;
    told = wish;
    if (stand === 'underway') return;
    pending = wish;
    const done =
      wish.kind === 'connect' ? link.call('connect', { profile: wish.profile }) : link.call('disconnect', {});
    done.then(
      () => settle(wish),
      (error: unknown) => {
        const why = contractError(error);
        // The next engine is told. What was replaced by another wish is nobody's concern.
        if (why.code === 'ipc/disconnected' || store.get().wish !== wish) return;
        settle(wish);
        // The engine's state says it already.
        const { engine } = store.get().status ?? {};
        if (engine?.state === 'failed' || (engine?.state === 'disconnected' && engine.lastError?.code === why.code))
          return;
        happen({ kind: 'refusal', refusal: { error: why, wish } });
      },
    );
  };

  const forget = [
    link.onState((state) => {
      if (state.state !== 'open') {
        current = false;
        told = null;
        pending = null;
      }
      happen({ kind: 'link', link: state });
      pursue();
    }),
    ...EVENT_NAMES.map((event) => listen(event)),
  ];

  function listen<E extends EventName>(event: E): () => void {
    return link.on(event, (data) => {
      happen({ kind: 'heard', event, data } as Heard);
      if (event !== 'status') return;
      current = true;
      pursue();
    });
  }

  const want = (wish: Wish): void => {
    happen({ kind: 'wish', wish });
    pursue();
  };

  return {
    store,
    connect: (profile) => {
      happen({ kind: 'pick', profile });
      want({ kind: 'connect', profile });
    },
    disconnect: () => want({ kind: 'disconnect' }),
    pick: (profile) => happen({ kind: 'pick', profile }),
    call: (name, params) => link.call(name, params),
    retry: () => link.retry(),
    dismissRestart: () => happen({ kind: 'noticed-restart' }),
    dismissRefusal: () => happen({ kind: 'refusal', refusal: null }),
    close: () => {
      for (const stop of forget) stop();
      link.close();
    },
  };
}

/** How far the engine is with a wish. `over`: it is at rest without having reached it. */
function standing(
  wish: Wish,
  engine: NonNullable<Model['status']>['engine'],
): 'reached' | 'underway' | 'over' | 'elsewhere' {
  switch (engine.state) {
    case 'disconnected':
      return wish.kind === 'disconnect' ? 'reached' : 'over';
    case 'failed':
      return 'over';
    case 'connecting':
      return wish.kind === 'connect' && wish.profile === engine.profile ? 'underway' : 'elsewhere';
    case 'connected':
    case 'reconnecting':
      return wish.kind === 'connect' && wish.profile === engine.profile ? 'reached' : 'elsewhere';
    case 'disconnecting':
      return wish.kind === 'disconnect' ? 'underway' : 'elsewhere';
  }
}
