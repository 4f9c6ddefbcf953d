// Puzzles between two ends (RFC 8019): with a cookie in IKE_SA_INIT, and once more in IKE_AUTH.
import { expect, test } from 'vitest';
import { decodeMessage, Exchange, fragmentOf } from '../../main/ike/message.ts';
import { payloadOf } from '../../main/ike/payload/payload.ts';
import { PuzzleSolver } from '../../main/ike/puzzle.ts';
import type { IkeAnswer, IkeQuestion } from '../../main/ike/questions.ts';
import { isWireError } from '../../main/wire/error.ts';
import { mirrored } from '../sim/mirrored.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';

let asked: IkeQuestion[] = [];
const solves =
  () =>
  (question: IkeQuestion): IkeAnswer => {
    asked.push(question);
    if (question.kind !== 'puzzle') throw new Error('only puzzles are asked here');
    const solver = new PuzzleSolver(question.puzzle);
    for (;;) {
      const solution = solver.step(1000);
      if (solution) return { kind: 'solved', solution };
    }
  };

function under(puzzle: { difficulty: number; auth?: number }, options: SimulationOptions = {}): Simulation {
  asked = [];
  return new Simulation({
    ...options,
    responder: { puzzle: { threshold: 0, ...puzzle }, ...options.responder },
    answers: { client: solves, delay: [1000, 3000], ...options.answers },
  }).connect();
}

const up = (sim: Simulation): void => {
  expect(sim.client.closed, JSON.stringify(sim.client.closed)).toBeUndefined();
  expect(mirrored(sim.client.installed[0]!)).toEqual(sim.peer.installed[0]);
};

const clear = (d: Datagram) => {
  const message = decodeMessage(d.bytes);
  if (isWireError(message)) throw message;
  return message.payloads.map(({ kind }) => kind);
};

test('is solved, and the solution stands behind the cookie', () => {
  const sim = under({ difficulty: 8 });
  up(sim);
  expect(asked.map(({ kind }) => kind)).toEqual(['puzzle']);
  const requests = sim.wire.filter((d) => d.direction === 'to-responder' && d.bytes[18] === Exchange.IKE_SA_INIT);
  expect(requests.map((d) => clear(d).slice(0, 2))).toEqual([
    ['sa', 'ke'],
    ['notify', 'puzzle'],
  ]);
});

test('of no certain difficulty is solved too', () => {
  up(under({ difficulty: 0 }));
  expect(asked.length).toBe(1);
});

test('in IKE_AUTH as well: the solution is in front of the Encrypted payload', () => {
  const sim = under({ difficulty: 6, auth: 9 });
  up(sim);
  expect(asked.length).toBe(2);
  const auth = sim.wire.find((d) => d.bytes[18] === Exchange.IKE_AUTH)!;
  expect(clear(auth)).toEqual(['puzzle', 'encrypted']);
});

test('in IKE_AUTH that comes in fragments, only the first of which has the solution (§7.2.2)', () => {
  const sim = under({ difficulty: 6, auth: 6 }, { initiator: { fragmentSizes: [300] } });
  up(sim);
  const fragments = sim.wire.filter((d) => d.bytes[18] === Exchange.IKE_AUTH && d.direction === 'to-responder');
  expect(fragments.length).toBeGreaterThan(1);
  expect(fragments.map(clear).slice(0, 2)).toEqual([['puzzle', 'fragment'], ['fragment']]);
  expect(fragments.map((d) => fragmentOf(d.bytes)!.number)).toEqual(fragments.map((_, i) => i + 1));
});

test('on a bad network, 40 times', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const sim = under({ difficulty: 3, auth: 3 }, { seed, network: { loss: 0.2, duplicate: 0.2, delay: [5, 300] } });
    if (sim.client.closed) expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
    else up(sim);
  }
});

test('one too hard is left alone: the cookie goes back without a solution', () => {
  const sim = under({ difficulty: 40 });
  expect(asked).toEqual([]);
  expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
  const last = sim.wire.filter((d) => d.direction === 'to-responder').at(-1)!;
  expect(clear(last).slice(0, 2)).toEqual(['notify', 'sa']);
});

test('a solution that is none, or too weak, is asked for again and no key exchange is computed', () => {
  const wrong = () => (): IkeAnswer => ({ kind: 'solved', solution: Uint8Array.from({ length: 16 }, (_, i) => i) });
  const sim = under({ difficulty: 16 }, { answers: { client: wrong } });
  expect(sim.client.established).toBeUndefined();
  expect(sim.gateway.size).toBe(0);
});

test('IKE_AUTH without its solution is not looked into', () => {
  const strip = (d: Datagram): readonly Datagram[] => {
    if (d.bytes[18] !== Exchange.IKE_AUTH || d.direction !== 'to-responder') return [d];
    const message = decodeMessage(d.bytes);
    if (isWireError(message)) throw message;
    const solution = payloadOf(message.payloads, 'puzzle')!;
    const bytes = Uint8Array.from(d.bytes);
    // Another solution: four times the same key.
    bytes.fill(1, 32, 32 + solution.data.length);
    return [{ ...d, bytes }];
  };
  const sim = under({ difficulty: 4, auth: 8 }, { network: { touch: strip } });
  expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
  expect(sim.log.some((text) => text.includes('the puzzle is not solved'))).toBe(true);
});

test('in IKE_AUTH, with an additional key exchange before it', () => {
  const proposals = ['aes256gcm16-prfsha256-x25519-ke1_mlkem768'];
  const both = { initiator: { proposals }, responder: { proposals } };
  up(under({ difficulty: 4, auth: 4 }, both));
  // It has to be solved all the same, and is not looked for in IKE_INTERMEDIATE, where it could not be.
  const touch = (d: Datagram): readonly Datagram[] => {
    if (d.direction !== 'to-responder' || d.bytes[18] !== Exchange.IKE_AUTH) return [d];
    const bytes = Uint8Array.from(d.bytes);
    // Into the solution, which stands first: behind the header, the generic header and the puzzle's four octets.
    bytes[28 + 4 + 1]! ^= 0xff;
    return [{ ...d, bytes }];
  };
  const wrong = under({ difficulty: 4, auth: 16 }, { ...both, network: { touch } });
  expect(wrong.client.established).toBeUndefined();
  expect(wrong.log.filter((text) => text.includes('the puzzle is not solved')).length).toBeGreaterThan(0);
});
