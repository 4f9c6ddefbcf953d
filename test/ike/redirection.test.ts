// Being sent to another gateway (RFC 5685): at once, once authenticated, and in the middle of it.
import { describe, expect, test } from 'vitest';
import { decodeMessage, Exchange, encodeMessage } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { payloadOf, payloadsOf } from '../../main/ike/payload/payload.ts';
import { type GatewayName, redirectNotify } from '../../main/ike/redirect.ts';
import { isWireError } from '../../main/wire/error.ts';
import { address } from '../sim/parties.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';
import { expectUp } from '../sim/up.ts';

const TO: GatewayName = { kind: 'name', name: 'gw2.example.com' };
const takes: SimulationOptions['initiator'] = { takesRedirects: true };

const opened = ({ bytes }: Datagram) => {
  const message = decodeMessage(bytes);
  if (isWireError(message)) throw message;
  return message;
};
const saysIn = (datagram: Datagram): readonly number[] =>
  payloadsOf(opened(datagram).payloads, 'notify').map((n) => n.type);

describe('in the answer to IKE_SA_INIT', () => {
  test('the client goes, and nothing is left anywhere', () => {
    const sim = new Simulation({ initiator: takes, responder: { redirect: { atOnce: () => TO } } }).connect();
    expect(sim.client.closed).toEqual({ by: 'redirect', to: TO });
    expect(sim.gateway.size).toBe(0);
    expect(sim.wire.length).toBe(2);
    // SPIr is zero: there is no SA (§3).
    expect(opened(sim.wire[1]!).header.SPIr).toBe(0n);
  });

  test('who does not say that it can be sent is not', () => {
    const sim = new Simulation({ responder: { redirect: { atOnce: () => TO } } }).connect();
    expect(saysIn(sim.wire[0]!)).not.toContain(NotifyType.REDIRECT_SUPPORTED);
    expectUp(sim);
  });

  test('who was sent says by whom', () => {
    const sim = new Simulation({ initiator: { ...takes, redirectedFrom: address('192.0.2.77') } }).connect();
    const request = opened(sim.wire[0]!);
    const from = payloadsOf(request.payloads, 'notify').find((n) => n.type === NotifyType.REDIRECTED_FROM);
    expect([...(from?.data ?? [])]).toEqual([1, 4, 192, 0, 2, 77]);
    expectUp(sim);
  });

  /** An answer that somebody forges before the gateway's own. */
  const forged = (make: (Ni: Uint8Array) => ReturnType<typeof redirectNotify>, initiator = takes): Simulation =>
    new Simulation({
      initiator,
      network: {
        touch: (d) => {
          const { header, payloads } = opened(d);
          if (d.direction === 'to-responder' || header.exchange !== Exchange.IKE_SA_INIT) return [d];
          const Ni = payloadOf(opened(sim().wire[0]!).payloads, 'nonce')!.data;
          expect(payloads.length).toBeGreaterThan(0);
          const bytes = encodeMessage({ ...header, SPIr: 0n }, [make(Ni)]);
          return [{ ...d, bytes }, d];
        },
      },
    });
  let made: Simulation;
  const sim = (): Simulation => made;

  test('a forged one without our nonce, or with another, changes nothing', () => {
    for (const make of [
      () => redirectNotify(TO),
      () => redirectNotify(TO, new Uint8Array(32)),
      (Ni: Uint8Array) => redirectNotify(TO, Ni.subarray(1)),
    ]) {
      made = forged(make);
      made.connect();
      expectUp(made);
    }
  });

  test('one that we did not say we take changes nothing, though the nonce is ours', () => {
    made = forged((Ni) => redirectNotify(TO, Ni), {});
    made.connect();
    expectUp(made);
    made = forged((Ni) => redirectNotify(TO, Ni));
    made.connect();
    expect(made.client.closed).toEqual({ by: 'redirect', to: TO });
  });
});

describe('in the answer to IKE_AUTH', () => {
  test('the gateway has proved itself; the client deletes the SA and goes', () => {
    const asked: string[] = [];
    const sim = new Simulation({
      initiator: takes,
      responder: {
        redirect: {
          authenticated: (peer) => {
            asked.push(peer.type);
            return TO;
          },
        },
      },
    }).connect();
    expect(asked).toEqual(['rfc822']);
    expect(sim.client.closed).toEqual({ by: 'redirect', to: TO });
    expect(sim.client.installed).toEqual([]);
    expect(sim.client.cancelled).toEqual(sim.client.expected);
    expect(sim.peer.closed).toEqual({ by: 'peer' });
    expect(sim.peer.installed).toEqual([]);
  });

  test('not from a gateway that does not know the secret', () => {
    const sim = new Simulation({
      initiator: { ...takes, credential: { kind: 'psk', secret: new Uint8Array(20) } },
      responder: { redirect: { authenticated: () => TO } },
    }).connect();
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'refused-by-peer' } });
  });
});

describe('later', () => {
  test('is answered, the SA is deleted, and the client goes', () => {
    const sim = new Simulation({ initiator: takes }).connect();
    sim.tellGateway({ kind: 'redirect', sa: sim.peerName, to: TO }).run(60_000);
    expect(sim.client.closed).toEqual({ by: 'redirect', to: TO });
    expect(sim.client.removed).toEqual(sim.client.installed.map((child) => child.spiIn));
    expect(sim.peer.closed).toEqual({ by: 'peer' });
  });

  test('with half of everything lost on the way', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const sim = new Simulation({ seed, initiator: takes }).connect();
      sim.network = { loss: 0.5, delay: [5, 300] };
      sim.tellGateway({ kind: 'redirect', sa: sim.peerName, to: TO }).run(120_000);
      // Seven retransmissions may all be lost; then nobody is sent anywhere.
      if (sim.client.closed) expect(sim.client.closed).toEqual({ by: 'redirect', to: TO });
      else expect(sim.peer.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
    }
  });

  test('a client that cannot be sent is left alone', () => {
    const sim = new Simulation().connect();
    const before = sim.wire.length;
    sim.tellGateway({ kind: 'redirect', sa: sim.peerName, to: TO }).run(60_000);
    expect(sim.wire.length).toBe(before);
    expect(sim.client.closed).toBeUndefined();
  });
});
