// Datagrams → inner packets (RFC 4303 §3.4). For each input, in order:
//
//   1. keepalive, IKE, raw outer header      inKeepalives, inIke, inBadOuter, inTooShort, inTruncated
//   2. the SA of the SPI                     inUnknownSpi, inParked, inParkOverflow
//   3. length and alignment                  inTooShort, inBadAlignment
//   4. sequence number against the window    inReplayOld, inReplayDuplicate
//   5. hard limits                           inHardLimit
//   6. ICV, decryption, in batches of one SA inAuthFailed
//   7. sequence number again, then marked    inReplayDuplicate (twice in one batch), inReplayOld
//   8. padding, next header                  inDummies, inBadPadding, inBadNextHeader
//   9. what is inside                        decapsulate.ts
//
// Nothing behind step 6 looks at a byte that was not authenticated.
import { count } from './counter';
import { transformOpen } from './crypto/transform';
import { decapsulateEsp, decapsulateGre, startDecapsulation } from './decapsulate';
import { ECN_MASK } from './ecn';
import {
  AUX_GRE,
  AUX_RAW4,
  AUX_TOS_MASK,
  AUX_UDP,
  COUNTER_IN_AUTH_FAILED,
  COUNTER_IN_BAD_ALIGNMENT,
  COUNTER_IN_BAD_OUTER,
  COUNTER_IN_BAD_PADDING,
  COUNTER_IN_DELIVERY_ADDRESS,
  COUNTER_IN_DUMMIES,
  COUNTER_IN_HARD_LIMIT,
  COUNTER_IN_IKE,
  COUNTER_IN_KEEPALIVES,
  COUNTER_IN_NO_TUNNEL,
  COUNTER_IN_REPLAY_DUPLICATE,
  COUNTER_IN_REPLAY_OLD,
  COUNTER_IN_TOO_SHORT,
  COUNTER_IN_TRUNCATED,
  COUNTER_IN_UNKNOWN_SPI,
  DESC_AUX,
  DESC_BYTES,
  DESC_CAPACITY,
  DESC_LENGTH,
  DESC_OFFSET,
  GRE_KEY,
  IN_DESC,
  JOB_AAD,
  JOB_AAD_LENGTH,
  JOB_BYTES,
  JOB_DATA,
  JOB_ESN,
  JOB_LENGTH,
  JOB_NONCE,
  JOB_OK,
  JOB_TAG,
  RESULT,
  RESULT_KEPT,
  SHAPE_GRE_PLAIN,
  TUNNELS,
  TUNNEL_DELIVERY_FAMILY,
  TUNNEL_DELIVERY_LOCAL,
  TUNNEL_DELIVERY_REMOTE,
  TUNNEL_GRE_FLAGS,
  TUNNEL_GRE_KEY,
} from './layout';
import { finishMerging, startMerging } from './merge';
import { addSide, startOutputs, writeResult } from './output';
import { park } from './park';
import { expireFragments, reclaimReassembled } from './reassembly';
import { carve } from './region';
import { REPLAY_DUPLICATE, REPLAY_NEW, replayCheck, replayInfer, replayMark } from './replay';
import {
  findInbound,
  inboundSa,
  lookAtSoftLimits,
  saAlignment,
  saContext,
  saEsn,
  saIcv,
  saIv,
  saSalt,
  saTunnel,
  saWindow,
  use,
  withinLimits,
} from './sa';
import { tunnelBlock, tunnelShape, tunnelUsed } from './tunnel';
import { ESP_HEADER, ESP_SEQUENCE, ESP_SHORTEST, readTrailer } from './wire/esp';
import {
  IP4_MF,
  IP4_OFFSET,
  IP4_PROTOCOL,
  IP4_SOURCE,
  IP4_TARGET,
  IP4_TOS,
  ip4Fragment,
  ip4HeaderLength,
  ip4Total,
  ip4Valid,
} from './wire/ip4';
import { PROTOCOL_ESP, PROTOCOL_GRE, PROTOCOL_NONE } from './wire/protocol';

const JOBS: u32 = 64;
// Per job: nonce (12) at 0, additional data (8 or 12) at 16, then what is needed afterwards.
const NOTE_SEQUENCE: usize = 32; // u64
const NOTE_TOS: usize = 40;
const NOTE_START: usize = 44;
const NOTE_END: usize = 48;
const NOTES_BYTES: u32 = 64;

let jobs: usize = 0;
let notes: usize = 0;
let jobCount: u32 = 0;
let jobSlot: u32 = 0;
let time: f64 = 0;

export function initialiseOpening(): void {
  jobs = carve(JOBS * JOB_BYTES);
  notes = carve(JOBS * NOTES_BYTES);
}

