// Compiles test/assembly/crypto/entry.ts with the flags of build/build.mjs and lays out a memory to try the AEADs in. CULVERT_CORE
// and CULVERT_AES_ACCELERATOR choose the build and the way of AES as they do for the packet core, so that the same tests
// run over all of them (the projects of vitest.config.ts).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CIPHER_AES_GCM, CIPHER_CHACHA20_POLY1305, JOB_BYTES, JOB_OK, MEMORY_PAGES } from '../../../assembly/layout.ts';
import { type AcceleratedExports, Accelerator, acceleratorChoice, NEVER } from '../../../main/core/accelerator.ts';
import { coreBuild } from '../../../main/core/load.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const out = join(root, 'build', 'out', 'test');

interface Exports extends AcceleratedExports {
  transformAccelerate(ctx: number, handle: number): void;
  transformWipe(ctx: number): void;
  contextBytes(): number;
  aeadInstall(ctx: number, cipher: number, key: number, keyLength: number): void;
  aeadWipe(ctx: number): void;
  aeadSeal(ctx: number, jobs: number, count: number): void;
  aeadOpen(ctx: number, jobs: number, count: number): void;
  aes(key: number, keyLength: number, blocks: number): void;
  ghash(h: number, aad: number, aadLength: number, data: number, length: number, out: number): void;
  ghashStrided(h: number, aad: number, aadLength: number, data: number, length: number, out: number): number;
  chacha20(key: number, nonce: number, counter: number, eight: boolean, out: number): void;
  poly1305(key: number, data: number, blocks: number, out: number): void;
  poly1305Beside(key: number, data: number, blocks: number, out: number): void;
}

