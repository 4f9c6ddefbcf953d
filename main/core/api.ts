// What the rest of the engine may ask of the WebAssembly packet core. One Core is one instance with a memory of its own,
// owned by one thread. Nothing here is on the packet path except seal and open, which move indices only.
//
// Addresses are network-order bytes; SPIs, keys and lengths are in host types. All slots are caller-chosen, below the
// limits of assembly/layout.ts. Misuse (a slot out of range, a key of the wrong length) throws.
import type { Address } from '../wire/address.ts';
import type { Selector } from '../wire/selector.ts';
import type { Counters } from './counters.ts';

/**
 * The four shapes a tunnel may have:
 * - `gre-transport`  GRE in ESP transport mode; the outer header is the GRE delivery header
 * - `gre-tunnel`     GRE in ESP tunnel mode; a delivery header of its own inside ESP
 * - `esp-tunnel`     plain ESP tunnel mode, no GRE
 * - `gre-plain`      GRE without ESP: no encryption, for laboratories
 */
export type Shape = 'gre-transport' | 'gre-tunnel' | 'esp-tunnel' | 'gre-plain';

/** The DF bit of an outer IPv4 header (RFC 4301 §8.1): always, never, or as the inner packet has it (IPv6 counts as DF). */
export type OuterDf = 'set' | 'clear' | 'copy';

export interface GreParams {
  /** RFC 2890 §2.1: 32-bit key, or null for no key field. A received key must be equal (or absent when null). */
  readonly key: number | null;
  /** Send the checksum of RFC 2784 §2.5. Received checksums are always verified. */
  readonly checksum: boolean;
  /** Send sequence numbers (RFC 2890 §2.2), starting with `nextSequence`. */
  readonly sequence: boolean;
  readonly nextSequence: number;
}

export interface TunnelParams {
  readonly shape: Shape;
  /** Required for the three GRE shapes, null for `esp-tunnel`. */
  readonly gre: GreParams | null;
  /**
   * The delivery header's addresses, for `gre-tunnel`. Either family, also another than the outer one. `gre-plain` may give
   * them too (IPv4): then datagrams between other outer addresses are dropped.
   */
  readonly delivery: { readonly local: Address; readonly remote: Address } | null;
  /** Largest inner packet in bytes, before GRE and ESP are added. */
  readonly mtu: number;
  /** Lower the MSS option of TCP SYNs, in both directions, to at most this many bytes; 0 leaves it alone. */
  readonly mss4: number;
  readonly mss6: number;
  /** Packets sent: inner source in `local` and inner destination in `remote`. Packets received: the reverse. */
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
  /** Copy the inner DSCP to the outer header; otherwise the outer DSCP is zero. ECN always follows RFC 6040. */
  readonly copyDscp: boolean;
  /** Undefined: "set". */
  readonly outerDf?: OuterDf | undefined;
  /** TTL or hop limit of a delivery header that the core writes. */
  readonly ttl: number;
}

/**
 * What encrypts: AEADs (RFC 4106, RFC 7634), or ciphers that need an `EspIntegrity` beside them: AES-CBC (RFC 3602), AES-CTR
 * (RFC 3686). `null` (RFC 2410, with an EspIntegrity) and `null-aes-gmac` (RFC 4543) encrypt nothing: for tests only.
 */
export type EspCipher = 'aes-gcm-16' | 'chacha20-poly1305' | 'aes-cbc' | 'aes-ctr' | 'null' | 'null-aes-gmac';

/** HMAC, truncated: RFC 2404, RFC 4868. */
export type EspIntegrity = 'hmac-sha1-96' | 'hmac-sha2-256-128' | 'hmac-sha2-384-192' | 'hmac-sha2-512-256';

interface SaParams {
  /** Non-zero, above 255 (RFC 4303 §2.1). */
  readonly spi: number;
  readonly tunnel: number;
  readonly cipher: EspCipher;
  /** 16, 24 or 32 bytes for AES, 32 for ChaCha20-Poly1305, none for `null`. Copied in; the caller wipes its own copy. */
  readonly key: Uint8Array;
  /** 4 bytes (RFC 4106 §4, RFC 7634 §2, RFC 3686 §5.1, RFC 4543 §3.2); none for AES-CBC and `null`. */
  readonly salt: Uint8Array;
  /** With AES-CBC, AES-CTR and `null`, and only with them. */
  readonly integrity?: EspIntegrity | undefined;
  /** 20, 32, 48 or 64 bytes: as long as the hash (RFC 2404 §3, RFC 4868 §2.1.1). Copied in, as `key`. */
  readonly integrityKey?: Uint8Array | undefined;
  /** Take a cipher that encrypts nothing. Tests only: no profile can say so. */
  readonly unencrypted?: boolean | undefined;
  /** 64-bit extended sequence numbers (RFC 4303 §2.2.1). */
  readonly esn: boolean;
  /** Refuse to go on past these; Infinity for none. */
  readonly hardPackets: number;
  readonly hardBytes: number;
  /** Count in `softLimits` once one of these is reached; undefined, as Infinity, for none. */
  readonly softPackets?: number | undefined;
  readonly softBytes?: number | undefined;
}

