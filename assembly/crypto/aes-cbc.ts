// AES-CBC (RFC 3602; NIST SP 800-38A §6.2) for batches of packets under one key. A job's data is preceded by its IV of 16
// bytes; data are whole blocks. Constant time.
//
// Encryption is a chain: no block of a packet can begin before the one in front of it is done. So up to 32 packets go side by
// side, a block of each at a time, and a packet that ends makes room for the next one.
//
//   lane 0   │ packet 0, block i │      The lanes in use are always the first ones: where no packet is left to take over,
//   lane 1   │ packet 1, block j │      the last lane moves into the free place, and groups of eight lanes without a
//   …                               packet are left out.
//
// Where hardly any packet is left, each goes on by itself (aes-serial.ts).
//
// The IV must be unpredictable (RFC 3602 §3), and never repeats here: it is the forward cipher applied to a nonce (SP 800-38A
// App. C, first method), which is the SA's 64-bit sequence number behind eight zero bytes. The caller puts the nonce where
// the IV belongs, and it becomes the chain's first block.
//
// Decryption has no chain: 32 blocks at once, from whatever packets are there.
import { JOB_BYTES, JOB_DATA, JOB_LENGTH, JOB_OK } from '../layout';
import { AES_KEY_BYTES, aesEncrypt8, aesInstall } from './aes';
import { aesDecrypt8 } from './aes-inverse';
import { AES_SERIAL_KEY_BYTES, aesSerialChain, aesSerialInstall } from './aes-serial';

/** Where the key for chains by themselves lies. */
const SERIAL: usize = AES_KEY_BYTES;
export const AES_CBC_KEY_BYTES: i32 = AES_KEY_BYTES + AES_SERIAL_KEY_BYTES;

const LANES: i32 = 32;
/** So many packets are done sooner one after the other. */
const FEW: i32 = 3;
/** Eight blocks or planes. */
const GROUP_LANES: i32 = 8;

/** The lanes' blocks, chained from one to the next; when decrypting, the blocks to decrypt. */
@lazy
const BLOCKS: usize = memory.data(512, 16);
/** The ciphertext in front of each block to decrypt. */
@lazy
const BEFORE: usize = memory.data(512, 16);
/** Of each lane: address of the next block, and of the packet's end. When decrypting: where the plaintext goes. */
@lazy
const CURSORS: usize = memory.data(256, 16);

export function aesCbcInstall(key: usize, secret: usize, secretLength: i32): void {
  aesInstall(key, secret, secretLength);
  aesSerialInstall(key + SERIAL, key);
}

@inline
function begin(lane: i32, job: usize): void {
  const data = load<u32>(job, JOB_DATA);
  store<u32>(CURSORS + 8 * lane, data - 16, 0);
  store<u32>(CURSORS + 8 * lane, data + load<u32>(job, JOB_LENGTH), 4);
  v128.store(BLOCKS + 16 * lane, i64x2.splat(0));
}

/** Makes an IV of the nonce in front of each job's data, and encrypts the data, in place. */
export function aesCbcEncrypt(key: usize, jobs: usize, count: i32): void {
  let taken = min(count, LANES);
  let active = taken;
  for (let lane = 0; lane < active; lane++) begin(lane, jobs + JOB_BYTES * lane);
  while (active > FEW || taken < count) {
    for (let lane = 0; lane < active; lane++) {
      const block = BLOCKS + 16 * lane;
      v128.store(block, v128.xor(v128.load(block), v128.load(load<u32>(CURSORS + 8 * lane))));
    }
    aesEncrypt8(key, BLOCKS, (active + GROUP_LANES - 1) / GROUP_LANES);
    // Downwards, so that the lane moved into a free place has had its turn.
    for (let lane = active - 1; lane >= 0; lane--) {
      const cursor = CURSORS + 8 * lane;
      const at: usize = load<u32>(cursor);
      v128.store(at, v128.load(BLOCKS + 16 * lane));
      store<u32>(cursor, <u32>at + 16);
      if (<u32>at + 16 < load<u32>(cursor, 4)) continue;
      if (taken < count) begin(lane, jobs + JOB_BYTES * taken++);
      else {
        active--;
        v128.store(BLOCKS + 16 * lane, v128.load(BLOCKS + 16 * active));
        store<u64>(cursor, load<u64>(CURSORS + 8 * active));
      }
    }
  }
  for (let lane = 0; lane < active; lane++) {
    const cursor = CURSORS + 8 * lane;
    aesSerialChain(key + SERIAL, BLOCKS + 16 * lane, load<u32>(cursor), load<u32>(cursor, 4));
  }
}

let waiting: i32 = 0;

function flush(key: usize): void {
  if (waiting == 0) return;
  aesDecrypt8(key, BLOCKS, (waiting + GROUP_LANES - 1) / GROUP_LANES);
  for (let i = 0; i < waiting; i++) {
    const plain = v128.xor(v128.load(BLOCKS + 16 * i), v128.load(BEFORE + 16 * i));
    v128.store(load<u32>(CURSORS + 4 * i), plain);
  }
  waiting = 0;
}

/** Decrypts, in place, the data of the jobs whose JOB_OK is 1. */
export function aesCbcDecrypt(key: usize, jobs: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const job = jobs + JOB_BYTES * i;
    if (!load<u32>(job, JOB_OK)) continue;
    const data: usize = load<u32>(job, JOB_DATA);
    const end = data + load<u32>(job, JOB_LENGTH);
    // Kept from block to block, since decrypting overwrites it.
    let before = v128.load(data - 16);
    for (let at = data; at < end; at += 16) {
      const block = v128.load(at);
      v128.store(BLOCKS + 16 * waiting, block);
      v128.store(BEFORE + 16 * waiting, before);
      store<u32>(CURSORS + 4 * waiting, <u32>at);
      before = block;
      if (++waiting == LANES) flush(key);
    }
  }
  flush(key);
  // Plaintext.
  memory.fill(BLOCKS, 0, 512);
}
