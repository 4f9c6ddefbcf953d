// MOBIKE, message by message: one end is a connection, the other a puppet that has the keys and says what the test wants.
import { describe, expect, test } from 'vitest';
import { Connection } from '../../main/ike/connection.ts';
import { ExchangeManager } from '../../main/ike/exchange.ts';
import { exchangeHost } from '../../main/ike/exchange-host.ts';
import { decodeHeader, type Header, type Message } from '../../main/ike/message.ts';
import { mobikeAgreement, mobikeAnnouncements, mobikeIn } from '../../main/ike/mobike-support.ts';
import { natDetection, natDetectionHash } from '../../main/ike/nat.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { Outbox } from '../../main/ike/outbox.ts';
import type { Payload } from '../../main/ike/payload/payload.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import type { Role } from '../../main/ike/sa.ts';
import {
  additionalAddresses,
  additionalAddressNotify,
  cookiesIn,
  hasForbiddenNat,
  noNatsAllowed,
} from '../../main/ike/task/path.ts';
import type { Task } from '../../main/ike/task/task.ts';
import type { Address, Endpoint } from '../../main/wire/address.ts';
import { address, endpoint, GATEWAY } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { Simulation } from '../sim/simulation.ts';
import { childOf, saOf, THEM, US } from './agreed.ts';

const N = NotifyType;
const POLICY = { first: 100, factor: 2, most: 1000, tries: 10 };
const NEW = endpoint('203.0.113.50', 4500);
const MAPPED = endpoint('203.0.113.7', 61000);
const OTHER = '198.51.100.9';

const notify = (type: number, data: Uint8Array = new Uint8Array(0)): Payload => ({
  kind: 'notify',
  protocol: 0,
  type,
  spi: new Uint8Array(0),
  data,
});
const typesOf = ({ payloads }: Message): number[] =>
  payloads.flatMap((one) => (one.kind === 'notify' ? [one.type] : []));
const dataOf = ({ payloads }: Message, type: number): Uint8Array | undefined =>
  payloads.flatMap((one) => (one.kind === 'notify' && one.type === type ? [one.data] : []))[0];
const kinds = (effects: readonly IkeEffect[]): string[] =>
  effects.map(({ kind }) => kind).filter((kind) => kind !== 'log');

const child = childOf(0x1001, 0x2001, 'raw');

interface Change {
  readonly nat?: { readonly local: boolean; readonly remote: boolean };
  readonly peerAddresses?: readonly Address[];
  readonly feignNat?: boolean;
  readonly accepts?: (from: Endpoint) => boolean;
  readonly liveness?: number;
  readonly traversal?: boolean;
}

/** `role` is the connection's; the puppet has the other one. */
class Table {
  readonly outbox = new Outbox();
  readonly connection: Connection;
  readonly role: Role;
  readonly #puppet;
  readonly #there: Endpoint;
  #requests = 0;

  constructor(role: Role, change: Change = {}) {
    this.role = role;
    const sa = saOf(role, change.nat, change.traversal ?? true);
    this.#puppet = saOf(role === 'initiator' ? 'responder' : 'initiator');
    this.#there = sa.remote;
    const first = role === 'initiator' ? { ours: 2, theirs: 0 } : { ours: 0, theirs: 2 };
    this.#requests = first.theirs;
    this.connection = new Connection({
      role,
      sa,
      manager: new ExchangeManager<Task>(exchangeHost(sa, this.outbox), POLICY, first),
      outbox: this.outbox,
      random: seededBytes('mobike'),
      made: [child, { ...child, spiIn: 0x1002, spiOut: 0x2002 }],
      children: { lifetime: undefined, requests: [], remake: false, accepts: undefined, most: 0 },
      proposals: ['aes128gcm16-prfsha256-x25519'],
      lifetime: undefined,
      retransmission: POLICY,
      livenessInterval: change.liveness ?? 0,
      keepaliveInterval: 0,
      mobike: {
        peerAddresses: change.peerAddresses ?? [],
        feignNat: change.feignNat ?? false,
        accepts: change.accepts,
        keepaliveInterval: 20_000,
      },
      now: 0,
    });
  }

  get sa() {
    return this.connection.sa;
  }

