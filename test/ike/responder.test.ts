// What only a responder has: many peers, half-open SAs, strangers, leases.
import { describe, expect, test, vi } from 'vitest';
import type { AddressLease } from '../../main/ike/configuration.ts';
import { createInitiator } from '../../main/ike/initiator.ts';
import { decodeMessage, Exchange } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { payloadsOf } from '../../main/ike/payload/payload.ts';
import type { IkeEffect, IkeResponder, IkeResponderEffect } from '../../main/ike/peer.ts';
import { createResponder } from '../../main/ike/responder.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import { ResponderSa } from '../../main/ike/responder-sa.ts';
import type { Endpoint } from '../../main/wire/address.ts';
import { isWireError } from '../../main/wire/error.ts';
import { address, endpoint, GATEWAY, initiatorConfig, responderConfig } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { Simulation } from '../sim/simulation.ts';
import { answerer, authority, certificate, type FakeEap, signing } from './auth/answers.ts';

const LOCAL = endpoint(GATEWAY, 500);
const responder = (change: Partial<ResponderConfig> = {}, seed = 'r'): IkeResponder =>
  createResponder(responderConfig(change), { random: seededBytes(seed) });

const sent = (effects: readonly (IkeResponderEffect | { effect: IkeEffect })[]) =>
  effects.flatMap(({ effect }) => (effect.kind === 'send' ? [effect] : []));
const notifyTypes = (bytes: Uint8Array): number[] => {
  const message = decodeMessage(bytes);
  if (isWireError(message)) throw new Error(message.toString());
  return payloadsOf(message.payloads, 'notify').map((n) => n.type);
};

/** A client that speaks to the responder without a network, one message at a time. */
class Client {
  readonly #peer;
  readonly from;
  #out: Uint8Array[] = [];
  readonly effects: IkeEffect[] = [];

  constructor(name: string, from = endpoint('192.0.2.9', 500)) {
    this.from = from;
    this.#peer = createInitiator(initiatorConfig({ identity: { type: 'rfc822', text: name } }), {
      random: seededBytes(`${name} ${from.port}`),
    });
    this.take(this.#peer.handle({ kind: 'start' }, 0));
  }

  take(effects: readonly IkeEffect[]): void {
    this.effects.push(...effects);
    for (const effect of effects) if (effect.kind === 'send') this.#out.push(effect.bytes);
  }

  /** The message that is to be delivered next. */
  get next(): Uint8Array {
    return this.#out.shift() ?? new Uint8Array(0);
  }

  deliver(to: IkeResponder, bytes: Uint8Array, now = 0): IkeResponderEffect[] {
    return to.handle({ kind: 'datagram', bytes, from: this.from, local: LOCAL, transport: 'ike' }, now);
  }

  answer(effects: readonly IkeResponderEffect[], now = 0): void {
    for (const { bytes } of sent(effects))
      this.take(
        this.#peer.handle(
          { kind: 'datagram', bytes, from: LOCAL, local: initiatorConfig().local, transport: 'ike' },
          now,
        ),
      );
  }

  /** Both exchanges; returns what the responder did in IKE_AUTH. */
  connect(to: IkeResponder, now = 0): IkeResponderEffect[] {
    this.answer(this.deliver(to, this.next, now), now);
    const effects = this.deliver(to, this.next, now);
    this.answer(effects, now);
    return effects;
  }

  get isUp(): boolean {
    return this.effects.some((effect) => effect.kind === 'established');
  }
}

const anyone = { secretOf: () => new TextEncoder().encode('correct horse battery staple') };

