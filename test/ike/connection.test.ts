// A connection after IKE_AUTH against a puppet that has the keys and says what the test wants.
import { describe, expect, test } from 'vitest';
import { Connection } from '../../main/ike/connection.ts';
import { ExchangeManager } from '../../main/ike/exchange.ts';
import type { Sealed } from '../../main/ike/fragment.ts';
import { decodeHeader, Exchange, type ExchangeType, type Header } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { Outbox } from '../../main/ike/outbox.ts';
import type { Payload } from '../../main/ike/payload/payload.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import type { Task } from '../../main/ike/task/task.ts';
import { isWireError } from '../../main/wire/error.ts';
import { endpoint } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { childOf, saOf, THEM, US } from './agreed.ts';

const POLICY = { first: 100, factor: 2, most: 1000, tries: 3 };
const none = new Uint8Array(0);
const notify = (type: number, more: Partial<Extract<Payload, { kind: 'notify' }>> = {}): Payload => ({
  kind: 'notify',
  protocol: 0,
  type,
  spi: none,
  data: none,
  ...more,
});

const single = ({ datagrams }: Sealed): Uint8Array => datagrams[0]!;

/** We are the initiator, the puppet is the responder. */
class Table {
  readonly outbox = new Outbox();
  readonly established: Connection;
  readonly manager: ExchangeManager<Task>;
  readonly #puppet = saOf('responder');
  readonly effects: IkeEffect[] = [];

  constructor(change: { liveness?: number; keepalive?: number; nat?: { local: boolean; remote: boolean } } = {}) {
    const sa = saOf('initiator', change.nat);
    const send = (bytes: Uint8Array) =>
      this.outbox.push({ kind: 'send', bytes, to: sa.remote, transport: sa.transport });
    this.manager = new ExchangeManager<Task>({ seal: (m) => sa.seal(m), send }, POLICY, { ours: 2, theirs: 0 });
    this.established = new Connection({
      role: 'initiator',
      sa,
      manager: this.manager,
      outbox: this.outbox,
      random: seededBytes('connection'),
      made: [childOf(0x1001, 0x2001, 'udp'), childOf(0x1002, 0x2002, 'udp')],
      children: { lifetime: undefined, requests: [], remake: false, accepts: undefined, most: 0 },
      proposals: ['aes128gcm16-prfsha256-x25519'],
      lifetime: undefined,
      retransmission: POLICY,
      livenessInterval: change.liveness ?? 0,
      keepaliveInterval: change.keepalive ?? 0,
      now: 0,
    });
  }

