// The slow, readable oracle of the packet path: seals and opens one packet at a time with esp.ts, written from the RFCs and
// not from assembly/.
import type { Shape, TunnelParams } from '../../main/core/api.ts';
import { be32, type OracleSa, openTransform, padTo, sealTransform } from './esp.ts';
import { concat, gre, type Ip4Fields, type Ip6Fields, ip4, ip6, parseGre, parseIp } from './ip.ts';

export type { OracleSa } from './esp.ts';

export interface EspOptions {
  /** Of ciphers whose IV is a counter; the sequence number otherwise. */
  readonly iv?: bigint;
  /** More padding than needed, in multiples of the cipher's alignment. */
  readonly extraPadding?: number;
  /** Replaces the padding bytes, for bad input. */
  readonly padding?: Uint8Array;
  readonly padLength?: number;
}

/** RFC 4303 §2, §3.3: one ESP packet, from the SPI to the ICV. */
export function sealEsp(
  sa: OracleSa,
  sequence: bigint,
  payload: Uint8Array,
  next: number,
  options: EspOptions = {},
): Uint8Array {
  const align = padTo(sa);
  const need = (((-(payload.length + 2) % align) + align) % align) + (options.extraPadding ?? 0);
  const padding = options.padding ?? Uint8Array.from({ length: need }, (_, i) => i + 1);
  const plain = concat(payload, padding, Uint8Array.of(options.padLength ?? padding.length, next));
  return concat(
    be32(sa.spi),
    be32(Number(sequence & 0xffffffffn)),
    sealTransform(sa, sequence, options.iv ?? sequence, plain),
  );
}

/** Reverse; undefined where the ICV does not verify. `high` is the upper half of the sequence number. */
export function openEsp(
  sa: OracleSa,
  packet: Uint8Array,
  high = 0n,
): { readonly sequence: bigint; readonly payload: Uint8Array; readonly next: number } | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const sequence = (high << 32n) | BigInt(view.getUint32(4));
  const plain = openTransform(sa, sequence, packet.subarray(8));
  if (!plain || view.getUint32(0) !== sa.spi) return undefined;
  const padLength = plain[plain.length - 2]!;
  const end = plain.length - 2 - padLength;
  for (let i = 0; i < padLength; i++)
    if (plain[end + i] !== i + 1) throw new Error('oracle: padding is not 1, 2, 3, …');
  return { sequence, payload: plain.subarray(0, end), next: plain[plain.length - 1]! };
}

const ETHER_TYPE: Readonly<Record<number, number>> = { 4: 0x0800, 6: 0x86dd };

export interface Encapsulation {
  readonly shape: Shape;
  readonly gre: TunnelParams['gre'];
  readonly greSequence: number;
  readonly source: Uint8Array | null;
  readonly target: Uint8Array | null;
  readonly tos: number;
  readonly delivery4?: Partial<Ip4Fields>;
  readonly delivery6?: Partial<Ip6Fields>;
}

/** The ESP payload (or plain GRE packet) for an inner packet, with its next header. */
export function encapsulate(
  inner: Uint8Array,
  e: Encapsulation,
): { readonly payload: Uint8Array; readonly next: number } {
  const family = inner[0]! >> 4;
  if (e.shape === 'esp-tunnel' || !e.gre) return { payload: inner, next: family === 4 ? 4 : 41 };
  const packet = gre(
    {
      key: e.gre.key,
      checksum: e.gre.checksum,
      sequence: e.gre.sequence ? e.greSequence : null,
      protocol: ETHER_TYPE[family]!,
    },
    inner,
  );
  if (e.shape !== 'gre-tunnel' || !e.source || !e.target) return { payload: packet, next: 47 };
  if (e.source.length === 4)
    return {
      payload: ip4({ source: e.source, target: e.target, protocol: 47, tos: e.tos, ...e.delivery4 }, packet),
      next: 4,
    };
  return {
    payload: ip6({ source: e.source, target: e.target, next: 47, tos: e.tos, ...e.delivery6 }, packet),
    next: 41,
  };
}

/** Undoes `encapsulate`, with assertions instead of counters: the inner packet. */
export function decapsulate(payload: Uint8Array, next: number, shape: Shape): Uint8Array {
  let packet = payload;
  if (shape === 'esp-tunnel') return packet;
  if (shape === 'gre-tunnel') {
    const ip = parseIp(packet);
    if (ip.protocol !== 47 || next !== (ip.family === 4 ? 4 : 41)) throw new Error('oracle: not a GRE delivery packet');
    packet = ip.payload;
  }
  return parseGre(packet).payload;
}