describe('many peers', () => {
  test('are told apart by SPI', () => {
    const r = responder(anyone);
    const clients = Array.from(
      { length: 20 },
      (_, i) => new Client(`user${i}@example.com`, endpoint('192.0.2.9', 1000 + i)),
    );
    // Interleaved: all IKE_SA_INITs first.
    for (const client of clients) client.answer(client.deliver(r, client.next));
    const names = clients.map((client) => {
      const effects = client.deliver(r, client.next);
      client.answer(effects);
      const established = effects.find(({ effect }) => effect.kind === 'established')!;
      expect(effects.map(({ effect }) => effect.kind).filter((kind) => kind !== 'timer')).toEqual([
        'expectChild',
        'established',
        'installChild',
        'send',
      ]);
      return established.sa;
    });
    expect(clients.every((client) => client.isUp)).toBe(true);
    expect(new Set(names).size).toBe(20);
    expect(names.every((name) => /^[0-9a-f]{16}$/.test(name ?? ''))).toBe(true);

    const closing = r.handle({ kind: 'close', sa: names[3]! }, 10);
    expect(closing.filter(({ effect }) => effect.kind === 'removeChild').map(({ sa }) => sa)).toEqual([names[3]]);
    const all = r.handle({ kind: 'close' }, 20);
    expect(new Set(all.filter(({ effect }) => effect.kind === 'removeChild').map(({ sa }) => sa)).size).toBe(19);
    // Nobody answers the Deletes: all are gone after the patience of three sendings.
    const gone = r.handle({ kind: 'timer' }, 10_000).filter(({ effect }) => effect.kind === 'closed');
    expect(gone.length).toBe(20);
    expect(gone.every(({ effect }) => effect.kind === 'closed' && effect.reason.by === 'us')).toBe(true);
  });

  test('a datagram that is for none of them looks at none of them, and a timer at those that are due', () => {
    const r = responder(anyone);
    const clients = Array.from(
      { length: 30 },
      (_, i) => new Client(`user${i}@example.com`, endpoint('192.0.2.9', 1000 + i)),
    );
    // Half-open, a second after each other.
    for (const [i, client] of clients.entries()) client.deliver(r, client.next, i * 1000);
    const looked = vi.spyOn(ResponderSa.prototype, 'deadline', 'get');
    const ticked = vi.spyOn(ResponderSa.prototype, 'tick');
    const garbage = new Uint8Array(28);
    garbage.set([0x20, Exchange.INFORMATIONAL, 0x08], 17);
    garbage.set([1], 8);
    garbage[27] = 28;
    r.handle(
      { kind: 'datagram', bytes: garbage, from: endpoint('203.0.113.9', 500), local: LOCAL, transport: 'ike' },
      30,
    );
    expect(looked).not.toHaveBeenCalled();
    const ends = r.handle({ kind: 'timer' }, 32_500).filter(({ effect }) => effect.kind === 'closed');
    expect([ends.length, ticked.mock.calls.length]).toEqual([3, 3]);
    looked.mockRestore();
    ticked.mockRestore();
  });

  test('INITIAL_CONTACT replaces the SA that the same peer had, and its lease is free for the new one', () => {
    const leases: AddressLease[] = [];
    const r = responder({
      ...anyone,
      // A pool of one address.
      lease: () => {
        if (leases.length > 0) return undefined;
        leases.push({ addresses: [{ address: address('10.99.0.7'), bits: 32 }], dns: [], subnets: [] });
        return leases[0];
      },
      release: (_, lease) => void leases.splice(leases.indexOf(lease), 1),
    });
    const first = new Client('alice@example.com', endpoint('192.0.2.9', 1001)).connect(r);
    const again = new Client('alice@example.com', endpoint('192.0.2.9', 1002));
    const effects = again.connect(r);
    expect(again.isUp).toBe(true);
    expect(leases.length).toBe(1);
    const closed = effects.filter(({ effect }) => effect.kind === 'closed');
    expect(closed).toEqual([{ sa: first[0]!.sa, effect: { kind: 'closed', reason: { by: 'peer' } } }]);
    // The end of the old one comes before the new one takes the address.
    const order = effects.map(({ effect }) => effect.kind);
    expect(order.indexOf('removeChild')).toBeLessThan(order.indexOf('closed'));
    expect(order.indexOf('closed')).toBeLessThan(order.indexOf('expectChild'));
    // Somebody else finds the pool empty.
    const other = new Client('bob@example.com', endpoint('192.0.2.9', 1003));
    other.connect(r);
    expect(other.effects.at(-1)!.kind).not.toBe('established');
    expect(other.isUp).toBe(false);
  });

  test('a lease is given back when traffic selectors fail, and when the SA ends', () => {
    let out = 0;
    const lease: AddressLease = { addresses: [{ address: address('10.99.0.7'), bits: 32 }], dns: [], subnets: [] };
    const counted = {
      lease: () => {
        out++;
        return lease;
      },
      release: () => void out--,
    };
    const failed = new Simulation({ responder: { ...counted, local: [] } }).connect();
    expect(failed.client.closed).toMatchObject({ error: { code: 'traffic-selectors' } });
    expect(out).toBe(0);
    const sim = new Simulation({ responder: counted }).connect();
    expect(out).toBe(1);
    sim.tell({ kind: 'close' }).run(1000);
    expect(out).toBe(0);
  });
});

