// IKE_AUTH between an initiator and a responder over a network, with answers that take their time: what waits, what is given up,
// what is ignored, what is wiped.
import { describe, expect, test } from 'vitest';
import { IkeError } from '../../../main/ike/error.ts';
import { parseIdentity } from '../../../main/ike/identity.ts';
import type { InitiatorConfig } from '../../../main/ike/initiator-config.ts';
import type { IkeEffect } from '../../../main/ike/peer.ts';
import type { IkeAnswer, IkeQuestion } from '../../../main/ike/questions.ts';
import type { ResponderAuthentication } from '../../../main/ike/responder-config.ts';
import { mirrored } from '../../sim/mirrored.ts';
import { bytes } from '../../sim/parties.ts';
import { type AnswerOptions, Simulation, type SimulationOptions } from '../../sim/simulation.ts';
import { expectUp } from '../../sim/up.ts';
import { answerer, authority, certificate, type FakeEap, signing } from './answers.ts';

const GATEWAY = 'gateway.example.com';
const ALICE = 'alice@example.com';
const TRUSTED = {
  client: [{ key: certificate('p256', 'gateway'), names: [GATEWAY] }],
  gateway: [{ key: certificate('p384', 'alice'), names: [ALICE] }],
};

const certificates = {
  initiator: {
    credential: signing('p384', 'alice'),
    remoteAuthentication: { kind: 'signature', authorities: [authority('root')] },
  } satisfies Partial<InitiatorConfig>,
  responder: {
    credential: signing('p256', 'gateway'),
    rounds: [['signature', 'eap']],
    authorities: [authority('root')],
  } satisfies ResponderAuthentication,
};

interface Options extends Omit<SimulationOptions, 'responder'> {
  readonly authentication?: Partial<ResponderAuthentication>;
  readonly eap?: FakeEap;
  readonly delay?: AnswerOptions['delay'];
}

const simulate = ({ authentication, eap = {}, delay, ...options }: Options = {}): Simulation =>
  new Simulation({
    answers: {
      client: () => answerer('client', { trusted: TRUSTED.client, eap }),
      gateway: () => answerer('gateway', { trusted: TRUSTED.gateway, eap }),
      ...(delay ? { delay } : {}),
    },
    ...options,
    initiator: { ...certificates.initiator, ...options.initiator },
    responder: { authentication: { ...certificates.responder, ...authentication } },
  });

const byEap: Partial<InitiatorConfig> = { credential: { kind: 'eap' } };

const failure = (sim: Simulation): IkeError => {
  const { closed } = sim.client;
  if (closed?.by !== 'error') throw new Error(`not failed: ${JSON.stringify(closed)}`);
  return closed.error;
};

/** Effects of the initiator, and a way to answer by hand. */
function byHand(options: Options = {}) {
  const asked: { readonly id: number; readonly question: IkeQuestion }[] = [];
  const sim = simulate(options);
  const handle = sim.initiator.handle.bind(sim.initiator);
  sim.initiator.handle = (event, now) =>
    handle(event, now).flatMap((effect): IkeEffect[] => {
      if (effect.kind !== 'ask') return [effect];
      asked.push(effect);
      return [];
    });
  const answers = answerer('client', { trusted: TRUSTED.client, eap: options.eap ?? {} });
  const answer = (id: number, given: IkeAnswer) => sim.tell({ kind: 'answer', id, answer: given });
  return {
    sim,
    asked,
    answer,
    /** The honest answer to the last question. */
    go() {
      const last = asked.at(-1);
      if (last) answer(last.id, answers(last.question));
      return sim;
    },
  };
}

