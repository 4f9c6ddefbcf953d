// Sockets of the tunnel: UDP for IKE and UDP-encapsulated ESP, raw for ESP (protocol 50) and GRE (protocol 47).
// The control thread sends IKE messages through `send`; the data plane uses the descriptor itself.
import type { SocketHandle } from '../../path/command.ts';
import type { Address, Endpoint } from '../../wire/address.ts';
import type { NetError } from '../error.ts';

export interface SocketOptions {
  readonly kind: Exclude<SocketHandle['kind'], 'tcp'>;
  /** Family of the socket, for the UDP kinds. */
  readonly family: 4 | 6;
  /** Address to bind; undefined: any. */
  readonly localAddress?: Address;
  /** Port to bind, UDP only; 0: any. When taken, NetError `address-in-use`. */
  readonly localPort?: number;
  /** SO_MARK (see net/route). 0: none, e.g. without privilege. */
  readonly mark: number;
}

export interface TunnelSocket extends SocketHandle {
  readonly local: Endpoint;
  /** Sends one datagram as it is (callers put the non-ESP marker in front themselves). */
  send(bytes: Uint8Array, to: Endpoint): NetError | undefined;
  /**
   * Sends one datagram in one piece whatever is known of the path (DF set, no local fragmentation), for measuring it.
   * 'too-big': this machine's own link carries no such packet. 'disturbed': another thread that sends on this socket came between;
   * the datagram may have been fragmented here, or not sent. Absent where the platform cannot.
   */
  sendWhole?(bytes: Uint8Array, to: Endpoint): NetError | 'too-big' | 'disturbed' | undefined;
  close(): void;
}

/**
 * A TCP connection that carries IKE messages and ESP packets (RFC 9329). It is written and read by the data plane alone, or two
 * writers would cut each other's messages in two: IKE messages go in as `sendMessage` commands.
 */
export interface StreamSocket extends SocketHandle {
  readonly kind: 'tcp';
  readonly local: Endpoint;
  readonly stream: NonNullable<SocketHandle['stream']>;
  close(): void;
}

export interface StreamConnectOptions {
  readonly remote: Endpoint;
  /** SO_MARK (see net/route). */
  readonly mark: number;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

export interface StreamListener {
  readonly local: Endpoint;
  close(): void;
}

export interface StreamFactory {
  /** Resolves once connected and "IKETCP" (RFC 9329 §4) is on its way. Never rejects. */
  connect(options: StreamConnectOptions): Promise<StreamSocket | NetError>;
  /** Every connection belongs to whom it is handed; whether it speaks IKE shows when it is read. */
  listen(local: Endpoint, onConnection: (socket: StreamSocket) => void): StreamListener | NetError;
}

export interface SocketFactory {
  /** TCP encapsulation; absent where the platform has none. */
  readonly streams?: StreamFactory;
  open(options: SocketOptions): TunnelSocket | NetError;
  /** The address this host would use towards `remote`, past the tunnel (the socket's mark honoured). */
  sourceAddress(remote: Endpoint, mark: number): Address | NetError;
}
