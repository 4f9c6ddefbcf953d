// The loopback WebSocket of `culvert ui`, beside the page. The launch's token goes as a subprotocol: in the address it
// would stand in logs. A server that does not know the token closes with 1008.
import { ipcError } from '../../main/ipc/error.ts';
import { createProxy } from '../../main/ipc/proxy.ts';
import type { OpenClient } from './transport.ts';

/** Violation of policy (RFC 6455 §7.4.1). */
const REFUSED = 1008;

export function webSocketUrl({ protocol, host }: Pick<Location, 'protocol' | 'host'>): string {
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/engine`;
}

export function openWebSocket(url: string, token: string): OpenClient {
  return () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, ['culvert', `culvert.token.${token}`]);
      const proxy = createProxy({
        send(message) {
          if (socket.readyState !== WebSocket.OPEN) return false;
          socket.send(message);
          return true;
        },
        close: () => socket.close(),
      });
      socket.addEventListener('open', () => resolve(proxy));
      socket.addEventListener('message', ({ data }) => {
        if (typeof data === 'string') proxy.hear(data);
      });
      socket.addEventListener('close', ({ code, reason }) => {
        const error =
          code === REFUSED
            ? ipcError('ipc/no-permission', 'The server refuses this page.', reason || 'Start `culvert ui` again.')
            : ipcError('ipc/disconnected', 'The engine is not reachable.', 'It is asked again and again.');
        reject(error);
        proxy.ended(error);
      });
    });
}
