// The optional AES accelerator: same packets with it, without it, and when it fails half way; how it is chosen.
import { describe, expect, it } from 'vitest';
import { Accelerator, acceleratorChoice, breakEven, NEVER } from '../../main/core/accelerator.ts';
import type { EspCipher, EspIntegrity, OutboundSaParams } from '../../main/core/api.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { coreBuild, loadCoreModuleSync } from '../../main/core/load.ts';
import { ip4, udp } from '../reference/ip.ts';
import { address, counted, OUTBOUND, open, seal, TUNNEL } from './harness.ts';

const module = loadCoreModuleSync();
const A = address('10.0.0.1');
const B = address('10.0.0.2');
const packets = [1300, 0, 5, 16, 17, 255, 256, 700, 1, 1372, 64, 63, 33, 900, 12, 300, 1200, 48].map((length, i) =>
  ip4({ source: A, target: B, protocol: 17 }, udp(A, B, 1, 2, new Uint8Array(length).fill(i + 1))),
);

function pair(accelerator: 'on' | 'off', sa: OutboundSaParams) {
  const core = createCoreSync(module, { accelerator });
  core.configureTunnel(0, TUNNEL);
  core.installOutbound(0, sa);
  core.activateOutbound(0, 0);
  core.installInbound(0, { ...sa, replayWindow: 64 });
  return core;
}

const key = (length: number) => Uint8Array.from({ length }, (_, i) => i * 11 + 3);
const CASES: readonly (readonly [EspCipher, number, EspIntegrity | undefined])[] = [
  ['aes-gcm-16', 16, undefined],
  ['aes-gcm-16', 24, undefined],
  ['aes-gcm-16', 32, undefined],
  ['aes-ctr', 16, 'hmac-sha2-256-128'],
  ['aes-ctr', 32, 'hmac-sha2-256-128'],
];

describe.each(CASES)('%s with a key of %i bytes', (cipher, length, integrity) => {
  const sa: OutboundSaParams = {
    ...OUTBOUND,
    cipher,
    key: key(length),
    ...(integrity ? { integrity, integrityKey: key(32) } : {}),
  };

  it('makes the same packets as the core alone, which either opens', () => {
    const on = pair('on', sa);
    const off = pair('off', sa);
    expect(on.acceleratedFrom).toBe(1);
    expect(off.acceleratedFrom).toBe(Number.POSITIVE_INFINITY);
    const sealed = seal(on, packets).map((o) => o.bytes);
    expect(seal(off, packets).map((o) => o.bytes)).toEqual(sealed);
    expect(open(on, sealed).map((o) => o.bytes)).toEqual(packets);
    expect(open(off, sealed).map((o) => o.bytes)).toEqual(packets);
  });

  it('releases no plaintext of a forged packet', () => {
    const on = pair('on', sa);
    const sealed = seal(on, packets).map((o) => o.bytes);
    const forged = sealed.map((bytes, i) => {
      const copy = bytes.slice();
      // A byte of the ciphertext or of the ICV.
      if (i % 3 === 1) copy[i % 2 ? 16 : copy.length - 1]! ^= 1;
      return copy;
    });
    expect(open(on, forged).map((o) => o.bytes)).toEqual(packets.filter((_, i) => i % 3 !== 1));
    expect(counted(on).inAuthFailed).toBe(packets.filter((_, i) => i % 3 === 1).length);
  });

  it('stays out of a slot that is used again', () => {
    const on = pair('on', sa);
    on.removeOutbound(0);
    const other = { ...sa, key: key(length).reverse() };
    on.installOutbound(0, other);
    on.activateOutbound(0, 0);
    expect(seal(on, packets).map((o) => o.bytes)).toEqual(seal(pair('off', other), packets).map((o) => o.bytes));
  });
});

describe('the accelerator itself', () => {
  it('declines unknown handles, and forgets a cipher that failed', () => {
    const accelerator = new Accelerator();
    const bytes = new Uint8Array(64);
    accelerator.attach(bytes);
    expect(accelerator.encryptBlocks(1, 0, 16)).toBe(0);
    expect(accelerator.install(1, key(16))).toBe(true);
    expect(accelerator.encryptBlocks(1, 0, 16)).toBe(1);
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    // Half a block: OpenSSL keeps it back.
    const before = bytes.slice();
    expect(accelerator.encryptBlocks(1, 0, 8)).toBe(0);
    expect(bytes).toEqual(before);
    expect(accelerator.encryptBlocks(1, 0, 16)).toBe(0);
    expect(accelerator.install(2, key(16))).toBe(true);
    accelerator.remove(2);
    expect(accelerator.encryptBlocks(2, 0, 16)).toBe(0);
  });

  it('gives the memory of every keystream back at once', () => {
    const accelerator = new Accelerator();
    const bytes = new Uint8Array(98_304);
    accelerator.attach(bytes);
    expect(accelerator.install(1, key(16))).toBe(true);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 200; i++) {
      expect(accelerator.encryptBlocks(1, 0, bytes.length)).toBe(1);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    // One keystream would be 98 KB; 200 of them 20 MB.
    expect(most).toBeLessThan(1_000_000);
  });

  it('is configured by a measurement that takes milliseconds', () => {
    const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'auto' });
    expect(core.acceleratedFrom).toBeGreaterThanOrEqual(1);
    core.close();
  });
});

describe('the choice', () => {
  it('breaks even where the call costs what the blocks gain', () => {
    // Milliseconds: a block 2 ns here; a call 1 µs, and 0.1 ns a block.
    const least = breakEven(2e-6, 1e-3 + 16e-7, 1e-3 + 1024e-7);
    expect(least).toBeGreaterThan(500);
    expect(least).toBeLessThan(1100);
    // Slower per block: never, however large the batch.
    expect(breakEven(1e-6, 1e-3, 1e-3 + 2e-3)).toBe(NEVER);
    expect(breakEven(2e-6, 0, 0)).toBe(1);
  });

  it('is read from the environment', () => {
    expect(acceleratorChoice('off')).toBe('off');
    expect(acceleratorChoice('on')).toBe('on');
    expect(acceleratorChoice('')).toBe('auto');
    expect(() => acceleratorChoice('yes')).toThrow(/CULVERT_AES_ACCELERATOR is "yes".*"auto"/);
    expect(coreBuild('plain')).toBe('core.wasm');
    expect(['core.wasm', 'core-relaxed.wasm']).toContain(coreBuild('auto'));
    expect(() => coreBuild('fast')).toThrow(/CULVERT_CORE is "fast".*"relaxed"/);
  });
});
