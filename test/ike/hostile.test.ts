// Whatever strangers send: nothing throws, no SA dies of it, and the two ends still agree afterwards.
import { describe, expect, test } from 'vitest';
import { decodeMessage, Exchange, encodeMessage } from '../../main/ike/message.ts';
import { type Payload, payloadsOf } from '../../main/ike/payload/payload.ts';
import { isWireError } from '../../main/wire/error.ts';
import { mirrored } from '../sim/mirrored.ts';
import { seededNumbers } from '../sim/random.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';

const SEED = Number(process.env.CULVERT_SEED ?? 1);

/** Before each datagram the forger's versions of it arrive. */
function besieged(forge: (datagram: Datagram) => readonly Uint8Array[], options: SimulationOptions = {}): Simulation {
  const sim = new Simulation({
    ...options,
    network: {
      delay: [10, 10],
      touch: (datagram) => [...forge(datagram).map((bytes) => ({ ...datagram, bytes })), datagram],
    },
  });
  return sim.connect();
}

function unharmed(sim: Simulation): void {
  expect(sim.client.closed, JSON.stringify(sim.client.closed)).toBeUndefined();
  expect(sim.client.installed.length).toBe(1);
  expect(sim.peer.installed.length).toBe(1);
  expect(mirrored(sim.client.installed[0]!)).toEqual(sim.peer.installed[0]);
  // Both still talk: a liveness check in either direction, then a goodbye.
  sim.tell({ kind: 'checkLiveness' }).tellGateway({ kind: 'checkLiveness', sa: sim.peerName }).run(60_000);
  expect(sim.client.closed).toBeUndefined();
  expect(sim.peer.closed).toBeUndefined();
  const { peer } = sim;
  sim.tell({ kind: 'close' }).run(60_000);
  expect(sim.client.closed).toEqual({ by: 'us' });
  expect(peer.closed).toEqual({ by: 'peer' });
}

const isInit = (bytes: Uint8Array): boolean => bytes[18] === Exchange.IKE_SA_INIT;

describe.each(['aes256gcm16-prfsha256-x25519', 'aes128-sha256-x25519'])('%s', (proposal) => {
  const options = { initiator: { proposals: [proposal] }, responder: { proposals: [proposal] } };

  test('every message truncated at every length', () => {
    unharmed(besieged(({ bytes }) => Array.from({ length: bytes.length }, (_, i) => bytes.slice(0, i)), options));
  });

  test('every message truncated at every length, its length field corrected', () => {
    const cut = ({ bytes }: Datagram) =>
      Array.from({ length: bytes.length - 28 }, (_, i) => {
        const shorter = bytes.slice(0, 28 + i);
        new DataView(shorter.buffer).setUint32(24, shorter.length);
        return shorter;
      });
    unharmed(besieged(cut, options));
  });

  test('one bit of every byte of every protected message flipped', () => {
    const numbers = seededNumbers(SEED);
    const flip = ({ bytes }: Datagram) =>
      isInit(bytes)
        ? []
        : Array.from(bytes, (_, i) => {
            const flipped = Uint8Array.from(bytes);
            flipped[i] = flipped[i]! ^ (1 << Math.floor(numbers() * 8));
            return flipped;
          });
    unharmed(besieged(flip, options));
  });

  test('every message trailed by bytes that do not belong to it', () => {
    unharmed(
      besieged(({ bytes }) => [1, 4, 100].map((more) => Uint8Array.of(...bytes, ...Array(more).fill(0))), options),
    );
  });

  test('every message twice, and all of them once more afterwards', () => {
    const sim = besieged(({ bytes }) => [bytes], options);
    for (const datagram of [...sim.wire]) sim.inject(datagram);
    unharmed(sim.run(1000));
  });

  test('every message sent back to its sender', () => {
    const sim = new Simulation({
      ...options,
      network: {
        touch: (d) => [
          {
            ...d,
            from: d.to,
            to: d.from,
            direction: d.direction === 'to-responder' ? ('to-initiator' as const) : ('to-responder' as const),
          },
          d,
        ],
      },
    }).connect();
    unharmed(sim);
  });
});

test('IKE_SA_INIT with any byte changed by a man in the middle: noticed, cleanly failed', () => {
  const plain = new Simulation().connect().wire.filter((d) => isInit(d.bytes));
  const numbers = seededNumbers(SEED);
  for (const direction of ['to-responder', 'to-initiator'] as const) {
    const { length } = plain.find((d) => d.direction === direction)!.bytes;
    for (let at = 0; at < length; at++) {
      const value = Math.floor(numbers() * 255) + 1;
      const sim = new Simulation({
        initiator: { retransmission: { first: 100, factor: 2, most: 400, tries: 3 } },
        network: {
          touch: (d) => {
            if (d.direction !== direction || !isInit(d.bytes)) return [d];
            const bytes = Uint8Array.from(d.bytes);
            bytes[at] = (bytes[at] ?? 0) ^ value;
            return [{ ...d, bytes }];
          },
        },
      }).connect();
      const { client } = sim;
      expect(client.established, `byte ${at} ${direction}`).toBeUndefined();
      expect(client.closed?.by, `byte ${at} ${direction}`).toBe('error');
      expect([...sim.gateway.values()].every((view) => view.installed.length === 0 || view.closed)).toBe(true);
    }
  }
});

test('a flood of random bytes to both ends', () => {
  const numbers = seededNumbers(SEED);
  const noise = (start: Uint8Array): Uint8Array => {
    const bytes = Uint8Array.from({ length: Math.floor(numbers() * 300) }, () => Math.floor(numbers() * 256));
    // Half of them with a header that gets past the first look.
    if (numbers() < 0.5 && bytes.length >= 28) {
      bytes.set(start.subarray(0, 24));
      bytes[16] = Math.floor(numbers() * 60);
      new DataView(bytes.buffer).setUint32(24, bytes.length);
    }
    return bytes;
  };
  unharmed(besieged(({ bytes }) => Array.from({ length: 300 }, () => noise(bytes))));
});

test('payloads of IKE_SA_INIT in any number and order', () => {
  const numbers = seededNumbers(SEED);
  const jumble = ({ bytes, direction }: Datagram): readonly Uint8Array[] => {
    const message = decodeMessage(bytes);
    if (isWireError(message) || !isInit(bytes) || direction === 'to-initiator') return [];
    return Array.from({ length: 200 }, () =>
      Array.from(
        { length: Math.floor(numbers() * 8) },
        () => message.payloads[Math.floor(numbers() * message.payloads.length)]!,
      ),
    )
      .filter((payloads) => !isWhole(payloads))
      .map((payloads) => encodeMessage(message.header, payloads));
  };
  unharmed(besieged(jumble));
});

/** A forged request that is good would be answered first, and AUTH would fail: RFC 7296 cannot help that. */
const isWhole = (payloads: readonly Payload[]): boolean =>
  (['sa', 'ke', 'nonce'] as const).every((kind) => payloadsOf(payloads, kind).length === 1);
