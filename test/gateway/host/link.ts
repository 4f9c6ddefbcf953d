// A link between two in-memory hosts that loses, duplicates, delays (and so reorders) and damages packets, by a seed.
import { createHost, type Host } from '../../../main/gateway/host/host.ts';
import type { Address } from '../../../main/wire/address.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** Mulberry32: small, seeded, good enough to shuffle packets. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function seededBytes(random: () => number): (length: number) => Uint8Array {
  return (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

export interface Faults {
  readonly loss: number;
  readonly duplication: number;
  readonly damage: number;
  /** Milliseconds, least and most. */
  readonly delay: readonly [number, number];
}

export const PERFECT: Faults = { loss: 0, duplication: 0, damage: 0, delay: [1, 1] };

export interface Pair {
  readonly clock: VirtualClock;
  readonly a: Host;
  readonly b: Host;
  /** Sees every packet before the faults; false: lost. */
  filter: (packet: Uint8Array, from: 'a' | 'b') => boolean;
  packets: number;
}

export function linkedHosts(seed: number, faults: Faults, a: Address, b: Address, mtu = 1414): Pair {
  const random = seeded(seed);
  const clock = new VirtualClock();
  const deliver = (packet: Uint8Array, from: 'a' | 'b'): void => {
    pair.packets++;
    if (!pair.filter(packet, from) || random() < faults.loss) return;
    for (let copies = random() < faults.duplication ? 2 : 1; copies > 0; copies--) {
      const copy = packet.slice();
      if (random() < faults.damage) {
        const at = Math.floor(random() * copy.length);
        copy[at] = copy[at]! ^ (1 << Math.floor(random() * 8));
      }
      const at = clock.now() + faults.delay[0] + random() * (faults.delay[1] - faults.delay[0]);
      clock.setTimer(at, () => (from === 'a' ? pair.b : pair.a).receive(copy));
    }
  };
  const host = (address: Address, from: 'a' | 'b'): Host =>
    createHost({
      addresses: [address],
      mtu,
      clock,
      random: seededBytes(random),
      send: (packet) => deliver(packet, from),
    });
  const pair: Pair = { clock, a: host(a, 'a'), b: host(b, 'b'), filter: () => true, packets: 0 };
  return pair;
}