  seal(payloads: readonly Payload[], messageId = 0, response = false, exchange: ExchangeType = 37): Uint8Array {
    return single(this.#puppet.seal({ exchange, messageId, response, payloads }));
  }

  /** Delivers, and returns what came of it. */
  give(bytes: Uint8Array, now = 10, from = THEM): IkeEffect[] {
    const header = decodeHeader(bytes) as Header;
    if (isWireError(header)) throw new Error('header');
    this.established.receive({ bytes, from, local: US, transport: 'natt' }, header, now);
    return this.take();
  }

  take(): IkeEffect[] {
    const effects = this.outbox.take();
    this.effects.push(...effects);
    return effects;
  }

  /** What was sent, opened by the puppet. */
  opened(effects: readonly IkeEffect[]) {
    return effects.flatMap((effect) => {
      if (effect.kind !== 'send') return [];
      const message = this.#puppet.open(effect.bytes, 0);
      if (!('payloads' in message)) throw new Error(message.toString());
      return [message];
    });
  }

  /** Answers what was sent last with nothing. */
  reply(effects: readonly IkeEffect[], now: number): IkeEffect[] {
    const message = this.opened(effects).at(-1)!;
    return this.give(this.seal([], message.header.messageId, true, message.header.exchange), now);
  }
}

const kinds = (effects: readonly IkeEffect[]): string[] =>
  effects.map((effect) => effect.kind).filter((k) => k !== 'log');

describe('requests of the peer', () => {
  test('an empty INFORMATIONAL is answered with an empty one', () => {
    const table = new Table();
    const effects = table.give(table.seal([]));
    expect(table.opened(effects)).toMatchObject([
      { header: { messageId: 0, response: true, initiator: true, exchange: 37 }, payloads: [] },
    ]);
  });

  test('the same request again gets the same bytes, and has no effect twice', () => {
    const table = new Table();
    const request = table.seal([{ kind: 'delete', protocol: 3, spis: [0x2001] }]);
    const first = table.give(request);
    const second = table.give(request);
    expect(kinds(first)).toEqual(['send', 'removeChild']);
    expect(kinds(second)).toEqual(['send']);
    expect(second.find((e) => e.kind === 'send')).toEqual(first.find((e) => e.kind === 'send'));
  });

  test('deletes CHILD SAs by the SPIs that it receives with, and is told the others of the pairs (RFC 7296 §1.4.1)', () => {
    const table = new Table();
    const effects = table.give(table.seal([{ kind: 'delete', protocol: 3, spis: [0x2002, 0x9999] }]));
    expect(table.opened(effects)[0]!.payloads).toEqual([{ kind: 'delete', protocol: 3, spis: [0x1002] }]);
    expect(effects).toContainEqual({ kind: 'removeChild', spiIn: 0x1002, spiOut: 0x2002, by: 'peer' });
    expect(table.established.isClosed).toBe(false);
    // An SPI of ours, or of another protocol, deletes nothing.
    for (const [id, payload] of [
      { kind: 'delete', protocol: 3, spis: [0x1001] },
      { kind: 'delete', protocol: 2, spis: [0x2001] },
    ].entries())
      expect(table.opened(table.give(table.seal([payload as Payload], id + 1)))[0]!.payloads).toEqual([]);
  });

  test('deletes the IKE SA: answered, children removed, closed by the peer', () => {
    const table = new Table();
    const effects = table.give(table.seal([{ kind: 'delete', protocol: 1, spis: [] }]));
    expect(kinds(effects)).toEqual(['send', 'removeChild', 'removeChild', 'closed']);
    expect(effects.at(-1)).toEqual({ kind: 'closed', reason: { by: 'peer' } });
    expect(table.give(table.seal([], 1))).toEqual([]);
    const secrets = Object.values(table.established.sa.keys) as Uint8Array[];
    expect(secrets.flatMap((secret) => [...secret]).filter((byte) => byte !== 0)).toEqual([]);
    expect(() => table.established.sa.seal({ exchange: 37, messageId: 9, response: false, payloads: [] })).toThrow(
      'wiped',
    );
  });

  test('CREATE_CHILD_SA that fits nothing is refused, with CHILD_SA_NOT_FOUND where REKEY_SA names none of ours', () => {
    const table = new Table();
    const selector = { protocol: 0, startPort: 0, endPort: 65535, start: new Uint8Array(4), end: new Uint8Array(4) };
    const child: Payload[] = [
      {
        kind: 'sa',
        proposals: [
          {
            number: 1,
            protocol: 3,
            spi: Uint8Array.of(1, 2, 3, 4),
            transforms: [{ type: 1, id: 20, attributes: [{ type: 14, value: 128 }] }],
          },
        ],
      },
      { kind: 'nonce', data: new Uint8Array(32) },
      { kind: 'tsi', selectors: [selector] },
      { kind: 'tsr', selectors: [selector] },
    ];
    const rekey = (spi: readonly number[]) => notify(NotifyType.REKEY_SA, { protocol: 3, spi: Uint8Array.from(spi) });
    const ike: Payload[] = [child[0]!, child[1]!, { kind: 'ke', method: 31, data: new Uint8Array(32) }];
    const ask = (id: number, payloads: Payload[]) =>
      table.opened(table.give(table.seal(payloads, id, false, Exchange.CREATE_CHILD_SA)))[0]!.payloads;
    expect(ask(0, child)).toMatchObject([{ type: NotifyType.NO_ADDITIONAL_SAS }]);
    // Its ESP proposal says nothing about sequence numbers.
    expect(ask(1, [rekey([0, 0, 0x20, 0x01]), ...child])).toMatchObject([{ type: NotifyType.NO_PROPOSAL_CHOSEN }]);
    expect(ask(2, [rekey([0, 0, 0x10, 0x01]), ...child])).toMatchObject([
      { type: NotifyType.CHILD_SA_NOT_FOUND, protocol: 3, spi: Uint8Array.of(0, 0, 0x10, 0x01) },
    ]);
    expect(ask(3, ike)).toMatchObject([{ type: NotifyType.NO_PROPOSAL_CHOSEN }]);
    expect(table.established.isClosed).toBe(false);
  });

  test('an unknown critical payload is named and the SA lives; one that is not critical is skipped (RFC 7296 §2.5)', () => {
    const table = new Table();
    const unknown = (critical: boolean): Payload => ({ kind: 'unknown', type: 201, critical, data: Uint8Array.of(1) });
    const [refused] = table.opened(table.give(table.seal([unknown(true)])));
    expect(refused!.payloads).toMatchObject([
      { type: NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, data: Uint8Array.of(201) },
    ]);
    const [answered] = table.opened(table.give(table.seal([unknown(false)], 1)));
    expect(answered!.payloads).toEqual([]);
    expect(table.established.isClosed).toBe(false);
  });

  test('an authentic message that makes no sense: INVALID_SYNTAX and the end (RFC 7296 §2.21.3)', () => {
    const table = new Table();
    const effects = table.give(table.seal([{ kind: 'nonce', data: new Uint8Array(32) }]));
    expect(table.opened(effects)[0]!.payloads).toMatchObject([{ type: NotifyType.INVALID_SYNTAX }]);
    expect(effects.at(-1)).toMatchObject({ kind: 'closed', reason: { by: 'error', error: { code: 'protocol' } } });
  });

  test.each([
    ['AUTHENTICATION_FAILED', NotifyType.AUTHENTICATION_FAILED, 'refused-by-peer'],
    ['INVALID_SYNTAX', NotifyType.INVALID_SYNTAX, 'protocol'],
    ['UNSUPPORTED_CRITICAL_PAYLOAD', NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, 'protocol'],
  ])('%s ends the SA without a Delete (RFC 7296 §2.21.2)', (_, type, code) => {
    const table = new Table();
    const effects = table.give(table.seal([notify(type)]));
    expect(effects.at(-1)).toMatchObject({ kind: 'closed', reason: { by: 'error', error: { code } } });
    expect(table.opened(effects)[0]!.payloads).toEqual([]);
  });

  test.each([
    ['INVALID_SPI', NotifyType.INVALID_SPI],
    ['an unknown error', 8190],
    ['an unknown status', 50_000],
    ['a known status', NotifyType.SET_WINDOW_SIZE],
  ])('%s is acknowledged and the SA lives', (_, type) => {
    const table = new Table();
    const effects = table.give(table.seal([notify(type)]));
    expect(kinds(effects)).toEqual(['send']);
    expect(table.established.isClosed).toBe(false);
  });

  test('outside the window, from ourselves, or to another exchange: dropped', () => {
    const table = new Table();
    expect(kinds(table.give(table.seal([], 1)))).toEqual([]);
    expect(kinds(table.give(table.seal([], 0xffff_ffff)))).toEqual([]);
    const own = table.established.sa.seal({ exchange: 37, messageId: 0, response: false, payloads: [] });
    expect(kinds(table.give(single(own)))).toEqual([]);
    expect(kinds(table.give(table.seal([], 2, true)))).toEqual([]);
    expect(table.opened(table.give(table.seal([]))).length).toBe(1);
  });
});

describe('liveness', () => {
  test('is checked only after an interval without any inbound traffic', () => {
    const table = new Table({ liveness: 1000 });
    expect(table.established.deadline).toBe(1000);
    table.established.handle({ kind: 'inboundTraffic', at: 600 }, 0);
    expect(table.established.deadline).toBe(1600);
    table.established.handle({ kind: 'inboundTraffic', at: 500 }, 0); // an older report changes nothing
    table.established.tick(1599);
    expect(table.take()).toEqual([]);
    table.established.tick(1600);
    const check = table.take();
    expect(table.opened(check)).toMatchObject([{ header: { messageId: 2, response: false }, payloads: [] }]);
    expect(kinds(table.reply(check, 1700))).toEqual([]);
    expect(table.established.deadline).toBe(2700);
    // A request of the peer is a sign of life too.
    table.give(table.seal([]), 2000);
    expect(table.established.deadline).toBe(3000);
  });

  test('unanswered, it ends the SA', () => {
    const table = new Table({ liveness: 1000 });
    let sent = 0;
    for (let now = 1000; !table.established.isClosed; now = table.established.deadline ?? now) {
      table.established.tick(now);
      sent += kinds(table.take()).filter((kind) => kind === 'send').length;
      expect(now).toBeLessThan(10_000);
    }
    expect(sent).toBe(3);
    expect(table.effects.at(-1)).toMatchObject({
      kind: 'closed',
      reason: { by: 'error', error: { code: 'no-response' } },
    });
    expect(kinds(table.effects)).toContain('removeChild');
  });

  test('on request, and never two at once', () => {
    const table = new Table();
    table.established.checkLiveness(5);
    table.established.checkLiveness(6);
    expect(kinds(table.take())).toEqual(['send']);
    expect(table.manager.idle).toBe(false);
  });

  test('an unauthenticated INVALID_IKE_SPI is a hint, at most every ten seconds', () => {
    const table = new Table();
    table.established.hintLost(5);
    const check = table.take();
    expect(kinds(check)).toEqual(['send']);
    table.reply(check, 6);
    table.established.hintLost(9_000);
    expect(table.take()).toEqual([]);
    table.established.hintLost(10_005);
    expect(kinds(table.take())).toEqual(['send']);
    expect(table.established.isClosed).toBe(false);
  });
});

describe('deleting', () => {
  test('crosses with the Delete of the peer: answered, and closed by us', () => {
    const table = new Table();
    table.established.delete({ by: 'us' }, 0);
    expect(kinds(table.take())).toEqual(['removeChild', 'removeChild', 'send']);
    const effects = table.give(table.seal([{ kind: 'delete', protocol: 1, spis: [] }]));
    expect(kinds(effects)).toEqual(['send', 'closed']);
    expect(effects.at(-1)).toEqual({ kind: 'closed', reason: { by: 'us' } });
  });

  test('waits for a liveness check in flight, then goes out', () => {
    const table = new Table();
    table.established.checkLiveness(0);
    const check = table.take();
    table.established.delete({ by: 'us' }, 1);
    expect(kinds(table.take())).toEqual(['removeChild', 'removeChild']);
    const deletion = table.reply(check, 2);
    expect(table.opened(deletion)[0]!.payloads).toEqual([{ kind: 'delete', protocol: 1, spis: [] }]);
    expect(kinds(table.reply(deletion, 3))).toEqual(['closed']);
  });

  test('a response that answers nothing of ours is dropped', () => {
    const table = new Table();
    table.established.delete({ by: 'us' }, 0);
    table.take();
    expect(kinds(table.give(table.seal([], 3, true)))).toEqual([]);
    expect(kinds(table.give(table.seal([], 2, true, Exchange.CREATE_CHILD_SA)))).toEqual([]);
    expect(table.established.isClosed).toBe(false);
    expect(kinds(table.give(table.seal([], 2, true)))).toEqual(['closed']);
  });
});

describe('addresses', () => {
  const elsewhere = endpoint('203.0.113.9', 1234);

  test('a peer behind a NAT is followed on new authentic messages only', () => {
    const table = new Table({ nat: { local: false, remote: true } });
    const request = table.seal([]);
    const mangled = Uint8Array.from(request);
    mangled[mangled.length - 1] = mangled[mangled.length - 1]! ^ 1;
    expect(kinds(table.give(mangled, 10, elsewhere))).toEqual([]);
    expect(kinds(table.give(request, 10, elsewhere))).toEqual(['moveChild', 'moveChild', 'send']);
    expect(table.established.sa.remote).toEqual(elsewhere);
    // The old request again, from anywhere: a replay moves nobody (RFC 7296 §2.23).
    const replayed = table.give(request, 20, endpoint('203.0.113.66', 1));
    expect(kinds(replayed)).toEqual(['send']);
    expect(table.established.sa.remote).toEqual(elsewhere);
  });

  test.each([
    { local: true, remote: true },
    { local: false, remote: false },
    { local: true, remote: false },
  ])('with %o nobody is followed', (nat) => {
    const table = new Table({ nat });
    expect(kinds(table.give(table.seal([]), 10, elsewhere))).toEqual(['send']);
    expect(table.established.sa.remote).toEqual(THEM);
  });

  test('keepalives go out in their interval until the SA is deleted', () => {
    const table = new Table({ keepalive: 20_000 });
    const instants: number[] = [];
    for (let i = 0; i < 3; i++) {
      const now = table.established.deadline!;
      table.established.tick(now);
      if (kinds(table.take()).includes('keepalive')) instants.push(now);
    }
    expect(instants).toEqual([20_000, 40_000, 60_000]);
  });
});
