// Quick crash detection (RFC 6290): a gateway that was restarted proves that it has lost an SA, and nobody else can.
import { expect, test } from 'vitest';
import { crashToken, crashTokenNotify } from '../../main/ike/crash-token.ts';
import { decodeHeader, Exchange, encodeMessage, type Header } from '../../main/ike/message.ts';
import { notifyOf } from '../../main/ike/notifies.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { createResponder } from '../../main/ike/responder.ts';
import { endpoint, responderConfig } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';

const SECRET = new Uint8Array(32).fill(5);
const responder: SimulationOptions['responder'] = { crashSecrets: [SECRET] };

/** The gateway comes back from a crash, with these secrets. */
function restart(sim: Simulation, crashSecrets: readonly Uint8Array[]): Simulation {
  sim.responder = createResponder(responderConfig({ crashSecrets }), { random: seededBytes('after the crash') });
  return sim;
}

const livenessTime = (sim: Simulation): number => {
  const start = sim.now;
  sim.tell({ kind: 'checkLiveness' }).run(300_000, () => sim.client.closed !== undefined);
  return sim.now - start;
};

test('the SA ends at once, and says why', () => {
  const sim = restart(new Simulation({ responder }).connect(), [SECRET]);
  expect(livenessTime(sim)).toBeLessThan(50);
  expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
  expect(sim.client.closed?.by === 'error' && sim.client.closed.error.message).toContain('restarted');
  expect(sim.client.removed).toEqual(sim.client.installed.map((child) => child.spiIn));
  // Not a word to the gateway (§4.5): the last datagram is its own.
  expect(sim.wire.at(-1)?.direction).toBe('to-initiator');
});

test('with a secret of an earlier generation too (§5.1)', () => {
  const newer = [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
  expect(livenessTime(restart(new Simulation({ responder }).connect(), [...newer, SECRET]))).toBeLessThan(50);
});

test('without the secret, or without tokens, INVALID_IKE_SPI stays a hint: only silence ends the SA', () => {
  for (const secrets of [[], [new Uint8Array(32)]]) {
    const sim = restart(new Simulation({ responder }).connect(), secrets);
    expect(livenessTime(sim)).toBeGreaterThan(10_000);
  }
  expect(livenessTime(restart(new Simulation().connect(), [SECRET]))).toBeGreaterThan(10_000);
});

test('a gateway that lives never shows the token of an SA that it has', () => {
  const sim = new Simulation({ responder }).connect();
  const header = decodeHeader(sim.wire[2]!.bytes) as Header;
  const token = Buffer.from(crashToken(SECRET, header.SPIi, header.SPIr));
  for (const d of [...sim.wire]) sim.inject(d);
  // An authentic message of this SA with a flipped bit, from somewhere else.
  const bytes = Uint8Array.from(sim.wire[2]!.bytes);
  bytes[60]! ^= 1;
  sim.inject({ ...sim.wire[2]!, bytes }).run(1000);
  expect(sim.wire.every((d) => !Buffer.from(d.bytes).includes(token))).toBe(true);
});

test.each(['established', 'half-open', 'rekeyed'] as const)(
  'nor to who turns the flag around that says whose message it is: %s',
  (at) => {
    const sim = new Simulation({ responder });
    if (at === 'half-open') sim.network = { touch: (d) => (d.bytes[18] === Exchange.IKE_AUTH ? [] : [d]) };
    sim.connect(5000);
    if (at === 'rekeyed') sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' }).run(5000);
    // The newest SA: its SPIs are in the header of the last message of the gateway's that has both, or in any that follows.
    if (at === 'rekeyed') sim.tell({ kind: 'checkLiveness' }).run(5000);
    const carrier = sim.wire.at(-1)!;
    const header = decodeHeader(carrier.bytes) as Header;
    expect(sim.client.rekeyed).toBe(at === 'rekeyed' ? 1 : 0);
    const token = Buffer.from(crashToken(SECRET, header.SPIi, header.SPIr));
    const before = sim.wire.length;
    for (const initiator of [true, false])
      for (const exchange of [Exchange.INFORMATIONAL, Exchange.CREATE_CHILD_SA]) {
        const bytes = encodeMessage({ ...header, exchange, initiator, response: false, messageId: 7 }, []);
        const sentBy = { ...sim.wire[0]!, direction: 'to-responder' as const, from: endpoint('203.0.113.66', 4000) };
        sim.inject({ ...sentBy, bytes }).run(500);
      }
    // A stranger gets no word at all.
    expect(sim.wire.slice(before).filter((d) => d.to.port === 4000)).toEqual([]);
    expect(sim.wire.slice(before).every((d) => !Buffer.from(d.bytes).includes(token))).toBe(true);
  },
);

test('somebody who forges INVALID_IKE_SPI with any token but the right one does no harm', () => {
  const sim = new Simulation({ responder }).connect();
  const header = decodeHeader(sim.wire[2]!.bytes) as Header;
  const right = crashToken(SECRET, header.SPIi, header.SPIr);
  const forge = (token: Uint8Array): Datagram => ({
    ...sim.wire[3]!,
    bytes: encodeMessage(
      { ...header, exchange: Exchange.INFORMATIONAL, initiator: false, response: true, messageId: 9 },
      [notifyOf(NotifyType.INVALID_IKE_SPI), crashTokenNotify(token)],
    ),
  });
  for (let byte = 0; byte < right.length; byte++) {
    const wrong = Uint8Array.from(right);
    wrong[byte]! ^= 1;
    sim.inject(forge(wrong));
  }
  sim.inject(forge(right.subarray(0, 16))).inject(forge(new Uint8Array(0)));
  expect(sim.run(60_000).client.closed).toBeUndefined();
  // The real one may come from anywhere: who knows it is the gateway.
  sim.inject(forge(right));
  expect(sim.client.closed).toMatchObject({ by: 'error' });
});

test('… with additional key exchanges too, where it is made by their last answer', () => {
  const proposals = ['aes256gcm16-prfsha256-x25519-ke1_mlkem768'];
  const sim = new Simulation({ initiator: { proposals }, responder: { ...responder, proposals } }).connect();
  sim.tell({ kind: 'rekey', what: 'ike' }).run(60_000);
  expect(sim.client.rekeyed).toBe(1);
  expect(sim.wire.some((d) => d.bytes[18] === Exchange.IKE_FOLLOWUP_KE)).toBe(true);
  expect(livenessTime(restart(sim, [SECRET]))).toBeLessThan(50);
});

test('an SA that replaces another has a token of its own (§4.3)', () => {
  for (const by of ['client', 'gateway'] as const) {
    const sim = new Simulation({ responder }).connect();
    if (by === 'client') sim.tell({ kind: 'rekey', what: 'ike' });
    else sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' });
    sim.run(60_000);
    expect(sim.client.rekeyed).toBe(1);
    restart(sim, [SECRET]);
    const took = livenessTime(sim);
    // Where the gateway rekeys, its token would need an exchange of its own, which it does not make.
    if (by === 'client') expect(took).toBeLessThan(50);
    else expect(took).toBeGreaterThan(0);
  }
});
