// RFC 4301 §8.1 on the way to the kernel: which datagrams go out in one call, and what the socket was told before it.
import { expect, it } from 'vitest';
import { AUX_OUTER_DF, AUX_TUNNEL_SHIFT } from '../../assembly/layout.ts';
import { EAGAIN, EMSGSIZE, IP_PMTUDISC_DO, IP_PMTUDISC_PROBE } from '../../main/native/constants.ts';
import { IO_SEND_DROPPED } from '../../main/path/shared.ts';
import { datagramsRig as rig } from './datagrams-rig.ts';

const DF = AUX_OUTER_DF;
const tunnel = (slot: number) => slot << AUX_TUNNEL_SHIFT;
const DO = IP_PMTUDISC_DO;

it('asks nothing more for single datagrams with DF', () => {
  const { peer, send } = rig(false);
  peer(0, 7);
  expect(send(DF, DF)).toEqual([['send', 7, 1, 1]]);
});

it('insists on DF while datagrams go out as segments, which would lose it', () => {
  const { peer, send } = rig();
  peer(0, 7);
  expect(send(DF, DF, DF)).toEqual([
    ['do', 7],
    ['send', 7, 3],
    ['want', 7],
  ]);
  expect(send(DF)).toEqual([['send', 7, 1]]);
});

it('sends without DF for as long as the call, and leaves the socket as it was', () => {
  const { peer, send } = rig();
  peer(0, 7);
  expect(send(0, 0)).toEqual([
    ['omit', 7],
    ['send', 7, 2],
    ['want', 7],
  ]);
  expect(send(0)).toEqual([
    ['omit', 7],
    ['send', 7, 1],
    ['want', 7],
  ]);
});

it('sends in the order of the core, in one call what is treated alike', () => {
  const { peer, send } = rig();
  peer(0, 7);
  expect(send(DF, DF, 0, 0, 0, DF)).toEqual([
    ...[
      ['do', 7],
      ['send', 7, 2],
      ['want', 7],
    ],
    ...[
      ['omit', 7],
      ['send', 7, 3],
      ['want', 7],
    ],
    ['send', 7, 1],
  ]);
  // Another TOS is another message of the same call.
  expect(send(DF, DF | 0x28, DF | 0x28)).toEqual([
    ['do', 7],
    ['send', 7, 1, 2],
    ['want', 7],
  ]);
});

it('keeps tunnels of one socket apart', () => {
  const { peer, send } = rig();
  peer(0, 7);
  peer(1, 7);
  peer(2, 8);
  expect(send(tunnel(0), tunnel(1) | DF, tunnel(2))).toEqual([
    ...[
      ['omit', 7],
      ['send', 7, 1],
      ['want', 7],
    ],
    ['send', 7, 1],
    ...[
      ['omit', 8],
      ['send', 8, 1],
      ['want', 8],
    ],
  ]);
});

it('says it again when a full socket takes the rest', () => {
  const { peer, send, resume, link } = rig();
  peer(0, 7);
  link.refuse = () => EAGAIN;
  expect(send(0, 0)).toEqual([
    ['omit', 7],
    ['refused', 7, 2],
    ['want', 7],
  ]);
  link.refuse = undefined;
  expect(resume()).toEqual([
    ['omit', 7],
    ['send', 7, 2],
    ['want', 7],
  ]);
});

it('lets the kernel fragment a datagram beside a burst that is too long for the path', () => {
  const { peer, send, link, statistics } = rig();
  peer(0, 7);
  link.refuse = (runs, mode) => (runs[0] === 1 && mode === DO ? EMSGSIZE : undefined);
  // The first, of another TOS, is alone; refusals may tell of earlier ones (four tries).
  const said = send(DF | 0x28, DF, DF);
  expect(said).toEqual([
    ['do', 7],
    ...Array.from({ length: 4 }, () => ['refused', 7, 1, 2]),
    ['want', 7],
    ['send', 7, 1, 2],
  ]);
  expect(statistics.numbers[IO_SEND_DROPPED]).toBe(0);
});

it('sends one by one, fragmented by the kernel, what is too long to be segments', () => {
  const { peer, send, link, statistics } = rig();
  peer(0, 7);
  link.refuse = (runs, mode) => (mode === DO && runs[0]! > 1 ? EMSGSIZE : undefined);
  expect(send(DF, DF, DF)).toEqual([
    ['do', 7],
    ...Array.from({ length: 4 }, () => ['refused', 7, 3]),
    ['want', 7],
    ['send', 7, 1, 1, 1],
  ]);
  expect(statistics.numbers[IO_SEND_DROPPED]).toBe(0);
  // And for a while it does not try.
  expect(send(DF, DF)).toEqual([['send', 7, 1, 1]]);
});

it('leaves IPv6 alone, whose headers have no such bit', () => {
  const { peer, send } = rig();
  peer(0, 7, '::1');
  expect(send(DF, 0, 0)).toEqual([['send', 7, 3]]);
});

it('asks the kernel to forget what it has heard, once that was found untrue', () => {
  const { datagrams, peer, send, link } = rig();
  peer(0, 7);
  peer(1, 8, '::1');
  for (const socket of [7, 8, 9]) datagrams.trustKernelPath(socket, false);
  const sent = (fd: number, mode: string) => [
    [mode, fd],
    ['send', fd, 1],
    ['want', fd],
  ];
  expect(send(DF)).toEqual(sent(7, 'probe'));
  expect(send(0)).toEqual(sent(7, 'omit'));
  expect(send(tunnel(1))).toEqual(sent(8, 'probe'));
  // What does not fit the link of this computer may go in fragments still.
  link.refuse = (_, mode) => (mode === IP_PMTUDISC_PROBE ? EMSGSIZE : undefined);
  expect(send(DF)).toEqual([
    ['probe', 7],
    ...Array.from({ length: 4 }, () => ['refused', 7, 1]),
    ['want', 7],
    ['send', 7, 1],
  ]);
  datagrams.trustKernelPath(7, true);
  expect(send(DF)).toEqual([['send', 7, 1]]);
});
