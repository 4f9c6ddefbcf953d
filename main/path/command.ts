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
import type { Encapsulation } from '../wire/encapsulation.ts';

export type {
  EspCipher,
  EspIntegrity,
  GreParams,
  InboundSaParams,
  OutboundSaParams,
  OuterDf,
  Shape,
  TunnelParams,
} from '../core/api.ts';
export type { CounterName, Counters } from '../core/counters.ts';

/** Where a tunnel's datagrams go, and through which socket. */
export interface Peer {
  /** UDP and TCP: address and port. Raw: the port is 0. */
  readonly remote: Endpoint;
  /** `socket` is a file descriptor that net/socket opened in this process. */
  readonly socket: number;
  readonly encapsulation: Encapsulation;
}

export interface TunHandle {
  readonly fd: number;
  /** Reads and writes carry a 10-byte virtio_net_hdr. */
  readonly vnetHeader: boolean;
  /** With that header, UDP may come and go in super-datagrams (GSO_UDP_L4, Linux 6.2). */
  readonly uso?: boolean | undefined;
}

/** A socket the receiver reads. `kind` decides how its datagrams are told apart. */
export interface SocketHandle {
  readonly fd: number;
  /**
   * `ike`: UDP port 500, every datagram is IKE without a marker. `natt`: UDP port 4500, marker (RFC 3948 §2).
   * `esp4`/`esp6`: raw protocol 50. `gre4`/`gre6`: raw protocol 47 (plain GRE). `tcp`: a connected stream of IKE messages and
   * ESP packets (RFC 9329).
   */
  readonly kind: 'ike' | 'natt' | 'esp4' | 'esp6' | 'gre4' | 'gre6' | 'tcp';
  /** Of `tcp`: its other end, and whether that end opened the connection and so begins with "IKETCP" (RFC 9329 §4). */
  readonly stream?: { readonly remote: Endpoint; readonly expectsPrefix: boolean } | undefined;
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
  /** An IKE message, marker in front, into the stream of a `tcp` socket, between two packets. */
  | { readonly kind: 'sendMessage'; readonly socket: number; readonly bytes: Uint8Array }
  /** May the kernel fragment what is sent through this socket by what it has heard of the path's MTU? It may from the start. */
  | { readonly kind: 'trustKernelPath'; readonly socket: number; readonly trust: boolean }
  /** The `tcp` socket is about to be closed. */
  | { readonly kind: 'forgetStream'; readonly socket: number }
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
  /** A `tcp` socket's stream has ended or cannot be understood any more; reported by either direction, perhaps by both. */
  | { readonly kind: 'streamClosed'; readonly socket: number; readonly reason: string }
  /** The SA has reached a soft limit of its bytes or packets: it should be replaced. Said once. */
  | { readonly kind: 'softLimit'; readonly direction: 'in' | 'out'; readonly slot: number; readonly spi: number }
  /**
   * The network refused a datagram: EMSGSIZE with the known path MTU, ECONNREFUSED, ENETUNREACH, … `quoted`: the first four bytes, as
   * a number, of what the datagram carried that ICMP quotes: the SPI of ESP. Absent where nothing is quoted. Nobody has proved any of it.
   */
  | {
      readonly kind: 'pathError';
      readonly errno: number;
      readonly name: string;
      readonly mtu: number | null;
      readonly quoted?: number;
    }
  /** How the data plane runs here, for the log: what it chose, what this kernel lacks. */
  | { readonly kind: 'note'; readonly text: string }
  /** A worker is gone. Everything it owned is lost; the data plane must be closed and started anew. */
  | { readonly kind: 'died'; readonly worker: 'sender' | 'receiver' | 'single'; readonly message: string };

export interface PathStatistics {
  readonly counters: Counters;
  /** Milliseconds on the monotonic clock (performance.now of this process); 0: never. */
  readonly lastInbound: number;
  readonly lastOutbound: number;
  /** Packets lost around the core, between it and the operating system. */
  readonly io?: IoStatistics;
  /** ESP packets that the peer has sent by their sequence numbers, and those that arrived; looked at a few times a second. */
  readonly received?: { readonly due: number; readonly arrived: number };
  /** By tunnel slot: the GRE sequence number to be sent next, where the tunnel sends them; to be persisted ahead. */
  readonly greNextSequence?: readonly number[];
}

/**
 * What crossed the edges of the core, so that every packet can be accounted for. With nothing on its way:
 *
 *   tunRead + injected   = outPackets - outCut + the core's drops from outTooBig on + queueDropped + queued
 *   datagrams made       = sent + sendDropped + noPeer
 *   received             = inPackets + inIke + … + the core's drops (main/core/counters.ts)
 *   inPackets - inMerged = tunWritten + tunDropped + noTun - ICMP errors written
 */
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
  /** Packets off the TUN and for it; a super-packet counts once. ICMP errors of our own making are among those written. */
  readonly tunRead: number;
  readonly tunWritten: number;
  /** Packets of the control plane's, sealed as though the TUN had given them. */
  readonly injected: number;
  /** Packets that wait to be sealed, now. */
  readonly queued: number;
  /** Packets that had waited too long for too long, dropped (RFC 8289), or marked where they could be (RFC 3168). */
  readonly queueDropped: number;
  readonly queueMarked: number;
  /** Datagrams that the kernel took and gave, ESP and IKE alike; a burst counts as many times as it has segments. */
  readonly sent: number;
  readonly received: number;
  /**
   * Datagrams that had waited too long in the socket, treated as marked by the network (RFC 6040 §4.2): inner packets that
   * cannot carry the mark are dropped, and in inEcn.
   */
  readonly receiveMarked: number;
  /** Segments of bursts beyond what the table of a batch holds. */
  readonly cutOff: number;
  /**
   * Datagrams that found a socket's receive buffer full, or failed its checks: the kernel dropped them. A burst (UDP_GRO) counts once,
   * as the kernel does; `received` of PathStatistics counts every packet by its sequence number.
   */
  readonly socketOverflow: number;
  /** Packets that found the TUN's queue full: the kernel dropped them before they could be read. */
  readonly tunOverflow: number;
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
  /** `workers`: one thread per direction. `single`: both on one thread. `auto`: as this machine's processors suggest. */
  readonly threads: 'workers' | 'single' | 'auto';
  readonly onEvent: (event: PathEvent) => void;
}

/** Addresses are bytes everywhere; this is what raw sockets call a peer. */
export function rawEndpoint(address: Address): Endpoint {
  return { address, port: 0 };
}
