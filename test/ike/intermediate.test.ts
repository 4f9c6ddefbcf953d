// Additional key exchanges in IKE_INTERMEDIATE (RFC 9242, RFC 9370), both roles against each other, and their keys against an oracle.
import { createHmac } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { PRF_HMAC_SHA2_256 } from '../../main/crypto/prf.ts';
import { IntAuth } from '../../main/ike/int-auth.ts';
import { decodeHeader, Exchange, exchangeName, type Header } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { intAuthOctets } from '../../main/ike/sealed.ts';
import { isWireError } from '../../main/wire/error.ts';
import { toHex } from '../crypto/hex.ts';
import { hmac, prfPlus } from '../reference/ike-keymat.ts';
import { seededBytes } from '../sim/random.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';
import { saOf } from './agreed.ts';

const HYBRID = 'aes256gcm16-prfsha384-x25519-ke1_mlkem768';
const PLAIN = 'aes256gcm16-prfsha256-x25519';

const headerOf = (datagram: Datagram): Header => {
  const header = decodeHeader(datagram.bytes);
  if (isWireError(header)) throw new Error(header.toString());
  return header;
};
/** "0 IKE_SA_INIT", with > for requests and < for responses. */
const spoken = (sim: Simulation): string[] =>
  sim.wire.map((datagram) => {
    const { response, messageId, exchange } = headerOf(datagram);
    return `${response ? '<' : '>'} ${messageId} ${exchangeName(exchange)}`;
  });
const both = (ours: readonly string[], theirs: readonly string[] = ours, more: SimulationOptions = {}) =>
  new Simulation({
    ...more,
    initiator: { ...more.initiator, proposals: ours },
    responder: { ...more.responder, proposals: theirs },
  });

function expectUp(sim: Simulation, proposal: string): void {
  expect(sim.client.established?.proposal).toBe(proposal);
  expect(sim.peer.established?.proposal).toBe(proposal);
  const [ours] = sim.client.installed;
  const [theirs] = sim.peer.installed;
  expect(toHex(ours!.keyOut)).toBe(toHex(theirs!.keyIn));
  expect(toHex(ours!.keyIn)).toBe(toHex(theirs!.keyOut));
}

