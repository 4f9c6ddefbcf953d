// AES-GMAC as ESP uses it (RFC 4543, ENCR_NULL_AUTH_AES_GMAC): GCM with everything in the additional data and nothing to
// encrypt. For tests only, and so one packet at a time.
//
//   additional data   │ SPI │ sequence number, 64 bits with ESN │ IV (8) │ payload, padding, trailer │       (§3.3)
//
// lies in one piece in front of the ICV, unless there is ESN: its upper half belongs between SPI and lower half. Then
// the SPI moves four bytes forward for as long as the hash takes, over what is there, which is put back.
import { JOB_BYTES, JOB_DATA, JOB_ESN, JOB_LENGTH, JOB_NONCE } from '../layout';
import { AES_COUNTER_KEY_BYTES, aesCounterBegin, aesCounterInstall, aesCounterNonce, aesCounterSubkey } from './aes-counter';
import { GHASH_KEY_BYTES, ghashInstall, ghashText } from './ghash';

const GHASH_KEY: usize = AES_COUNTER_KEY_BYTES;
export const AES_GMAC_KEY_BYTES: i32 = AES_COUNTER_KEY_BYTES + GHASH_KEY_BYTES;
/** ESP header and IV. */
const HEAD: u32 = 16;

/** CIPH_K(J0) of as many packets as aesCounterBegin makes at once. */
@lazy
const MASKS: usize = memory.data(256, 16);

export function aesGmacInstall(gmac: usize, key: usize, keyLength: i32): void {
  aesCounterInstall(gmac, key, keyLength);
  aesCounterSubkey(gmac, MASKS);
  ghashInstall(gmac + GHASH_KEY, MASKS);
  v128.store(MASKS, i64x2.splat(0));
}

/** The ICVs of `count` jobs, `stride` bytes apart at `out`. */
export function aesGmacTags(gmac: usize, jobs: usize, count: i32, out: usize, stride: i32): void {
  for (let i = 0; i < count; i++) {
    const job = jobs + JOB_BYTES * i;
    const data: usize = load<u32>(job, JOB_DATA);
    let text = data - HEAD;
    let length = load<u32>(job, JOB_LENGTH) + HEAD;
    const esn: usize = load<u32>(job, JOB_ESN);
    aesCounterNonce(0, load<u32>(job, JOB_NONCE));
    aesCounterBegin(gmac, MASKS, 1);
    const tag = out + stride * i;
    if (esn) {
      const spi = load<u32>(text);
      const before = load<u32>(text - 4);
      store<u32>(text - 4, spi);
      store<u32>(text, load<u32>(esn));
      ghashText(gmac + GHASH_KEY, text - 4, length + 4, data, 0, tag);
      store<u32>(text - 4, before);
      store<u32>(text, spi);
    } else ghashText(gmac + GHASH_KEY, text, length, data, 0, tag);
    v128.store(tag, v128.xor(v128.load(tag), v128.load(MASKS)));
  }
}
