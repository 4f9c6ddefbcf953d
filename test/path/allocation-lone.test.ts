// The other extreme of allocation.test.ts: one packet a turn, through the whole loop, where what a turn allocates is not shared. What is
// left are boxed numbers (16 bytes each): addresses that go to system calls, and times. An object, an array, a closure or an
// iterator for each turn would show.
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { DESC_BYTES, DESC_LENGTH, IN, IN_DESC, OUT_DESC } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { EAGAIN, MSG_CONTROLLEN, MSG_LEN, POLLFD_BYTES, POLLIN } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import type { ReceiverCommand, SenderCommand } from '../../main/path/command.ts';
import { POLL_FDS, RECEIVE_IOVECS, SEND_ANSWER } from '../../main/path/layout.ts';
import { Loop } from '../../main/path/loop.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { IO_RECEIVED, IO_SENT, shared } from '../../main/path/shared.ts';
import { address, packet4, SPI, saParams, tunnelParams } from './pair.ts';

const [TUN, SOCKET, EVENTS] = [900, 901, 902];
const PACKET = packet4('10.88.0.2', '10.88.0.1', 84);
const CIPHER = 'chacha20-poly1305';
/** Bytes a turn: so many boxed numbers. */
const MOST = { sender: 6 * 16, receiver: 10 * 16 };
const WARM = 40_000;
const EACH = 10_000;
const SPELLS = 12;

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function rig(role: 'sender' | 'receiver') {
  const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const { words } = memory;
  const far = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  far.configureTunnel(0, tunnelParams('esp-tunnel', true));
  far.installOutbound(0, saParams(SPI.responder, CIPHER));
  far.activateOutbound(0, 0);
  far.bytes.set(PACKET, IN);
  const { port1, port2 } = new MessageChannel();
  undo.push(
    () => port1.close(),
    () => port2.close(),
  );
  let waiting = 0;
  const calls: Libc = {
    ...libc(),
    errno: () => EAGAIN,
    getsockopt: () => 0,
    poll: (_fds, count) => {
      let ready = 0;
      for (let i = 0; i < count; i++) {
        const entry = (POLL_FDS + i * POLLFD_BYTES) >>> 2;
        if (words[entry] === EVENTS) continue;
        words[entry + 1] = words[entry + 1]! | (POLLIN << 16);
        ready++;
      }
      waiting = 1;
      return ready;
    },
    ioctlValue: () => {
      words[SEND_ANSWER >>> 2] = 1;
      return 0;
    },
    read: (_fd, at) => {
      if (waiting === 0) return -1;
      waiting = 0;
      memory.bytes.set(PACKET, at - memory.base);
      return PACKET.length;
    },
    write: (_fd, _at, length) => length,
    sendmmsg: (_fd, _headers, count) => count,
    recvmmsg: (_fd, headers) => {
      if (waiting === 0) return -1;
      waiting = 0;
      const entry = IN_DESC >>> 2;
      far.words[entry] = IN;
      far.words[entry + 1] = PACKET.length;
      far.words[entry + 2] = PACKET.length;
      far.words[entry + DESC_BYTES / 4 - 1] = 0;
      far.seal(1, 0);
      const from = far.words[OUT_DESC >>> 2]! >>> 2;
      const length = far.words[(OUT_DESC + DESC_LENGTH) >>> 2]!;
      const slot = ((words[RECEIVE_IOVECS >>> 2]! - (memory.base >>> 0)) >>> 0) >>> 2;
      for (let word = 0; word * 4 < length; word++) words[slot + word] = far.words[from + word]!;
      const header = (headers - memory.base) >>> 2;
      words[header + MSG_LEN / 4] = length;
      words[header + MSG_CONTROLLEN / 4] = 0;
      return 1;
    },
  };
  const numbers = shared();
  const loop = new Loop({ role, core, calls, shared: numbers, port: port1, eventfd: EVENTS, clockOffset: 0 });
  return {
    loop,
    numbers: numbers.numbers,
    send: (command: SenderCommand) => loop.carryOut({ id: 1, to: 'sender', command }),
    receive: (command: ReceiverCommand) => loop.carryOut({ id: 1, to: 'receiver', command }),
  };
}

/** Bytes that the heap grew by per turn: the median of several spells. */
function growth(loop: Loop): number {
  const run = (turns: number): void => {
    for (let i = 0; i < turns; i++) loop.turn(-1);
  };
  run(WARM);
  const spells: number[] = [];
  for (let i = 0; i < SPELLS; i++) {
    const before = process.memoryUsage().heapUsed;
    run(EACH);
    const grown = process.memoryUsage().heapUsed - before;
    // A collection in between only hides growth.
    if (grown >= 0) spells.push(grown / EACH);
  }
  return spells.sort((a, b) => a - b)[Math.floor(spells.length / 2)] ?? Number.NaN;
}

it('sends a packet a turn without an object', () => {
  const { loop, send, numbers } = rig('sender');
  const peer = { remote: { address: address('127.0.0.1'), port: 4500 }, socket: SOCKET, encapsulation: 'udp' } as const;
  send({ kind: 'attachTun', tun: { fd: TUN, vnetHeader: false } });
  send({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', true) });
  send({ kind: 'setPeer', tunnel: 0, peer });
  send({ kind: 'installOutbound', slot: 0, params: saParams(SPI.responder, CIPHER) });
  send({ kind: 'activate', tunnel: 0, slot: 0 });
  expect(growth(loop)).toBeLessThan(MOST.sender);
  expect(numbers[IO_SENT]).toBe(WARM + SPELLS * EACH);
}, 60_000);

it('receives a packet a turn without an object', () => {
  const { loop, receive, numbers } = rig('receiver');
  receive({ kind: 'attachTun', tun: { fd: TUN, vnetHeader: false } });
  receive({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', false) });
  const sa = { ...saParams(SPI.responder, CIPHER), replayWindow: 1024 };
  receive({ kind: 'installInbound', slot: 0, params: sa });
  receive({ kind: 'addSocket', socket: { fd: SOCKET, kind: 'natt' } });
  expect(growth(loop)).toBeLessThan(MOST.receiver);
  expect(numbers[IO_RECEIVED]).toBe(WARM + SPELLS * EACH);
}, 60_000);
