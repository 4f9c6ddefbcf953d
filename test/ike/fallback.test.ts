// Gateways that do not bear additional key exchanges, and what the initiator makes of them.
import { describe, expect, test } from 'vitest';
import { type Attempt, type AttemptOutcome, firstAttempt, isPlain, nextAttempt } from '../../main/ike/fallback.ts';
import { decodeMessage, Exchange, encodeMessage, type Message } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { payloadOf } from '../../main/ike/payload/payload.ts';
import { isWireError } from '../../main/wire/error.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';

const HYBRID = 'aes256gcm16-prfsha256-x25519-ke1_mlkem768';
const PLAIN = 'aes256gcm16-prfsha256-x25519';

const decoded = (datagram: Datagram): Message => {
  const message = decodeMessage(datagram.bytes);
  if (isWireError(message)) throw new Error(message.toString());
  return message;
};
const asksForMore = (d: Datagram): boolean =>
  decoded(d).header.exchange === Exchange.IKE_SA_INIT &&
  !decoded(d).header.response &&
  (payloadOf(decoded(d).payloads, 'sa')?.proposals.some((p) => p.transforms.some((t) => t.type > 5)) ?? false);

const simulate = (touch: (d: Datagram, now: number) => readonly Datagram[], more: SimulationOptions = {}) =>
  new Simulation({
    initiator: { proposals: [HYBRID, PLAIN], ...more.initiator },
    responder: { proposals: [PLAIN, HYBRID], ...more.responder },
    network: { touch },
  });

/** Answers every IKE_SA_INIT that names additional key exchanges, in the gateway's place. */
const answering =
  (payloads: (request: Message) => Parameters<typeof encodeMessage>[1], SPIr = 0n) =>
  (sim: () => Simulation) =>
  (d: Datagram): readonly Datagram[] => {
    if (!asksForMore(d)) return [d];
    const { header } = decoded(d);
    const bytes = encodeMessage({ ...header, SPIr, initiator: false, response: true }, payloads(decoded(d)));
    sim().inject({ ...d, bytes, from: d.to, to: d.from, direction: 'to-initiator' });
    return [];
  };

const notify = (type: number) =>
  ({ kind: 'notify', protocol: 0, type, spi: new Uint8Array(0), data: new Uint8Array(0) }) as const;

describe('a gateway that refuses the whole message', () => {
  test.each(['NO_PROPOSAL_CHOSEN', 'INVALID_SYNTAX', 'UNSUPPORTED_CRITICAL_PAYLOAD'] as const)('with %s', (name) => {
    const sim: Simulation = simulate((d) => answering(() => [notify(NotifyType[name])])(() => sim)(d));
    sim.connect();
    expect(sim.client.established?.proposal).toBe(PLAIN);
    // Unauthenticated refusals are waited out first (RFC 7296 §2.21.1); nobody else is tried more than once.
    expect(sim.log.filter((line) => line.includes('IKE_SA_INIT again'))).toEqual([
      expect.stringContaining('without additional key exchanges (the keys will not be post-quantum)'),
    ]);
  });

  test('by choosing the hybrid proposal without its additional key exchange', () => {
    const sim: Simulation = simulate((d) =>
      answering(({ payloads }) => {
        const [proposal] = payloadOf(payloads, 'sa')!.proposals;
        const transforms = proposal!.transforms.filter((t) => t.type < 6);
        return [
          { kind: 'sa', proposals: [{ ...proposal!, transforms }] },
          { kind: 'ke', method: 31, data: new Uint8Array(32).fill(9) },
          { kind: 'nonce', data: new Uint8Array(32) },
        ];
      }, 5n)(() => sim)(d),
    );
    sim.connect();
    expect(sim.client.established?.proposal).toBe(PLAIN);
  });

  test('and the plain message too: said once, and over', () => {
    const sim = new Simulation({
      initiator: { proposals: [HYBRID, PLAIN] },
      responder: { proposals: ['aes128gcm16-prfsha256-ecp384'] },
    }).connect();
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-ike-proposal' } });
    expect(sim.client.sent).toBeLessThanOrEqual(4);
  });
});

describe('silence', () => {
  test('towards everything that is hybrid: plain in the end, after one more try', () => {
    const sim = simulate((d) => (asksForMore(d) ? [] : [d])).connect();
    expect(sim.client.established?.proposal).toBe(PLAIN);
    expect(sim.log.filter((line) => line.includes('IKE_SA_INIT again'))).toHaveLength(3);
    expect(sim.wire.filter(asksForMore)).toHaveLength(8);
  });

  test('of a network that was not there yet: hybrid after all', () => {
    const start = 1_000_000;
    const sim = simulate((d, now) => (now < start + 8_000 ? [] : [d]), {
      responder: { proposals: [HYBRID, PLAIN] },
    }).connect();
    expect(sim.client.established?.proposal).toBe(HYBRID);
    expect(sim.peer.established?.proposal).toBe(HYBRID);
  });

  test('of nobody: no-response, after as long as ever', () => {
    const sim = simulate(() => []).connect();
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
    expect(sim.wire).toHaveLength(4 + 8);
  });

  test('where there is nothing plain to fall back to, all sendings are hybrid', () => {
    const sim = simulate(() => [], { initiator: { proposals: [HYBRID] } }).connect();
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
    expect(sim.wire.filter(asksForMore)).toHaveLength(8);
  });
});

test('a refusal where nothing plain is offered is final', () => {
  const sim = new Simulation({ initiator: { proposals: [HYBRID] }, responder: { proposals: [PLAIN] } }).connect();
  expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-ike-proposal' } });
  expect(sim.wire.filter(asksForMore).length).toBeLessThanOrEqual(3);
});

test('closing during any attempt is clean', () => {
  for (let ms = 0; ms < 16_000; ms += 500) {
    const sim = simulate((d) => (asksForMore(d) ? [] : [d]));
    sim.tell({ kind: 'start' }).run(ms);
    if (sim.client.established) break;
    sim.tell({ kind: 'close' }).run();
    expect(sim.client.closed).toEqual({ by: 'us' });
  }
});

test('every way through the attempts ends, and ends plain only where something was hybrid', () => {
  const outcomes: readonly AttemptOutcome[] = ['refused', 'silence', 'answered'];
  const walk = (attempt: Attempt, before: readonly Attempt[]): void => {
    expect(before.length).toBeLessThanOrEqual(3);
    expect(before).not.toContain(attempt);
    for (const outcome of outcomes) {
      const next = nextAttempt(attempt, outcome);
      if (next) walk(next, [...before, attempt]);
      // An answer that is taken is hybrid, or the last word.
      else if (outcome === 'answered') expect(isPlain(attempt)).toBe(attempt === 'plain');
    }
  };
  walk(firstAttempt(true), []);
  expect(nextAttempt(firstAttempt(false), 'refused')).toBeUndefined();
});
