// Reproducible bytes for tests: SHA-512 of a name and a counter, so that a failure shows the same input again.
import { createHash } from 'node:crypto';

export function randomness(name: string) {
  let counter = 0;
  let pool = new Uint8Array(0);
  const bytes = (length: number): Uint8Array => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (pool.length === 0) pool = new Uint8Array(createHash('sha512').update(`${name} ${counter++}`).digest());
      const here = Math.min(pool.length, length - at);
      out.set(pool.subarray(0, here), at);
      pool = pool.subarray(here);
      at += here;
    }
    return out;
  };
  return { bytes, below: (limit: number) => Buffer.from(bytes(4)).readUInt32LE() % limit };
}