/** The first packet sent gets sequence number 1. A key is installed once in its life: a second start would reuse nonces. */
export interface OutboundSaParams extends SaParams {}

export interface InboundSaParams extends SaParams {
  /** Packets in the anti-replay window, a multiple of 64 from 64 to 4096 (RFC 4303 §3.4.3). */
  readonly replayWindow: number;
}

export interface SaUse {
  readonly packets: number;
  readonly bytes: number;
  /** Last sequence number sent, or right edge of the replay window. */
  readonly sequence: bigint;
}

export interface SealResult {
  /** Inputs used up; the rest must be sealed again once OUT has been sent. */
  consumed: number;
  /** Entries of OUT_DESC: datagrams for the peer, starting at the ESP (or plain GRE) header. */
  out: number;
  /** Entries of SIDE_DESC: ICMP errors to write to the TUN. */
  side: number;
}

export interface OpenResult {
  /** Entries of OUT_DESC: inner packets for the TUN. */
  out: number;
  /** Entries of SIDE_DESC: IKE messages, after the non-ESP marker where there was one. */
  side: number;
  /** Super-packets that wait for the next call. */
  kept: number;
}

export interface Core {
  readonly memory: WebAssembly.Memory;
  /** All of linear memory as u32, for descriptors; never detached. */
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  /** From how many AES blocks a batch on the accelerator makes its keystream (accelerator.ts); Infinity: it is not used. */
  readonly acceleratedFrom: number;

  configureTunnel(tunnel: number, params: TunnelParams): void;
  removeTunnel(tunnel: number): void;
  /** Next GRE sequence number to be sent, to be persisted. */
  greSequence(tunnel: number): number;

  installOutbound(slot: number, params: OutboundSaParams): void;
  /** From now on the tunnel's packets leave through this SA. */
  activateOutbound(tunnel: number, slot: number): void;
  /** Deletes an SA and wipes its key. */
  removeOutbound(slot: number): void;
  outboundUse(slot: number): SaUse;

  installInbound(slot: number, params: InboundSaParams): void;
  removeInbound(slot: number): void;
  inboundUse(slot: number): SaUse;

  /** Park (a bounded number of) packets that arrive for this SPI until installInbound names it, or cancel. */
  expect(spi: number): void;
  cancelExpected(spi: number): void;
  /**
   * Fills IN_DESC with packets parked for SPIs that are installed by now; open them next. They lie outside of IN, start at
   * the ESP header, and of their aux only the outer TOS is left.
   */
  takeParked(): number;

  /**
   * Inner packets (IN_DESC) → datagrams (OUT_DESC). `now` in milliseconds, monotonic. The result object is the same one
   * at every call.
   */
  seal(count: number, now: number): Readonly<SealResult>;
  /**
   * With `on`, everything for the TUN (outputs of open, ICMP errors of seal) starts with a virtio_net_hdr of
   * VNET_HEADER_BYTES, which its descriptor includes; and open joins TCP segments that follow each other into super-packets
   * of up to 65,535 bytes (GSO_TCPV4, GSO_TCPV6 with a partial checksum), and with `uso` UDP datagrams of one flow and length
   * (GSO_UDP_L4). Such an output goes on in PIECE_DESC (DESC_NEXT), in pieces that lie where they were decrypted. Inputs of
   * seal say it themselves (AUX_VNET).
   */
  configureVnet(on: boolean, uso?: boolean): void;
  /**
   * Appends one dummy packet (RFC 4303 §2.6) of `length` payload bytes for the tunnel to OUT_DESC, behind what the last seal
   * left there, and raises `out` in the result object of seal; false: dropped, counted. Call `seal(0, now)` first where
   * OUT was sent already.
   */
  sealDummy(tunnel: number, length: number): boolean;
  /**
   * Datagrams (IN_DESC) → inner packets (OUT_DESC), decrypted in place. With `keep`, super-packets that may still grow are kept
   * back (`kept`; their entries of OUT_DESC have the length 0) and become outputs of the next call, which the caller owes, be it
   * with nothing: until it has returned, what this call's inputs lie in, and PIECE_DESC, must stay as they are.
   */
  open(count: number, now: number, keep?: boolean): Readonly<OpenResult>;
  /** Gives up reassemblies that are out of time. Milliseconds until the next one would be, or -1 when the pool is empty. */
  expireFragments(now: number): number;

  /** How many SAs of either direction have reached a soft limit so far, each counted once. */
  readonly softLimits: number;
  counters(): Counters;
  /** Wipes every key. The instance is useless afterwards. */
  close(): void;
}
