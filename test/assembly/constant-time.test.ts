// Nothing that the packet core does depends on a secret: for every cipher, installing keys, sealing and opening leave the same trace
// (traced.ts) whatever the keys and the payloads are. Lengths and headers are the same, for those the network sees anyway.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Core, EspCipher, EspIntegrity } from '../../main/core/api.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { address, INBOUND, OUTBOUND, open, seal, TUNNEL } from '../core/harness.ts';
import { ip4 } from '../reference/ip.ts';
import { randomness } from './crypto/randomness.ts';
import { TRACE, tellTale, traced } from './traced.ts';

const root = join(import.meta.dirname, '..', '..');
let module: WebAssembly.Module;
beforeAll(async () => {
  execFileSync(process.execPath, ['build/build.mjs'], { cwd: root, stdio: 'inherit' });
  // The build without relaxed SIMD; the other one differs in the instruction that `lookup` is.
  module = await traced(readFileSync(join(root, 'build', 'out', 'core.wat'), 'utf8'));
}, 120_000);

/** What has happened so far: [hash, events]. */
const trace = (core: Core): string => {
  const view = new DataView(core.memory.buffer);
  return `${view.getBigUint64(TRACE, true).toString(16)} of ${view.getBigUint64(TRACE + 8, true)}`;
};

interface Secrets {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly integrityKey: Uint8Array;
  readonly payload: (n: number) => Uint8Array;
}

/** Where groups of blocks end and begin: one packet, a batch of one length, and one of many. */
const BATCHES = [[64], [1400], Array.from({ length: 9 }, () => 576), [28, 60, 128, 129, 300, 511, 1400, 44]];

function run(
  transform: { readonly cipher: EspCipher; readonly integrity: EspIntegrity | undefined; readonly esn: boolean },
  { key, salt, integrityKey, payload }: Secrets,
): string[] {
  const { cipher, integrity, esn } = transform;
  const sa = { ...OUTBOUND, cipher, key, salt, esn, integrity, integrityKey: integrity && integrityKey };
  const traces: string[] = [];
  const [near, far] = [createCoreSync(module, { accelerator: 'off' }), createCoreSync(module, { accelerator: 'off' })];
  for (const core of [near, far]) core.configureTunnel(0, TUNNEL);
  near.installOutbound(0, sa);
  near.activateOutbound(0, 0);
  far.installInbound(0, { ...INBOUND, ...sa });
  traces.push(`installed ${trace(near)} ${trace(far)}`);
  for (const lengths of BATCHES) {
    const packets = lengths.map((n) =>
      ip4({ source: address('10.88.0.2'), target: address('203.0.113.9'), protocol: 253 }, payload(n - 20)),
    );
    const sealed = seal(near, packets).map(({ bytes }) => bytes);
    traces.push(`sealed ${lengths} ${trace(near)}`);
    const opened = open(far, sealed);
    expect(opened.map(({ bytes }) => bytes)).toEqual(packets);
    traces.push(`opened ${lengths} ${trace(far)}`);
  }
  near.removeOutbound(0);
  far.removeInbound(0);
  traces.push(`removed ${trace(near)} ${trace(far)}`);
  return traces;
}

const AES = [16, 24, 32];
const HMACS: readonly (readonly [EspIntegrity, number])[] = [
  ['hmac-sha1-96', 20],
  ['hmac-sha2-256-128', 32],
  ['hmac-sha2-384-192', 48],
  ['hmac-sha2-512-256', 64],
];

function* transforms() {
  for (const esn of [false, true]) {
    for (const keyBytes of AES)
      yield { cipher: 'aes-gcm-16', keyBytes, saltBytes: 4, integrity: undefined, integrityBytes: 0, esn } as const;
    yield {
      cipher: 'chacha20-poly1305',
      keyBytes: 32,
      saltBytes: 4,
      integrity: undefined,
      integrityBytes: 0,
      esn,
    } as const;
  }
  for (const [integrity, integrityBytes] of HMACS) {
    yield { cipher: 'aes-cbc', keyBytes: 32, saltBytes: 0, integrity, integrityBytes, esn: true } as const;
    yield { cipher: 'aes-ctr', keyBytes: 16, saltBytes: 4, integrity, integrityBytes, esn: false } as const;
  }
  for (const keyBytes of AES)
    yield {
      cipher: 'aes-cbc',
      keyBytes,
      saltBytes: 0,
      integrity: 'hmac-sha1-96',
      integrityBytes: 20,
      esn: false,
    } as const;
}

