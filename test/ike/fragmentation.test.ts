// IKE fragmentation between two ends (RFC 7383): paths that carry no large datagram, losses of single fragments, forgeries.
import { describe, expect, test } from 'vitest';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import { Exchange, fragmentOf } from '../../main/ike/message.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import { parsePrefix } from '../../main/wire/address.ts';
import { mirrored } from '../sim/mirrored.ts';
import { address, initiatorConfig, selector } from '../sim/parties.ts';
import { seededNumbers } from '../sim/random.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';

const prefix = (text: string) => parsePrefix(text) ?? ([] as never);
const IP_AND_UDP = 28;
const ipBytes = ({ bytes, transport }: Datagram): number => bytes.length + IP_AND_UDP + (transport === 'natt' ? 4 : 0);

/** IKE_AUTH of about 2,000 bytes in either direction, as certificates make it. */
const LARGE: { readonly initiator: Partial<InitiatorConfig>; readonly responder: Partial<ResponderConfig> } = {
  initiator: {
    child: {
      ...initiatorConfig().child,
      remote: [
        ...initiatorConfig().child.remote,
        ...Array.from({ length: 110 }, (_, i) => selector(`10.78.${i}.0/24`)),
      ],
    },
  },
  responder: {
    lease: () => ({
      addresses: [{ address: address('10.99.0.5'), bits: 24 }],
      dns: [address('10.77.0.53')],
      subnets: Array.from({ length: 150 }, (_, i) => prefix(`10.${i + 1}.0.0/16`)),
    }),
  },
};
const RETRANSMISSION = { first: 500, factor: 2, most: 4000, tries: 8 };

function large(options: SimulationOptions = {}): Simulation {
  return new Simulation({
    ...options,
    initiator: { ...LARGE.initiator, ...options.initiator },
    responder: { ...LARGE.responder, ...options.responder },
  });
}

function up(sim: Simulation): void {
  expect(sim.client.closed, JSON.stringify(sim.client.closed)).toBeUndefined();
  expect(sim.client.installed.length).toBe(1);
  expect(mirrored(sim.client.installed[0]!)).toEqual(sim.peer.installed[0]);
  expect(sim.client.established?.configuration.subnets.length).toBe(150);
}

const mtu =
  (most: number, direction?: Datagram['direction']) =>
  (datagram: Datagram): readonly Datagram[] =>
    ipBytes(datagram) > most && (direction === undefined || direction === datagram.direction) ? [] : [datagram];

const auths = (sim: Simulation) => sim.wire.filter((d) => d.bytes[18] === Exchange.IKE_AUTH);

test('large messages go out in fragments of 1,280 bytes, IKE_SA_INIT and small ones whole', () => {
  const sim = large().connect();
  up(sim);
  const fragments = auths(sim);
  expect(fragments.map((d) => fragmentOf(d.bytes)!.number)).toEqual([1, 2, 1, 2]);
  expect(fragments.every((d) => ipBytes(d) <= 1280)).toBe(true);
  sim.tell({ kind: 'checkLiveness' }).run(1000);
  expect(sim.wire.filter((d) => !auths(sim).includes(d)).every((d) => !fragmentOf(d.bytes))).toBe(true);
});

test.each([
  ['initiator', { initiator: { fragmentSizes: [] } }],
  ['responder', { responder: { fragmentSizes: [] } }],
] as const)('is not used where the %s does not offer it', (_, options) => {
  const sim = large(options).connect();
  up(sim);
  expect(auths(sim).map((d) => fragmentOf(d.bytes))).toEqual([undefined, undefined]);
  // A fragment that comes all the same is dropped.
  const [request] = auths(large().connect());
  sim.inject({ ...request! }).run(10);
  up(sim);
});

describe('a path that carries no more than', () => {
  test.each([1400, 1279, 1000, 600])('%d bytes', (most) => {
    const sim = large({ network: { touch: mtu(most) } });
    const start = sim.now;
    sim.tell({ kind: 'start' }).run(60_000, () => sim.client.established !== undefined);
    up(sim.run(0));
    // Two sendings of 1,280 bytes in vain, then 576: half a second and one second.
    expect(sim.now - start).toBeLessThan(most < 1280 ? 1600 : 100);
  });

  test('600 bytes towards the client only: the gateway learns it from the repetitions', () => {
    const sim = large({ network: { touch: mtu(600, 'to-initiator') } }).connect();
    up(sim);
  });

  test('600 bytes towards the gateway only', () => {
    const sim = large({ network: { touch: mtu(600, 'to-responder') } }).connect();
    up(sim);
    // RFC 7383 §2.5.1: the answer follows the size of the request.
    expect(
      auths(sim)
        .filter((d) => d.direction === 'to-initiator')
        .every((d) => ipBytes(d) <= 576),
    ).toBe(true);
  });

  test('400 bytes: fails in good time, and says that nobody answers', () => {
    const sim = large({ initiator: { retransmission: RETRANSMISSION }, network: { touch: mtu(400) } }).connect();
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
  });

  test('400 bytes, which the client knows', () => {
    const sim = large({ initiator: { fragmentSizes: [400] }, network: { touch: mtu(400) } }).connect();
    up(sim);
  });
});

