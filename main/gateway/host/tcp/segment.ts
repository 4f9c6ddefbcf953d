// A TCP segment (RFC 9293 §3.1) with the two options that the in-memory host knows: maximum segment size (§3.7.1) and
// window scale (RFC 7323 §2).
import type { Address } from '../../../wire/address.ts';
import { WireError } from '../../../wire/error.ts';
import { finishChecksum, pseudoHeaderSum, sumWords } from '../checksum.ts';
import { TCP } from '../ip.ts';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

const HEADER = 20;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** Meaningful with the flag ACK. */
  readonly acknowledgement: number;
  readonly flags: number;
  /** As it stands in the header: not scaled. */
  readonly window: number;
  readonly mss?: number | undefined;
  readonly windowScale?: number | undefined;
  readonly payload: Uint8Array;
}

/** The payload is a view of `bytes`. Unknown options are skipped (RFC 9293 §3.1). */
export function decodeSegment(source: Address, destination: Address, bytes: Uint8Array): Segment | WireError {
  if (bytes.length < HEADER) return new WireError('truncated', 'TCP', bytes.length, '20 bytes');
  if (finishChecksum(sumWords(bytes, pseudoHeaderSum(source, destination, TCP, bytes.length))) !== 0)
    return new WireError('checksum', 'TCP', 16, 'a checksum that verifies');
  const data = (bytes[12]! >> 4) * 4;
  if (data < HEADER || data > bytes.length) return new WireError('length', 'TCP', 12, 'a data offset in the segment');
  let mss: number | undefined;
  let windowScale: number | undefined;
  for (let at = HEADER; at < data && bytes[at] !== OPTION_END; ) {
    if (bytes[at] === OPTION_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < data ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > data) return new WireError('length', 'TCP option', at, 'an option that ends');
    if (bytes[at] === OPTION_MSS && length === 4) mss = bytes[at + 2]! * 256 + bytes[at + 3]!;
    // Shifts above 14 count as 14 (RFC 7323 §2.3).
    if (bytes[at] === OPTION_WINDOW_SCALE && length === 3) windowScale = Math.min(14, bytes[at + 2]!);
    at += length;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    flags: bytes[13]! & 0x3f,
    window: view.getUint16(14),
    mss,
    windowScale,
    payload: bytes.subarray(data),
  };
}

export function encodeSegment(source: Address, destination: Address, segment: Segment): Uint8Array {
  const options = (segment.mss === undefined ? 0 : 4) + (segment.windowScale === undefined ? 0 : 4);
  const bytes = new Uint8Array(HEADER + options + segment.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgement);
  bytes[12] = ((HEADER + options) / 4) << 4;
  bytes[13] = segment.flags;
  view.setUint16(14, segment.window);
  let at = HEADER;
  if (segment.mss !== undefined) {
    bytes[at] = OPTION_MSS;
    bytes[at + 1] = 4;
    view.setUint16(at + 2, segment.mss);
    at += 4;
  }
  if (segment.windowScale !== undefined) {
    bytes[at] = OPTION_NOP;
    bytes[at + 1] = OPTION_WINDOW_SCALE;
    bytes[at + 2] = 3;
    bytes[at + 3] = segment.windowScale;
    at += 4;
  }
  bytes.set(segment.payload, at);
  view.setUint16(16, finishChecksum(sumWords(bytes, pseudoHeaderSum(source, destination, TCP, bytes.length))));
  return bytes;
}
