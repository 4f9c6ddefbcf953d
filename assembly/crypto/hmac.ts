// HMAC (RFC 2104) with SHA-1 and SHA-2, truncated as ESP wants it (RFC 2404 §2, RFC 4868 §2.3), for batches of texts under one
// key. Constant time in everything but the texts' lengths.
//
//   H((K + opad) ‖ H((K + ipad) ‖ text))
//
// The states behind K + ipad and K + opad are computed once per key. The texts of a batch go side by side through as many
// lanes as the hash has, a block of each at a time; a text that ends gets its outer hash in the same lane, and then the next
// text takes the lane over. So texts of any lengths keep the lanes full, but for the last ones. One text alone has SHA-256 for one.
//
//   A text of ESP is (RFC 4303 §2.8, §3.3.2.1)   │ SPI │ sequence number │ IV │ ciphertext │ upper half of the sequence number │
//   which but for the last part (ESN only) lies in one piece in front of the ICV.
//
//   key │ hash u32 │ ICV bytes u32 │ inner: 64 bytes │ outer: 64 bytes │     words in the processor's order
import {
  INTEGRITY_HMAC_SHA1_96,
  INTEGRITY_HMAC_SHA2_256_128,
  INTEGRITY_HMAC_SHA2_384_192,
  JOB_BYTES,
  JOB_DATA,
  JOB_ESN,
  JOB_LENGTH,
} from '../layout';
import { sha1Begin, sha1Compress, sha1Wipe } from './sha1';
import { sha256Begin, sha256Compress, sha256CompressOne, sha256Wipe } from './sha256';
import { sha384Begin, sha512Begin, sha512Compress, sha512Wipe } from './sha512';

const HASH: usize = 0;
const ICV: usize = 4;
const INNER: usize = 16;
const OUTER: usize = 80;
export const HMAC_KEY_BYTES: i32 = 144;

/** The longest ICV. */
export const HMAC_MOST_ICV: i32 = 32;

const STATE_BYTES: i32 = 128;
@lazy
const STATE: usize = memory.data(STATE_BYTES, 16);

// What a lane has before it: whole blocks of its text, then its end, which lies in END: one or two blocks.
const LANE_BYTES: i32 = 32;
const NEXT: usize = 0; // u32, the next block
const WHOLE: usize = 4; // u32, blocks that lie in the text itself
const ENDING: usize = 8; // u32, blocks in END
const JOB: usize = 12; // u32, number of the job; IDLE: none
const IS_OUTER: usize = 16; // u32
const IDLE: u32 = 0xffffffff;
@lazy
const LANES: usize = memory.data(128, 16);
/** The padded end of each lane's text: 256 bytes a lane. */
const END_BYTES: i32 = 256;
@lazy
const END: usize = memory.data(1024, 16);

function isLong(hash: u32): bool {
  return hash != INTEGRITY_HMAC_SHA1_96 && hash != INTEGRITY_HMAC_SHA2_256_128;
}

@inline
function icvBytes(hash: u32): u32 {
  if (hash == INTEGRITY_HMAC_SHA1_96) return 12;
  if (hash == INTEGRITY_HMAC_SHA2_256_128) return 16;
  return hash == INTEGRITY_HMAC_SHA2_384_192 ? 24 : 32;
}

@inline
function digestBytes(hash: u32): u32 {
  if (hash == INTEGRITY_HMAC_SHA1_96) return 20;
  if (hash == INTEGRITY_HMAC_SHA2_256_128) return 32;
  return hash == INTEGRITY_HMAC_SHA2_384_192 ? 48 : 64;
}

/** Bytes of the ICV of a key. */
export function hmacIcvBytes(hmac: usize): i32 {
  return load<u32>(hmac, ICV);
}

function begin(hash: u32): void {
  if (hash == INTEGRITY_HMAC_SHA1_96) {
    memory.fill(STATE, 0, STATE_BYTES);
    sha1Begin(STATE);
  } else if (hash == INTEGRITY_HMAC_SHA2_256_128) sha256Begin(STATE);
  else if (hash == INTEGRITY_HMAC_SHA2_384_192) sha384Begin(STATE);
  else sha512Begin(STATE);
}

