// Puts fragmented GRE delivery packets together (RFC 791 §3.2, RFC 8200 §4.5), after authentication, so only the peer can
// fill the pool. Bounded in number, size and time; any overlap condemns the whole packet (RFC 5722 §3, and for IPv4 alike).
//
//   context ┌───────────────────┐
//         0 │ state             │ FREE, OPEN, CONDEMNED (swallows what still comes), LENT (given to the TUN until next open)
//         4 │ tunnel            │ ┐
//         8 │ family            │ │ the key; addresses and protocol were checked against the tunnel already
//        12 │ identification    │ ┘
//        16 │ deadline  f64     │
//        24 │ total             │ payload bytes in all; 0 until the last fragment came
//        28 │ units             │ 8-byte units received
//        32 │ fragments         │ received
//        36 │ end               │ furthest byte received
//        40 │ ECN seen          │ bit n: a fragment had codepoint n
//        64 │ bitmap            │ a bit for every unit
//      1088 │ headroom, payload │ GRE header and inner packet
//           └───────────────────┘
//
// A complete packet is copied out, behind the others of its batch, and its context is free again at once: a far end that
// thinks the path wider than it is fragments everything, and a batch may have many times more such packets than contexts.
// Only what finds no room there stays in its context, lent, until the next open.
import { add, count } from './counter';
import { CE, ECT0, ECT1, NOT_ECT } from './ecn';
import {
  COUNTER_FRAG_MALFORMED,
  COUNTER_FRAG_POOL_FULL,
  COUNTER_FRAG_REASSEMBLED,
  COUNTER_FRAG_RECEIVED,
  COUNTER_FRAG_TIMED_OUT,
  REASSEMBLED_BYTES,
  REASSEMBLY_CONTEXTS,
  REASSEMBLY_MILLISECONDS,
} from './layout';
import { carve } from './region';

const STATE: usize = 0;
const TUNNEL: usize = 4;
const FAMILY: usize = 8;
const ID: usize = 12;
const DEADLINE: usize = 16;
const TOTAL: usize = 24;
const UNITS: usize = 28;
const FRAGMENTS: usize = 32;
const END: usize = 36;
const ECN: usize = 40;
const BITMAP: usize = 64;
const BITMAP_BYTES: usize = 1024;
/** In front of a complete packet, for the headers that a TUN wants. */
const HEADROOM: usize = 32;
const PAYLOAD: usize = BITMAP + BITMAP_BYTES + HEADROOM;
const CONTEXT_BYTES: u32 = <u32>PAYLOAD + 65536;

const FREE: u32 = 0;
const OPEN: u32 = 1;
const CONDEMNED: u32 = 2;
const LENT: u32 = 3;

let pool: usize = 0;
let poolEnd: usize = 0;
let busy: u32 = 0;
// Complete packets of this batch.
let complete: usize = 0;
let completeNext: usize = 0;

// The packet that the last reassemble completed.
export let reassembledAt: usize = 0;
export let reassembledLength: u32 = 0;
export let reassembledEcn: u32 = 0;

export function initialiseReassembly(): void {
  pool = carve(REASSEMBLY_CONTEXTS * CONTEXT_BYTES);
  poolEnd = pool + REASSEMBLY_CONTEXTS * CONTEXT_BYTES;
  complete = carve(REASSEMBLED_BYTES);
  completeNext = complete;
}

function release(context: usize): void {
  store<u32>(context, FREE, STATE);
  busy--;
}

/** Takes back the buffers that the last open handed out. */
export function reclaimReassembled(): void {
  completeNext = complete;
  if (!busy) return;
  for (let c = pool; c < poolEnd; c += CONTEXT_BYTES) if (load<u32>(c, STATE) == LENT) release(c);
}

/** Gives up what is out of time; milliseconds until the next would be, or -1 where nothing waits. */
export function expireFragments(now: f64): f64 {
  let next: f64 = -1;
  if (!busy) return next;
  for (let c = pool; c < poolEnd; c += CONTEXT_BYTES) {
    const state = load<u32>(c, STATE);
    if (state != OPEN && state != CONDEMNED) continue;
    const left = load<f64>(c, DEADLINE) - now;
    if (left <= 0) {
      if (state == OPEN) count(COUNTER_FRAG_TIMED_OUT);
      release(c);
    } else if (next < 0 || left < next) next = left;
  }
  return next;
}

/** Forgets what a removed tunnel left; the packets count as given up. */
export function forgetFragments(tunnel: u32): void {
  for (let c = pool; c < poolEnd; c += CONTEXT_BYTES) {
    const state = load<u32>(c, STATE);
    if ((state != OPEN && state != CONDEMNED) || load<u32>(c, TUNNEL) != tunnel) continue;
    if (state == OPEN) count(COUNTER_FRAG_TIMED_OUT);
    release(c);
  }
}