describe('a good start', () => {
  test('certificates, with answers that take seconds', () => {
    const sim = simulate({ delay: [2000, 3000] }).connect();
    expect(sim.client.established?.remoteIdentity).toEqual(parseIdentity(GATEWAY));
    expect(sim.peer.established?.remoteIdentity).toEqual(parseIdentity(ALICE));
    expect(sim.client.installed.map(mirrored)).toEqual(sim.peer.installed);
  });

  test('EAP, with a person who takes a minute for each answer', () => {
    const { sim, asked, go } = byHand({ initiator: byEap, eap: { packets: 2, msk: 'key' } });
    sim.connect(60_000);
    for (let answered = 0; answered < asked.length; answered++) go().run(60_000);
    expect(asked.map(({ question }) => question.kind)).toEqual(['verify', 'eap', 'eap', 'eap']);
    expectUp(sim);
    expect(sim.client.installed.map(mirrored)).toEqual(sim.peer.installed);
  });

  test('the order of effects: nothing is expected before something is said', () => {
    const { sim, asked, go } = byHand();
    const kinds: string[] = [];
    const handle = sim.initiator.handle.bind(sim.initiator);
    sim.initiator.handle = (event, now) => {
      const effects = handle(event, now);
      kinds.push(...effects.map((e) => (e.kind === 'step' ? `step ${e.step}` : e.kind)));
      return effects;
    };
    sim.connect(10_000);
    expect(kinds).toEqual(['step sa-init', 'send', 'timer', 'step auth', 'timer']);
    expect(asked.map(({ question }) => question.kind)).toEqual(['sign']);
    kinds.length = 0;
    go().run(10_000);
    expect(kinds.slice(0, 3)).toEqual(['expectChild', 'send', 'timer']);
    expect(asked.map(({ question }) => question.kind)).toEqual(['sign', 'verify']);
    expect(sim.client.established).toBeUndefined();
    go().run(1000);
    expectUp(sim);
  });

  test('AUTH_LIFETIME becomes a wish to authenticate anew, a while before its end (RFC 4478)', () => {
    const effects: IkeEffect[] = [];
    const sim = simulate({ authentication: { lifetimeSeconds: 3600 } });
    const handle = sim.initiator.handle.bind(sim.initiator);
    sim.initiator.handle = (event, now) => {
      const some = handle(event, now);
      effects.push(...some);
      return some;
    };
    const asked = () => effects.filter(({ kind }) => kind === 'reauthenticate');
    sim.connect(3_200_000);
    // Authenticated this moment: whoever did it again at once would never come to an end.
    expect(asked()).toEqual([]);
    sim.run(100_000);
    expect(asked()).toEqual([{ kind: 'reauthenticate', within: 360_000 }]);
    sim.run(3_600_000);
    expect(asked()).toHaveLength(1);
  });
});

describe('questions', () => {
  test('an answer that is not to the open question changes nothing', () => {
    const { sim, asked, answer, go } = byHand();
    sim.connect(10_000);
    const msk = bytes('an MSK that nobody took');
    answer(asked[0]!.id + 7, { kind: 'eap', state: 'success', packet: new Uint8Array(0), msk });
    expect(msk.every((byte) => byte === 0)).toBe(true);
    expect(sim.client.sent).toBe(1);
    go().run(10_000);
    // The first question once more: answered already.
    answer(asked[0]!.id, {
      kind: 'failed',
      error: new IkeError({ code: 'protocol', message: 'late', remedy: 'none' }),
    });
    expect(sim.client.closed).toBeUndefined();
    go().run(1000);
    expectUp(sim);
    answer(asked[1]!.id, {
      kind: 'failed',
      error: new IkeError({ code: 'protocol', message: 'late', remedy: 'none' }),
    });
    expect(sim.client.closed).toBeUndefined();
  });

  test('nobody answers: given up after five minutes, and said so', () => {
    const { sim } = byHand();
    sim.connect(299_000);
    expect(sim.client.closed).toBeUndefined();
    sim.run(10_000);
    expect(failure(sim)).toMatchObject({ code: 'configuration', message: expect.stringContaining('sign') });
    expect(sim.client.sent).toBe(1);
  });

  test('close while a question is open: at once; the answer then is of no consequence', () => {
    const { sim, asked, answer } = byHand({ initiator: byEap, eap: { packets: 1, msk: 'key' } });
    sim.connect(1000);
    expect(asked.map(({ question }) => question.kind)).toEqual(['verify']);
    sim.tell({ kind: 'close' });
    expect(sim.client.closed).toEqual({ by: 'us' });
    expect(sim.client.cancelled).toEqual(sim.client.expected);
    const msk = bytes('too late');
    answer(asked[0]!.id, { kind: 'eap', state: 'success', packet: new Uint8Array(0), msk });
    expect(sim.client.sent).toBe(2);
  });

  test('close while the gateway has to answer: nothing more is asked or said', () => {
    const sim = simulate({
      initiator: byEap,
      eap: { packets: 3, msk: 'key' },
      network: { delay: [100, 100] },
      delay: [0, 0],
    });
    sim.tell({ kind: 'start' }).run(10_000, () => sim.client.sent === 3);
    sim.tell({ kind: 'close' }).run(60_000);
    expect(sim.client.closed).toEqual({ by: 'us' });
    expect(sim.client.sent).toBe(3);
  });

  test('a refusal by whoever answers is the reason', () => {
    const { sim, asked, answer } = byHand();
    sim.connect(1000);
    const error = new IkeError({ code: 'configuration', message: 'the token was removed', remedy: 'put it in again' });
    answer(asked[0]!.id, { kind: 'failed', error });
    expect(failure(sim)).toBe(error);
    expect(sim.client.expected).toEqual([]);
  });

  test('a certificate that is not good: the gateway is told, and forgets us', () => {
    const { sim, asked, answer, go } = byHand();
    sim.connect(1000);
    go().run(1000);
    const error = new IkeError({ code: 'peer-not-authentic', message: 'revoked', remedy: 'tell the administrator' });
    answer(asked.at(-1)!.id, { kind: 'failed', error });
    sim.run(10_000);
    expect(failure(sim)).toBe(error);
    expect(sim.peer.closed).toMatchObject({ by: 'error', error: { code: 'refused-by-peer' } });
    expect(sim.client.cancelled).toEqual(sim.client.expected);
  });
});

