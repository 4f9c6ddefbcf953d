// Compiles test/assembly/crypto/transform-entry.ts with the flags of build/build.mjs, and lays out packets as ESP does: header and IV
// in front of the data, the ICV behind it. Every byte around a packet must stay as it was.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JOB_BYTES, MEMORY_PAGES } from '../../../assembly/layout.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const out = join(root, 'build', 'out', 'test');

interface Exports {
  decryptBlocks(key: number, keyLength: number, blocks: number, groups: number): void;
  cbcInstall(key: number, keyLength: number): void;
  cbcEncrypt(jobs: number, count: number): void;
  cbcDecrypt(jobs: number, count: number): void;
  ctrInstall(key: number, keyLength: number): void;
  ctrApply(jobs: number, count: number, verified: number): void;
  gmac(key: number, keyLength: number, jobs: number, count: number, out: number): void;
  macInstall(integrity: number, key: number, keyLength: number): void;
  macTags(jobs: number, count: number, head: number, out: number): void;
  equalIcvs(a: number, b: number, n: number): number;
}

function compile(): Uint8Array<ArrayBuffer> {
  mkdirSync(out, { recursive: true });
  const wasm = join(out, 'transform.wasm');
  const sources = ['assembly/crypto', 'test/assembly/crypto'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
  );
  const newest = Math.max(...[...sources, join(root, 'assembly/layout.ts')].map((path) => statSync(path).mtimeMs));
  if ((statSync(wasm, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= newest) {
    const own = join(out, `transform.${process.pid}.wasm`);
    execFileSync(
      process.execPath,
      [
        'node_modules/assemblyscript/bin/asc.js',
        'test/assembly/crypto/transform-entry.ts',
        ...['--outFile', own, '--runtime', 'stub', '--importMemory', '--memoryBase', '262144'],
        ...['--initialMemory', `${MEMORY_PAGES}`, '--maximumMemory', `${MEMORY_PAGES}`],
        ...['--enable', 'simd', '-O3', '--noAssert', '--use', 'abort='],
      ],
      { cwd: root, stdio: 'inherit' },
    );
    renameSync(own, wasm);
  }
  return new Uint8Array(readFileSync(wasm));
}

/** One packet; `head` is what lies in front of the data (ESP header, IV). */
export interface Text {
  readonly head: Uint8Array;
  readonly data: Uint8Array;
  /** 12 bytes: salt, IV. */
  readonly nonce?: Uint8Array;
  /** Upper half of the sequence number, 4 bytes. */
  readonly esn?: Uint8Array;
  readonly ok?: number;
}

export const SCRATCH = 0x180000;
const JOBS = 0x200000;
const NOTES = 0x208000;
const TAGS = 0x20c000;
const DATA = 0x210000;
const TAG_STRIDE = 32;
const GUARD = 0xa5;
const GUARD_BYTES = 20;

export function transformModule() {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  // No accelerator: the primitives themselves are on trial.
  const env = { memory, encryptBlocks: () => 0 };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(compile()), { env });
  const exports = instance.exports as Exports & Record<string, unknown>;
  const bytes = new Uint8Array(memory.buffer);
  const words = new Uint32Array(memory.buffer);

  /** Places the texts, calls, and takes head and data of each again. */
  function run(
    texts: readonly Text[],
    call: (jobs: number, count: number) => void,
  ): { head: Uint8Array; data: Uint8Array }[] {
    let at = DATA;
    const end = texts.reduce((n, { head, data }) => n + head.length + data.length + GUARD_BYTES, DATA + GUARD_BYTES);
    bytes.fill(GUARD, DATA, end);
    const places = texts.map((text, i) => {
      const start = at + GUARD_BYTES;
      const data = start + text.head.length;
      bytes.set(text.head, start);
      bytes.set(text.data, data);
      at = data + text.data.length;
      const note = NOTES + 16 * i;
      bytes.set(text.nonce ?? new Uint8Array(12), note);
      if (text.esn) bytes.set(text.esn, note + 12);
      words.set(
        [data, text.data.length, 0, 0, note, at, text.ok ?? 1, text.esn ? note + 12 : 0],
        (JOBS + JOB_BYTES * i) / 4,
      );
      return { start, data, end: at };
    });
    call(JOBS, texts.length);
    let guard = DATA;
    for (const { start, end: after } of [...places, { start: end, end }]) {
      for (; guard < start; guard++)
        if (bytes[guard] !== GUARD) throw new Error(`wrote outside of the packets, at ${guard}`);
      guard = after;
    }
    return places.map((place) => ({
      head: bytes.slice(place.start, place.data),
      data: bytes.slice(place.data, place.end),
    }));
  }

  /** Hands a key over in scratch memory that is cleared afterwards. */
  function withKey(key: Uint8Array, use: (at: number, length: number) => void): void {
    bytes.set(key, SCRATCH);
    use(SCRATCH, key.length);
    bytes.fill(0, SCRATCH, SCRATCH + key.length);
  }

  const tags = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => bytes.slice(TAGS + TAG_STRIDE * i, TAGS + TAG_STRIDE * i + length));

  return {
    exports,
    bytes,
    /** Groups of eight blocks. */
    decryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array {
      bytes.set(blocks, DATA);
      withKey(key, (at, length) => exports.decryptBlocks(at, length, DATA, blocks.length / 128));
      return bytes.slice(DATA, DATA + blocks.length);
    },
    cbcEncrypt(key: Uint8Array, texts: readonly Text[]) {
      withKey(key, exports.cbcInstall);
      return run(texts, exports.cbcEncrypt);
    },
    cbcDecrypt(key: Uint8Array, texts: readonly Text[]) {
      withKey(key, exports.cbcInstall);
      return run(texts, exports.cbcDecrypt);
    },
    ctr(key: Uint8Array, texts: readonly Text[], verified = false) {
      withKey(key, exports.ctrInstall);
      return run(texts, (jobs, count) => exports.ctrApply(jobs, count, verified ? 1 : 0));
    },
    hmac(integrity: number, key: Uint8Array, texts: readonly Text[], icv: number): Uint8Array[] {
      withKey(key, (at, length) => exports.macInstall(integrity, at, length));
      const head = texts[0]?.head.length ?? 0;
      run(texts, (jobs, count) => exports.macTags(jobs, count, head, TAGS));
      return tags(texts.length, icv);
    },
    gmac(key: Uint8Array, texts: readonly Text[]): Uint8Array[] {
      withKey(key, (at, length) => {
        run(texts, (jobs, count) => exports.gmac(at, length, jobs, count, TAGS));
      });
      return tags(texts.length, 16);
    },
  };
}