function countReplay(state: i32): void {
  count(state == REPLAY_DUPLICATE ? COUNTER_IN_REPLAY_DUPLICATE : COUNTER_IN_REPLAY_OLD);
}

/** Steps 2 to 5: `n` bytes at p that start with an SPI; the input's own bytes are [start, end). */
function takeEsp(p: usize, n: u32, tos: u32, start: usize, end: usize): void {
  if (n < ESP_SHORTEST) {
    count(COUNTER_IN_TOO_SHORT);
    return;
  }
  const spi = bswap<u32>(load<u32>(p));
  const slot = findInbound(spi);
  if (slot < 0) {
    if (!park(spi, p, n, tos)) count(COUNTER_IN_UNKNOWN_SPI);
    return;
  }
  const sa = inboundSa(slot);
  const body = <u32>p + ESP_HEADER + saIv(sa);
  const around = body - <u32>p + saIcv(sa);
  const alignment = saAlignment(sa);
  if (n < around + alignment) {
    count(COUNTER_IN_TOO_SHORT);
    return;
  }
  const ciphertext = n - around;
  if (ciphertext & (alignment - 1)) {
    count(COUNTER_IN_BAD_ALIGNMENT);
    return;
  }
  if (jobCount == JOBS || <u32>slot != jobSlot) openJobs();
  jobSlot = slot;
  const esn = saEsn(sa);
  const low = bswap<u32>(load<u32>(p, ESP_SEQUENCE));
  const sequence: u64 = esn ? replayInfer(saWindow(sa), low) : <u64>low;
  const state = replayCheck(saWindow(sa), sequence);
  if (state != REPLAY_NEW) {
    countReplay(state);
    return;
  }
  if (!withinLimits(sa, 1, ciphertext)) {
    count(COUNTER_IN_HARD_LIMIT);
    return;
  }

  const note = notes + jobCount * NOTES_BYTES;
  store<u32>(note, saSalt(sa));
  // The IV as AEADs and AES-CTR want it in their nonce.
  store<u64>(note, load<u64>(body - 8), 4);
  store<u32>(note, load<u32>(p), 16);
  if (esn) {
    store<u32>(note, bswap<u32>(<u32>(sequence >> 32)), 20);
    store<u32>(note, bswap<u32>(low), 24);
  } else store<u32>(note, bswap<u32>(low), 20);
  store<u64>(note, sequence, NOTE_SEQUENCE);
  store<u32>(note, tos, NOTE_TOS);
  store<u32>(note, <u32>start, NOTE_START);
  store<u32>(note, <u32>end, NOTE_END);

  const job = jobs + jobCount * JOB_BYTES;
  store<u32>(job, body, JOB_DATA);
  store<u32>(job, ciphertext, JOB_LENGTH);
  store<u32>(job, <u32>note + 16, JOB_AAD);
  store<u32>(job, esn ? 12 : 8, JOB_AAD_LENGTH);
  store<u32>(job, <u32>note, JOB_NONCE);
  store<u32>(job, body + ciphertext, JOB_TAG);
  store<u32>(job, esn ? <u32>note + 20 : 0, JOB_ESN);
  store<u32>(job, 0, JOB_OK);
  jobCount++;
}

/** Steps 6 to 9 for what waits. */
function openJobs(): void {
  if (!jobCount) return;
  const sa = inboundSa(jobSlot);
  transformOpen(saContext(sa), jobs, jobCount);
  for (let i: u32 = 0; i < jobCount; i++) finishJob(sa, jobs + i * JOB_BYTES, notes + i * NOTES_BYTES);
  jobCount = 0;
  lookAtSoftLimits(sa);
}

function finishJob(sa: usize, job: usize, note: usize): void {
  if (!load<u32>(job, JOB_OK)) {
    count(COUNTER_IN_AUTH_FAILED);
    return;
  }
  const n = load<u32>(job, JOB_LENGTH);
  const state = replayMark(saWindow(sa), load<u64>(note, NOTE_SEQUENCE));
  if (state != REPLAY_NEW) {
    countReplay(state);
    return;
  }
  if (!withinLimits(sa, 1, n)) {
    count(COUNTER_IN_HARD_LIMIT);
    return;
  }
  use(sa, n);
  const p = <usize>load<u32>(job, JOB_DATA);
  const next: u32 = load<u8>(p + n - 1);
  // RFC 4303 §2.6: a dummy's plaintext need not be well-formed.
  if (next == PROTOCOL_NONE) {
    count(COUNTER_IN_DUMMIES);
    return;
  }
  const payload = readTrailer(p, n);
  if (payload < 0) {
    count(COUNTER_IN_BAD_PADDING);
    return;
  }
  startDecapsulation(saTunnel(sa), jobSlot, load<u32>(note, NOTE_START), load<u32>(note, NOTE_END), time);
  decapsulateEsp(p, payload, next, load<u32>(note, NOTE_TOS) & ECN_MASK);
}