describe('half-open SAs', () => {
  test('the same IKE_SA_INIT gets the same answer, from the same SA', () => {
    const r = responder();
    const client = new Client('alice@example.com');
    const request = client.next;
    const [first] = sent(client.deliver(r, request));
    const [second] = sent(client.deliver(r, request, 100));
    expect(second!.bytes).toEqual(first!.bytes);
  });

  test('an old IKE_SA_INIT does not start anything while its SA lives', () => {
    const r = responder();
    const client = new Client('alice@example.com');
    const request = client.next;
    client.answer(client.deliver(r, request));
    client.answer(client.deliver(r, client.next));
    expect(client.isUp).toBe(true);
    expect(client.deliver(r, request, 100)).toEqual([]);
  });

  test('end when nothing follows, and report only that', () => {
    const r = responder();
    const client = new Client('alice@example.com');
    const effects = client.deliver(r, client.next, 1000);
    expect(effects.at(-1)).toEqual({ sa: null, effect: { kind: 'timer', at: 31_000 } });
    expect(r.handle({ kind: 'timer' }, 30_999)).toEqual([{ sa: null, effect: { kind: 'timer', at: 31_000 } }]);
    const end = r.handle({ kind: 'timer' }, 31_000);
    expect(end.map(({ effect }) => effect.kind)).toEqual(['closed']);
    // Its IKE_AUTH comes too late.
    client.answer(effects);
    const late = client.deliver(r, client.next, 32_000);
    expect(sent(late).map(({ bytes }) => notifyTypes(bytes))).toEqual([[NotifyType.INVALID_IKE_SPI]]);
  });

  test('over the threshold a cookie is asked for, without state', () => {
    const r = responder({ ...anyone, cookieThreshold: 2 });
    const clients = Array.from(
      { length: 5 },
      (_, i) => new Client(`u${i}@example.com`, endpoint('192.0.2.9', 1000 + i)),
    );
    const answers = clients.map((client) => sent(client.deliver(r, client.next))[0]!.bytes);
    expect(answers.map((bytes) => notifyTypes(bytes).includes(NotifyType.COOKIE))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  /** IKE_SA_INITs, each another one; returns how many were answered. */
  const flood = (r: IkeResponder, from: readonly Endpoint[]): Uint8Array[] => {
    const request = new Client('alice@example.com').next;
    return from.flatMap((source, i) => {
      const bytes = Uint8Array.from(request);
      new DataView(bytes.buffer).setUint32(0, i + 1);
      return sent(r.handle({ kind: 'datagram', bytes, from: source, local: LOCAL, transport: 'ike' }, 0)).map(
        (one) => one.bytes,
      );
    });
  };

  test('are bounded in number', () => {
    const everywhere = Array.from({ length: 1100 }, (_, i) => endpoint(`192.0.${i >> 8}.${i & 255}`, 500));
    expect(flood(responder(), everywhere).length).toBe(1024);
  });

  test('of one address, or of one /64, are bounded in number: others still get in', () => {
    for (const [many, other] of [
      [Array.from({ length: 200 }, (_, i) => endpoint('192.0.2.9', 1000 + i)), endpoint('192.0.2.10', 1000)],
      [
        Array.from({ length: 200 }, (_, i) => endpoint(`2001:db8:1:2::${i + 1}`, 500)),
        endpoint('2001:db8:1:3::1', 500),
      ],
    ] as const) {
      const r = responder();
      expect(flood(r, many).length).toBe(64);
      expect(flood(r, [other]).length).toBe(1);
      // They leave room when they go.
      r.handle({ kind: 'timer' }, 31_000);
      expect(flood(r, many).length).toBe(64);
    }
  });

  test('of one address: a cookie shows that it is there, before it has filled its places', () => {
    const many = Array.from({ length: 50 }, (_, i) => endpoint('192.0.2.9', 1000 + i));
    const asked = flood(responder({ cookieThreshold: 100 }), many).map((b) =>
      notifyTypes(b).includes(NotifyType.COOKIE),
    );
    expect(asked.indexOf(true)).toBe(32);
    expect(asked.slice(32).every((one) => one)).toBe(true);
  });

  test('end after five minutes, however often they take another step', () => {
    const eap: FakeEap = { packets: 190, msk: 'key' };
    const asked: Extract<IkeEffect, { kind: 'ask' }>[] = [];
    const sim = new Simulation({
      initiator: {
        credential: { kind: 'eap' },
        remoteAuthentication: { kind: 'signature', authorities: [authority('root')] },
      },
      responder: { authentication: { credential: signing('p256', 'gateway'), rounds: [['eap']], authorities: [] } },
      answers: { gateway: () => answerer('gateway', { eap }) },
    });
    const handle = sim.initiator.handle.bind(sim.initiator);
    sim.initiator.handle = (event, now) =>
      handle(event, now).filter((effect) => effect.kind !== 'ask' || asked.push(effect) === 0);
    const answers = answerer('client', {
      trusted: [{ key: certificate('p256', 'gateway'), names: ['gateway.example.com'] }],
      eap,
    });
    /** The last answer before the time for one step is over. */
    const step = (after: number) => {
      const { id, question } = asked.at(-1)!;
      sim.tell({ kind: 'answer', id, answer: answers(question) }).run(after);
    };
    const ends = () => [...sim.gateway.values()].map(({ closed }) => closed?.by);
    sim.connect(1000);
    for (const after of [110_000, 110_000, 78_000]) step(after);
    expect(ends()).toEqual([undefined]);
    step(2_000);
    expect(asked.length).toBe(5);
    expect(ends()).toEqual(['error']);
  });
});

describe('strangers', () => {
  const header = (change: Partial<Record<number, number>>): Uint8Array => {
    const bytes = new Uint8Array(28);
    bytes.fill(0x11, 0, 8);
    bytes.fill(0x22, 8, 16);
    bytes.set([0, 0x20, Exchange.INFORMATIONAL, 0x08], 16);
    bytes.set([0, 0, 0, 7, 0, 0, 0, 28], 20);
    for (const [at, value] of Object.entries(change)) bytes[Number(at)] = value!;
    return bytes;
  };
  const tell = (r: IkeResponder, bytes: Uint8Array, now = 0) =>
    sent(
      r.handle({ kind: 'datagram', bytes, from: endpoint('192.0.2.66', 4242), local: LOCAL, transport: 'ike' }, now),
    );

  test('a request of an unknown SA gets INVALID_IKE_SPI with its own SPIs and message ID (RFC 7296 §2.21.4)', () => {
    const [answer] = tell(responder(), header({}));
    expect(notifyTypes(answer!.bytes)).toEqual([NotifyType.INVALID_IKE_SPI]);
    expect(answer!.to).toEqual(endpoint('192.0.2.66', 4242));
    expect(Array.from(answer!.bytes.subarray(0, 16))).toEqual([...Array(8).fill(0x11), ...Array(8).fill(0x22)]);
    expect(answer!.bytes[19]).toBe(0x20);
    expect(Array.from(answer!.bytes.subarray(20, 24))).toEqual([0, 0, 0, 7]);
  });

  test('a response of an unknown SA gets nothing', () => {
    expect(tell(responder(), header({ 19: 0x28 }))).toEqual([]);
  });

  test('a higher major version is told ours (RFC 7296 §2.5); a lower one, and an answer, nothing', () => {
    const [answer] = tell(responder(), header({ 17: 0x30 }));
    expect(notifyTypes(answer!.bytes)).toEqual([NotifyType.INVALID_MAJOR_VERSION]);
    expect(answer!.bytes[17]).toBe(0x20);
    expect(tell(responder(), header({ 17: 0x10 }))).toEqual([]);
    expect(tell(responder(), header({ 17: 0x30, 19: 0x28 }))).toEqual([]);
  });

  test('are answered ten times a second', () => {
    const r = responder();
    const count = (now: number) =>
      Array.from({ length: 50 }, () => tell(r, header({}), now)).reduce((sum, answers) => sum + answers.length, 0);
    expect([count(0), count(500), count(1000)]).toEqual([10, 0, 10]);
  });
});

test('the Delete of a peer that did not get our answer is answered again after the end', () => {
  let lose = false;
  const sim = new Simulation({
    network: { touch: (d) => (lose && d.direction === 'to-initiator' ? [] : [d]) },
  }).connect();
  lose = true;
  sim.tell({ kind: 'close' }).run(400);
  expect(sim.peer.closed).toEqual({ by: 'peer' });
  expect(sim.client.closed).toBeUndefined();
  lose = false;
  const before = sim.now;
  sim.run(10_000, () => sim.client.closed !== undefined);
  expect(sim.client.closed).toEqual({ by: 'us' });
  // By the first retransmission, not by running out of patience.
  expect(sim.now - before).toBeLessThan(300);
});
