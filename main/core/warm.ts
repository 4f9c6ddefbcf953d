// V8 compiles WebAssembly twice: quickly, and well once a function has run for some milliseconds. An engine that has just started
// would send its first packets at a third of its speed, so each thread seals and opens some packets of its own first. Code
// belongs to the module, not to the instance: a throw-away instance warms every other one, on every thread.
import { performance } from 'node:perf_hooks';
import { AUX_UDP, DESC_BYTES, IN, IN_DESC, OUT_DESC, PACKET_SLOT_BYTES } from '../../assembly/layout.ts';
import { selectorOf } from '../wire/selector.ts';
import type { Core, EspCipher } from './api.ts';
import { createCoreSync } from './core.ts';

/** A batch, and a packet alone, which has ways of its own (assembly/crypto/aes-lone.ts). */
const BATCHES = [16, 1] as const;
/** Odd, so that the ragged ends of texts are warmed too. */
const LENGTHS = [1301, 77] as const;
const CIPHERS: readonly (readonly [EspCipher, number])[] = [
  ['aes-gcm-16', 16],
  ['chacha20-poly1305', 32],
];

/** An IPv4 packet of `length` bytes without anything inside; its checksum is never looked at. */
function inner(length: number): Uint8Array {
  const packet = new Uint8Array(length);
  packet.set([0x45, 0, length >> 8, length & 255, 0, 0, 0x40, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
  return packet;
}

function describe(core: Core, i: number, length: number, aux: number): void {
  core.words.set([IN + i * PACKET_SLOT_BYTES, PACKET_SLOT_BYTES, length, aux], (IN_DESC + i * DESC_BYTES) >>> 2);
}

/** Seals and opens one batch; the number of packets that came out again. */
function round(core: Core, packet: Uint8Array, packets: number): number {
  for (let i = 0; i < packets; i++) {
    core.bytes.set(packet, IN + i * PACKET_SLOT_BYTES);
    describe(core, i, packet.length, 0);
  }
  const { out } = core.seal(packets, 0);
  for (let i = 0; i < out; i++) {
    const entry = (OUT_DESC + i * DESC_BYTES) >>> 2;
    const [offset, length] = [core.words[entry]!, core.words[entry + 2]!];
    core.bytes.copyWithin(IN + i * PACKET_SLOT_BYTES, offset, offset + length);
    describe(core, i, length, AUX_UDP);
  }
  return core.open(out, 0).out;
}

/**
 * Runs the packet path of `module` for about `milliseconds` for each cipher that may carry most packets. Returns how many packets
 * went both ways, which only a test looks at.
 */
export function warmCore(module: WebAssembly.Module, milliseconds = 3): number {
  let packets = 0;
  const any = [selectorOf({ address: Uint8Array.of(0, 0, 0, 0), bits: 0 })];
  const core = createCoreSync(module);
  core.configureTunnel(0, {
    shape: 'gre-transport',
    gre: { key: null, checksum: false, sequence: false, nextSequence: 0 },
    delivery: null,
    mtu: 1400,
    mss4: 0,
    mss6: 0,
    local: any,
    remote: any,
    copyDscp: false,
    ttl: 64,
  });
  for (const [cipher, keyLength] of CIPHERS) {
    const sa = {
      spi: 256,
      tunnel: 0,
      cipher,
      // Nothing of what is made here leaves this function.
      key: new Uint8Array(keyLength),
      salt: new Uint8Array(4),
      esn: false,
      hardPackets: Number.POSITIVE_INFINITY,
      hardBytes: Number.POSITIVE_INFINITY,
    };
    core.installOutbound(0, sa);
    core.activateOutbound(0, 0);
    core.installInbound(0, { ...sa, replayWindow: 1024 });
    const start = performance.now();
    do {
      for (const length of LENGTHS) {
        for (const batch of BATCHES) packets += round(core, inner(length), batch);
      }
    } while (performance.now() - start < milliseconds);
    core.removeOutbound(0);
    core.removeInbound(0);
  }
  // Left to the collector: close() would wipe, and so make resident, all of its memory, and it holds no secret.
  return packets;
}