describe('the gateway', () => {
  test('does not take a request twice while it thinks about it', () => {
    // The initiator repeats itself after half a second, the gateway thinks for three.
    const sim = simulate({ delay: [3000, 3000] }).connect();
    expectUp(sim);
    expect(sim.peer.installed).toHaveLength(1);
    expect(sim.log.filter((line) => line.includes('still being worked upon')).length).toBeGreaterThan(0);
  });

  test('gives a peer up that stops in the middle of EAP', () => {
    const { sim } = byHand({ initiator: byEap, eap: { packets: 1, msk: 'key' } });
    sim.connect(1000);
    expect([...sim.gateway.values()].map((view) => view.closed)).toEqual([undefined]);
    sim.run(125_000);
    expect([...sim.gateway.values()].map((view) => view.closed)).toMatchObject([
      { by: 'error', error: { code: 'peer-not-authentic' } },
    ]);
  });

  test('refuses by EAP: the person learns it', () => {
    const sim = simulate({ initiator: byEap, eap: { refuses: 'gateway', msk: 'key' } }).connect();
    expect(failure(sim)).toMatchObject({ code: 'refused-by-peer', message: expect.stringContaining(ALICE) });
  });

  test('with a key, asked for a certificate; and without EAP, asked for EAP', () => {
    const key = simulate({ authentication: { credential: { kind: 'psk' }, rounds: [['signature']] } }).connect();
    expect(failure(key)).toMatchObject({
      code: 'peer-not-authentic',
      message: expect.stringContaining('the profile expects a certificate'),
    });
    const psk = simulate({ initiator: byEap, authentication: { rounds: [['signature']] } }).connect();
    expect(failure(psk).code).toBe('refused-by-peer');
  });

  test('childless (RFC 6023): an IKE SA with an address and no CHILD SA, only where both want it', () => {
    const sim = simulate({ initiator: { childless: true }, authentication: { childless: true } });
    sim.tell({ kind: 'start' }).run(3000, () => sim.client.established !== undefined);
    expect(sim.client.established?.configuration.addresses).toHaveLength(1);
    const [init, answer] = sim.wire;
    expect([init, answer]).toHaveLength(2);
    const both = simulate({ initiator: { childless: true } }).connect();
    expect(both.client.installed).toHaveLength(1);
  });
});

describe('secrets', () => {
  test('are copied, and the copies wiped, as soon as both ends are authentic and when it fails', () => {
    const secret = bytes('a secret that stays the caller’s');
    const copies: Uint8Array[] = [];
    const from = Uint8Array.from.bind(Uint8Array);
    const spy = (...args: Parameters<typeof from>) => {
      const copy = from(...args);
      if (Buffer.compare(copy, secret) === 0) copies.push(copy);
      return copy;
    };
    Uint8Array.from = spy as typeof Uint8Array.from;
    try {
      for (const gateway of [secret, bytes('another')]) {
        const sim = new Simulation({
          initiator: { credential: { kind: 'psk', secret } },
          responder: { secretOf: () => gateway },
        }).connect();
        expect(sim.client.established === undefined).toBe(gateway !== secret);
      }
    } finally {
      Uint8Array.from = from as typeof Uint8Array.from;
    }
    expect(copies).toHaveLength(2);
    for (const copy of copies) expect(copy.every((byte) => byte === 0)).toBe(true);
    expect(new TextDecoder().decode(secret)).toBe('a secret that stays the caller’s');
  });

  test('the key that EAP made is wiped in the end, well or not', () => {
    for (const refuses of [undefined, 'gateway'] as const) {
      const keys: Uint8Array[] = [];
      const eap: FakeEap = { packets: 1, msk: 'key', ...(refuses ? { refuses } : {}) };
      const watch = (who: 'client' | 'gateway') => () => {
        const answers = answerer(who, { trusted: TRUSTED[who], eap });
        return (question: IkeQuestion): IkeAnswer => {
          const answer = answers(question);
          if (answer.kind === 'eap' && answer.msk) keys.push(answer.msk);
          return answer;
        };
      };
      const sim = simulate({ initiator: byEap, answers: { client: watch('client'), gateway: watch('gateway') } });
      sim.connect();
      expect(sim.client.established === undefined).toBe(refuses !== undefined);
      expect(keys.length).toBe(refuses ? 0 : 2);
      for (const key of keys) expect(key.every((byte) => byte === 0)).toBe(true);
    }
  });
});