describe('a hybrid key exchange', () => {
  test('one IKE_INTERMEDIATE between IKE_SA_INIT and IKE_AUTH', () => {
    const sim = both([HYBRID], [HYBRID], { initiator: { fragmentSizes: [] } }).connect();
    expectUp(sim, HYBRID);
    expect(spoken(sim)).toEqual([
      '> 0 IKE_SA_INIT',
      '< 0 IKE_SA_INIT',
      '> 1 IKE_INTERMEDIATE',
      '< 1 IKE_INTERMEDIATE',
      '> 2 IKE_AUTH',
      '< 2 IKE_AUTH',
    ]);
    sim.tell({ kind: 'close' }).run();
    expect(sim.client.closed).toEqual({ by: 'us' });
    expect(spoken(sim).slice(-2)).toEqual(['> 3 INFORMATIONAL', '< 3 INFORMATIONAL']);
  });

  test('several, in the order of their types, each in its own exchange; NONE is skipped', () => {
    const offered = 'aes128-sha256-ecp256-ke1_mlkem768-ke3_none-ke5_mlkem1024-ke7_x448';
    const name = 'aes128-sha256-ecp256-ke1_mlkem768-ke5_mlkem1024-ke7_x448';
    const sim = both([offered], [offered]).connect();
    expectUp(sim, name);
    expect(sim.log.filter((line) => line.includes('is done'))).toEqual([
      'client: IKE_INTERMEDIATE (ML-KEM-768) is done',
      'client: IKE_INTERMEDIATE (ML-KEM-1024) is done',
      'client: IKE_INTERMEDIATE (X448) is done',
    ]);
    expect(spoken(sim)).toContain('< 4 IKE_AUTH');
  });

  test('is cut into fragments, and never larger than a datagram of 1,280 bytes', () => {
    const proposal = 'aes256gcm16-prfsha256-x25519-ke1_mlkem1024';
    const sim = both([proposal], [proposal]).connect();
    expectUp(sim, proposal);
    expect(spoken(sim).filter((line) => line === '> 1 IKE_INTERMEDIATE')).toHaveLength(2);
    for (const { bytes } of sim.wire) expect(bytes.length).toBeLessThanOrEqual(1280 - 28);
  });

  test('is left out where the gateway has none, at no cost of an exchange', () => {
    const sim = both([HYBRID, PLAIN], [PLAIN]).connect();
    expectUp(sim, PLAIN);
    expect(spoken(sim)).toEqual(['> 0 IKE_SA_INIT', '< 0 IKE_SA_INIT', '> 1 IKE_AUTH', '< 1 IKE_AUTH']);
  });

  test('is done where one proposal says with or without', () => {
    const either = `${HYBRID}-ke1_none`;
    expectUp(both([either], [HYBRID]).connect(), HYBRID);
    expectUp(both([either], ['aes256gcm16-prfsha384-x25519']).connect(), 'aes256gcm16-prfsha384-x25519');
  });

  test('survives loss, duplicates and overtaking, and a wrong first group and cookies besides', () => {
    let up = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const sim = both(
        ['aes256gcm16-prfsha256-ecp384-x25519-ke1_mlkem768-ke2_mlkem1024'],
        ['aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_mlkem1024'],
        {
          seed,
          responder: { cookieThreshold: 0 },
          network: { loss: 0.25, duplicate: 0.3, delay: [5, 400], nat: seed % 2 === 0 },
        },
      ).connect();
      if (!sim.client.established) {
        expect(sim.client.closed, `seed ${seed}`).toMatchObject({ error: { code: 'no-response' } });
        continue;
      }
      up++;
      expectUp(sim, 'aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_mlkem1024');
    }
    expect(up).toBeGreaterThan(50);
  });

  test('a path that carries no large datagram: the answer is cut up smaller although the keys are new', () => {
    for (const lost of ['to-responder', 'to-initiator'] as const) {
      const sim = both([HYBRID], [HYBRID], {
        network: {
          touch: (datagram) => (datagram.direction === lost && datagram.bytes.length > 576 ? [] : [datagram]),
        },
      }).connect();
      expectUp(sim, HYBRID);
    }
  });

  test('closing in the middle leaves nothing behind', () => {
    const sim = both([HYBRID]);
    sim.tell({ kind: 'start' });
    sim.run(60_000, () => sim.wire.some((d) => headerOf(d).exchange === Exchange.IKE_INTERMEDIATE));
    sim.tell({ kind: 'close' }).run();
    expect(sim.client.closed).toEqual({ by: 'us' });
    expect([...sim.gateway.values()].map((view) => view.closed?.by)).toEqual(['error']);
  });

  test('a gateway that falls silent in the middle', () => {
    const sim = both([HYBRID], [HYBRID], {
      network: {
        touch: (d) => (headerOf(d).exchange === Exchange.IKE_INTERMEDIATE && headerOf(d).response ? [] : [d]),
      },
    }).connect();
    expect(sim.client.closed).toMatchObject({
      by: 'error',
      error: { code: 'no-response', exchange: 'IKE_INTERMEDIATE (ML-KEM-768)' },
    });
  });

  test.each([
    ['the request', 'to-responder'],
    ['the answer', 'to-initiator'],
  ] as const)('a changed bit in %s is dropped, the repetition taken', (_, direction) => {
    let changed = 0;
    const sim = both([HYBRID], [HYBRID], {
      network: {
        touch: (d) => {
          if (headerOf(d).exchange !== Exchange.IKE_INTERMEDIATE || d.direction !== direction || changed++) return [d];
          const bytes = Uint8Array.from(d.bytes);
          bytes[bytes.length - 30]! ^= 1;
          return [{ ...d, bytes }];
        },
      },
    }).connect();
    expectUp(sim, HYBRID);
    expect(changed).toBeGreaterThan(1);
  });
});

