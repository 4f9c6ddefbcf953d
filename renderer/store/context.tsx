// Hands the engine to the views.
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import type { ContractError } from '../../main/ipc/contract.ts';
import { contractError } from '../client/error.ts';
import type { Engine } from './engine.ts';
import type { Model } from './model.ts';
import { useStore } from './store.ts';

const Context = createContext<Engine | null>(null);

export function EngineProvider({ engine, children }: { engine: Engine; children: ReactNode }): ReactNode {
  return <Context value={engine}>{children}</Context>;
}

/** Acts and calls. */
export function useEngine(): Engine {
  const engine = useContext(Context);
  if (!engine) throw new Error('useEngine needs an EngineProvider around it');
  return engine;
}

/** A part of what is known; draws again when it changes. `select` outside the component, or memoised. */
export function useModel<T>(select: (model: Model) => T): T {
  return useStore(useEngine().store, select);
}

export interface Task {
  readonly busy: boolean;
  readonly error: ContractError | null;
  /** Runs one at a time; resolves to whether it succeeded. */
  run(work: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

/** Something asked of the engine, with how it stands: for a button and the problem below it. */
export function useTask(): Task {
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: ContractError | null }>({
    busy: false,
    error: null,
  });
  const run = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    setState({ busy: true, error: null });
    try {
      await work();
      setState({ busy: false, error: null });
      return true;
    } catch (error) {
      setState({ busy: false, error: contractError(error) });
      return false;
    }
  }, []);
  const clear = useCallback(() => setState({ busy: false, error: null }), []);
  return { ...state, run, clear };
}
