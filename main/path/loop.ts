// The loop that a worker runs: wait for the TUN, the sockets or a command; let sender and receiver each do a batch; publish
// the counters. It never returns to the event loop: messages are taken with receiveMessageOnPort when the shared flag
// says that some wait, and an eventfd ends the wait for them.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { COUNTER_COUNT, COUNTER_IN_IKE, COUNTERS, TUNNELS } from '../../assembly/layout.ts';
import type { Core } from '../core/api.ts';
import { EINTR, ENODEV, POLLERR, POLLFD_BYTES, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '../native/constants.ts';
import { errnoName, type Libc } from '../native/libc.ts';
import { Arrivals } from './arrivals.ts';
import type { PathEvent } from './command.ts';
import { POLL_FDS, POLL_FDS_COUNT, WAKE_BUFFER } from './layout.ts';
import { NativeMemory } from './memory.ts';
import { type FromWorker, monotonic, type Role, type ToWorker } from './messages.ts';
import type { PathParts } from './parts.ts';
import { PathErrors } from './path-errors.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { CORE, GRE_NEXT, IO_ARRIVED, IO_DUE, PENDING, type Shared } from './shared.ts';
import { TunPort } from './tun-port.ts';

/** Batches from a TUN that never runs dry before sockets and commands are looked at again. */
const TURNS = 8;
/** How often a link that has enough to do is looked at again. */
const HOLD_MS = 1;
const EBADF = 9;

export interface LoopOptions {
  readonly role: Role;
  readonly core: Core;
  readonly calls: Libc;
  readonly shared: Shared;
  readonly port: MessagePort;
  readonly eventfd: number;
  readonly clockOffset: number;
}

/** Runs until told to quit. Throws only where the loop itself is broken: the worker then dies and says so. */
export function runLoop(options: LoopOptions): void {
  const { role, core, calls, shared, port, eventfd, clockOffset } = options;
  const memory = new NativeMemory(core);
  const { words, base } = memory;
  const post = (message: FromWorker) => port.postMessage(message);
  const emit = (event: PathEvent) => post({ kind: 'event', event });
  const tun = new TunPort(calls, memory, shared);
  const errors = new PathErrors(calls, memory, emit);
  const parts: PathParts = { core, calls, memory, tun, errors, shared, emit };
  const sender = role === 'receiver' ? undefined : new Sender(parts);
  const receiver = role === 'sender' ? undefined : new Receiver(parts);
  const arrivals = receiver && new Arrivals(core);
  /** Tunnels that have GRE sequence numbers to publish. */
  const sequences = new Set<number>();

  // performance.now() is cheap but counts from the thread's own start.
  const clock = clockOffset + monotonic() - performance.now();
  const time = () => performance.now() + clock;

  const carryOut = (message: ToWorker): boolean => {
    let error: string | null = null;
    try {
      const now = time();
      if (message.to === 'loop') return false;
      if (message.to === 'sender') {
        if (!sender) throw new Error('this worker does not send');
        sender.command(message.command, now);
        const { command } = message;
        if (command.kind === 'configure' && command.params.gre?.sequence) sequences.add(command.tunnel);
        else if (command.kind === 'configure' || command.kind === 'removeTunnel') sequences.delete(command.tunnel);
      } else {
        if (!receiver) throw new Error('this worker does not receive');
        arrivals?.removing(message.command);
        receiver.command(message.command, now);
        arrivals?.installed(message.command);
      }
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    publish();
    post({ kind: 'ack', id: message.id, error });
    return true;
  };

  /** false: quit. */
  const takeCommands = (): boolean => {
    for (;;) {
      const taken = receiveMessageOnPort(port);
      if (!taken) return true;
      Atomics.sub(shared.flags, PENDING, 1);
      if (!carryOut(taken.message as ToWorker)) return false;
    }
  };

  const publish = () => {
    const { numbers } = shared;
    const at = COUNTERS >>> 2;
    for (let i = 0; i < COUNTER_COUNT; i++)
      numbers[CORE + i] = words[at + 2 * i]! + words[at + 2 * i + 1]! * 0x1_0000_0000;
    if (receiver) numbers[CORE + COUNTER_IN_IKE] = numbers[CORE + COUNTER_IN_IKE]! + receiver.ikeDirect;
    if (arrivals) {
      arrivals.look(time());
      numbers[IO_DUE] = arrivals.due;
      numbers[IO_ARRIVED] = arrivals.arrived;
    }
    for (const tunnel of sequences) if (tunnel < TUNNELS) numbers[GRE_NEXT + tunnel] = core.greSequence(tunnel);
  };

  let entries = 0;
  const watch = (fd: number, events: number) => {
    words[(POLL_FDS + entries * POLLFD_BYTES) >>> 2] = fd;
    words[((POLL_FDS + entries * POLLFD_BYTES) >>> 2) + 1] = events;
    entries++;
  };
  const revents = (entry: number) => words[((POLL_FDS + entry * POLLFD_BYTES) >>> 2) + 1]! >>> 16;

  for (;;) {
    if (Atomics.load(shared.flags, PENDING) > 0 && !takeCommands()) return;

    entries = 0;
    watch(eventfd, POLLIN);
    const tunEntry = sender && tun.fd >= 0 && sender.reading ? entries : -1;
    if (tunEntry >= 0) watch(tun.fd, POLLIN);
    if (sender && sender.blockedOn >= 0) watch(sender.blockedOn, POLLOUT);
    const firstSocket = entries;
    if (receiver) for (const fd of receiver.sockets.keys()) if (entries < POLL_FDS_COUNT) watch(fd, POLLIN);

    publish();
    let timeout = receiver ? Math.ceil(core.expireFragments(time())) : -1;
    if (sender?.busy) timeout = 0;
    else if (sender?.holding) timeout = HOLD_MS;
    const ready = calls.poll(base + POLL_FDS, entries, timeout);
    if (ready < 0 && calls.errno() !== EINTR) throw new Error(`poll: ${errnoName(calls.errno())}`);
    if (ready < 0) continue;
    const now = time();

    // Without it the loop could not be woken any more, and would spin.
    if ((revents(0) & POLLNVAL) !== 0) throw new Error("the worker's eventfd was closed");
    if (revents(0) !== 0) calls.read(eventfd, base + WAKE_BUFFER, 8);

    const what = tunEntry >= 0 ? revents(tunEntry) : 0;
    if (sender && (what !== 0 || sender.busy || sender.waiting || sender.blockedOn >= 0)) {
      const attached = tun.fd >= 0;
      for (let turn = 0; turn < TURNS && sender.turn(turn === 0 ? now : time()); turn++)
        if (Atomics.load(shared.flags, PENDING) > 0) break;
      // The interface was deleted, or the other end of an in-memory one closed: waiting for it would spin.
      if ((what & POLLIN) === 0 && (what & (POLLERR | POLLHUP | POLLNVAL)) !== 0) tun.detach();
      if (attached && tun.fd < 0) errors.report(ENODEV, null, now);
    }

    if (receiver) {
      let entry = firstSocket;
      for (const socket of receiver.sockets.values()) {
        if (entry >= entries) break;
        const what = revents(entry++);
        if (what === 0) continue;
        if ((what & POLLNVAL) !== 0) {
          receiver.sockets.delete(socket.fd);
          errors.report(EBADF, null, now);
          continue;
        }
        if ((what & POLLERR) !== 0) errors.drain(socket.fd, now);
        if ((what & POLLIN) !== 0) receiver.turn(socket, now);
      }
    }
  }
}