describe('the responder', () => {
  test('refuses IKE_AUTH before the key exchanges are done', () => {
    // The initiator's own IKE_INTERMEDIATE is lost, and somebody repeats another message of the same SA under its ID.
    const sim = both([HYBRID], [HYBRID], {
      network: { touch: (d) => (headerOf(d).exchange === Exchange.IKE_INTERMEDIATE ? [] : [d]) },
    });
    sim.tell({ kind: 'start' }).run(100);
    const request = sim.wire.find((d) => headerOf(d).exchange === Exchange.IKE_INTERMEDIATE);
    const bytes = Uint8Array.from(request!.bytes);
    bytes[18] = Exchange.IKE_AUTH;
    sim.inject({ ...request!, bytes }).run(100);
    expect(sim.log).toContainEqual(expect.stringContaining('IKE_AUTH before IKE_INTERMEDIATE'));
  });

  test('chooses additional key exchanges only where the initiator announces IKE_INTERMEDIATE (RFC 9370 §2.2.1)', () => {
    const dropNotify = (d: Datagram): Datagram => {
      if (headerOf(d).exchange !== Exchange.IKE_SA_INIT || headerOf(d).response) return d;
      const type = NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED;
      const at = d.bytes.findLastIndex((byte, i) => byte === type >> 8 && d.bytes[i + 1] === (type & 0xff));
      const bytes = Uint8Array.from(d.bytes);
      bytes[at + 1] = 0xff; // Another status notify, which nobody knows.
      return { ...d, bytes };
    };
    const sim = both([HYBRID, PLAIN], [HYBRID, PLAIN], { network: { touch: (d) => [dropNotify(d)] } });
    sim.tell({ kind: 'start' });
    sim.run(100);
    expect(spoken(sim)).not.toContain('> 1 IKE_INTERMEDIATE');
    // AUTH covers IKE_SA_INIT as it was sent: whoever takes the notify away is found out.
    expect(sim.run().client.closed).toMatchObject({ error: { code: 'refused-by-peer' } });
  });
});

