// The TCP of one host: finds the connection that a segment belongs to, makes connections from SYNs and from `connect`, and
// answers what belongs to nothing with a reset (RFC 9293 §3.10.7.1).
import type { Address } from '../../../wire/address.ts';
import type { WireError } from '../../../wire/error.ts';
import { isWireError } from '../../../wire/error.ts';
import type { Clock } from '../../clock.ts';
import type { IpPacket } from '../ip.ts';
import { TcpConnection } from './connection.ts';
import { ACK, decodeSegment, encodeSegment, FIN, RST, type Segment, SYN } from './segment.ts';
import { advance } from './sequence.ts';

/** The peer, as a listener is told. */
export interface TcpPeer {
  readonly address: Address;
  readonly port: number;
}

export interface TcpStackOptions {
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  /** Largest IP packet, in bytes. */
  readonly mtu: number;
  readonly send: (source: Address, destination: Address, payload: Uint8Array) => void;
}

/** Connections that one host has at once; a SYN beyond them is not answered. */
const MOST = 256;
const EPHEMERAL = 49_152;

export class TcpStack {
  readonly #options: TcpStackOptions;
  readonly #connections = new Map<string, TcpConnection>();
  readonly #listeners = new Map<number, (connection: TcpConnection, peer: TcpPeer) => void>();
  #ephemeral: number;

  constructor(options: TcpStackOptions) {
    this.#options = options;
    this.#ephemeral = this.#uint32() % (65_536 - EPHEMERAL);
  }

  /** Sets the connection's handlers before anything is called on them. One listener a port. */
  listen(port: number, onConnection: (connection: TcpConnection, peer: TcpPeer) => void): { close(): void } {
    if (this.#listeners.has(port)) throw new Error(`TCP port ${port} has a listener already`);
    this.#listeners.set(port, onConnection);
    return { close: () => this.#listeners.delete(port) };
  }

  connect(local: Address, remote: Address, remotePort: number): TcpConnection {
    for (let tries = 0; tries < 65_536 - EPHEMERAL; tries++) {
      const localPort = EPHEMERAL + this.#ephemeral;
      this.#ephemeral = (this.#ephemeral + 1) % (65_536 - EPHEMERAL);
      if (!this.#connections.has(name(local, localPort, remote, remotePort)))
        return this.#create(Uint8Array.from(local), localPort, Uint8Array.from(remote), remotePort, undefined);
    }
    throw new Error('every local TCP port is in use towards this peer');
  }

  receive(packet: IpPacket): WireError | undefined {
    const { source, destination } = packet;
    const segment = decodeSegment(source, destination, packet.payload);
    if (isWireError(segment)) return segment;
    const { sourcePort, destinationPort } = segment;
    const connection = this.#connections.get(name(destination, destinationPort, source, sourcePort));
    if (connection) {
      connection.receive(segment);
      return undefined;
    }
    const listener = this.#listeners.get(destinationPort);
    if (listener && (segment.flags & (SYN | ACK | RST | FIN)) === SYN) {
      if (this.#connections.size >= MOST) return undefined;
      const [local, remote] = [Uint8Array.from(destination), Uint8Array.from(source)];
      listener(this.#create(local, destinationPort, remote, sourcePort, segment), {
        address: remote,
        port: sourcePort,
      });
    } else if ((segment.flags & RST) === 0) this.#refuse(packet, segment);
    return undefined;
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.abort();
    this.#listeners.clear();
  }

  #create(
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    syn: Segment | undefined,
  ): TcpConnection {
    const key = name(local, localPort, remote, remotePort);
    const connection = new TcpConnection({
      clock: this.#options.clock,
      emit: (segment) => this.#options.send(local, remote, encodeSegment(local, remote, segment)),
      localPort,
      remotePort,
      initialSequence: this.#uint32(),
      // IP and TCP headers without options (RFC 6691 §2).
      mss: this.#options.mtu - (local.length === 4 ? 40 : 60),
      syn,
      onGone: () => this.#connections.delete(key),
    });
    this.#connections.set(key, connection);
    return connection;
  }

  #refuse(packet: IpPacket, segment: Segment): void {
    const { source, destination } = packet;
    const acked = (segment.flags & ACK) !== 0;
    const length =
      segment.payload.length + ((segment.flags & SYN) !== 0 ? 1 : 0) + ((segment.flags & FIN) !== 0 ? 1 : 0);
    this.#options.send(
      destination,
      source,
      encodeSegment(destination, source, {
        sourcePort: segment.destinationPort,
        destinationPort: segment.sourcePort,
        sequence: acked ? segment.acknowledgement : 0,
        acknowledgement: acked ? 0 : advance(segment.sequence, length),
        flags: acked ? RST : RST | ACK,
        window: 0,
        payload: new Uint8Array(0),
      }),
    );
  }

  #uint32(): number {
    const bytes = this.#options.random(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }
}

function name(local: Address, localPort: number, remote: Address, remotePort: number): string {
  return `${local.join('.')}:${localPort} ${remote.join('.')}:${remotePort}`;
}
