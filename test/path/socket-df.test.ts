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
  IP_MTU_DISCOVER,
  IP_PMTUDISC_OMIT,
  IP_PMTUDISC_WANT,
  IPPROTO_IP,
  MMSGHDR_BYTES,
  MSG_IOVLEN,
} from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { Datagrams } from '../../main/path/datagrams.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { parseAddress } from '../../main/wire/address.ts';

const DF = AUX_OUTER_DF;
const tunnel = (slot: number) => slot << AUX_TUNNEL_SHIFT;

/** Says what it asks of the kernel: `['want', fd]`, `['omit', fd]`, `['send', fd, datagrams of each message]`, `['full', fd]`. */
function rig() {
  const said: unknown[] = [];
  const link = { full: false };
  const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const calls: Libc = {
    ...libc(),
    errno: () => EAGAIN,
    getsockopt: () => 1,
    ioctlValue: () => -1,
    setsockopt: (fd, level, option, value) => {
      expect([level, option]).toEqual([IPPROTO_IP, IP_MTU_DISCOVER]);
      said.push([value === IP_PMTUDISC_WANT ? 'want' : value === IP_PMTUDISC_OMIT ? 'omit' : value, fd]);
      return 0;
    },
    sendmmsg: (fd, headers, count) => {
      if (link.full) {
        said.push(['full', fd]);
        return -1;
      }
      const at = headers - memory.base;
      const runs = Array.from({ length: count }, (_, i) => memory.words[(at + i * MMSGHDR_BYTES + MSG_IOVLEN) >>> 2]);
      said.push(['send', fd, ...runs]);
      return count;
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

it('costs nothing with DF, which sockets have from the start', () => {
  const { peer, send } = rig();
  peer(0, 7);
  expect(send(DF, DF, DF)).toEqual([['send', 7, 3]]);
  expect(send(DF)).toEqual([['send', 7, 1]]);
});

it('tells the socket before each call without DF, and once before the next with it', () => {
  const { peer, send } = rig();
  peer(0, 7);
  expect(send(0, 0)).toEqual([
    ['omit', 7],
    ['send', 7, 2],
  ]);
  // A probe of the path may have put it back meanwhile.
  expect(send(0)).toEqual([
    ['omit', 7],
    ['send', 7, 1],
  ]);
  expect(send(DF)).toEqual([
    ['want', 7],
    ['send', 7, 1],
  ]);
  expect(send(DF)).toEqual([['send', 7, 1]]);
});

it('sends in the order of the core, in one call what is treated alike', () => {
  const { peer, send } = rig();
  peer(0, 7);
  expect(send(DF, DF, 0, 0, 0, DF)).toEqual([
    ['send', 7, 2],
    ['omit', 7],
    ['send', 7, 3],
    ['want', 7],
    ['send', 7, 1],
  ]);
  // Another TOS is another message of the same call.
  expect(send(DF, DF | 0x28, DF | 0x28)).toEqual([['send', 7, 1, 2]]);
});

it('knows what the other tunnel of a socket left, and keeps sockets apart', () => {
  const { peer, send } = rig();
  peer(0, 7);
  peer(1, 7);
  peer(2, 8);
  expect(send(tunnel(0), tunnel(1) | DF, tunnel(2) | DF)).toEqual([
    ['omit', 7],
    ['send', 7, 1],
    ['want', 7],
    ['send', 7, 1],
    ['send', 8, 1],
  ]);
});

it('tells it again when a full socket takes the rest', () => {
  const { peer, send, resume, link } = rig();
  peer(0, 7);
  link.full = true;
  expect(send(0, 0)).toEqual([
    ['omit', 7],
    ['full', 7],
  ]);
  link.full = false;
  expect(resume()).toEqual([
    ['omit', 7],
    ['send', 7, 2],
  ]);
});

it('leaves IPv6 alone, whose headers have no such bit', () => {
  const { peer, send } = rig();
  peer(0, 7, '::1');
  expect(send(DF, 0, 0)).toEqual([['send', 7, 3]]);
});