/** The context of this packet: the one it has, a fresh one, one that is condemned anyway, or 0: none left. */
function contextOf(tunnel: u32, family: u32, id: u32, now: f64): usize {
  let fresh: usize = 0;
  for (let c = pool; c < poolEnd; c += CONTEXT_BYTES) {
    const state = load<u32>(c, STATE);
    if (state == OPEN || state == CONDEMNED) {
      if (load<u32>(c, TUNNEL) == tunnel && load<u32>(c, ID) == id && load<u32>(c, FAMILY) == family) return c;
      if (state == CONDEMNED && !fresh) fresh = c;
    } else if (state == FREE && (!fresh || load<u32>(fresh, STATE) == CONDEMNED)) fresh = c;
  }
  if (!fresh) return 0;
  if (load<u32>(fresh, STATE) == FREE) busy++;
  memory.fill(fresh, 0, BITMAP + BITMAP_BYTES);
  store<u32>(fresh, OPEN, STATE);
  store<u32>(fresh, tunnel, TUNNEL);
  store<u32>(fresh, family, FAMILY);
  store<u32>(fresh, id, ID);
  store<f64>(fresh, now + <f64>REASSEMBLY_MILLISECONDS, DEADLINE);
  return fresh;
}

/** Marks units [from, to) as received; false where one of them was already. */
function mark(context: usize, from: u32, to: u32): bool {
  for (let unit = from; unit < to; unit++) {
    const at = context + BITMAP + (unit >> 3);
    const bit: u32 = 1 << (unit & 7);
    const byte: u32 = load<u8>(at);
    if (byte & bit) return false;
    store<u8>(at, <u8>(byte | bit));
  }
  return true;
}

/** Nothing of this packet is to be believed: every fragment of it, also those to come, is dropped. */
function condemn(context: usize): bool {
  add(COUNTER_FRAG_MALFORMED, <u64>(load<u32>(context, FRAGMENTS) + 1));
  store<u32>(context, 0, FRAGMENTS);
  store<u32>(context, CONDEMNED, STATE);
  return false;
}

/** The ECN field of the whole: CE if any fragment has it; a mixture of CE and Not-ECT is a fault (RFC 3168 §5.3): -1. */
function wholeEcn(seen: u32): i32 {
  const notEct = (seen & (1 << NOT_ECT)) != 0;
  if (seen & (1 << CE)) return notEct ? -1 : CE;
  if (notEct) return NOT_ECT;
  return seen & (1 << ECT1) ? ECT1 : ECT0;
}

/** Where the complete packet of `n` bytes in `context` may lie until the next open. */
function handOut(context: usize, n: u32): usize {
  const room = (HEADROOM + n + 15) & ~15;
  if (completeNext + room > complete + REASSEMBLED_BYTES) {
    store<u32>(context, LENT, STATE);
    return context + PAYLOAD;
  }
  const at = completeNext + HEADROOM;
  completeNext += room;
  memory.copy(at, context + PAYLOAD, n);
  release(context);
  return at;
}

/**
 * Takes one fragment: `n` bytes at p that belong at `offset` of a delivery packet's payload of at most `most` bytes.
 * True: the packet is complete, see reassembled*.
 */
export function reassemble(
  tunnel: u32,
  family: u32,
  id: u32,
  offset: u32,
  more: bool,
  p: usize,
  n: u32,
  most: u32,
  ecn: u32,
  now: f64,
): bool {
  count(COUNTER_FRAG_RECEIVED);
  const context = contextOf(tunnel, family, id, now);
  if (!context) {
    count(COUNTER_FRAG_POOL_FULL);
    return false;
  }
  const end = offset + n;
  const total = load<u32>(context, TOTAL);
  if (
    load<u32>(context, STATE) == CONDEMNED ||
    n == 0 ||
    end > most ||
    (more && (n & 7) != 0) ||
    (total != 0 && (!more || end > total)) ||
    (!more && load<u32>(context, END) > end) ||
    !mark(context, offset >> 3, (end + 7) >> 3)
  )
    return condemn(context);
  memory.copy(context + PAYLOAD + offset, p, n);
  store<u32>(context, load<u32>(context, FRAGMENTS) + 1, FRAGMENTS);
  store<u32>(context, load<u32>(context, ECN) | (1 << ecn), ECN);
  if (end > load<u32>(context, END)) store<u32>(context, end, END);
  if (!more) store<u32>(context, end, TOTAL);
  const units = load<u32>(context, UNITS) + ((n + 7) >> 3);
  store<u32>(context, units, UNITS);
  const known = load<u32>(context, TOTAL);
  if (known == 0 || units != (known + 7) >> 3) return false;

  const field = wholeEcn(load<u32>(context, ECN));
  if (field < 0) {
    store<u32>(context, load<u32>(context, FRAGMENTS) - 1, FRAGMENTS); // condemn counts the last one itself
    return condemn(context);
  }
  count(COUNTER_FRAG_REASSEMBLED);
  reassembledAt = handOut(context, known);
  reassembledLength = known;
  reassembledEcn = field;
  return true;
}
