// How long a turn of the loop waits, with poll() and the clock faked: not at all, too long, or for ever would each be a fault.
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { EAGAIN, POLLERR, POLLFD_BYTES } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { POLL_FDS, SEND_ANSWER } from '../../main/path/layout.ts';
import { Loop } from '../../main/path/loop.ts';
import type { Role } from '../../main/path/messages.ts';
import { IO_ARRIVED, shared } from '../../main/path/shared.ts';
import { address, packet4, SPI, saParams, tunnelParams } from './pair.ts';

const FD = 900;
const CIPHER = 'chacha20-poly1305';
const undo: (() => void)[] = [];
let now = 0;

beforeEach(() => {
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const step of undo.splice(0)) step();
});

function rig(role: Role) {
  const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  const { port1, port2 } = new MessageChannel();
  undo.push(
    () => port1.close(),
    () => port2.close(),
  );
  /** What each poll() was to wait. */
  const waits: number[] = [];
  /** The descriptors that each was to watch, and what it says of one. */
  const watched: number[][] = [];
  const says = new Map<number, number>();
  const link = { inFlight: 1 };
  const calls: Libc = {
    ...libc(),
    errno: () => EAGAIN,
    getsockopt: () => 0,
    poll: (_fds, count, milliseconds) => {
      waits.push(milliseconds);
      const entries = Array.from({ length: count }, (_, i) => (POLL_FDS + i * POLLFD_BYTES) >>> 2);
      const fds = entries.map((entry) => core.words[entry]!);
      watched.push(fds);
      for (const entry of entries) core.words[entry + 1]! |= (says.get(core.words[entry]!) ?? 0) << 16;
      return fds.filter((fd) => says.has(fd)).length;
    },
    ioctlValue: () => {
      core.words[SEND_ANSWER >>> 2] = link.inFlight;
      return 0;
    },
    sendmmsg: (_fd, _headers, count) => count,
    read: () => -1,
  };
  const numbers = shared();
  const loop = new Loop({ role, core, calls, shared: numbers, port: port1, eventfd: FD + 1, clockOffset: 0 });
  return { core, loop, waits, watched, says, link, numbers: numbers.numbers };
}

it('waits for ever where nothing is due', () => {
  for (const role of ['sender', 'receiver', 'single'] as const) {
    const { loop, waits } = rig(role);
    expect(loop.turn(-1)).toBe('nothing');
    expect(waits).toEqual([-1]);
  }
});

it('does not wait where it is only to look', () => {
  const { loop, waits } = rig('single');
  loop.turn(0);
  expect(waits).toEqual([0]);
});

it('looks at what arrived once more after a while, in whole milliseconds, and then waits for ever', () => {
  const { loop, waits, core, numbers } = rig('receiver');
  loop.carryOut({
    id: 1,
    to: 'receiver',
    command: { kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', false) },
  });
  const params = { ...saParams(SPI.responder, CIPHER), replayWindow: 64 };
  loop.carryOut({ id: 2, to: 'receiver', command: { kind: 'installInbound', slot: 0, params } });
  now += 0.25;
  loop.turn(-1);
  // A part of a millisecond would be none for poll(), and the loop would spin until it has passed.
  expect(waits.every((wait) => Number.isInteger(wait))).toBe(true);
  expect(waits[0]).toBeGreaterThan(0);
  const used = vi.spyOn(core, 'inboundUse').mockReturnValue({ packets: 3, bytes: 300, sequence: 4n });
  now += waits[0]!;
  loop.turn(-1);
  expect(used).toHaveBeenCalled();
  expect(numbers[IO_ARRIVED]).toBe(3);
  loop.turn(-1);
  now += 1_000_000;
  loop.turn(-1);
  loop.turn(-1);
  expect(waits.slice(-1)[0]).toBeGreaterThan(0);
  expect(waits).toContain(-1);
  expect(waits).not.toContain(0);
});

it('looks again in a millisecond while the link has enough', () => {
  const { loop, waits, link } = rig('single');
  const remote = { address: address('127.0.0.1'), port: 4500 };
  const send = (command: Parameters<Loop['carryOut']>[0] & { to: 'sender' }) => loop.carryOut(command);
  send({ id: 1, to: 'sender', command: { kind: 'attachTun', tun: { fd: FD, vnetHeader: false } } });
  send({ id: 2, to: 'sender', command: { kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', true) } });
  const peer = { remote, socket: FD, encapsulation: 'udp' } as const;
  send({ id: 3, to: 'sender', command: { kind: 'setPeer', tunnel: 0, peer } });
  send({ id: 4, to: 'sender', command: { kind: 'installOutbound', slot: 0, params: saParams(SPI.responder, CIPHER) } });
  send({ id: 5, to: 'sender', command: { kind: 'activate', tunnel: 0, slot: 0 } });
  link.inFlight = 100_000_000;
  const packet = packet4('10.88.0.2', '10.88.0.1', 100);
  send({ id: 6, to: 'sender', command: { kind: 'injectPacket', packet } });
  loop.turn(-1);
  loop.turn(-1);
  expect(waits).toEqual([1, 1]);
  link.inFlight = 1;
  loop.turn(-1);
  loop.turn(-1);
  expect(waits).toEqual([1, 1, 1, -1]);
});

it('lets go of a TUN that has nothing but an error, which poll() would say for ever', () => {
  const { loop, watched, says } = rig('sender');
  loop.carryOut({ id: 1, to: 'sender', command: { kind: 'attachTun', tun: { fd: FD, vnetHeader: false } } });
  says.set(FD, POLLERR);
  expect(loop.turn(-1)).toBe('worked');
  expect(loop.turn(-1)).toBe('nothing');
  expect(watched).toEqual([[FD + 1, FD], [FD + 1]]);
});
