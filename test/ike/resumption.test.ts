// Resuming an IKE SA with a ticket (RFC 5723): what both ends remember, what comes of it, and every way in which it may not work.
import { describe, expect, test } from 'vitest';
import { prfPlus } from '../../main/crypto/prf.ts';
import { concat, spiBytes } from '../../main/ike/keymat.ts';
import { decodeMessage, Exchange } from '../../main/ike/message.ts';
import { createResponder } from '../../main/ike/responder.ts';
import { IkeSa } from '../../main/ike/sa.ts';
import {
  decodeTicket,
  ResumptionTicket,
  resumptionSecret,
  TicketStore,
  ticketIn,
  ticketNotify,
} from '../../main/ike/ticket.ts';
import { isWireError } from '../../main/wire/error.ts';
import { hex, toHex } from '../crypto/hex.ts';
import { mirrored } from '../sim/mirrored.ts';
import { responderConfig } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { Simulation, type SimulationOptions } from '../sim/simulation.ts';
import { saOf, THEM, US } from './agreed.ts';

const LIFETIME = 3600;
const wants: SimulationOptions['initiator'] = { wantsTickets: true };
const gives: SimulationOptions['responder'] = { ticketLifetime: LIFETIME };

const exchanges = (sim: Simulation): readonly number[] =>
  sim.wire.map(({ bytes }) => bytes[18]!).filter((exchange, i, all) => exchange !== all[i - 1]);

/** Connected once, and the ticket that came of it. */
function first(options: SimulationOptions = {}): { readonly sim: Simulation; readonly ticket: ResumptionTicket } {
  const sim = new Simulation({
    ...options,
    initiator: { ...wants, ...options.initiator },
    responder: { ...gives, ...options.responder },
  });
  sim.connect();
  const ticket = sim.client.tickets.at(-1);
  if (!ticket) throw new Error('no ticket came');
  return { sim, ticket };
}

/** The client loses everything but the ticket, and comes back. */
const back = (after: Simulation, resume: ResumptionTicket, options: SimulationOptions = {}): Simulation =>
  new Simulation({ ...options, after, seed: 77, initiator: { ...wants, resume, ...options.initiator } });

const up = (sim: Simulation): void => {
  expect(sim.client.closed, JSON.stringify(sim.client.closed)).toBeUndefined();
  expect(mirrored(sim.client.installed[0]!)).toEqual(sim.peer.installed[0]);
};

test('a connection is made anew without a key exchange, and brings the next ticket', () => {
  const { sim, ticket } = first();
  const again = back(sim, ticket).connect();
  up(again);
  expect(exchanges(again)).toEqual([Exchange.IKE_SESSION_RESUME, Exchange.IKE_AUTH]);
  expect(again.client.established?.remoteIdentity).toEqual(sim.client.established?.remoteIdentity);
  expect(again.client.established?.proposal).toBe(sim.client.established?.proposal);
  // The old SA went without a word (§4.3.4), and no key is the same.
  expect(again.client.installed[0]?.keyOut).not.toEqual(sim.client.installed[0]?.keyOut);
  const next = again.client.tickets.at(-1);
  expect(next?.ticket).not.toEqual(ticket.ticket);
  const third = back(again, next!).connect();
  up(third);
  expect(exchanges(third)).toEqual([Exchange.IKE_SESSION_RESUME, Exchange.IKE_AUTH]);
});

test('with a cookie, behind a NAT, with 20 % loss, both kinds of IKE cipher, 60 times', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const proposals = [seed % 2 ? 'aes128-sha256-x25519' : 'chacha20poly1305-prfsha384-x25519'];
    const { sim, ticket } = first({
      seed,
      initiator: { proposals },
      responder: { proposals, cookieThreshold: seed % 3 ? Number.POSITIVE_INFINITY : 0 },
    });
    const network = { loss: 0.2, duplicate: 0.2, delay: [5, 200] as const, nat: seed % 2 === 0 };
    const again = back(sim, ticket, { seed, network, initiator: { proposals } }).connect();
    if (again.client.closed) expect(again.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
    else up(again);
  }
});