describe('the packet core', () => {
  for (const transform of transforms()) {
    const { cipher, keyBytes, saltBytes, integrity, integrityBytes, esn } = transform;
    it(`${cipher} ${keyBytes * 8} ${integrity ?? ''}${esn ? ' ESN' : ''}: the same trace for any secrets`, () => {
      const { bytes } = randomness(`constant time ${cipher} ${keyBytes} ${integrity}`);
      const filled = (byte: number): Secrets => ({
        key: new Uint8Array(keyBytes).fill(byte),
        salt: new Uint8Array(saltBytes).fill(byte),
        integrityKey: new Uint8Array(integrityBytes).fill(byte),
        payload: (n) => new Uint8Array(n).fill(byte),
      });
      const drawn = (): Secrets => ({
        key: bytes(keyBytes),
        salt: bytes(saltBytes),
        integrityKey: bytes(integrityBytes),
        payload: (n) => bytes(n),
      });
      const expected = run(transform, filled(0));
      // The trace is one of work, not empty.
      expect(Number(expected.at(-1)!.split(' of ')[1]!.split(' ')[0])).toBeGreaterThan(10_000);
      for (const secrets of [filled(0xff), drawn(), drawn()]) expect(run(transform, secrets)).toEqual(expected);
    });
  }
});

describe('the trace', () => {
  /** Runs `body`, which finds a secret byte in local 0, for every value; how many traces there are. */
  async function tracesOf(body: string): Promise<number> {
    const made = await traced(`(module
 (memory $0 (export "memory") 1)
 (func $f (export "f") (param i32)
${body}
 )
)`);
    const seen = new Set<bigint>();
    for (let secret = 0; secret < 256; secret++) {
      const { exports } = new WebAssembly.Instance(made);
      const { f, memory } = exports as { f: (secret: number) => void; memory: WebAssembly.Memory };
      f(secret);
      seen.add(new DataView(memory.buffer).getBigUint64(TRACE, true));
    }
    return seen.size;
  }

  it.each([
    ['a table looked up by a secret', 256, 'local.get 0\ni32.load8_u offset=1024\ndrop'],
    ['a secret place written to', 256, 'local.get 0\ni32.const 1\ni32.store8 offset=1024'],
    ['a branch', 2, 'block\nlocal.get 0\ni32.const 7\ni32.eq\nbr_if 0\nend'],
    ['an if', 256, 'local.get 0\nif\nend'],
    ['a selection', 256, 'i32.const 1\ni32.const 2\nlocal.get 0\nselect\ndrop'],
    ['a division', 256, 'i32.const 1000\nlocal.get 0\ni32.const 1\ni32.add\ni32.div_u\ndrop'],
    ['a copy of secret length', 256, 'i32.const 512\ni32.const 1024\nlocal.get 0\nmemory.copy'],
    ['a vector stored at a secret place', 256, 'local.get 0\nv128.const i32x4 0 0 0 0\nv128.store offset=1024'],
    ['sums of secrets at a public place', 1, 'i32.const 1024\nlocal.get 0\nlocal.get 0\ni32.mul\ni32.store'],
  ])('sees %s', async (_, count, body) => {
    expect(await tracesOf(body)).toBe(count);
  });

  it('knows every instruction of the core that reads, writes, branches or divides', () => {
    const text = readFileSync(join(root, 'build', 'out', 'core.wat'), 'utf8');
    const instructions = new Set(
      text.split('\n').map((line) => /^[a-z_0-9]+(\.[a-z_0-9]+)?/.exec(line.trim())?.[0] ?? ''),
    );
    const missed = [...instructions].filter(
      (one) =>
        /load|store|^br_|^if$|^select|div|rem_|memory\.(copy|fill|init|grow)|indirect|call_ref/.test(one) &&
        !tellTale(one),
    );
    expect(missed).toEqual([]);
  });
});
