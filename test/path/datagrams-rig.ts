// Datagrams with a kernel that says what it is asked, and refuses what the test wants it to.
import { DESC_AUX, DESC_BYTES, DESC_LENGTH, DESC_OFFSET, OUT, OUT_DESC } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import {
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
import type { PathEvent } from '../../main/path/command.ts';
import { Datagrams } from '../../main/path/datagrams.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { parseAddress } from '../../main/wire/address.ts';

const MODES: Readonly<Record<number, string>> = {
  [IP_PMTUDISC_WANT]: 'want',
  [IP_PMTUDISC_DO]: 'do',
  [IP_PMTUDISC_OMIT]: 'omit',
  [IP_PMTUDISC_PROBE]: 'probe',
};

/** Says what it asks of the kernel: `['omit', fd]`, `['send', fd, datagrams of each message]`, `['refused', fd, …]`. */
export function datagramsRig(segments = true) {
  const said: unknown[] = [];
  const link: { refuse: ((runs: readonly number[], mode: number) => number | undefined) | undefined } = {
    refuse: undefined,
  };
  const time = { now: 1 };
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
      if (!(level === IPPROTO_IP ? option === IP_MTU_DISCOVER : level === IPPROTO_IPV6 && option === IPV6_MTU_DISCOVER))
        throw new Error(`test: nobody asks for option ${option} of level ${level}`);
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
  const notes: string[] = [];
  const errors: string[] = [];
  const emit = (event: PathEvent): void => {
    if (event.kind === 'note') notes.push(event.text);
    else if (event.kind === 'pathError') errors.push(event.name);
  };
  const numbers = shared();
  const datagrams = new Datagrams({
    ...{ core, calls, memory, shared: numbers, emit },
    tun: new TunPort(calls, memory, numbers),
    errors: new PathErrors(calls, memory, emit),
  });
  return {
    datagrams,
    link,
    notes,
    errors,
    statistics: numbers,
    /** What the clock says to the next send. */
    time,
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
      datagrams.send(aux.length, time.now);
      return said.splice(0);
    },
    resume: () => {
      datagrams.resume(2);
      return said.splice(0);
    },
  };
}
