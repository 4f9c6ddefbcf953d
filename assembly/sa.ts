// The security associations (RFC 4301 §4.4.2). An outbound SA's sequence number and an inbound SA's window exist only
// here, in the one instance that uses them.
//
//   record ┌──────────────────┐
//        0 │ used             │
//        4 │ IV, ICV, multiple│ u8 each: what the transform adds to a packet, in bytes
//        8 │ packets  u64     │ verified or sealed so far
//       16 │ bytes    u64     │ of ciphertext
//       24 │ sequence u64     │ outbound: the last one sent
//       32 │ parameter block  │ SA_* of layout.ts, without the key
//       88 │ replay window    │ inbound
//      640 │ key context      │ assembly/crypto's
//          └──────────────────┘
import {
  TRANSFORM_CONTEXT_BYTES,
  transformAlignment,
  transformIcvBytes,
  transformInstall,
  transformIvBytes,
  transformWipe,
} from './crypto/transform';
import {
  INBOUND_SAS,
  OUTBOUND_SAS,
  PARAMS,
  RESULT,
  RESULT_SOFT,
  SA_CIPHER,
  SA_ESN,
  SA_HARD_BYTES,
  SA_HARD_PACKETS,
  SA_INTEGRITY,
  SA_INTEGRITY_KEY,
  SA_INTEGRITY_KEY_BYTES,
  SA_INTEGRITY_KEY_LENGTH,
  SA_KEY,
  SA_KEY_BYTES,
  SA_KEY_LENGTH,
  SA_PARAMS_BYTES,
  SA_SALT,
  SA_SOFT_BYTES,
  SA_SOFT_PACKETS,
  SA_SPI,
  SA_TUNNEL,
  SA_WINDOW,
  USE_BYTES,
  USE_PACKETS,
  USE_SEQUENCE,
} from './layout';
import { carve } from './region';
import { REPLAY_BYTES, replayRight, replayStart } from './replay';

const USED: usize = 0;
const IV_LENGTH: usize = 4;
const ICV_LENGTH: usize = 5;
const ALIGNMENT: usize = 6;
const PACKETS: usize = 8;
const BYTES: usize = 16;
const SEQUENCE: usize = 24;
const BLOCK: usize = 32;
const WINDOW: usize = 88;
const CONTEXT: usize = (WINDOW + REPLAY_BYTES + 63) & ~63;

let recordBytes: u32 = 0;
let outbound: usize = 0;
let inbound: usize = 0;
/** The inbound slot that the last lookup found: datagrams come in runs. */
let lastFound: u32 = 0;

export function initialiseSas(): void {
  recordBytes = (<u32>CONTEXT + TRANSFORM_CONTEXT_BYTES + 63) & ~63;
  outbound = carve(OUTBOUND_SAS * recordBytes, 64);
  inbound = carve(INBOUND_SAS * recordBytes, 64);
}

@inline
export function outboundSa(slot: u32): usize {
  return outbound + slot * recordBytes;
}

@inline
export function inboundSa(slot: u32): usize {
  return inbound + slot * recordBytes;
}

@inline
export function saUsed(sa: usize): bool {
  return load<u32>(sa, USED) != 0;
}

@inline
export function saSpi(sa: usize): u32 {
  return load<u32>(sa, BLOCK + SA_SPI);
}

@inline
export function saTunnel(sa: usize): u32 {
  return load<u32>(sa, BLOCK + SA_TUNNEL);
}

@inline
export function saEsn(sa: usize): bool {
  return load<u32>(sa, BLOCK + SA_ESN) != 0;
}

/** The salt as it lies in memory. */
@inline
export function saSalt(sa: usize): u32 {
  return load<u32>(sa, BLOCK + SA_SALT);
}

/** Bytes of IV in a packet. */
@inline
export function saIv(sa: usize): u32 {
  return load<u8>(sa, IV_LENGTH);
}

/** Bytes of ICV. */
@inline
export function saIcv(sa: usize): u32 {
  return load<u8>(sa, ICV_LENGTH);
}

/** The ciphertext is a multiple of this many bytes. */
@inline
export function saAlignment(sa: usize): u32 {
  return load<u8>(sa, ALIGNMENT);
}

@inline
export function saContext(sa: usize): usize {
  return sa + CONTEXT;
}

@inline
export function saWindow(sa: usize): usize {
  return sa + WINDOW;
}

