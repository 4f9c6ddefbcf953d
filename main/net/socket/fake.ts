// Sockets for tests of whoever opens and uses them: nothing touches a network. Descriptors are negative numbers, so that
// no system call can take one for real.
import { type Address, type Endpoint, sameAddress } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import type { SocketFactory, SocketOptions, TunnelSocket } from './api.ts';

export interface FakeSocket extends TunnelSocket {
  readonly options: SocketOptions;
  readonly sent: { readonly bytes: Uint8Array; readonly to: Endpoint }[];
  readonly closed: boolean;
  /** What the next sends return; empty: success. */
  readonly sendErrors: NetError[];
}

export interface FakeSocketFactory extends SocketFactory {
  /** Every socket ever opened, in order. */
  readonly sockets: FakeSocket[];
  /** What the next opens return instead of a socket, in order. */
  readonly openErrors: NetError[];
  /** Called with every datagram that any socket sends. */
  onSend: (from: FakeSocket, bytes: Uint8Array, to: Endpoint) => void;
  /** The host's own address towards anyone; an error where the host has no network. */
  source: Address | NetError;
}

export function fakeSocketFactory(source: Address): FakeSocketFactory {
  const factory: FakeSocketFactory = {
    sockets: [],
    openErrors: [],
    onSend: () => {},
    source,
    open: (options) => {
      const error = factory.openErrors.shift();
      if (error) return error;
      const udp = options.kind === 'ike' || options.kind === 'natt';
      const wanted = udp ? (options.localPort ?? 0) : 0;
      const address = options.localAddress ?? new Uint8Array(options.family === 6 ? 16 : 4);
      const clash = factory.sockets.some(
        (other) =>
          !other.closed &&
          udp &&
          wanted !== 0 &&
          other.local.port === wanted &&
          sameAddress(other.local.address, address),
      );
      if (clash)
        return new NetError({
          code: 'address-in-use',
          message: `UDP port ${wanted} is taken by another program.`,
          operation: 'bind',
          errno: 'EADDRINUSE',
          remedy: 'Let Culvert choose a port (0).',
        });
      const number = factory.sockets.length;
      let closed = false;
      const socket: FakeSocket = {
        options,
        fd: -2 - number,
        kind: options.kind,
        local: { address, port: udp ? wanted || 40_000 + number : 0 },
        sent: [],
        sendErrors: [],
        get closed() {
          return closed;
        },
        send: (bytes, to) => {
          if (closed) throw new Error('sending through a closed socket');
          const failure = socket.sendErrors.shift();
          if (failure) return failure;
          const copy = bytes.slice();
          socket.sent.push({ bytes: copy, to });
          factory.onSend(socket, copy, to);
          return undefined;
        },
        close: () => {
          closed = true;
        },
      };
      factory.sockets.push(socket);
      return socket;
    },
    sourceAddress: () => factory.source,
  };
  return factory;
}