function compile(): Uint8Array<ArrayBuffer> {
  mkdirSync(out, { recursive: true });
  const relaxed = coreBuild() === 'core-relaxed.wasm';
  const wasm = join(out, relaxed ? 'aead-relaxed.wasm' : 'aead.wasm');
  const sources = ['assembly/crypto', 'test/assembly/crypto'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
  );
  const newest = Math.max(...[...sources, join(root, 'assembly/layout.ts')].map((path) => statSync(path).mtimeMs));
  if ((statSync(wasm, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= newest) {
    const own = join(out, `aead.${process.pid}.wasm`);
    execFileSync(
      process.execPath,
      [
        'node_modules/assemblyscript/bin/asc.js',
        'test/assembly/crypto/entry.ts',
        ...['--outFile', own, '--runtime', 'stub', '--importMemory', '--memoryBase', '262144'],
        ...['--initialMemory', `${MEMORY_PAGES}`, '--maximumMemory', `${MEMORY_PAGES}`],
        ...['--enable', 'simd', '-O3', '--noAssert', '--use', 'abort='],
        ...(relaxed ? ['--enable', 'relaxed-simd'] : []),
      ],
      { cwd: root, stdio: 'inherit' },
    );
    renameSync(own, wasm);
  }
  return new Uint8Array(readFileSync(wasm));
}

export type CipherName = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
export const CIPHERS: readonly { readonly name: CipherName; readonly id: number; readonly keyLength: number }[] = [
  { name: 'aes-128-gcm', id: CIPHER_AES_GCM, keyLength: 16 },
  { name: 'aes-192-gcm', id: CIPHER_AES_GCM, keyLength: 24 },
  { name: 'aes-256-gcm', id: CIPHER_AES_GCM, keyLength: 32 },
  { name: 'chacha20-poly1305', id: CIPHER_CHACHA20_POLY1305, keyLength: 32 },
];

export interface Packet {
  readonly data: Uint8Array;
  readonly aad: Uint8Array;
  readonly nonce: Uint8Array;
  /** For open; seal writes it. */
  readonly tag?: Uint8Array;
}

export interface Result {
  readonly data: Uint8Array;
  readonly tag: Uint8Array;
  readonly ok: number;
}

const CONTEXT = 0x100000;
/** What the accelerator knows the one key by. */
const HANDLE = 1;
export const SCRATCH = 0x180000;
const JOBS = 0x200000;
const DATA = 0x210000;

/** Bytes of this value lie around every buffer and must never change. */
const GUARD = 0xa5;
const GUARD_BYTES = 24;

export function aeadModule() {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const accelerator = new Accelerator();
  const { encryptBlocks } = accelerator;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(compile()), { env: { memory, encryptBlocks } });
  const exports = instance.exports as Exports & Record<string, unknown>;
  const bytes = new Uint8Array(memory.buffer);
  accelerator.attach(bytes);
  const least = accelerator.configure(exports, acceleratorChoice());
  const words = new Uint32Array(memory.buffer);

  function run(operation: 'aeadSeal' | 'aeadOpen', packets: readonly Packet[]): Result[] {
    let at = DATA;
    const end = DATA + packets.reduce((n, p) => n + p.data.length + p.aad.length + 28 + 5 * GUARD_BYTES + 16, 0);
    bytes.fill(GUARD, DATA, end);
    const touched: [number, number][] = [];
    const place = (content: Uint8Array) => {
      const start = at + GUARD_BYTES;
      bytes.set(content, start);
      at = start + content.length;
      touched.push([start, content.length]);
      return start;
    };
    const placed = packets.map((packet, i) => {
      const aad = place(packet.aad);
      const nonce = place(packet.nonce);
      const data = place(packet.data);
      const tag = place(packet.tag ?? new Uint8Array(16).fill(0xcc));
      const job = JOBS + JOB_BYTES * i;
      words.set([data, packet.data.length, aad, packet.aad.length, nonce, tag, 0xdead, 0], job / 4);
      return { data, tag, job };
    });
    exports[operation](CONTEXT, JOBS, packets.length);

    let guard = DATA;
    for (const [start, length] of [...touched, [end, 0] as const]) {
      for (; guard < start; guard++) {
        if (bytes[guard] !== GUARD) throw new Error(`${operation} wrote outside of its buffers, at ${guard}`);
      }
      guard = start + length;
    }
    return placed.map(({ data, tag, job }, i) => ({
      data: bytes.slice(data, data + packets[i]!.data.length),
      tag: bytes.slice(tag, tag + 16),
      ok: words[(job + JOB_OK) / 4]!,
    }));
  }

  return {
    exports,
    bytes,
    accelerator,
    /** From how many AES blocks a batch is accelerated, or NEVER. */
    least,
    /** Bytes of the installed context. */
    context: () => bytes.slice(CONTEXT, CONTEXT + exports.contextBytes()),
    /** Over a dirty context, with guards behind it. */
    install(cipher: number, key: Uint8Array): void {
      bytes.fill(GUARD, CONTEXT - 64, CONTEXT + exports.contextBytes() + 64);
      bytes.set(key, SCRATCH);
      exports.aeadInstall(CONTEXT, cipher, SCRATCH, key.length);
      bytes.fill(0, SCRATCH, SCRATCH + key.length);
      if (least !== NEVER && accelerator.install(HANDLE, key)) exports.transformAccelerate(CONTEXT, HANDLE);
      const end = CONTEXT + exports.contextBytes();
      for (const around of [bytes.subarray(CONTEXT - 64, CONTEXT), bytes.subarray(end, end + 64)]) {
        if (around.some((byte) => byte !== GUARD)) throw new Error('aeadInstall wrote outside of its context');
      }
    },
    /** Every batch from now on goes to an accelerator that declines. */
    disappoint(): void {
      exports.configureAccelerator(1);
      exports.transformAccelerate(CONTEXT, 99);
    },
    restore: () => exports.configureAccelerator(least),
    wipe: () => exports.aeadWipe(CONTEXT),
    /** As when an SA is removed: scratch memory too. */
    forget: () => exports.transformWipe(CONTEXT),
    seal: (packets: readonly Packet[]) => run('aeadSeal', packets),
    open: (packets: readonly Packet[]) => run('aeadOpen', packets),
  };
}
