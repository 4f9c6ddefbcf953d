// What an error queue says, as the kernel writes it into memory: the error, the MTU, and what the ICMP message quotes.
import { expect, it } from 'vitest';
import { EAGAIN, EMSGSIZE, IP_RECVERR, IPPROTO_IP, MSG_CONTROLLEN } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import type { PathEvent } from '../../main/path/command.ts';
import { ERROR_CONTROL, ERROR_DATA, ERROR_HEADER } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';

const FD = 900;
const ORIGIN_LOCAL = 1;
const ORIGIN_ICMP = 2;
const CMSG_BYTES = 48;

interface Queued {
  readonly origin: number;
  readonly mtu: number;
  readonly quotes: readonly number[];
}

function rig() {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const [words, bytes] = [new Uint32Array(memory.buffer), new Uint8Array(memory.buffer)];
  const queue: Queued[] = [];
  const events: PathEvent[] = [];
  const calls: Libc = {
    ...libc(),
    errno: () => EAGAIN,
    getsockopt: () => 0,
    recvmsg: () => {
      const next = queue.shift();
      if (!next) return -1;
      // struct cmsghdr, then struct sock_extended_err and the offender's sockaddr.
      words.set([CMSG_BYTES, 0, IPPROTO_IP, IP_RECVERR, EMSGSIZE, 0, next.mtu, 0], ERROR_CONTROL >>> 2);
      bytes[ERROR_CONTROL + 20] = next.origin;
      words[(ERROR_HEADER + MSG_CONTROLLEN) >>> 2] = CMSG_BYTES;
      bytes.set(next.quotes, ERROR_DATA);
      return next.quotes.length;
    },
  };
  const errors = new PathErrors(calls, new NativeMemory({ memory, words, bytes }), (event) => events.push(event));
  let now = 0;
  const drain = (...found: Queued[]) => {
    now += 1000;
    queue.push(...found);
    errors.drain(FD, now);
    return events.splice(0);
  };
  return { drain };
}

const told = (mtu: number, quoted?: number) => ({
  kind: 'pathError',
  errno: EMSGSIZE,
  name: 'EMSGSIZE',
  mtu,
  ...(quoted !== undefined && { quoted }),
});

it('tells the first four bytes that a report quotes', () => {
  const { drain } = rig();
  expect(drain({ origin: ORIGIN_ICMP, mtu: 1400, quotes: [0xc0, 0xff, 0xee, 0x01, 9] })).toEqual([
    told(1400, 0xc0ffee01),
  ]);
});

it.each([0, 1, 3])('quotes nothing of an earlier report for one that quotes %d bytes', (length) => {
  const { drain } = rig();
  drain({ origin: ORIGIN_ICMP, mtu: 1400, quotes: [0xc0, 0xff, 0xee, 0x01] });
  const quotes = [0xc0, 0xff, 0xee].slice(0, length);
  expect(drain({ origin: ORIGIN_ICMP, mtu: 600, quotes })).toEqual([told(600)]);
});

it('quotes nothing of what this computer itself refused', () => {
  const { drain } = rig();
  expect(drain({ origin: ORIGIN_LOCAL, mtu: 1400, quotes: [1, 2, 3, 4] })).toEqual([told(1400)]);
});
