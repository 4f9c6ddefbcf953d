// A TUN adapter in memory: no privilege, no interface in the operating system. One end of a socket pair takes the place of
// /dev/net/tun, so the very same data plane reads and writes packets through `fd`; the other end is this object.
//
//   const tun = openInMemoryTun({ name: 'memory0', mtu: 1400 });
//   await dataPlane.attachTun(tun);                  // the data plane reads and writes tun.fd
//   tun.onPacket((packet) => { … });                 // what the data plane wrote into the "TUN": one inner IP packet
//   tun.send(packet);                                // as though the host's IP stack had routed this packet into it
//   await dataPlane.detachTun …; await tun.close();
//
// `inMemoryTunAdapter()` is the same behind net/tun/api; each Tun it opens is also handed to `onOpen`.
//
// SOCK_SEQPACKET keeps packet boundaries, tells the end of the other side, and queues by bytes (a unix datagram socket
// would queue ten packets). The node event loop watches our end through libuv's poll: no timer, no thread.
// A packet that finds the queue towards the data plane full waits in a bounded queue here, as in a real interface's
// transmit queue; beyond that it is dropped.
import {
  AF_UNIX,
  EAGAIN,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from '../../native/constants.ts';
import { errnoName, libc, watch } from '../../native/libc.ts';
import type { Prefix } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import type { Tun, TunAdapter, TunOptions } from './api.ts';

export interface InMemoryTun extends Tun {
  readonly mtu: number;
  readonly addresses: readonly Prefix[];
  /**
   * Hands one IP packet to the data plane. false: dropped, because the queue is full or the TUN closed, as a host's own
   * stack would drop it. The bytes are copied.
   */
  send(packet: Uint8Array): boolean;
  /** Called with a copy of every packet that the data plane writes. One listener; a later call replaces it. */
  onPacket(listener: (packet: Uint8Array) => void): void;
}

/** Packets that wait for room on their way to the data plane: Linux's default txqueuelen of a TUN. */
const QUEUE_PACKETS = 500;
const BUFFER_BYTES = 4 * 1024 * 1024;
/** At most this many packets per turn of the event loop, so that timers and other sockets get theirs. */
const PACKETS_PER_TURN = 256;

let opened = 0;

/** Throws where the system has no descriptors left. */
export function openInMemoryTun(options: { name?: string; mtu: number; addresses?: readonly Prefix[] }): InMemoryTun {
  const calls = libc();
  const pair = new Int32Array(2);
  if (calls.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
    throw new Error(`socketpair: ${errnoName(calls.errno())}`);
  const [fd, peer] = [pair[0]!, pair[1]!];
  for (const end of [fd, peer])
    if (calls.setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) < 0)
      calls.setsockopt(end, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);

  const index = ++opened;
  const buffer = new Uint8Array(65_536 + 64);
  const queue: Uint8Array[] = [];
  let listener: (packet: Uint8Array) => void = () => {};
  let state = { mtu: options.mtu, addresses: options.addresses ?? [] };
  let open = true;
  const read = () => {
    for (let i = 0; i < PACKETS_PER_TURN && open; i++) {
      const length = calls.readBytes(peer, buffer);
      if (length < 0) return;
      // The end of the other side: nothing will come any more, and a level-triggered watch would spin.
      if (length === 0) return watching.close();
      listener(buffer.slice(0, length));
    }
  };
  const flush = () => {
    while (queue.length > 0) {
      if (calls.writeBytes(peer, queue[0]!) < 0 && calls.errno() === EAGAIN) return;
      queue.shift();
    }
    watching.wantWritable(false);
  };
  const watching = watch(peer, (events) => {
    if (events.readable) read();
    if (events.writable && open) flush();
  });

  return {
    fd,
    name: (options.name ?? 'memory%d').replace('%d', String(index - 1)),
    index,
    vnetHeader: false,
    get mtu() {
      return state.mtu;
    },
    get addresses() {
      return state.addresses;
    },
    apply: async (desired) => {
      state = { mtu: desired.mtu, addresses: desired.addresses };
      return undefined;
    },
    send: (packet) => {
      if (!open) return false;
      if (queue.length === 0) {
        if (calls.writeBytes(peer, packet) >= 0) return true;
        if (calls.errno() !== EAGAIN) return false;
      }
      if (queue.length >= QUEUE_PACKETS) return false;
      queue.push(packet.slice());
      if (queue.length === 1) watching.wantWritable(true);
      return true;
    },
    onPacket: (callback) => {
      listener = callback;
    },
    close: async () => {
      if (!open) return;
      open = false;
      queue.length = 0;
      watching.close();
      calls.close(fd);
      calls.close(peer);
    },
  };
}

/** The adapter behind net/tun/api. */
export function inMemoryTunAdapter(onOpen: (tun: InMemoryTun) => void = () => {}): TunAdapter {
  return {
    open: async (options: TunOptions) => {
      try {
        const tun = openInMemoryTun(options);
        onOpen(tun);
        return tun;
      } catch (error) {
        return new NetError({
          code: 'system-call',
          message: `No in-memory TUN could be made: ${error instanceof Error ? error.message : String(error)}.`,
          operation: 'socketpair',
          remedy: 'Close other programs that hold many files open, or raise the limit (ulimit -n).',
        });
      }
    },
  };
}
