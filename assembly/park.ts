// Packets that arrive for an SPI which is announced but has no keys yet (RFC 7296 §2.8: the peer may use a new SA as soon
// as it has answered). Kept in order of arrival, bounded, until the SA is installed or the wait is called off.
//
//   entry │ 0 SPI u32 │ 4 length u32 │ 8 aux u32 │ 16 packet, from the ESP header on │
import { add, count } from './counter';
import {
  AUX_TOS_MASK,
  COUNTER_IN_PARKED,
  COUNTER_IN_PARK_OVERFLOW,
  COUNTER_IN_UNKNOWN_SPI,
  DESC_AUX,
  DESC_BYTES,
  DESC_CAPACITY,
  DESC_LENGTH,
  DESC_OFFSET,
  EXPECTED_SPIS,
  IN_DESC,
  PARK_PACKETS,
  PARK_PACKET_BYTES,
} from './layout';
import { carve } from './region';
import { findInbound } from './sa';

const SPI: usize = 0;
const LENGTH: usize = 4;
const AUX: usize = 8;
const PACKET: usize = 16;
const ENTRY_BYTES: u32 = PARK_PACKET_BYTES + <u32>PACKET;

let entries: usize = 0;
/** Where takeParked puts packets: not in IN, whose slots still stand for the datagrams that were read into them. */
let taken: usize = 0;
let parked: u32 = 0;
let expected: usize = 0;
let expectedCount: u32 = 0;

export function initialisePark(): void {
  entries = carve(PARK_PACKETS * ENTRY_BYTES);
  taken = carve(PARK_PACKETS * PARK_PACKET_BYTES);
  expected = carve(EXPECTED_SPIS * 4);
}

function find(spi: u32): i32 {
  for (let i: u32 = 0; i < expectedCount; i++) if (load<u32>(expected + (i << 2)) == spi) return i;
  return -1;
}

/** False: too many are expected already. */
export function expect(spi: u32): bool {
  if (find(spi) >= 0) return true;
  if (expectedCount == EXPECTED_SPIS) return false;
  store<u32>(expected + (expectedCount++ << 2), spi);
  return true;
}

/** The SPI is no longer announced (its SA is there). What is parked for it stays. */
export function fulfil(spi: u32): void {
  const i = find(spi);
  if (i < 0) return;
  expectedCount--;
  store<u32>(expected + (i << 2), load<u32>(expected + (expectedCount << 2)));
}

export function cancelExpected(spi: u32): void {
  fulfil(spi);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < parked; i++) if (load<u32>(entry(i), SPI) != spi) keep(i, kept++);
  add(COUNTER_IN_UNKNOWN_SPI, <u64>(parked - kept));
  parked = kept;
}

/** Parks the packet where its SPI is announced. False: it is not. */
export function park(spi: u32, p: usize, n: u32, tos: u32): bool {
  if (expectedCount == 0 || find(spi) < 0) return false;
  if (parked == PARK_PACKETS || n > <u32>PARK_PACKET_BYTES) {
    count(COUNTER_IN_PARK_OVERFLOW);
    return true;
  }
  const e = entry(parked++);
  store<u32>(e, spi, SPI);
  store<u32>(e, n, LENGTH);
  store<u32>(e, tos & AUX_TOS_MASK, AUX);
  memory.copy(e + PACKET, p, n);
  count(COUNTER_IN_PARKED);
  return true;
}

/** Lists in IN_DESC what can be opened now, good until the next takeParked; returns how many. */
export function takeParked(): u32 {
  let kept: u32 = 0;
  let listed: u32 = 0;
  for (let i: u32 = 0; i < parked; i++) {
    const e = entry(i);
    if (findInbound(load<u32>(e, SPI)) < 0) {
      keep(i, kept++);
      continue;
    }
    const to = taken + listed * PARK_PACKET_BYTES;
    const n = load<u32>(e, LENGTH);
    memory.copy(to, e + PACKET, n);
    const desc: usize = IN_DESC + listed * DESC_BYTES;
    store<u32>(desc, <u32>to, DESC_OFFSET);
    store<u32>(desc, PARK_PACKET_BYTES, DESC_CAPACITY);
    store<u32>(desc, n, DESC_LENGTH);
    store<u32>(desc, load<u32>(e, AUX), DESC_AUX);
    listed++;
  }
  parked = kept;
  return listed;
}

@inline
function entry(i: u32): usize {
  return entries + i * ENTRY_BYTES;
}

function keep(from: u32, to: u32): void {
  if (from != to) memory.copy(entry(to), entry(from), ENTRY_BYTES);
}
