// The interface's connection to the engine, which outlives the engine: it attempts again when the engine goes away,
// subscribes anew, and keeps what a person asked for meanwhile.
//
//   connecting ──hello answered──▶ open ──channel ends──▶ lost ──retryAt or retry()──▶ connecting
//        └──other contract, or no permission──▶ refused ──retry()──▶ connecting
import type {
  CallName,
  ContractClient,
  ContractError,
  EventName,
  Events,
  Params,
  Result,
} from '../../main/ipc/contract.ts';
import { EVENT_NAMES, type Role } from '../../main/ipc/contract.ts';
import { ipcError } from '../../main/ipc/error.ts';
import { greet, noListeners } from '../../main/ipc/proxy.ts';
import type { OpenClient } from '../transport/transport.ts';
import type { Clock } from './clock.ts';
import { contractError } from './error.ts';

export type LinkState =
  | { readonly state: 'connecting'; readonly attempt: number }
  | { readonly state: 'open'; readonly role: Role }
  | {
      readonly state: 'lost';
      readonly because: ContractError;
      readonly attempt: number;
      /** Unix time in milliseconds of the next attempt. */
      readonly retryAt: number;
    }
  | { readonly state: 'refused'; readonly because: ContractError };

export interface Link {
  readonly state: LinkState;
  /**
   * Waits for the engine where it is away, up to HOLD milliseconds, and asks again where it went away before it answered,
   * unless asking twice could do harm. Rejects with ContractError.
   */
  call<K extends CallName>(name: K, params: Params<K>): Promise<Result<K>>;
  on<E extends EventName>(event: E, listener: (data: Events[E]) => void): () => void;
  /** Hears every change of `state`. */
  onState(listener: (state: LinkState) => void): () => void;
  /** Attempts now. */
  retry(): void;
  close(): void;
}

/** Reasons that another attempt would meet again. */
const FINAL: ReadonlySet<string> = new Set(['ipc/no-permission', 'ipc/contract-version']);

/** How long a call waits for an engine that is away, in milliseconds. */
export const HOLD = 60_000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;
/** Attempt to answered hello, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Calls that are not asked again: their second execution fails, or acts on something else, where the first succeeded
 * unheard. `connect` and `disconnect` are: store/engine.ts looks at the status first.
 */
const ONCE: ReadonlySet<CallName> = new Set([
  'connect',
  'disconnect',
  'import',
  'importUrl',
  'rename',
  'remove',
  'addRoute',
  'editRoute',
  'removeRoute',
]);

interface Held {
  readonly name: CallName;
  readonly params: Params<CallName>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: ContractError) => void;
  readonly forget: () => void;
}

export function createLink(open: OpenClient, clock: Clock): Link {
  let state: LinkState = { state: 'connecting', attempt: 1 };
  let client: ContractClient | undefined;
  /** Counts attempts: what comes of an earlier one is of no interest. */
  let turn = 0;
  let cancelTimer = (): void => {};
  let shut = false;
  const held = new Set<Held>();
  const watchers = new Set<(state: LinkState) => void>();
  const listeners = noListeners();

  const become = (next: LinkState): void => {
    state = next;
    for (const watcher of watchers) watcher(next);
  };

  const lose = (because: ContractError, attempt: number): void => {
    turn++;
    client = undefined;
    cancelTimer();
    if (shut) return;
    if (FINAL.has(because.code)) {
      become({ state: 'refused', because });
      for (const call of held) giveUp(call, because);
      return;
    }
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1));
    become({ state: 'lost', because, attempt, retryAt: clock.now() + wait });
    cancelTimer = clock.after(wait, () => void attemptNow(attempt + 1));
  };

  const attemptNow = async (attempt: number): Promise<void> => {
    const mine = ++turn;
    cancelTimer();
    become({ state: 'connecting', attempt });
    cancelTimer = clock.after(PATIENCE, () => lose(away(), attempt));
    let opened: ContractClient | undefined;
    try {
      opened = await open();
      if (turn !== mine) return opened.close();
      const { closed } = opened;
      for (const event of EVENT_NAMES) relay(opened, event);
      const role = await greet(opened);
      if (turn !== mine) return opened.close();
      cancelTimer();
      client = opened;
      // What it says is in the events; where it fails, the channel ends.
      opened.call('subscribe', { events: EVENT_NAMES }).catch(() => {});
      become({ state: 'open', role: role ?? 'user' });
      for (const call of [...held]) send(call, opened);
      const why = await closed;
      if (turn === mine) lose(why ? contractError(why) : away(), 1);
    } catch (error) {
      opened?.close();
      if (turn === mine) lose(contractError(error), attempt);
    }
  };

  const relay = <E extends EventName>(from: ContractClient, event: E): void => {
    from.on(event, (data) => {
      for (const listener of listeners[event]) listener(data);
    });
  };

  const giveUp = (call: Held, why: ContractError): void => {
    if (!held.delete(call)) return;
    call.forget();
    call.reject(why);
  };

  const send = (call: Held, over: ContractClient): void => {
    over.call(call.name, call.params as never).then(
      (result) => {
        if (!held.delete(call)) return;
        call.forget();
        call.resolve(result as never);
      },
      (error: unknown) => {
        const why = contractError(error);
        // It stays held: the next engine is asked.
        if (why.code === 'ipc/disconnected' && !ONCE.has(call.name) && !shut) return;
        giveUp(call, why);
      },
    );
  };

  void attemptNow(1);
  return {
    get state() {
      return state;
    },
    call(name, params) {
      return new Promise((resolve, reject) => {
        if (shut) return reject(away());
        if (state.state === 'refused') return reject(state.because);
        const call: Held = {
          name,
          params,
          resolve,
          reject,
          // What the engine has been asked and works on may take as long as it takes.
          forget: clock.after(HOLD, () => {
            if (state.state !== 'open') giveUp(call, state.state === 'lost' ? state.because : away());
          }),
        };
        held.add(call);
        if (state.state === 'open' && client) send(call, client);
      });
    },
    on(event, listener) {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },
    onState(listener) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    retry() {
      if (state.state === 'lost') void attemptNow(state.attempt);
      else if (state.state === 'refused') void attemptNow(1);
    },
    close() {
      shut = true;
      cancelTimer();
      for (const call of held) giveUp(call, away());
      turn++;
      client?.close();
    },
  };
}

const away = (): ContractError =>
  ipcError(
    'ipc/disconnected',
    'The engine is not reachable.',
    'It is asked again and again; where it does not come back, start it or look at its log.',
  ).toContract();
