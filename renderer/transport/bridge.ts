// The preload script's bridge in Electron: messages of the contract as text, nothing else crosses. The main process relays
// them to the engine, says when the engine has gone, and opens anew when asked again.
import type { ContractError } from '../../main/ipc/contract.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { createProxy } from '../../main/ipc/proxy.ts';
import type { OpenClient } from './transport.ts';

/** `window.culvert`, made by the preload script. */
export interface Bridge {
  /** One attempt at the engine. Calls back later, never before it has returned. */
  open(events: {
    /** Messages may be sent from now on. */
    opened(): void;
    /** One message, JSON. */
    heard(message: string): void;
    /** Once, also where it never opened. */
    closed(reason: ContractError): void;
  }): {
    /** One message, JSON. False: closed. */
    send(message: string): boolean;
    close(): void;
  };
}

declare global {
  interface Window {
    readonly culvert?: Bridge;
  }
}

export function openBridge(bridge: Bridge): OpenClient {
  return () =>
    new Promise((resolve, reject) => {
      const channel = bridge.open({
        opened: () => resolve(proxy),
        heard: (message) => proxy.hear(message),
        closed: (reason) => {
          const error = new EngineError(reason);
          reject(error);
          proxy.ended(error);
        },
      });
      const proxy = createProxy(channel);
    });
}