describe('what AUTH covers', () => {
  test('IntAuth, from either end: whoever has seen another IKE_INTERMEDIATE is not believed', () => {
    for (const wrong of [1, 2]) {
      let calls = 0;
      const octets = IntAuth.prototype.octets;
      const spy = vi.spyOn(IntAuth.prototype, 'octets').mockImplementation(function (this: IntAuth, messageId) {
        const right = octets.call(this, messageId);
        // The responder comes to it first.
        if (++calls === wrong) right[5]! ^= 1;
        return right;
      });
      const sim = both([HYBRID]).connect();
      // The message ID of IKE_AUTH, which follows one IKE_INTERMEDIATE.
      expect(spy.mock.calls).toEqual([[2], [2]]);
      spy.mockRestore();
      expect(sim.client.established).toBeUndefined();
      expect(sim.client.closed).toMatchObject({ error: { code: 'refused-by-peer' } });
    }
  });

  test('IntAuth by hand (RFC 9242 §3.3.2)', () => {
    const mac = (key: Uint8Array, ...pieces: readonly Uint8Array[]): Buffer =>
      pieces.reduce((sum, piece) => sum.update(piece), createHmac('sha256', key)).digest();
    const random = seededBytes('int-auth');
    const [i1, r1, i2, r2] = [random(100), random(90), random(80), random(70)];
    const one = { SK_pi: random(32), SK_pr: random(32) };
    const two = { SK_pi: random(32), SK_pr: random(32) };
    const intAuth = new IntAuth(PRF_HMAC_SHA2_256);
    intAuth.add(one, { request: i1, response: r1 });
    expect(toHex(intAuth.octets(2))).toBe(`${toHex(mac(one.SK_pi, i1)) + toHex(mac(one.SK_pr, r1))}00000002`);
    intAuth.add(two, { request: i2, response: r2 });
    const [i, r] = [mac(two.SK_pi, mac(one.SK_pi, i1), i2), mac(two.SK_pr, mac(one.SK_pr, r1), r2)];
    expect(toHex(intAuth.octets(0x01020304))).toBe(`${toHex(i) + toHex(r)}01020304`);
  });

  test('the octets of a message, sent and received, whole', () => {
    const [us, them] = [saOf('initiator'), saOf('responder')];
    const payloads = [{ kind: 'ke', method: 36, data: Uint8Array.of(1, 2, 3, 4) }] as const;
    const exchange = Exchange.IKE_INTERMEDIATE;
    const message = { exchange, messageId: 1, response: false, payloads };
    const sent = intAuthOctets({ SPIi: 1n, SPIr: 2n, initiator: true, ...message }, payloads);
    // Header with length 44, SK payload (46) of length 16 whose first payload is KE (34), KE of length 12 in method 36.
    expect(toHex(sent)).toBe(
      `${'0000000000000001'}${'0000000000000002'}2e202b08000000010000002c${'22000010'}${'0000000c'}00240000${'01020304'}`,
    );
    const [datagram] = us.seal(message).datagrams;
    const opened = them.open(datagram!, 0);
    if (isWireError(opened)) throw new Error(opened.toString());
    expect(toHex(opened.intAuth!)).toBe(toHex(sent));
  });
});

describe('IkeSa.advance', () => {
  test('SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr), by the oracle', () => {
    const sa = saOf('initiator');
    const secret = seededBytes('SK(1)')(32);
    const before = toHex(sa.keys.SK_d);
    const [Ni, Nr] = [toHex(sa.Ni), toHex(sa.Nr)];
    sa.advance(secret);
    const SKEYSEED = hmac('sha256', before, toHex(secret) + Ni + Nr);
    const string = prfPlus('sha256', SKEYSEED, `${Ni}${Nr}00000000000000010000000000000002`, 3 * 32 + 2 * 20);
    const { SK_d, SK_ei, SK_er, SK_pi, SK_pr } = sa.keys;
    expect([SK_d, SK_ei, SK_er, SK_pi, SK_pr].map(toHex).join('')).toBe(string);
    expect(secret.some((byte) => byte !== 0)).toBe(true);
  });

  test('the keys before live until a message with the new ones comes', () => {
    const [us, them] = [saOf('initiator'), saOf('responder')];
    const secret = seededBytes('SK(1)')(32);
    const old = us.seal({ exchange: Exchange.INFORMATIONAL, messageId: 1, response: false, payloads: [] })
      .datagrams[0]!;
    const before = them.keys;
    us.advance(secret);
    them.advance(secret);
    expect(isWireError(them.open(old, 0))).toBe(true);
    expect(them.verifies(old)).toBe(true);
    const next = us.seal({ exchange: Exchange.INFORMATIONAL, messageId: 2, response: false, payloads: [] })
      .datagrams[0]!;
    expect(isWireError(them.open(next, 0))).toBe(false);
    expect(them.verifies(old)).toBe(false);
    expect(Object.values(before).every((key: Uint8Array) => key.every((byte) => byte === 0))).toBe(true);
  });

  test('wiping forgets every generation', () => {
    const sa = saOf('initiator');
    const first = sa.keys;
    sa.advance(new Uint8Array(32).fill(7));
    const second = sa.keys;
    sa.wipe();
    for (const keys of [first, second])
      expect(Object.values(keys).every((key: Uint8Array) => key.every((byte) => byte === 0))).toBe(true);
    expect(() => sa.advance(new Uint8Array(32))).toThrow('wiped');
  });
});