describe('from the start instead, and connected all the same', () => {
  const usual = [Exchange.IKE_SESSION_RESUME, Exchange.IKE_SA_INIT, Exchange.IKE_AUTH];

  test('where the gateway has forgotten (TICKET_NACK)', () => {
    const { sim, ticket } = first();
    sim.responder = createResponder(responderConfig(gives), { random: seededBytes('another gateway') });
    const again = back(sim, ticket).connect();
    up(again);
    expect(exchanges(again)).toEqual(usual);
  });

  test('where the gateway does not know the exchange and says nothing', () => {
    const { sim, ticket } = first();
    const touch: NonNullable<SimulationOptions['network']>['touch'] = (d) =>
      d.bytes[18] === Exchange.IKE_SESSION_RESUME ? [] : [d];
    const again = back(sim, ticket, { network: { touch } });
    const start = again.now;
    again.tell({ kind: 'start' }).run(60_000, () => again.client.established !== undefined);
    up(again.run(1000));
    // Three sendings: 0.5, 1 and 2 seconds.
    expect(again.now - start).toBeLessThan(6000);
  });

  test('where the ticket was spent, by us or by who copied it from the network', () => {
    const { sim, ticket } = first();
    const used = back(sim, ticket).connect();
    up(used);
    const again = back(used, ticket).connect();
    up(again);
    expect(exchanges(again)).toEqual(usual);
  });

  test('where the old connection was deleted, by either side (§6.2)', () => {
    for (const by of ['client', 'gateway'] as const) {
      const { sim, ticket } = first();
      if (by === 'client') sim.tell({ kind: 'close' });
      else sim.tellGateway({ kind: 'close' });
      const again = back(sim.run(60_000), ticket).connect();
      up(again);
      expect(exchanges(again)).toEqual(usual);
    }
  });

  test('where the ticket has expired: then it is not even shown (§4.3.1)', () => {
    const { sim, ticket } = first();
    sim.run(LIFETIME * 1000 + 1);
    const again = back(sim, ticket).connect();
    up(again);
    expect(exchanges(again)).toEqual([Exchange.IKE_SA_INIT, Exchange.IKE_AUTH]);
  });

  test('where the profile has other names by now', () => {
    const { sim, ticket } = first({
      responder: { secretOf: () => new TextEncoder().encode('correct horse battery staple') },
    });
    const identity = { type: 'rfc822', text: 'bob@example.com' } as const;
    const again = back(sim, ticket, { initiator: { identity } }).connect();
    up(again);
    expect(exchanges(again)[0]).toBe(Exchange.IKE_SA_INIT);
  });

  test('where the keys do not fit: the gateway refuses', () => {
    const { sim, ticket } = first();
    const held = ticket.usable(sim.now)!;
    const other = new ResumptionTicket(
      { lifetime: 100, ticket: ticket.ticket },
      { ...held, SK_d: Uint8Array.from(held.SK_d).fill(7) },
      sim.now,
    );
    const again = back(sim, other);
    const start = again.now;
    again.tell({ kind: 'start' }).run(60_000, () => again.client.established !== undefined);
    // Nobody can open its IKE_AUTH: silence, after which it is made without the ticket. Four sendings: 0.5, 1, 2 and 4 seconds.
    up(again.run(1000));
    expect(again.now - start).toBeLessThan(10_000);
    expect(exchanges(again)).toEqual([
      Exchange.IKE_SESSION_RESUME,
      Exchange.IKE_AUTH,
      Exchange.IKE_SA_INIT,
      Exchange.IKE_AUTH,
    ]);
    // The real ticket is not spent by that.
    up(back(sim, ticket).connect());
  });

  test('where the gateway calls itself by another name than the one in the ticket', () => {
    const { sim, ticket } = first({ initiator: { remoteIdentity: undefined } });
    const held = ticket.usable(sim.now)!;
    const other = new ResumptionTicket(
      { lifetime: 100, ticket: ticket.ticket },
      { ...held, SK_d: Uint8Array.from(held.SK_d), responder: { type: 'fqdn', text: 'elsewhere.example.com' } },
      sim.now,
    );
    const again = back(sim, other, { initiator: { remoteIdentity: undefined } }).connect();
    up(again);
    expect(exchanges(again).slice(0, 2)).toEqual([Exchange.IKE_SESSION_RESUME, Exchange.IKE_AUTH]);
    expect(exchanges(again).slice(-2)).toEqual([Exchange.IKE_SA_INIT, Exchange.IKE_AUTH]);
  });

  test('but not where somebody has said to stop in the meantime', () => {
    const { sim, ticket } = first();
    const again = back(sim, ticket);
    again.network = { touch: (d) => (d.bytes[18] === Exchange.IKE_AUTH ? [] : [d]) };
    again.connect(1_000).tell({ kind: 'close' }).run(60_000);
    expect(again.client.closed).toEqual({ by: 'us' });
    expect(exchanges(again)).toEqual([Exchange.IKE_SESSION_RESUME, Exchange.IKE_AUTH]);
  });
});

test('no ticket is asked for, or given, unless wanted', () => {
  expect(new Simulation({ responder: gives }).connect().client.tickets).toEqual([]);
  const none = new Simulation({ initiator: wants }).connect();
  expect(none.client.tickets).toEqual([]);
  up(none);
});

