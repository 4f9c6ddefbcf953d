// What becomes of segments that the kernel does not take: every datagram still goes out, one by one, and the log says why.
import { expect, it } from 'vitest';
import { AUX_OUTER_DF, AUX_TUNNEL_SHIFT } from '../../assembly/layout.ts';
import { EAGAIN, EINVAL, EIO, ENETUNREACH } from '../../main/native/constants.ts';
import { IO_NO_PEER, IO_SEND_DROPPED, IO_SENT } from '../../main/path/shared.ts';
import { datagramsRig } from './datagrams-rig.ts';

const DF = AUX_OUTER_DF;
/** The kernel's answers alone. */
const sends = (said: readonly unknown[]) => said.filter((one) => Array.isArray(one) && one[0] === 'send');
const burst = (runs: readonly number[]): boolean => runs.some((run) => run > 1);

it('sends datagrams of one length in one message', () => {
  const { peer, send } = datagramsRig();
  peer(0, 7);
  expect(sends(send(DF, DF, DF))).toEqual([['send', 7, 3]]);
});

it('sends them one by one where the kernel has no UDP_SEGMENT', () => {
  const { peer, send, statistics } = datagramsRig(false);
  peer(0, 7);
  expect(send(DF, DF, DF)).toEqual([['send', 7, 1, 1, 1]]);
  expect(statistics.numbers[IO_SENT]).toBe(3);
});

it.each([
  ['a device that cannot', EIO, [/cannot segment UDP \(EIO\)/]],
  ['a segment over the path MTU', EINVAL, []],
] as const)('%s: one by one for ten seconds, then it tries again; says so once', (_, errno, expected) => {
  const { peer, send, link, notes, statistics, time } = datagramsRig();
  peer(0, 7);
  link.refuse = (runs) => (burst(runs) ? errno : undefined);
  expect(sends(send(DF, DF, DF))).toEqual([['send', 7, 1, 1, 1]]);
  time.now = 10_000;
  expect(send(DF, DF)).toEqual([['send', 7, 1, 1]]);
  time.now = 10_001;
  expect(sends(send(DF, DF))).toEqual([['send', 7, 1, 1]]);
  link.refuse = undefined;
  time.now = 20_001;
  expect(sends(send(DF, DF))).toEqual([['send', 7, 2]]);
  expect(statistics.numbers[IO_SENT]).toBe(9);
  expect(statistics.numbers[IO_SEND_DROPPED]).toBe(0);
  expect(notes).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});

it('drops and counts what is refused for good, and goes on with the rest', () => {
  const { peer, send, link, errors, statistics } = datagramsRig(false);
  peer(0, 7);
  let refusals = 0;
  link.refuse = () => (refusals++ < 4 ? ENETUNREACH : undefined);
  expect(sends(send(DF, DF, DF))).toEqual([['send', 7, 1, 1]]);
  expect(statistics.numbers[IO_SEND_DROPPED]).toBe(1);
  expect(statistics.numbers[IO_SENT]).toBe(2);
  expect(errors).toEqual(['ENETUNREACH']);
});

it('drops nothing for an error that an earlier datagram brought', () => {
  const { peer, send, link, statistics } = datagramsRig();
  peer(0, 7);
  let refusals = 0;
  link.refuse = () => (refusals++ < 3 ? EIO : undefined);
  expect(sends(send(DF, DF))).toEqual([['send', 7, 2]]);
  expect(statistics.numbers[IO_SEND_DROPPED]).toBe(0);
});

it('keeps what a full socket does not take', () => {
  const { peer, send, resume, link, statistics } = datagramsRig();
  peer(0, 7);
  link.refuse = () => EAGAIN;
  expect(sends(send(DF, DF))).toEqual([]);
  link.refuse = undefined;
  expect(sends(resume())).toEqual([['send', 7, 2]]);
  expect(statistics.numbers[IO_SENT]).toBe(2);
});

it('has nowhere to send a tunnel without a peer: counted', () => {
  const { peer, send, statistics } = datagramsRig();
  peer(0, 7);
  expect(sends(send(DF, DF | (1 << AUX_TUNNEL_SHIFT), DF))).toEqual([
    ['send', 7, 1],
    ['send', 7, 1],
  ]);
  expect(statistics.numbers[IO_NO_PEER]).toBe(1);
});
