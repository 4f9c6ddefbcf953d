// Keeps an engine within reach: attaches to the one that listens (an installed system service), else starts one with an
// administrator's rights, and does so again when it goes away, later each time.
//
//   attaching ──answers──▶ attached ──ends──▶ waiting ──back-off──▶ attaching
//       └──not running──▶ starting ──listens──▶ attached        refused: not for this person, or other contract
//
// What the engine should do (the intent) is the shell's: `onAttached` gets every new connection.
import type { ContractClient, ContractError } from '../ipc/contract.ts';
import { EngineError, ipcError, knownError } from '../ipc/error.ts';
import { errorWords } from '../words/told.ts';

export type SupervisorState =
  | { readonly state: 'attaching' }
  | { readonly state: 'starting' }
  | { readonly state: 'attached' }
  | { readonly state: 'waiting'; readonly because: ContractError; readonly attempt: number; readonly retryAt: number }
  | { readonly state: 'refused'; readonly because: ContractError };

/** An engine that we started. */
export interface Launched {
  /** Resolves with what it said last, once it has ended or could not be started. */
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly said: string;
  /** Whoever was to start it did not: the person closed the question, may not, or nobody can be asked here. */
  readonly refusal?: 'dismissed' | 'not-authorised' | 'no-way' | 'not-safe' | undefined;
}

export interface SupervisorDeps {
  /** Rejects with EngineError `ipc/not-running`, `ipc/no-permission`, `ipc/contract-version`. */
  connect(): Promise<ContractClient>;
  /** Starts an engine with an administrator's rights; null: this installation has a system service only. */
  readonly launch: (() => Launched) | null;
  readonly now: () => number;
  /** Returns how to cancel. */
  readonly after: (milliseconds: number, then: () => void) => () => void;
  onState(state: SupervisorState): void;
  onAttached(client: ContractClient): void;
}

export interface Supervisor {
  readonly state: SupervisorState;
  readonly client: ContractClient | undefined;
  start(): void;
  /** Attempts now; may ask for an administrator again. */
  retry(): void;
  close(): void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
const GLANCE = 100;
/** Milliseconds that an engine has to come up; the person may have to type a password first. */
const PATIENCE = 120_000;
/** An engine of ours that ends so often, each within MINUTE of the last, is not started again unasked. */
const MOST_STARTS = 3;
const MINUTE = 60_000;

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  let state: SupervisorState = { state: 'attaching' };
  let client: ContractClient | undefined;
  let cancel = (): void => {};
  let turn = 0;
  let shut = false;
  let starts: number[] = [];
  let running: Launched | undefined;
  let mayLaunch = true;

  const become = (next: SupervisorState): void => {
    state = next;
    deps.onState(next);
  };
  const wait = (because: ContractError, attempt: number): void => {
    const delay = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1));
    become({ state: 'waiting', because, attempt, retryAt: deps.now() + delay });
    cancel = deps.after(delay, () => void attach(attempt + 1));
  };
  const attached = (opened: ContractClient, mine: number): void => {
    client = opened;
    become({ state: 'attached' });
    deps.onAttached(opened);
    void opened.closed.then((why) => {
      if (turn !== mine || shut) return;
      client = undefined;
      turn++;
      wait(why ? contractError(why) : gone(), 1);
    });
  };

  const attach = async (attempt: number): Promise<void> => {
    cancel();
    const mine = ++turn;
    become({ state: 'attaching' });
    try {
      const opened = await deps.connect();
      if (turn !== mine || shut) return opened.close();
      attached(opened, mine);
    } catch (error) {
      if (turn !== mine || shut) return;
      const because = contractError(error);
      if (because.code === 'ipc/not-running' && deps.launch && mayLaunch && !running) return launch(attempt, mine);
      if (because.code === 'ipc/no-permission' || because.code === 'ipc/contract-version')
        return become({ state: 'refused', because });
      wait(because, attempt);
    }
  };

  const launch = (attempt: number, mine: number): void => {
    const now = deps.now();
    starts = [...starts.filter((at) => now - at < MINUTE), now];
    if (starts.length > MOST_STARTS) {
      mayLaunch = false;
      become({ state: 'refused', because: crashes(starts.length - 1) });
      return;
    }
    become({ state: 'starting' });
    const engine = (deps.launch as () => Launched)();
    running = engine;
    void engine.ended.then((how) => {
      if (running === engine) running = undefined;
      // While it was attached, the end of the connection tells.
      if (turn !== mine || shut || state.state !== 'starting') return;
      cancel();
      mayLaunch = false;
      become({ state: 'refused', because: notStarted(how) });
    });
    const deadline = now + PATIENCE;
    const look = async (): Promise<void> => {
      try {
        const opened = await deps.connect();
        if (turn !== mine || shut || state.state !== 'starting') return opened.close();
        attached(opened, mine);
      } catch (error) {
        if (turn !== mine || shut || state.state !== 'starting') return;
        const because = contractError(error);
        if (because.code === 'ipc/no-permission' || because.code === 'ipc/contract-version')
          become({ state: 'refused', because });
        else if (deps.now() > deadline) wait(because, attempt);
        else cancel = deps.after(GLANCE, () => void look());
      }
    };
    cancel = deps.after(GLANCE, () => void look());
  };

  return {
    get state() {
      return state;
    },
    get client() {
      return client;
    },
    start: () => void attach(1),
    retry() {
      if (shut || state.state === 'attached' || state.state === 'starting') return;
      mayLaunch = true;
      starts = [];
      void attach(1);
    },
    close() {
      shut = true;
      turn++;
      cancel();
      client?.close();
      client = undefined;
    },
  };
}

const contractError = (error: unknown): ContractError =>
  error instanceof EngineError
    ? error.toContract()
    : ipcError('ipc/internal', String(error), 'Start Culvert again.').toContract();

const gone = (): ContractError =>
  ipcError('ipc/disconnected', 'The engine went away.', 'It is started again; its log says why it ended.').toContract();

const crashes = (count: number): ContractError => ({
  code: 'shell/engine-crashes',
  message: `The engine ended ${count} times within a minute.`,
  remedy: 'Look at its log (`culvert daemon --foreground` in a terminal shows it), then try again.',
  data: { count },
});

function notStarted({ code, said, refusal }: Ended): ContractError {
  const exit = code === null ? undefined : { code };
  const data = exit && { data: exit };
  switch (refusal) {
    case 'dismissed':
    case 'not-authorised':
      return knownError('shell/not-authorised', exit).toContract();
    case 'no-way':
      return {
        code: 'shell/no-elevation',
        message: errorWords('shell/no-elevation').message,
        remedy:
          'Install pkexec (package “pkexec” or “policykit-1”) and log in to a desktop, start the system service (`systemctl start culvert`), or the engine by hand (`sudo culvert daemon`).',
        ...data,
      };
    case 'not-safe':
      return {
        code: 'shell/engine-not-safe',
        message: `The engine was not started: others than the administrator may change ${said}.`,
        remedy: errorWords('shell/engine-not-safe').remedy,
      };
    case undefined:
      return {
        code: 'shell/engine-start',
        message: `The engine could not be started${said.trim() ? `: ${said.trim().slice(-500)}` : '.'}`,
        remedy: 'Start it in a terminal (`sudo culvert daemon --foreground`) to see why.',
        ...data,
      };
  }
}