function compress(hash: u32, block0: usize, block1: usize, block2: usize, block3: usize): void {
  if (hash == INTEGRITY_HMAC_SHA1_96) sha1Compress(STATE, block0, block1, block2, block3);
  else if (hash == INTEGRITY_HMAC_SHA2_256_128) sha256Compress(STATE, block0, block1, block2, block3);
  else sha512Compress(STATE, block0, block1);
}

/** Lane `lane` of the state into the eight words at `to`, and back. */
function saveLane(long: bool, lane: i32, to: usize): void {
  if (long) for (let i = 0; i < 8; i++) store<u64>(to + 8 * i, load<u64>(STATE + 16 * i + 8 * lane));
  else for (let i = 0; i < 8; i++) store<u32>(to + 4 * i, load<u32>(STATE + 16 * i + 4 * lane));
}

function loadLane(long: bool, lane: i32, from: usize): void {
  if (long) for (let i = 0; i < 8; i++) store<u64>(STATE + 16 * i + 8 * lane, load<u64>(from + 8 * i));
  else for (let i = 0; i < 8; i++) store<u32>(STATE + 16 * i + 4 * lane, load<u32>(from + 4 * i));
}

/** Lane `lane` of the state as bytes, big-endian: the digest. */
function writeDigest(long: bool, lane: i32, to: usize): void {
  if (long) for (let i = 0; i < 8; i++) store<u64>(to + 8 * i, bswap<u64>(load<u64>(STATE + 16 * i + 8 * lane)));
  else for (let i = 0; i < 8; i++) store<u32>(to + 4 * i, bswap<u32>(load<u32>(STATE + 16 * i + 4 * lane)));
}

/** Prepares a key of at most a block (64 bytes, 128 for SHA-384 and SHA-512); ESP's are 20, 32, 48 or 64 bytes long. */
export function hmacInstall(hmac: usize, hash: u32, key: usize, keyLength: i32): void {
  const long = isLong(hash);
  const block = long ? 128 : 64;
  store<u32>(hmac, hash, HASH);
  store<u32>(hmac, icvBytes(hash), ICV);
  for (let outer = 0; outer < 2; outer++) {
    memory.fill(END, 0, block);
    memory.copy(END, key, keyLength);
    const pad = i8x16.splat(outer ? 0x5c : 0x36);
    for (let i = 0; i < block; i += 16) v128.store(END + i, v128.xor(v128.load(END + i), pad));
    begin(hash);
    compress(hash, END, END, END, END);
    saveLane(long, 0, hmac + (outer ? OUTER : INNER));
  }
  memory.fill(END, 0, block);
  memory.fill(STATE, 0, STATE_BYTES);
  wipeSchedule(hash);
}

function wipeSchedule(hash: u32): void {
  if (hash == INTEGRITY_HMAC_SHA1_96) sha1Wipe();
  else if (hash == INTEGRITY_HMAC_SHA2_256_128) sha256Wipe();
  else sha512Wipe();
}

/**
 * Pads (FIPS 180-4 §5.1) the `n` bytes at the beginning of the lane's END, `total` being what was hashed, K + pad included.
 * Returns the number of blocks.
 */
function pad(end: usize, n: u32, total: u32, block: u32): u32 {
  const least = n + 1 + (block >> 3);
  const bytes = least > block ? 2 * block : block;
  store<u8>(end + n, 0x80);
  memory.fill(end + n + 1, 0, bytes - n - 1);
  // A text has fewer than 2^29 bytes: 32 bits hold the number of bits.
  store<u32>(end + bytes - 4, bswap<u32>(total << 3));
  return bytes / block;
}

/** Gives a lane the inner hash of a job whose text begins `head` bytes before its data. */
function beginText(hmac: usize, long: bool, lane: i32, job: usize, number: u32, head: u32): void {
  const block: u32 = long ? 128 : 64;
  const shift: u32 = long ? 7 : 6;
  const text: u32 = load<u32>(job, JOB_DATA) - head;
  const length: u32 = load<u32>(job, JOB_LENGTH) + head;
  const whole = length >> shift;
  const entry = LANES + LANE_BYTES * lane;
  const end = END + END_BYTES * lane;
  let n = length & (block - 1);
  memory.copy(end, text + (whole << shift), n);
  const esn = load<u32>(job, JOB_ESN);
  let total = block + length;
  if (esn) {
    store<u32>(end + n, load<u32>(esn));
    n += 4;
    total += 4;
  }
  store<u32>(entry, whole ? text : <u32>end, NEXT);
  store<u32>(entry, whole, WHOLE);
  // Four more bytes may fill the block: padding then begins with the next one.
  store<u32>(entry, n >= block ? padBeyond(end, n, total, block) : pad(end, n, total, block), ENDING);
  store<u32>(entry, number, JOB);
  store<u32>(entry, 0, IS_OUTER);
  loadLane(long, lane, hmac + INNER);
}

