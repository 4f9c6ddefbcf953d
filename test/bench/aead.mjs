// The AEADs in an instance of their own, for the benchmark: the wrapper of test/assembly/crypto/entry.ts.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const built = (path) => import(pathToFileURL(join(root, 'build', 'out', path)).href);
const { Accelerator, NEVER } = await built('main/core/accelerator.js');
const { hasRelaxedSimd } = await built('main/core/load.js');
const CONTEXT = 0x100000;
const KEY = 0x1f0000;
const JOBS = 0x200000;
const DATA = 0x300000;
const HANDLE = 1;

export { hasRelaxedSimd };

const modules = new Map();
function compile(relaxed) {
  const out = join(root, 'build', 'out', 'bench');
  mkdirSync(out, { recursive: true });
  const wasm = join(out, relaxed ? 'aead-relaxed.wasm' : 'aead.wasm');
  const sources = ['assembly', 'assembly/crypto', 'test/assembly/crypto'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
  );
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if ((statSync(wasm, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= newest) {
    execFileSync(
      process.execPath,
      [
        'node_modules/assemblyscript/bin/asc.js',
        'test/assembly/crypto/entry.ts',
        ...['--outFile', wasm, '--runtime', 'stub', '--importMemory', '--memoryBase', '262144'],
        ...['--initialMemory', '128', '--maximumMemory', '128', '--enable', 'simd'],
        ...(relaxed ? ['--enable', 'relaxed-simd'] : []),
        ...['-O3', '--noAssert', '--use', 'abort='],
      ],
      { cwd: root, stdio: 'inherit' },
    );
  }
  return new WebAssembly.Module(readFileSync(wasm));
}

/**
 * Lays out `packets` ({plaintext, aad, nonce, ciphertext, tag}) and returns `seal` and `open`, each handling all of them
 * once. `seal` encrypts whatever is there in place, again and again, which takes the same time as fresh plaintext. `open`
 * needs valid tags, so it first copies the ciphertext in: some tens of nanoseconds a packet that count against it.
 * `accelerator` is 'auto', 'on' or 'off', as in main/core/accelerator.ts.
 */
export function instantiateAead(cipher, key, packets, { relaxed, accelerator }) {
  if (!modules.has(relaxed)) modules.set(relaxed, compile(relaxed));
  const memory = new WebAssembly.Memory({ initial: 128, maximum: 128 });
  const helper = new Accelerator();
  const { encryptBlocks } = helper;
  const { exports } = new WebAssembly.Instance(modules.get(relaxed), { env: { memory, encryptBlocks } });
  const { aeadInstall, aeadSeal, aeadOpen } = exports;
  const bytes = new Uint8Array(memory.buffer);
  const words = new Uint32Array(memory.buffer);
  helper.attach(bytes);
  const least = helper.configure(exports, accelerator);
  bytes.set(key, KEY);
  aeadInstall(CONTEXT, cipher, KEY, key.length);
  if (least !== NEVER && helper.install(HANDLE, key)) exports.transformAccelerate(CONTEXT, HANDLE);

  const layOut = (start) => {
    let at = start;
    return packets.map(({ plaintext, ciphertext, aad, nonce, tag }) => {
      const place = (content) => {
        const address = at;
        bytes.set(content, address);
        at = (at + content.length + 3) & ~3;
        return address;
      };
      return {
        aad: place(aad),
        nonce: place(nonce),
        data: place(ciphertext),
        tag: place(tag),
        length: plaintext.length,
        aadLength: aad.length,
      };
    });
  };
  const template = layOut(DATA + 0x100000);
  const placed = layOut(DATA);
  const end = placed.at(-1).tag + 16;
  placed.forEach(({ data, length, aad, aadLength, nonce, tag }, i) => {
    words.set([data, length, aad, aadLength, nonce, tag, 0, 0], JOBS / 4 + 8 * i);
  });
  const fromTemplate = () => bytes.copyWithin(DATA, DATA + 0x100000, end + 0x100000);

  // Before any figure is believed: what open makes of OpenSSL's packets, and seal of that, is right.
  fromTemplate();
  aeadOpen(CONTEXT, JOBS, packets.length);
  aeadSeal(CONTEXT, JOBS, packets.length);
  packets.forEach(({ ciphertext, tag }, i) => {
    const here = placed[i];
    const same = (address, expected) =>
      Buffer.compare(bytes.subarray(address, address + expected.length), expected) === 0;
    if (words[JOBS / 4 + 8 * i + 6] !== 1 || !same(here.data, ciphertext) || !same(here.tag, tag) || !template[i])
      throw new Error(`packet ${i} is not what OpenSSL made of it`);
  });

  return {
    least,
    seal: () => aeadSeal(CONTEXT, JOBS, packets.length),
    open() {
      fromTemplate();
      aeadOpen(CONTEXT, JOBS, packets.length);
    },
  };
}