test('when the IKE SA is rekeyed the ticket is worthless, and another one comes (§6.2)', () => {
  for (const by of ['client', 'gateway'] as const) {
    const { sim, ticket } = first();
    if (by === 'client') sim.tell({ kind: 'rekey', what: 'ike' });
    else sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' });
    sim.run(60_000);
    expect(sim.client.rekeyed).toBe(1);
    expect(sim.client.tickets.length).toBe(3);
    expect(sim.client.tickets[1]).toBeUndefined();
    const next = sim.client.tickets[2]!;
    expect(next.ticket).not.toEqual(ticket.ticket);
    const again = back(sim, next).connect();
    up(again);
    expect(exchanges(again)).toEqual([Exchange.IKE_SESSION_RESUME, Exchange.IKE_AUTH]);
  }
});

test('SKEYSEED = prf(SK_d (old), "Resumption" | Ni | Nr) (§5.1)', () => {
  const old = saOf('initiator');
  const { suite } = old;
  const [Ni, Nr] = [hex('01'.repeat(32)), hex('02'.repeat(32))];
  const names = { initiator: { type: 'fqdn', text: 'a' }, responder: { type: 'fqdn', text: 'b' } } as const;
  const sa = new IkeSa(
    {
      role: 'initiator',
      SPIi: 5n,
      SPIr: 6n,
      suite,
      Ni,
      Nr,
      ...resumptionSecret({ suite, SK_d: old.keys.SK_d, ...names }),
      realMessage1: new Uint8Array(0),
      realMessage2: new Uint8Array(0),
      nat: { local: false, remote: false },
      encapsulation: 'raw',
      local: US,
      remote: THEM,
      transport: 'ike',
    },
    seededBytes('iv'),
  );
  const text = new TextEncoder().encode('Resumption');
  const SKEYSEED = suite.prf.compute(old.keys.SK_d, text, Ni, Nr);
  const expected = prfPlus(suite.prf, SKEYSEED, concat(Ni, Nr, spiBytes(5n), spiBytes(6n)), 32);
  expect(toHex(sa.keys.SK_d)).toBe(toHex(expected));
});

describe('tickets', () => {
  const names = { initiator: { type: 'fqdn', text: 'a' }, responder: { type: 'fqdn', text: 'b' } } as const;
  const sa = () => ({ suite: saOf('responder').suite, SK_d: new Uint8Array(32).fill(9), ...names });

  test('TICKET_LT_OPAQUE: four bytes of seconds, and the ticket (§7.1)', () => {
    const payload = ticketNotify({ lifetime: 86400, ticket: hex('c0ffee') });
    expect(payload).toMatchObject({ type: 16409, protocol: 0, data: hex('00015180c0ffee') });
    expect(ticketIn([payload])).toEqual({ lifetime: 86400, ticket: hex('c0ffee') });
    for (const bad of ['', '000151', '00000000c0ffee', '00015180'])
      expect(ticketIn([{ ...payload, data: hex(bad) } as typeof payload])).toBeUndefined();
    expect(isWireError(decodeTicket(hex('000000')))).toBe(true);
  });

  test('are forgotten in time, wiped, and never written down', () => {
    const held = sa();
    const ticket = new ResumptionTicket({ lifetime: 10, ticket: hex('01') }, held, 0);
    expect(ticket.usable(9_999)).toBe(held);
    expect(JSON.stringify({ ticket })).toBe('{"ticket":"ResumptionTicket"}');
    expect(ticket.usable(10_000)).toBeUndefined();
    expect(held.SK_d.every((byte) => byte === 0)).toBe(true);
  });

  test('a gateway keeps a thousand, the newest, and each for its time', () => {
    const store = new TicketStore(10, seededBytes('tickets'));
    const oldest = sa();
    const { ticket } = store.issue(oldest, 0);
    expect(store.find(ticket, 9_999)).toBe(oldest);
    expect(store.find(Uint8Array.from(ticket).fill(0), 0)).toBeUndefined();
    for (let i = 0; i < 2000; i++) store.issue(sa(), 5_000);
    expect(store.size).toBe(1024);
    expect(store.find(ticket, 5_000)).toBeUndefined();
    expect(oldest.SK_d.every((byte) => byte === 0)).toBe(true);
    store.issue(sa(), 15_000);
    expect(store.size).toBe(1);
  });
});

test('IKE_SESSION_RESUME shows the ticket and no key', () => {
  const { sim, ticket } = first();
  const again = back(sim, ticket).connect();
  const request = decodeMessage(again.wire[0]!.bytes);
  if (isWireError(request)) throw request;
  expect(request.payloads.filter(({ kind }) => kind !== 'notify').map(({ kind }) => kind)).toEqual(['nonce']);
  expect(again.wire[0]!.bytes.length).toBeLessThan(300);
});
