// What is different where IKE goes over one TCP connection (RFC 9329), in the core: the ends of it are the addresses, and nothing is said
// twice, in pieces, or to keep a NAT alive.
import { describe, expect, test } from 'vitest';
import { mobikeAnnouncements, mobikeIn } from '../../main/ike/mobike-support.ts';
import { PAYLOAD_TYPES } from '../../main/ike/payload/payload.ts';
import { mobikeSupported } from '../../main/ike/task/path.ts';
import { mirrored } from '../sim/mirrored.ts';
import { CLIENT, endpoint, GATEWAY, initiatorConfig } from '../sim/parties.ts';
import { Simulation, type SimulationOptions } from '../sim/simulation.ts';
import { expectUp } from '../sim/up.ts';
import { saOf } from './agreed.ts';

const NEXT_PAYLOAD_AT = 16;

const overTcp: SimulationOptions['initiator'] = {
  encapsulation: 'tcp',
  local: endpoint(CLIENT, 40_000),
  localNatt: endpoint(CLIENT, 40_000),
  remote: endpoint(GATEWAY, 4500),
};

function connect(options: SimulationOptions = {}): Simulation {
  return new Simulation({ ...options, initiator: { ...overTcp, ...options.initiator } }).connect(60_000);
}

function expectUpOverTcp(sim: Simulation): void {
  expect(new Set(sim.wire.map(({ transport }) => transport))).toEqual(new Set(['tcp']));
  expect(sim.client.installed.map(({ encapsulation }) => encapsulation)).toEqual(['tcp']);
  expect(mirrored(sim.client.installed[0]!)).toEqual(sim.peer.installed[0]);
}

test('every message and the CHILD SA are in it', () => {
  expectUpOverTcp(connect());
});

test('behind a NAT too, and no keepalive is sent (§6.6)', () => {
  const keepalives = (initiator: SimulationOptions['initiator']) => {
    const sim = new Simulation({ network: { nat: true }, initiator: { ...initiator, keepaliveInterval: 20_000 } });
    sim.connect(60_000).run(100_000);
    expectUp(sim);
    return sim.client.keepalives;
  };
  expect(keepalives(overTcp)).toBe(0);
  expect(keepalives({ encapsulation: 'udp' })).toBeGreaterThan(3);
});

test('the gateway goes on where the client comes from another connection, behind a NAT or not (§6.1)', () => {
  for (const nat of [false, true]) {
    const sim = connect({ network: { nat } });
    const elsewhere = endpoint(CLIENT, 40_001);
    sim.network = { touch: (one) => [one.direction === 'to-responder' ? { ...one, from: elsewhere } : one] };
    sim.tell({ kind: 'checkLiveness' }).run(1000);
    expect(sim.peer.moved).toEqual([elsewhere]);
    expect(sim.wire.at(-1)).toMatchObject({ direction: 'to-initiator', to: elsewhere });
  }
});

test('a session is resumed in it', () => {
  const tickets = { initiator: { ...overTcp, wantsTickets: true }, responder: { ticketLifetime: 3600 } };
  const before = new Simulation(tickets).connect(60_000);
  const again = new Simulation({
    after: before,
    seed: 77,
    initiator: { ...tickets.initiator, resume: before.client.tickets.at(-1) },
  }).connect(60_000);
  expectUpOverTcp(again);
  expect(again.wire[0]!.bytes[18]).toBe(38); // IKE_SESSION_RESUME
});

test('a message of any size goes in one piece (§7.5)', () => {
  const proposals = ['aes128gcm16', 'aes192gcm16', 'aes256gcm16', 'chacha20poly1305'].flatMap((cipher) =>
    ['', '-esn', '-noesn', '-esn-noesn'].map((esn) => `${cipher}${esn}`),
  );
  const pieces = (initiator: SimulationOptions['initiator']): number => {
    const child = { ...initiatorConfig().child, proposals };
    const sim = new Simulation({
      initiator: { ...initiator, fragmentSizes: [576], child },
      responder: { fragmentSizes: [576] },
    }).connect(60_000);
    expectUp(sim);
    return sim.wire.filter(({ bytes }) => bytes[NEXT_PAYLOAD_AT] === PAYLOAD_TYPES.fragment).length;
  };
  expect(pieces(overTcp)).toBe(0);
  expect(pieces({ encapsulation: 'udp' })).toBeGreaterThan(1);
});

test('a refusal is the peer’s: no better answer is waited for (§6.4)', () => {
  const waited = (initiator: SimulationOptions['initiator']): number => {
    const sim = new Simulation({
      initiator: { ...initiator, proposals: ['aes256gcm16-prfsha256-ecp384'] },
      responder: { proposals: ['aes256gcm16-prfsha256-x25519'] },
    });
    const start = sim.now;
    sim.tell({ kind: 'start' }).run(60_000, () => sim.client.closed !== undefined);
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-ike-proposal' } });
    return sim.now - start;
  };
  expect(waited(overTcp)).toBeLessThan(100);
  expect(waited({})).toBeGreaterThan(500);
});

describe('MOBIKE', () => {
  const sa = (transport: 'tcp' | 'natt') => Object.assign(saOf('initiator'), { transport });

  test('is not announced, and not taken from who announces it: the connection moves by itself (§6)', () => {
    expect(mobikeAnnouncements({ mobike: true }, sa('tcp'))).toEqual([]);
    expect(mobikeIn([mobikeSupported()], sa('tcp'))).toBeUndefined();
    expect(mobikeAnnouncements({ mobike: true }, sa('natt'))).not.toEqual([]);
    expect(mobikeIn([mobikeSupported()], sa('natt'))).toEqual({ peerAddresses: [] });
  });

  test('is not agreed on', () => {
    expect(connect({ initiator: { mobike: true }, responder: { mobike: {} } }).client.established?.mobike).not.toBe(
      true,
    );
  });
});