function install(sa: usize): void {
  memory.fill(sa, 0, recordBytes);
  memory.copy(sa + BLOCK, PARAMS, SA_PARAMS_BYTES);
  const cipher = load<i32>(PARAMS, SA_CIPHER);
  transformInstall(
    saContext(sa),
    cipher,
    PARAMS + SA_KEY,
    load<i32>(PARAMS, SA_KEY_LENGTH),
    load<u32>(PARAMS, SA_INTEGRITY),
    PARAMS + SA_INTEGRITY_KEY,
    load<i32>(PARAMS, SA_INTEGRITY_KEY_LENGTH),
  );
  store<u8>(sa, <u8>transformIvBytes(cipher), IV_LENGTH);
  store<u8>(sa, <u8>transformIcvBytes(saContext(sa)), ICV_LENGTH);
  store<u8>(sa, <u8>transformAlignment(cipher), ALIGNMENT);
  memory.fill(PARAMS + SA_KEY, 0, SA_KEY_BYTES);
  memory.fill(PARAMS + SA_INTEGRITY_KEY, 0, SA_INTEGRITY_KEY_BYTES);
  store<u32>(PARAMS, 0, SA_SALT);
  store<u32>(sa, 1, USED);
}

export function installOutbound(slot: u32): void {
  install(outboundSa(slot));
}

export function installInbound(slot: u32): void {
  const sa = inboundSa(slot);
  const size = load<u32>(PARAMS, SA_WINDOW);
  install(sa);
  replayStart(saWindow(sa), size);
}

/** Wipes the key and everything else. */
export function removeSa(sa: usize): void {
  if (!saUsed(sa)) return;
  transformWipe(saContext(sa));
  memory.fill(sa, 0, recordBytes);
}

/** Slot of the inbound SA with this SPI, or -1. */
export function findInbound(spi: u32): i32 {
  const last = inboundSa(lastFound);
  if (saUsed(last) && saSpi(last) == spi) return lastFound;
  for (let slot: u32 = 0; slot < <u32>INBOUND_SAS; slot++) {
    const sa = inboundSa(slot);
    if (saUsed(sa) && saSpi(sa) == spi) {
      lastFound = slot;
      return slot;
    }
  }
  return -1;
}

/** May this SA carry `packets` more packets with `bytes` bytes of ciphertext? */
@inline
export function withinLimits(sa: usize, packets: u64, bytes: u64): bool {
  // Subtracting cannot wrap: what was used never passes the limit.
  return (
    load<u64>(sa, BLOCK + SA_HARD_PACKETS) - load<u64>(sa, PACKETS) >= packets &&
    load<u64>(sa, BLOCK + SA_HARD_BYTES) - load<u64>(sa, BYTES) >= bytes
  );
}

@inline
export function use(sa: usize, bytes: u32): void {
  store<u64>(sa, load<u64>(sa, PACKETS) + 1, PACKETS);
  store<u64>(sa, load<u64>(sa, BYTES) + <u64>bytes, BYTES);
}

/** Counts an SA that has passed a soft limit, once in its life. Called for each batch of one SA, not for each packet. */
export function lookAtSoftLimits(sa: usize): void {
  if (
    load<u64>(sa, PACKETS) < load<u64>(sa, BLOCK + SA_SOFT_PACKETS) &&
    load<u64>(sa, BYTES) < load<u64>(sa, BLOCK + SA_SOFT_BYTES)
  )
    return;
  store<u64>(sa, u64.MAX_VALUE, BLOCK + SA_SOFT_PACKETS);
  store<u64>(sa, u64.MAX_VALUE, BLOCK + SA_SOFT_BYTES);
  store<u32>(RESULT, load<u32>(RESULT, RESULT_SOFT) + 1, RESULT_SOFT);
}

/** Sequence numbers that are left. The counter must not cycle (RFC 4303 §3.3.3). */
@inline
export function sequencesLeft(sa: usize): u64 {
  const last: u64 = saEsn(sa) ? u64.MAX_VALUE : 0xffffffff;
  return last - load<u64>(sa, SEQUENCE);
}

@inline
export function nextSequence(sa: usize): u64 {
  const sequence = load<u64>(sa, SEQUENCE) + 1;
  store<u64>(sa, sequence, SEQUENCE);
  return sequence;
}

function report(sa: usize, sequence: u64): void {
  store<u64>(PARAMS, load<u64>(sa, PACKETS), USE_PACKETS);
  store<u64>(PARAMS, load<u64>(sa, BYTES), USE_BYTES);
  store<u64>(PARAMS, sequence, USE_SEQUENCE);
}

export function outboundUse(slot: u32): void {
  const sa = outboundSa(slot);
  report(sa, load<u64>(sa, SEQUENCE));
}

export function inboundUse(slot: u32): void {
  const sa = inboundSa(slot);
  report(sa, replayRight(saWindow(sa)));
}