test('a request that was answered is answered again on its first fragment only, cut up as it may be', () => {
  const sim = large({ network: { touch: mtu(600) } }).connect();
  up(sim);
  const requests = auths(sim).filter((d) => d.direction === 'to-responder');
  const before = auths(sim).length;
  for (const d of requests) sim.inject(d);
  sim.run(100);
  const firsts = requests.filter((d) => fragmentOf(d.bytes)?.number === 1);
  // Two sendings of 1,280 bytes, one of 576.
  expect(firsts.length).toBe(3);
  const responses = auths(sim).slice(before);
  expect(responses.filter((d) => fragmentOf(d.bytes)?.number === 1).length).toBe(firsts.length);
  up(sim);
});

test.each([1, 2, 3])('the loss of fragment %d, once in each direction', (number) => {
  const lost = new Set<string>();
  const sim = large({
    initiator: { fragmentSizes: [700] },
    network: {
      touch: (d) => {
        if (fragmentOf(d.bytes)?.number !== number || lost.has(d.direction)) return [d];
        lost.add(d.direction);
        return [];
      },
    },
  }).connect();
  up(sim);
  expect(lost.size).toBe(2);
});

test('a gateway that answers is not asked for more than the fragments that are missing would need', () => {
  // Each sending loses another fragment: what has arrived before is kept, so that the second sending completes the message.
  let sending = 0;
  const sim = large({
    initiator: { fragmentSizes: [700] },
    network: {
      touch: (d) => {
        const fragment = fragmentOf(d.bytes);
        if (!fragment || d.direction !== 'to-responder') return [d];
        if (fragment.number === 1) sending++;
        return fragment.number === sending ? [] : [d];
      },
    },
  }).connect();
  up(sim);
  expect(sending).toBe(2);
});

test('forged, doubled, reordered and foreign fragments harm nobody', () => {
  const numbers = seededNumbers(Number(process.env.CULVERT_SEED ?? 1));
  const sim = large({
    initiator: { fragmentSizes: [500] },
    network: {
      delay: [5, 200],
      duplicate: 0.5,
      touch: (d) => {
        const fragment = fragmentOf(d.bytes);
        if (!fragment) return [d];
        const forged = Array.from({ length: 20 }, () => {
          const bytes = Uint8Array.from(d.bytes);
          const view = new DataView(bytes.buffer);
          // Another number, another total, or another content.
          const what = Math.floor(numbers() * 3);
          if (what === 0) view.setUint16(32, 1 + Math.floor(numbers() * fragment.total));
          else if (what === 1) view.setUint16(34, fragment.total + Math.floor(numbers() * 200));
          bytes[40 + Math.floor(numbers() * (bytes.length - 40))]! ^= 1 + Math.floor(numbers() * 255);
          return { ...d, bytes };
        });
        return [...forged, d, ...forged];
      },
    },
  }).connect();
  up(sim);
});

// 1,000 with CULVERT_LONG.
const LOSSY = process.env.CULVERT_LONG ? 1000 : 120;
test(`with 30 % loss of every datagram, ${LOSSY} times`, () => {
  let failed = 0;
  for (let seed = 1; seed <= LOSSY; seed++) {
    const sim = large({
      seed,
      initiator: { fragmentSizes: [900, 500] },
      network: {
        loss: 0.3,
        duplicate: 0.1,
        delay: [5, 400],
        touch: mtu(seed % 3 === 0 ? 600 : 1500),
        nat: seed % 2 === 0,
      },
    }).connect();
    if (sim.client.closed) {
      expect(sim.client.closed, `seed ${seed}`).toMatchObject({ by: 'error', error: { code: 'no-response' } });
      failed++;
    } else up(sim);
  }
  console.log(`fragments: ${failed} of ${LOSSY} gave up cleanly`);
  expect(failed).toBeLessThan(0.05 * LOSSY);
});
