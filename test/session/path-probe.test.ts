// Probes of the path against the real responder, as a gateway that has never seen them.
import { expect, it } from 'vitest';
import { decodeHeader } from '../../main/ike/message.ts';
import { LEAST_PROBE_BYTES, pathProbe } from '../../main/ike/probe.ts';
import { createResponder } from '../../main/ike/responder.ts';
import { NetError } from '../../main/net/error.ts';
import type { TunnelSocket } from '../../main/net/socket/api.ts';
import { createPathProber, PROBE_PATIENCE } from '../../main/session/path-probe.ts';
import { fakeClock } from './fakes/clock.ts';
import { address } from './fakes/profile.ts';

let seed = 7;
const random = (length: number): Uint8Array =>
  Uint8Array.from({ length }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed >>> 24;
  });
const to = { address: address('192.0.2.1'), port: 4500 };
const local = { address: address('192.0.2.9'), port: 4500 };

const gateway = (cookieThreshold = Number.POSITIVE_INFINITY) =>
  createResponder(
    {
      identity: { type: 'fqdn', text: 'gateway.example.com' },
      secretOf: () => undefined,
      proposals: ['aes256gcm16-prfsha256-ecp256'],
      childProposals: ['aes128gcm16'],
      modes: ['tunnel'],
      local: [],
      remote: 'any',
      lease: () => undefined,
      encapsulation: 'auto',
      cookieThreshold,
      retransmission: { first: 500, factor: 2, most: 4_000, tries: 5 },
      livenessInterval: 0,
    },
    { random },
  );

it.each([Number.POSITIVE_INFINITY, 0])('a gateway answers a probe of any size and keeps nothing of it', (threshold) => {
  const responder = gateway(threshold);
  for (const length of [LEAST_PROBE_BYTES, 576, 1452, 9000]) {
    const probe = pathProbe(length, random);
    expect(probe.bytes.length).toBe(length);
    expect(probe.answeredBy(probe.bytes)).toBe(false);
    const effects = responder.handle(
      { kind: 'datagram', bytes: probe.bytes, from: local, local: to, transport: 'natt' },
      1_000,
    );
    const answers = effects.flatMap(({ effect }) => (effect.kind === 'send' ? [effect.bytes] : []));
    expect(answers).toHaveLength(1);
    expect(probe.answeredBy(answers[0]!)).toBe(true);
    expect(pathProbe(length, random).answeredBy(answers[0]!)).toBe(false);
    expect(decodeHeader(answers[0]!)).toMatchObject({ response: true, messageId: 0 });
    // Nothing to retransmit, nothing to expire.
    expect(effects.some(({ effect }) => effect.kind === 'timer' && effect.at !== null)).toBe(false);
  }
});

it('says what becomes of a packet of exactly this size', async () => {
  const clock = fakeClock();
  const sent: Uint8Array[] = [];
  let result: 'too-big' | undefined;
  const socket: TunnelSocket = {
    fd: 3,
    kind: 'natt',
    local,
    send: () => undefined,
    sendWhole: (bytes) => {
      sent.push(bytes);
      return result;
    },
    close: () => {},
  };
  const prober = createPathProber({ clock, random });
  const way = { socket, to, marker: true };

  const arriving = prober.probe(way, 1500);
  // IPv4 20, UDP 8; the non-ESP marker is zero.
  expect(sent[0]?.length).toBe(1500 - 28);
  expect(sent[0]?.subarray(0, 4)).toEqual(new Uint8Array(4));
  await clock.advance(12);
  const answer = sent[0]!.slice(4, 32);
  answer[19] = 0x20;
  expect(prober.received(new Uint8Array(40))).toBe(false);
  expect(prober.received(answer)).toBe(true);
  await expect(arriving).resolves.toEqual({ kind: 'arrived', milliseconds: 12 });
  expect(prober.received(answer)).toBe(false);

  const lost = prober.probe(way, 1400);
  await clock.advance(PROBE_PATIENCE);
  await expect(lost).resolves.toEqual({ kind: 'lost' });
  result = 'too-big';
  await expect(prober.probe(way, 9000)).resolves.toEqual({ kind: 'too-big' });
  result = undefined;
  const open = prober.probe(way, 1400);
  prober.close();
  await expect(open).resolves.toEqual({ kind: 'unavailable' });
  await expect(prober.probe(way, 1400)).resolves.toEqual({ kind: 'unavailable' });
  expect(clock.pending).toBe(0);
});

it('counts no answer to a probe that other traffic has disturbed, and sends another', async () => {
  const clock = fakeClock();
  const sent: Uint8Array[] = [];
  let disturbed = 2;
  const socket: TunnelSocket = {
    fd: 3,
    kind: 'natt',
    local,
    send: () => undefined,
    sendWhole: (bytes) => {
      sent.push(bytes);
      return disturbed-- > 0 ? 'disturbed' : undefined;
    },
    close: () => {},
  };
  const prober = createPathProber({ clock, random });
  const answerTo = (datagram: Uint8Array) => {
    const answer = datagram.slice(4, 32);
    answer[19] = 0x20;
    return answer;
  };
  const arriving = prober.probe({ socket, to, marker: true }, 1500);
  expect(sent).toHaveLength(3);
  expect(sent.map((datagram) => prober.received(answerTo(datagram)))).toEqual([false, false, true]);
  await expect(arriving).resolves.toMatchObject({ kind: 'arrived' });

  disturbed = Number.POSITIVE_INFINITY;
  const lost = prober.probe({ socket, to, marker: true }, 1500);
  await clock.advance(PROBE_PATIENCE);
  await expect(lost).resolves.toEqual({ kind: 'lost' });
  expect(sent.length).toBeLessThan(10);
  expect(clock.pending).toBe(0);
});

it('takes its time over what could not be sent: a full queue now is no three probes lost', async () => {
  const clock = fakeClock();
  const refused = new NetError({ code: 'system-call', operation: 'send', errno: 'ENOBUFS', message: '', remedy: '' });
  const socket = {
    fd: 3,
    kind: 'natt',
    local,
    send: () => undefined,
    sendWhole: () => refused,
    close: () => {},
  } as const;
  const prober = createPathProber({ clock, random });
  const outcomes: string[] = [];
  const probing = prober.probe({ socket, to, marker: true }, 1500).then(({ kind }) => outcomes.push(kind));
  await clock.advance(PROBE_PATIENCE - 1);
  expect(outcomes).toEqual([]);
  await clock.advance(1);
  await probing;
  expect(outcomes).toEqual(['lost']);
});
