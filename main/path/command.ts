// What the control plane says to the data plane, and what it hears back.
//
//   control thread ── Command (numbered) ──▶ sender worker:   TUN fd → seal → socket; owns outbound SAs
//                  ── Command (numbered) ──▶ receiver worker: sockets → open → TUN;   owns inbound SAs, replay windows
//                  ◀── ack | PathEvent ────  both
//
// Every command is acknowledged in order; a DataPlane method resolves when its worker has carried the command out, and
// rejects where the worker refused it or died. After a worker's death its SAs are gone: they are renegotiated, never
// reinstalled (a second start at sequence number 1 would reuse AEAD nonces).
import type { InboundSaParams, OutboundSaParams, TunnelParams } from '../core/api.ts';
import type { Counters } from '../core/counters.ts';
import type { Address, Endpoint } from '../wire/address.ts';

export type {
  EspCipher,
  EspIntegrity,
  GreParams,
  InboundSaParams,
  OutboundSaParams,
  Shape,
  TunnelParams,
} from '../core/api.ts';
export type { CounterName, Counters } from '../core/counters.ts';

/** Where a tunnel's datagrams go, and through which socket. */
export interface Peer {
  /** UDP: address and port. Raw: the port is 0. */
  readonly remote: Endpoint;
  /** `socket` is a file descriptor that net/socket opened in this process. */
  readonly socket: number;
  readonly encapsulation: 'udp' | 'raw';
}

export interface TunHandle {
  readonly fd: number;
  /** Reads and writes carry a 10-byte virtio_net_hdr. */
  readonly vnetHeader: boolean;
}

/** A socket the receiver reads. `kind` decides how its datagrams are told apart. */
export interface SocketHandle {
  readonly fd: number;
  /**
   * `ike`: UDP port 500, every datagram is IKE without a marker. `natt`: UDP port 4500, marker (RFC 3948 §2).
   * `esp4`/`esp6`: raw protocol 50. `gre4`/`gre6`: raw protocol 47 (plain GRE).
   */
  readonly kind: 'ike' | 'natt' | 'esp4' | 'esp6' | 'gre4' | 'gre6';
}

export type SenderCommand =
  | { readonly kind: 'attachTun'; readonly tun: TunHandle }
  | { readonly kind: 'detachTun' }
  | { readonly kind: 'configure'; readonly tunnel: number; readonly params: TunnelParams }
  | { readonly kind: 'removeTunnel'; readonly tunnel: number }
  | { readonly kind: 'setPeer'; readonly tunnel: number; readonly peer: Peer }
  | { readonly kind: 'installOutbound'; readonly slot: number; readonly params: OutboundSaParams }
  | { readonly kind: 'activate'; readonly tunnel: number; readonly slot: number }
  | { readonly kind: 'removeOutbound'; readonly slot: number }
  /** Seals an inner packet of the control plane's (a path probe), or a dummy packet of `length` bytes. */
  | { readonly kind: 'injectPacket'; readonly packet: Uint8Array }
  | { readonly kind: 'injectDummy'; readonly tunnel: number; readonly length: number };

export type ReceiverCommand =
  | { readonly kind: 'attachTun'; readonly tun: TunHandle }
  | { readonly kind: 'detachTun' }
  | { readonly kind: 'addSocket'; readonly socket: SocketHandle }
  | { readonly kind: 'removeSocket'; readonly fd: number }
  | { readonly kind: 'configure'; readonly tunnel: number; readonly params: TunnelParams }
  | { readonly kind: 'removeTunnel'; readonly tunnel: number }
  | { readonly kind: 'installInbound'; readonly slot: number; readonly params: InboundSaParams }
  | { readonly kind: 'removeInbound'; readonly slot: number }
  | { readonly kind: 'expect'; readonly spi: number }
  | { readonly kind: 'cancelExpected'; readonly spi: number };

export type PathEvent =
  /** An IKE message, marker removed. `socket` is the descriptor it came through. */
  | { readonly kind: 'ike'; readonly bytes: Uint8Array; readonly from: Endpoint; readonly socket: number }
  /** An authenticated packet came from another address or port than before. The control thread decides what it means. */
  | { readonly kind: 'peerMoved'; readonly tunnel: number; readonly from: Endpoint; readonly socket: number }
  /** First valid packet on this inbound SA (a rekey responder may switch). */
  | { readonly kind: 'firstInbound'; readonly slot: number; readonly spi: number }
  /** The outbound SA stopped itself: a hard limit or the last sequence number. */
  | { readonly kind: 'exhausted'; readonly slot: number; readonly spi: number }
  /** The network refused a datagram: EMSGSIZE with the known path MTU, ECONNREFUSED, ENETUNREACH, … */
  | { readonly kind: 'pathError'; readonly errno: number; readonly name: string; readonly mtu: number | null }
  /** A worker is gone. Everything it owned is lost; the data plane must be closed and started anew. */
  | { readonly kind: 'died'; readonly worker: 'sender' | 'receiver' | 'single'; readonly message: string };

export interface PathStatistics {
  readonly counters: Counters;
  /** Milliseconds on the monotonic clock (performance.now of this process); 0: never. */
  readonly lastInbound: number;
  readonly lastOutbound: number;
  /** Packets lost around the core, between it and the operating system. */
  readonly io?: IoStatistics;
  /** By tunnel slot: the GRE sequence number to be sent next, where the tunnel sends them; to be persisted ahead. */
  readonly greNextSequence?: readonly number[];
}

export interface IoStatistics {
  /** Datagrams that the network or a full socket buffer refused. */
  readonly sendDropped: number;
  /** Datagrams of a tunnel that has no peer (yet). */
  readonly noPeer: number;
  /** Inner packets that the TUN refused. */
  readonly tunDropped: number;
  /** Inner packets for a TUN that is not attached (any more). */
  readonly noTun: number;
  /** IKE messages beyond what the control thread keeps up with. */
  readonly ikeDropped: number;
}

export interface DataPlane {
  send(command: SenderCommand): Promise<void>;
  receive(command: ReceiverCommand): Promise<void>;
  /** Tunnel settings that both directions need, sent to both. */
  configure(tunnel: number, params: TunnelParams): Promise<void>;
  attachTun(tun: TunHandle): Promise<void>;
  statistics(): PathStatistics;
  /** Stops the workers and waits for them. File descriptors remain their openers' to close. */
  close(): Promise<void>;
}

export interface DataPlaneOptions {
  /** `workers`: one thread per direction. `single`: both directions on one thread. */
  readonly threads: 'workers' | 'single';
  readonly onEvent: (event: PathEvent) => void;
}

/** Addresses are bytes everywhere; this is what raw sockets call a peer. */
export function rawEndpoint(address: Address): Endpoint {
  return { address, port: 0 };
}