/** The plain GRE tunnel that this packet's key names: the first one where none is; -1: there is no such tunnel. */
function choosePlain(p: usize, n: u32): i32 {
  const flags: u32 = n >= 4 ? <u32>bswap<u16>(load<u16>(p)) : 0;
  const at: u32 = flags & 0x8000 ? 8 : 4;
  const keyed = (flags & GRE_KEY) != 0 && n >= at + 4;
  const key = keyed ? bswap<u32>(load<u32>(p + at)) : 0;
  let some: i32 = -1;
  for (let tunnel: u32 = 0; tunnel < <u32>TUNNELS; tunnel++) {
    if (!tunnelUsed(tunnel) || tunnelShape(tunnel) != SHAPE_GRE_PLAIN) continue;
    if (some < 0) some = tunnel;
    const block = tunnelBlock(tunnel);
    const wanted = (load<u32>(block, TUNNEL_GRE_FLAGS) & GRE_KEY) != 0;
    if (wanted == keyed && (!keyed || load<u32>(block, TUNNEL_GRE_KEY) == key)) return tunnel;
  }
  // Malformed ones, too, must land somewhere: the first tunnel's checks name the fault.
  return some;
}

/** Plain GRE; `outer` is its IPv4 header or 0. */
function takeGre(p: usize, n: u32, tos: u32, outer: usize, start: usize, end: usize): void {
  openJobs(); // packets keep their order
  const tunnel = choosePlain(p, n);
  if (tunnel < 0) {
    count(COUNTER_IN_NO_TUNNEL);
    return;
  }
  const block = tunnelBlock(tunnel);
  if (
    outer &&
    load<u32>(block, TUNNEL_DELIVERY_FAMILY) == 4 &&
    (load<u32>(outer, IP4_SOURCE) != load<u32>(block, TUNNEL_DELIVERY_REMOTE) ||
      load<u32>(outer, IP4_TARGET) != load<u32>(block, TUNNEL_DELIVERY_LOCAL))
  ) {
    count(COUNTER_IN_DELIVERY_ADDRESS);
    return;
  }
  startDecapsulation(tunnel, 0, start, end, time);
  decapsulateGre(p, n, tos & ECN_MASK);
}

/** Step 1. */
function openInput(entry: usize): void {
  const start = <usize>load<u32>(entry, DESC_OFFSET);
  const capacity = load<u32>(entry, DESC_CAPACITY);
  let n = load<u32>(entry, DESC_LENGTH);
  const aux = load<u32>(entry, DESC_AUX);
  if (capacity != 0 && n > capacity) {
    count(COUNTER_IN_TRUNCATED);
    return;
  }
  const end = start + max(capacity, n);
  let p = start;
  let tos = aux & AUX_TOS_MASK;
  if (aux & AUX_UDP) {
    if (n == 1 && load<u8>(p) == 0xff) {
      count(COUNTER_IN_KEEPALIVES);
      return;
    }
    if (n > 4 && load<u32>(p) == 0) {
      count(COUNTER_IN_IKE);
      addSide(p + 4, n - 4, aux);
      return;
    }
  }
  const gre = (aux & AUX_GRE) != 0;
  let outer: usize = 0;
  if (aux & AUX_RAW4) {
    if (
      !ip4Valid(p, n) ||
      load<u8>(p, IP4_PROTOCOL) != <u8>(gre ? PROTOCOL_GRE : PROTOCOL_ESP) ||
      ip4Fragment(p) & (IP4_OFFSET | IP4_MF)
    ) {
      count(COUNTER_IN_BAD_OUTER);
      return;
    }
    outer = p;
    tos = load<u8>(p, IP4_TOS);
    const header = ip4HeaderLength(p);
    n = ip4Total(p) - header;
    p += header;
  }
  if (gre) takeGre(p, n, tos, outer, start, end);
  else takeEsp(p, n, tos, start, end);
}

/** `keep`: what still grows may wait for the next call (merge.ts). */
export function open(inputs: u32, now: f64, keep: bool): void {
  reclaimReassembled();
  expireFragments(now);
  startOutputs();
  startMerging();
  time = now;
  for (let i: u32 = 0; i < inputs; i++) openInput(IN_DESC + i * DESC_BYTES);
  openJobs();
  store<u32>(RESULT, finishMerging(keep), RESULT_KEPT);
  writeResult(inputs);
}