/** As `pad`, where the `n` bytes fill one block or more. */
function padBeyond(end: usize, n: u32, total: u32, block: u32): u32 {
  return 1 + pad(end + block, n - block, total, block);
}

/** Gives a lane that has its inner hash the outer one. */
function beginOuter(hmac: usize, long: bool, lane: i32): void {
  const entry = LANES + LANE_BYTES * lane;
  const end = END + END_BYTES * lane;
  const digest = digestBytes(load<u32>(hmac, HASH));
  const block: u32 = long ? 128 : 64;
  writeDigest(long, lane, end);
  store<u32>(entry, <u32>end, NEXT);
  store<u32>(entry, 0, WHOLE);
  store<u32>(entry, pad(end, digest, block + digest, block), ENDING);
  store<u32>(entry, 1, IS_OUTER);
  loadLane(long, lane, hmac + OUTER);
}

/** The lane's next block; an idle lane hashes what lies in its END, for nothing. */
@inline
function nextBlock(lane: i32, block: u32): usize {
  const entry = LANES + LANE_BYTES * lane;
  if (load<u32>(entry, JOB) == IDLE) return END + END_BYTES * lane;
  const at = load<u32>(entry, NEXT);
  const whole = load<u32>(entry, WHOLE);
  if (whole) {
    store<u32>(entry, whole - 1, WHOLE);
    // After the last block of the text itself comes its end.
    store<u32>(entry, whole == 1 ? <u32>END + END_BYTES * lane : at + block, NEXT);
    return at;
  }
  store<u32>(entry, load<u32>(entry, ENDING) - 1, ENDING);
  store<u32>(entry, at + block, NEXT);
  return at;
}

/** The ICVs of `count` jobs, HMAC_MOST_ICV bytes apart at `out`. A job's text begins `head` bytes before its data. */
export function hmacTags(hmac: usize, jobs: usize, count: i32, head: i32, out: usize): void {
  const hash = load<u32>(hmac, HASH);
  const long = isLong(hash);
  const lanes: i32 = long ? 2 : 4;
  const block: u32 = long ? 128 : 64;
  let taken = 0;
  let left = count;
  for (let lane = 0; lane < lanes; lane++) {
    if (taken < count) {
      beginText(hmac, long, lane, jobs + JOB_BYTES * taken, taken, head);
      taken++;
    } else store<u32>(LANES + LANE_BYTES * lane, IDLE, JOB);
  }
  const alone = count == 1 && hash == INTEGRITY_HMAC_SHA2_256_128;
  while (left > 0) {
    const block0 = nextBlock(0, block);
    const block1 = nextBlock(1, block);
    if (alone) sha256CompressOne(STATE, block0);
    else if (long) sha512Compress(STATE, block0, block1);
    else compress(hash, block0, block1, nextBlock(2, block), nextBlock(3, block));
    for (let lane = 0; lane < lanes; lane++) {
      const entry = LANES + LANE_BYTES * lane;
      if (load<u32>(entry, JOB) == IDLE || load<u32>(entry, WHOLE) != 0 || load<u32>(entry, ENDING) != 0) continue;
      if (!load<u32>(entry, IS_OUTER)) {
        beginOuter(hmac, long, lane);
        continue;
      }
      const end = END + END_BYTES * lane;
      writeDigest(long, lane, end);
      const tag = out + HMAC_MOST_ICV * load<u32>(entry, JOB);
      v128.store(tag, v128.load(end), 0);
      v128.store(tag, v128.load(end, 16), 16);
      left--;
      if (taken < count) {
        beginText(hmac, long, lane, jobs + JOB_BYTES * taken, taken, head);
          taken++;
      } else store<u32>(entry, IDLE, JOB);
    }
  }
}
