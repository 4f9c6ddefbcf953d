// AES-CTR as ESP uses it (RFC 3686 §2.1, §4), for batches of packets under one key. Constant time.
//
//   counter block   │ nonce (4) │ IV (8) │ block counter (4), from 1 │
//
// That is how GCM counts as well, but that block 1 is for GCM's tag: so what makes GCM's keystream (aes-counter.ts) makes this
// one. Jobs are as those of an AEAD: JOB_NONCE is the SA's nonce and then the IV.
import { JOB_BYTES, JOB_DATA, JOB_LENGTH, JOB_NONCE, JOB_OK } from '../layout';
import {
  AES_COUNTER_KEY_BYTES,
  aesCounterApply,
  aesCounterBegin,
  aesCounterFlush,
  aesCounterInstall,
  aesCounterNonce,
} from './aes-counter';
import { aesStreamAt, aesStreamMake } from './aes-stream';
import { addMask } from './block';

export const AES_CTR_KEY_BYTES: i32 = AES_COUNTER_KEY_BYTES;

/** Packets that aes-counter.ts takes at once. */
const GROUP: i32 = 16;
/** The keystream of their first blocks. */
@lazy
const FIRST: usize = memory.data(256, 16);

export function aesCtrInstall(key: usize, secret: usize, secretLength: i32): void {
  aesCounterInstall(key, secret, secretLength);
}

/** Adds the keystream to the data of every job, or with `verified` only of those whose JOB_OK is 1, in place. */
export function aesCtrApply(key: usize, jobs: usize, count: i32, verified: bool): void {
  while (count > 0) {
    const streamed = aesStreamMake(key, jobs, count);
    for (let i = 0; i < streamed; i++) {
      if (!verified || load<u32>(jobs, JOB_OK)) {
        addMask(load<u32>(jobs, JOB_DATA), aesStreamAt(i), load<i32>(jobs, JOB_LENGTH));
      }
      jobs += JOB_BYTES;
    }
    count -= streamed;
    if (streamed > 0) continue;
    const here = min(count, GROUP);
    for (let i = 0; i < here; i++) aesCounterNonce(i, load<u32>(jobs + JOB_BYTES * i, JOB_NONCE));
    aesCounterBegin(key, FIRST, here);
    for (let i = 0; i < here; i++) {
      if (!verified || load<u32>(jobs, JOB_OK)) {
        const data: usize = load<u32>(jobs, JOB_DATA);
        const length = load<i32>(jobs, JOB_LENGTH);
        addMask(data, FIRST + 16 * i, min(length, 16));
        if (length > 16) aesCounterApply(key, i, load<u32>(jobs, JOB_NONCE), data + 16, length - 16);
      }
      jobs += JOB_BYTES;
    }
    aesCounterFlush(key);
    count -= here;
  }
  memory.fill(FIRST, 0, 256);
}
