// AES keystream for whole batches from outside of WebAssembly: the optional accelerator. A processor's own AES instructions
// are out of WebAssembly's reach, but not out of node:crypto's, whose cost is per call. So the counter blocks of a whole
// batch are written into one region, one call encrypts them all, and the rest (XOR, GHASH, tags) stays here.
//
//   region   │ packet 0: block 1 │ block 2 │ … │ packet 1: block 1 │ block 2 │ …      16 bytes each
//
// Block n of a packet is its nonce, then n, big-endian (SP 800-38D §7.1; RFC 3686 §4): 1 is J0 of GCM, and AES-CTR's first.
//
// The other side (main/core/accelerator.ts) knows a key by its handle, which the key context holds; 0 is none. Where the call
// fails the blocks are encrypted here, and the key is never accelerated again. Batches below a number of blocks that was
// measured at start-up are not worth a call and take the way of aes-counter.ts. What comes out is the same on every way.
import { JOB_BYTES, JOB_LENGTH, JOB_NONCE } from '../layout';
import { carve } from '../region';
import { AES_KEY_BYTES, aesEncrypt8, aesHandle, aesInstall, aesSetHandle } from './aes';

/** Encrypts `bytes` bytes at `at` in place under the key that `handle` names. 0: it did not. */
@external('env', 'encryptBlocks')
declare function encryptBlocks(handle: u32, at: usize, bytes: u32): u32;

/** The longest packet (65,535 bytes and J0), or 64 of 1,500 bytes. */
const REGION_BLOCKS: i32 = 6144;
/** Packets of one batch here; aes-gcm.ts hashes sixteen at a time. */
const MOST_PACKETS: i32 = 64;

let region: usize = 0;
/** A key of zeros, for the measurement. */
let trial: usize = 0;
let leastBlocks: i32 = i32.MAX_VALUE;
/** Blocks in the region that hold, or held, a keystream: eights, since encryptHere makes whole eights. */
let written: i32 = 0;
@lazy
const STARTS: usize = memory.data(256, 16);

/** Batches of `least` blocks and more are accelerated from now on. The first call lays the region out. */
export function configureAccelerator(least: i32): void {
  if (!region) region = carve(16 * REGION_BLOCKS + 128);
  leastBlocks = least;
}

/** Where `blocks` blocks lie that aesStreamTrial encrypts; its key is zero. The region, for measuring both ways. */
export function acceleratorRegion(): usize {
  return region;
}

export function acceleratorTrial(blocks: i32): void {
  if (!trial) {
    trial = carve(AES_KEY_BYTES);
    aesInstall(trial, region, 16);
  }
  encryptHere(trial, blocks);
}

/** Same groups as aes-counter.ts: four at a time go through the rounds together. */
function encryptHere(aes: usize, blocks: i32): void {
  let at = region;
  for (; blocks > 0; blocks -= 32) {
    const groups = (min(blocks, 32) + 7) >> 3;
    aesEncrypt8(aes, at, groups);
    at += 128 * groups;
  }
}

/** Forgets the last batch's keystream. */
export function aesStreamForget(): void {
  if (written) memory.fill(region, 0, 16 * written);
  written = 0;
}

@inline
function blocksOf(job: usize): i32 {
  return 1 + ((load<i32>(job, JOB_LENGTH) + 15) >>> 4);
}

/**
 * Makes the keystream of the first jobs, as many as fit (aesStreamAt says where). Returns how many; 0 where the key has no
 * accelerator or they are too few to be worth it.
 */
export function aesStreamMake(aes: usize, jobs: usize, count: i32): i32 {
  const handle = aesHandle(aes);
  if (!handle) return 0;
  let blocks = 0;
  let taken = 0;
  const most = min(count, MOST_PACKETS);
  for (; taken < most; taken++) {
    const more = blocksOf(jobs + JOB_BYTES * taken);
    if (blocks + more > REGION_BLOCKS) break;
    blocks += more;
  }
  if (blocks < leastBlocks) return 0;
  let at = region;
  for (let i = 0; i < taken; i++) {
    store<u32>(STARTS + 4 * i, at);
    at = counterBlocks(at, load<u32>(jobs, JOB_NONCE), blocksOf(jobs));
    jobs += JOB_BYTES;
  }
  written = max(written, (blocks + 7) & ~7);
  if (!encryptBlocks(handle, region, 16 * blocks)) {
    aesSetHandle(aes, 0);
    encryptHere(aes, blocks);
  }
  return taken;
}

/** Keystream of packet `i` of the last batch, from block 1 on. */
@inline
export function aesStreamAt(i: i32): usize {
  return load<u32>(STARTS + 4 * i);
}

/** Blocks 1 to `blocks` of a packet; returns where they end. */
function counterBlocks(at: usize, nonce: usize, blocks: i32): usize {
  const head = i32x4(load<i32>(nonce, 0), load<i32>(nonce, 4), load<i32>(nonce, 8), 0);
  // The counter's last byte is the register's, so adding this counts up to 255 without a carry.
  const one = i32x4(0, 0, 0, 0x01000000);
  const last: u32 = blocks + 1;
  for (let counter: u32 = 1; counter < last; ) {
    let block = i32x4.replace_lane(head, 3, bswap<u32>(counter));
    const until = min<u32>((counter | 255) + 1, last);
    for (; counter < until; counter++) {
      v128.store(at, block);
      block = i32x4.add(block, one);
      at += 16;
    }
  }
  return at;
}
