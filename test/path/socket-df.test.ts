// RFC 4301 §8.1 on the way to the kernel: which datagrams go out in one call, and what the socket was told before it.
import { expect, it } from 'vitest';
import {
  AUX_OUTER_DF,
  AUX_TUNNEL_SHIFT,
  DESC_AUX,
  DESC_BYTES,
  DESC_LENGTH,
  DESC_OFFSET,
  OUT,
  OUT_DESC,
} from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import {
  EAGAIN,
  EMSGSIZE,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_OMIT,
  IP_PMTUDISC_PROBE,
  IP_PMTUDISC_WANT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU_DISCOVER,
  MMSGHDR_BYTES,
  MSG_IOVLEN,
} from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { Datagrams } from '../../main/path/datagrams.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { IO_SEND_DROPPED, shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { parseAddress } from '../../main/wire/address.ts';

const DF = AUX_OUTER_DF;
const tunnel = (slot: number) => slot << AUX_TUNNEL_SHIFT;

const MODES: Readonly<Record<number, string>> = {
  [IP_PMTUDISC_WANT]: 'want',
  [IP_PMTUDISC_DO]: 'do',
  [IP_PMTUDISC_OMIT]: 'omit',
  [IP_PMTUDISC_PROBE]: 'probe',
};

/** Says what it asks of the kernel: `['omit', fd]`, `['send', fd, datagrams of each message]`, `['refused', fd, …]`. */
function rig(segments = true) {
  const said: unknown[] = [];
  const link: { refuse: ((runs: readonly number[], mode: number) => number | undefined) | undefined } = {
    refuse: undefined,
  };
  const modes = new Map<number, number>();
  let errno = 0;
  const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const calls: Libc = {
    ...libc(),
    errno: () => errno,
    getsockopt: () => (segments ? 0 : -1),
    ioctlValue: () => -1,
    setsockopt: (fd, level, option, value) => {
      expect([
        [IPPROTO_IP, IP_MTU_DISCOVER],
        [IPPROTO_IPV6, IPV6_MTU_DISCOVER],
      ]).toContainEqual([level, option]);
      said.push([MODES[value] ?? value, fd]);
      modes.set(fd, value);
      return 0;
    },
    sendmmsg: (fd, headers, count) => {
      const at = headers - memory.base;
      const runs = Array.from({ length: count }, (_, i) => memory.words[(at + i * MMSGHDR_BYTES + MSG_IOVLEN) >>> 2]!);
      const refused = link.refuse?.(runs, modes.get(fd) ?? IP_PMTUDISC_WANT);
      said.push([refused === undefined ? 'send' : 'refused', fd, ...runs]);
      errno = refused ?? 0;
      return refused === undefined ? count : -1;
    },
  };
  const emit = () => {};
  const numbers = shared();
  const datagrams = new Datagrams({
    ...{ core, calls, memory, shared: numbers, emit },
    tun: new TunPort(calls, memory, numbers),
    errors: new PathErrors(calls, memory, emit),
  });
  return {
    datagrams,
    link,
    statistics: numbers,
    peer: (slot: number, socket: number, to = '127.0.0.1') =>
      datagrams.setPeer(slot, { remote: { address: parseAddress(to)!, port: 4500 }, socket, encapsulation: 'udp' }),
    /** What the kernel is asked for datagrams of 100 bytes with these aux. */
    send: (...aux: number[]) => {
      aux.forEach((value, i) => {
        const at = (OUT_DESC + i * DESC_BYTES) >>> 2;
        memory.words[at + (DESC_OFFSET >>> 2)] = OUT + 100 * i;
        memory.words[at + (DESC_LENGTH >>> 2)] = 100;
        memory.words[at + (DESC_AUX >>> 2)] = value;
      });
      datagrams.send(aux.length, 1);
      return said.splice(0);
    },
    resume: () => {
      datagrams.resume(2);
      return said.splice(0);
    },
  };
}

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