  take(): IkeEffect[] {
    return this.outbox.take();
  }

  move(to = NEW, now = 10): IkeEffect[] {
    this.connection.handle({ kind: 'addressesChanged', local: { ...to, port: 500 }, localNatt: to }, now);
    return this.take();
  }

  /** The puppet's own request; or its answer to the message with `messageId`. */
  give(
    payloads: readonly Payload[],
    more: { from?: Endpoint; local?: Endpoint; now?: number; answers?: number } = {},
  ): IkeEffect[] {
    const messageId = more.answers ?? this.#requests++;
    const response = more.answers !== undefined;
    const bytes = this.#puppet.seal({ exchange: 37, messageId, response, payloads }).datagrams[0]!;
    const { from = this.#there, local = this.sa.local, now = 20 } = more;
    this.connection.receive({ bytes, from, local, transport: 'natt' }, decodeHeader(bytes) as Header, now);
    return this.take();
  }

  /** What has been sent, opened by the puppet, with where it went. */
  sent(effects: readonly IkeEffect[]): { readonly message: Message; readonly to: Endpoint }[] {
    return effects.flatMap((effect) => {
      if (effect.kind !== 'send') return [];
      const message = this.#puppet.open(effect.bytes, 0);
      if (!('payloads' in message)) throw new Error(message.toString());
      return [{ message, to: effect.to }];
    });
  }

  /** A good answer of the puppet's to our last request, over a path with or without a NAT in front of us. */
  answer(
    effects: readonly IkeEffect[],
    seen: Endpoint = this.sa.local,
    more: { from?: Endpoint; now?: number } = {},
  ): IkeEffect[] {
    const { message } = this.sent(effects).at(-1)!;
    const cookie = dataOf(message, N.COOKIE2);
    const { SPIi, SPIr } = this.sa;
    const hashes = [
      notify(N.NAT_DETECTION_SOURCE_IP, natDetectionHash(SPIi, SPIr, more.from ?? this.#there)),
      notify(N.NAT_DETECTION_DESTINATION_IP, natDetectionHash(SPIi, SPIr, seen)),
    ];
    return this.give([...hashes, ...(cookie ? [notify(N.COOKIE2, cookie)] : [])], {
      ...more,
      answers: message.header.messageId,
    });
  }
}

describe('the initiator', () => {
  test('tells at once, from the new address, and moves every CHILD SA when it is answered', () => {
    const table = new Table('initiator');
    const update = table.move();
    const [sent] = table.sent(update);
    expect(typesOf(sent!.message)).toEqual([
      N.UPDATE_SA_ADDRESSES,
      N.NAT_DETECTION_SOURCE_IP,
      N.NAT_DETECTION_DESTINATION_IP,
      N.COOKIE2,
    ]);
    expect(sent!.to).toEqual(THEM);
    expect(dataOf(sent!.message, N.NAT_DETECTION_SOURCE_IP)).toEqual(natDetectionHash(1n, 2n, NEW));
    expect(dataOf(sent!.message, N.COOKIE2)).toHaveLength(16);
    const moved = { kind: 'moveChild', peer: THEM, encapsulation: 'raw', behindNat: { local: false, remote: false } };
    expect(table.answer(update).filter(({ kind }) => kind !== 'log')).toEqual([
      { ...moved, spiOut: 0x2001 },
      { ...moved, spiOut: 0x2002 },
    ]);
    expect(table.sa.local).toEqual(NEW);
  });

  test('goes into UDP where a NAT has come, with keepalives, and out again where it has gone', () => {
    const table = new Table('initiator');
    const into = table.answer(table.move(), MAPPED);
    expect(into.find(({ kind }) => kind === 'moveChild')).toMatchObject({
      encapsulation: 'udp',
      behindNat: { local: true, remote: false },
    });
    expect(table.connection.deadline).toBe(20_020);
    const out = table.answer(table.move(US, 30), US);
    expect(out.find(({ kind }) => kind === 'moveChild')).toMatchObject({
      encapsulation: 'raw',
      behindNat: { local: false, remote: false },
    });
    expect(table.connection.deadline).toBeNull();
  });

  test('stays in UDP, and has the peer believe in a NAT, where it is to feign one', () => {
    const table = new Table('initiator', { feignNat: true });
    const update = table.move();
    const { message } = table.sent(update)[0]!;
    expect(dataOf(message, N.NAT_DETECTION_SOURCE_IP)).not.toEqual(natDetectionHash(1n, 2n, NEW));
    expect(table.answer(update).find(({ kind }) => kind === 'moveChild')).toMatchObject({ encapsulation: 'udp' });
  });

  test('what is in flight goes on over the new path at once; the update waits for its answer (window of one)', () => {
    const table = new Table('initiator');
    table.connection.checkLiveness(0);
    const check = table.take();
    const again = table.move();
    expect(table.sent(again).map(({ message }) => message.header.messageId)).toEqual([2]);
    const then = table.answer(check);
    const [update] = table.sent(then);
    expect(typesOf(update!.message)).toContain(N.UPDATE_SA_ADDRESSES);
    expect(kinds(table.answer(then))).toEqual(['moveChild', 'moveChild']);
  });

  test('an answer from before the last move moves nothing: it is told again', () => {
    const table = new Table('initiator');
    const first = table.move();
    table.move(US, 12);
    const second = table.answer(first, NEW);
    expect(kinds(second).filter((kind) => kind === 'moveChild')).toEqual([]);
    expect(typesOf(table.sent(second)[0]!.message)).toContain(N.UPDATE_SA_ADDRESSES);
    expect(kinds(table.answer(second, US))).toEqual(['moveChild', 'moveChild']);
  });

  test.each([
    ['another cookie', [notify(N.COOKIE2, new Uint8Array(16))]],
    ['a longer one', [notify(N.COOKIE2, new Uint8Array(17))]],
    ['none', []],
  ])('closes the IKE SA where the answer has %s (§3.7)', (_, payloads) => {
    const table = new Table('initiator');
    const { message } = table.sent(table.move())[0]!;
    const effects = table.give(payloads, { answers: message.header.messageId });
    expect(kinds(effects)).toEqual(['removeChild', 'removeChild', 'send']);
    expect(table.sent(effects)[0]!.message.payloads).toEqual([{ kind: 'delete', protocol: 1, spis: [] }]);
    const closed = table.give([], { answers: 3 }).at(-1);
    expect(closed).toMatchObject({ kind: 'closed', reason: { by: 'error', error: { code: 'protocol' } } });
  });

  test('ends where the gateway does not accept the address, so that it is connected anew', () => {
    const table = new Table('initiator');
    table.move();
    const effects = table.give([notify(N.UNACCEPTABLE_ADDRESSES)], { answers: 2 });
    expect(kinds(effects)).toEqual(['removeChild', 'removeChild', 'send']);
    expect(table.give([], { answers: 3 }).at(-1)).toMatchObject({
      kind: 'closed',
      reason: { error: { code: 'peer-error', notify: { type: 40, name: 'UNACCEPTABLE_ADDRESSES' } } },
    });
  });

  test('goes on to the gateway’s next address, where there is one', () => {
    const table = new Table('initiator', { peerAddresses: [address(OTHER)] });
    const probe = table.move();
    expect(typesOf(table.sent(probe)[0]!.message)).not.toContain(N.UPDATE_SA_ADDRESSES);
    table.answer(probe);
    const effects = table.give([notify(N.UNACCEPTABLE_ADDRESSES)], { answers: 3 });
    expect(table.sent(effects)[0]!.to).toEqual(endpoint(OTHER, 4500));
  });

  test('UNEXPECTED_NAT_DETECTED: says it some more times, then ends (§3.9)', () => {
    const table = new Table('initiator', { traversal: false });
    let effects = table.move();
    expect(typesOf(table.sent(effects)[0]!.message)).toEqual([N.UPDATE_SA_ADDRESSES, N.NO_NATS_ALLOWED, N.COOKIE2]);
    let updates = 0;
    for (let id = 2; kinds(effects).includes('send') && !kinds(effects).includes('removeChild'); id++) {
      updates++;
      expect(updates).toBeLessThan(20);
      effects = table.give([notify(N.UNEXPECTED_NAT_DETECTED)], { answers: id });
    }
    expect(updates).toBe(6);
    expect(kinds(effects)).toEqual(['removeChild', 'removeChild', 'send']);
  });

  test('probes further addresses in turn, and moves to the one that answers', () => {
    const table = new Table('initiator', { peerAddresses: [address('2001:db8::9'), address(OTHER)] });
    const probe = table.move();
    const { message } = table.sent(probe)[0]!;
    expect(typesOf(message)).toEqual([N.NAT_DETECTION_SOURCE_IP, N.NAT_DETECTION_DESTINATION_IP, N.COOKIE2]);
    const targets: string[] = [];
    for (let i = 0; i < 4; i++) {
      const now = table.connection.deadline!;
      table.connection.tick(now);
      for (const { to } of table.sent(table.take())) targets.push(to.address.join('.'));
    }
    expect(targets).toEqual([GATEWAY, OTHER, OTHER, GATEWAY]);
    const from = endpoint(OTHER, 4500);
    const update = table.answer(probe, NEW, { from });
    expect(table.sent(update)[0]).toMatchObject({ to: from });
    expect(typesOf(table.sent(update)[0]!.message)).toContain(N.UPDATE_SA_ADDRESSES);
    expect(table.answer(update, NEW, { from }).filter(({ kind }) => kind === 'moveChild')).toMatchObject([
      { peer: from },
      { peer: from },
    ]);
  });

  test('behind a NAT liveness checks show another mapping: told at once (§3.8)', () => {
    const table = new Table('initiator', { nat: { local: true, remote: false } });
    table.connection.begin(0);
    const look = table.take();
    expect(typesOf(table.sent(look)[0]!.message)).toEqual([N.NAT_DETECTION_SOURCE_IP, N.NAT_DETECTION_DESTINATION_IP]);
    expect(kinds(table.answer(look, MAPPED))).toEqual([]);
    table.connection.checkLiveness(30);
    expect(kinds(table.answer(table.take(), MAPPED))).toEqual([]);
    table.connection.checkLiveness(40);
    const update = table.answer(table.take(), { ...MAPPED, port: 61010 });
    expect(typesOf(table.sent(update)[0]!.message)).toContain(N.UPDATE_SA_ADDRESSES);
  });

  test('another list of gateway addresses without the one in use: goes to one of them (§3.6)', () => {
    const table = new Table('initiator');
    const elsewhere = endpoint(OTHER, 4500);
    const effects = table.give([additionalAddressNotify(address('198.51.100.10'))], { from: elsewhere });
    const [answered, asked] = table.sent(effects);
    // RFC 7296 §2.11: the answer goes back where the request came from.
    expect(answered).toMatchObject({ to: elsewhere, message: { payloads: [] } });
    expect(asked!.to).toEqual(elsewhere);
  });

  test('copies COOKIE2, answers NAT detection, and follows no update of the responder', () => {
    const table = new Table('initiator');
    const cookie = notify(N.COOKIE2, seededBytes('cookie')(32));
    const away = endpoint('192.0.2.99', 4500);
    const effects = table.give([cookie, notify(N.UPDATE_SA_ADDRESSES), ...natDetection(table.sa, away, US, false)], {
      from: away,
    });
    expect(kinds(effects)).toEqual(['send']);
    const [answer] = table.sent(effects);
    expect(answer!.to).toEqual(away);
    expect(answer!.message.payloads).toEqual([...natDetection(table.sa, US, away, false), cookie]);
    expect(table.sa.remote).toEqual(THEM);
  });
});

describe('the responder', () => {
  const update = (table: Table, from: Endpoint): Payload[] => [
    notify(N.UPDATE_SA_ADDRESSES),
    ...natDetection(table.sa, from, THEM, false),
    notify(N.COOKIE2, seededBytes('c')(16)),
  ];

  test('moves ESP when the peer has shown that it is there (§3.7)', () => {
    const table = new Table('responder');
    const effects = table.give(update(table, NEW), { from: NEW });
    const [answer, check] = table.sent(effects);
    expect(kinds(effects)).toEqual(['send', 'send']);
    expect(answer!.to).toEqual(NEW);
    expect(typesOf(answer!.message)).toEqual([N.NAT_DETECTION_SOURCE_IP, N.NAT_DETECTION_DESTINATION_IP, N.COOKIE2]);
    expect(check!.to).toEqual(NEW);
    expect(typesOf(check!.message)).toEqual([N.COOKIE2]);
    const moved = table.answer(effects, NEW, { from: NEW }).filter(({ kind }) => kind !== 'log');
    expect(moved).toMatchObject([
      { kind: 'moveChild', spiOut: 0x2001, peer: NEW, encapsulation: 'raw' },
      { kind: 'moveChild', spiOut: 0x2002, peer: NEW, encapsulation: 'raw' },
    ]);
  });

  test('closes the IKE SA of a peer that answers without having seen the request', () => {
    const table = new Table('responder');
    table.give(update(table, NEW), { from: NEW });
    const effects = table.give([notify(N.COOKIE2, new Uint8Array(16))], { answers: 0, from: NEW });
    expect(kinds(effects)).toEqual(['removeChild', 'removeChild', 'send']);
  });

  test('asks again where the peer has moved on while it was asked', () => {
    const table = new Table('responder');
    const first = table.give(update(table, NEW), { from: NEW });
    const on = endpoint('203.0.113.51', 4500);
    const second = table.give(update(table, on), { from: on });
    expect(kinds(second)).not.toContain('moveChild');
    const third = table.answer(first, on, { from: on });
    expect(typesOf(table.sent(third)[0]!.message)).toEqual([N.COOKIE2]);
    expect(table.answer(third, on, { from: on }).find(({ kind }) => kind === 'moveChild')).toMatchObject({ peer: on });
  });

  test('a NAT in front of the peer: ESP in UDP, to where the packet came from', () => {
    const table = new Table('responder');
    const asked = table.give(update(table, NEW), { from: MAPPED });
    expect(table.answer(asked, MAPPED, { from: MAPPED }).find(({ kind }) => kind === 'moveChild')).toMatchObject({
      peer: MAPPED,
      encapsulation: 'udp',
      behindNat: { local: false, remote: true },
    });
  });

  test('an update from the same place needs no proof', () => {
    const table = new Table('responder');
    expect(kinds(table.give(update(table, US)))).toEqual(['send', 'moveChild', 'moveChild']);
  });

  test('refuses where its policy does: nothing moves', () => {
    const table = new Table('responder', { accepts: () => false });
    const effects = table.give(update(table, NEW), { from: NEW });
    expect(kinds(effects)).toEqual(['send']);
    expect(typesOf(table.sent(effects)[0]!.message)).toEqual([N.UNACCEPTABLE_ADDRESSES, N.COOKIE2]);
    expect(table.sa.remote).toEqual(US);
  });

  test('NO_NATS_ALLOWED is held to: nothing moves (§3.9)', () => {
    const table = new Table('responder');
    const effects = table.give([notify(N.UPDATE_SA_ADDRESSES), noNatsAllowed(NEW, THEM)], { from: MAPPED });
    expect(typesOf(table.sent(effects)[0]!.message)).toEqual([N.UNEXPECTED_NAT_DETECTED]);
    expect(table.sent(effects)[0]!.to).toEqual(MAPPED);
    expect(table.sa.remote).toEqual(US);
    expect(kinds(table.give([notify(N.UPDATE_SA_ADDRESSES), noNatsAllowed(NEW, THEM)], { from: NEW }))).toEqual([
      'send',
      'send',
    ]);
  });

  test('a path that is only tried moves nothing, and is answered there', () => {
    const table = new Table('responder', { nat: { local: false, remote: true } });
    const effects = table.give(natDetection(table.sa, NEW, THEM, false), { from: NEW });
    expect(kinds(effects)).toEqual(['send']);
    expect(table.sent(effects)[0]!.to).toEqual(NEW);
    expect(table.sa.remote).toEqual(US);
  });

  test('ESP is followed to another port of the same NAT, and nowhere else', () => {
    const table = new Table('responder', { nat: { local: false, remote: true } });
    table.connection.handle({ kind: 'peerMoved', from: NEW }, 5);
    expect(kinds(table.take())).toEqual([]);
    table.connection.handle({ kind: 'peerMoved', from: { ...US, port: 5000 } }, 6);
    expect(kinds(table.take())).toEqual(['moveChild', 'moveChild']);
    expect(table.sa.remote.port).toBe(5000);
  });
});

describe('what is said of addresses', () => {
  test('both families, as the RFC has them (§4.2.2); what has another length is none', () => {
    const list = [address('192.0.2.7'), address('2001:db8::7')];
    expect(additionalAddresses(list.map(additionalAddressNotify))).toEqual(list);
    expect(additionalAddresses([notify(N.NO_ADDITIONAL_ADDRESSES)])).toEqual([]);
    expect(additionalAddresses([])).toBeUndefined();
    expect(additionalAddresses([notify(N.ADDITIONAL_IP4_ADDRESS, new Uint8Array(16))])).toBeUndefined();
    expect(additionalAddresses(Array.from({ length: 200 }, () => additionalAddressNotify(list[0]!)))).toHaveLength(16);
  });

  test('NO_NATS_ALLOWED (§4.2.6)', () => {
    const four = noNatsAllowed(endpoint('192.0.2.1', 4500), endpoint('198.51.100.1', 0x1234));
    expect(four.kind === 'notify' && Buffer.from(four.data).toString('hex')).toBe('c0000201c633640111941234');
    const six = noNatsAllowed(endpoint('2001:db8::1', 1), endpoint('2001:db8::2', 2));
    expect(six.kind === 'notify' && six.data).toHaveLength(36);
    expect(hasForbiddenNat([four], endpoint('192.0.2.1', 4500), endpoint('198.51.100.1', 0x1234))).toBe(false);
    expect(hasForbiddenNat([four], endpoint('192.0.2.1', 4501), endpoint('198.51.100.1', 0x1234))).toBe(true);
    expect(hasForbiddenNat([six], endpoint('192.0.2.1', 4500), endpoint('198.51.100.1', 0x1234))).toBe(true);
    expect(hasForbiddenNat([], US, THEM)).toBe(false);
  });

  test('COOKIE2 has 8 to 64 octets (§4.2.5)', () => {
    const lengths = [0, 7, 8, 64, 65].map((length) => notify(N.COOKIE2, new Uint8Array(length)));
    expect(cookiesIn(lengths).map(({ data }) => data.length)).toEqual([8, 64]);
  });
});

describe('IKE_AUTH', () => {
  test('says it, and says it back with further addresses; without NAT traversal no NAT is allowed', () => {
    const sa = saOf('initiator', undefined, true);
    const types = (payloads: readonly Payload[]) =>
      payloads.flatMap((one) => (one.kind === 'notify' ? [one.type] : []));
    expect(types(mobikeAnnouncements({ mobike: true }, sa))).toEqual([N.MOBIKE_SUPPORTED]);
    expect(mobikeAnnouncements({}, sa)).toEqual([]);
    expect(types(mobikeAnnouncements({ mobike: true }, saOf('initiator')))).toEqual([
      N.MOBIKE_SUPPORTED,
      N.NO_NATS_ALLOWED,
    ]);
    const said = mobikeAgreement({ additionalAddresses: [address(OTHER)] });
    expect(mobikeIn(said, sa)).toEqual({ peerAddresses: [address(OTHER)] });
    expect(mobikeIn([additionalAddressNotify(address(OTHER))], sa)).toBeUndefined();
  });

  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])('initiator %s, responder %s: agreed %s', (ours, theirs, agreed) => {
    const sim = new Simulation({
      initiator: { mobike: ours },
      responder: { mobike: theirs ? {} : undefined },
    }).connect();
    expect([sim.client.established?.mobike, sim.peer.established?.mobike]).toEqual([agreed, agreed]);
    // §3.3: UDP 4500 from IKE_AUTH on, though there is no NAT and ESP goes raw.
    const transports = new Set(sim.wire.slice(2).map(({ transport }) => transport));
    expect([...transports]).toEqual([ours ? 'natt' : 'ike']);
    expect(sim.client.installed.map(({ encapsulation }) => encapsulation)).toEqual(['raw']);
    const before = sim.wire.length;
    sim.move('203.0.113.50').run(5_000);
    expect(sim.wire.length > before).toBe(agreed);
    expect(sim.client.moves.length).toBe(agreed ? 1 : 0);
  });
});
