// Names the core's counters, in the order of assembly/layout.ts. Every packet that is not delivered is in exactly
// one: datagrams opened = inPackets + inIke + inKeepalives + inDummies + inParked + the drops + fragReceived - fragReassembled,
// where the frag* beside these two say what became of the fragments, and inMssClamped of packets that went on. Likewise
// packets off the TUN = outPackets - outCut + the drops from outTooBig on, and packets for the TUN = inPackets - inMerged;
// what happens outside of the core is counted in main/path/command.ts.
import { COUNTER_COUNT } from '../../assembly/layout.ts';

/** Name → what one more of it means, in a person's words. Order is the ABI: index i is COUNTERS + 8 * i. */
export const COUNTERS_BY_NAME = {
  outPackets: 'inner packets sealed',
  outBytes: 'bytes of inner packets sealed',
  outDummies: 'dummy packets (next header 59) sealed',
  outFragments: 'fragments made because an inner packet without DF was larger than the tunnel MTU',
  outTooBig: 'inner packets with DF (or IPv6) over the tunnel MTU, answered with ICMP "too big"',
  outMssClamped: 'TCP SYNs leaving whose MSS option was lowered',
  outBadInner: 'from the TUN: not an IPv4 or IPv6 packet, or its lengths disagree',
  outNoTunnel: "from the TUN: no tunnel's selectors match",
  outNoSa: 'a tunnel matched, but it has no active outbound SA',
  outHardLimit: 'the outbound SA is at its byte or packet limit',
  outSequenceExhausted: 'the outbound SA has used its last sequence number',
  outNoRoom: 'the OUT region or its table was full',
  inPackets: 'inner packets given to the TUN',
  inBytes: 'bytes of inner packets given to the TUN',
  inIke: 'datagrams handed to the control thread as IKE messages',
  inKeepalives: 'NAT keepalives (one byte 0xff)',
  inDummies: 'dummy packets (next header 59) received',
  inMssClamped: 'TCP SYNs arriving whose MSS option was lowered',
  inParked: 'packets kept for an announced SPI whose keys are on their way',
  inParkOverflow: 'packets for an announced SPI that found the park full',
  inTooShort: 'datagram shorter than the smallest packet of its kind',
  inTruncated: 'datagram longer than its input slot',
  inBadOuter: 'raw socket: the outer IPv4 header is malformed',
  inUnknownSpi: 'no inbound SA has this SPI',
  inReplayOld: 'sequence number left of the replay window',
  inReplayDuplicate: 'sequence number seen before',
  inAuthFailed: 'the integrity check value does not verify',
  inHardLimit: 'the inbound SA is at its byte or packet limit',
  inBadPadding: 'ESP padding is not 1, 2, 3, … or longer than the packet (RFC 4303 §2.4)',
  inBadNextHeader: "the ESP next header is not what the tunnel's shape carries",
  inBadAlignment: "ciphertext length is not a multiple of the cipher's alignment",
  inBadDelivery: 'GRE delivery header malformed',
  inDeliveryAddress: "GRE delivery source or destination is not the tunnel's",
  inDeliveryProtocol: 'GRE delivery header carries a protocol other than 47',
  inGreTooShort: 'shorter than the GRE header its flags promise',
  inGreVersion: 'GRE version is not 0',
  inGreReserved: 'a GRE reserved bit that must be zero is set (RFC 2784 §2.3)',
  inGreChecksum: 'GRE checksum is wrong',
  inGreKey: "GRE key absent, unexpected or not the tunnel's",
  inGreSequence: 'GRE sequence number older than the last (RFC 2890 §2.2)',
  inGreProtocol: 'GRE payload is neither IPv4 nor IPv6',
  inGreKeepalive: 'GRE keepalive (protocol type 0)',
  inBadInner: 'inner packet malformed or its lengths disagree',
  inInnerAddress: "inner source or destination is outside the tunnel's selectors",
  inEcn: 'outer CE on an inner packet that is not ECN-capable (RFC 6040 §4.2)',
  fragReceived: 'delivery fragments received (after authentication)',
  fragReassembled: 'delivery packets reassembled',
  fragTimedOut: 'delivery packets given up: a fragment did not come in time',
  fragPoolFull: 'delivery fragments dropped: all reassembly buffers are taken',
  fragMalformed: 'delivery fragments dropped: overlap, bad length, or over 65,535 bytes',
  inNoTunnel: 'plain GRE, but no tunnel of that shape is configured',
  inNoRoom: 'no room in front of the inner packet for the header that the TUN wants',
  outCut: 'packets that super-packets from the TUN were cut into, beyond one for each',
  inMerged: 'packets that went to the TUN within the super-packet of an earlier one',
} as const;

export type CounterName = keyof typeof COUNTERS_BY_NAME;

export const COUNTER_NAMES = Object.keys(COUNTERS_BY_NAME) as readonly CounterName[];

if (COUNTER_NAMES.length !== COUNTER_COUNT) throw new Error('counters.ts and assembly/layout.ts disagree');

export type Counters = Readonly<Record<CounterName, number>>;
