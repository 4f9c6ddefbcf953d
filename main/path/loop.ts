// The loop that a worker runs: wait for the TUN, the sockets or a command; let sender and receiver each do a batch; publish
// the counters. It never returns to the event loop: messages are taken with receiveMessageOnPort when the shared flag
// says that some wait, and an eventfd ends the wait for them.
//
// One turn is one method call, not one round of a loop that never ends, so that V8 makes good code of it the ordinary way,
// and rehearsal.ts can run it before there is anything to carry.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { COUNTER_COUNT, COUNTER_IN_IKE, COUNTERS, TUNNELS } from '../../assembly/layout.ts';
import type { Core } from '../core/api.ts';
import { EINTR, ENODEV, POLLERR, POLLFD_BYTES, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '../native/constants.ts';
import { errnoName, type Libc } from '../native/libc.ts';
import { Arrivals } from './arrivals.ts';
import type { PathEvent, ReceiverCommand, SenderCommand } from './command.ts';
import { POLL_FDS, POLL_FDS_COUNT, WAKE_BUFFER } from './layout.ts';
import { NativeMemory } from './memory.ts';
import { type FromWorker, monotonic, type PeerNotice, type Role, type ToWorker } from './messages.ts';
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

/** What a turn came to. */
export type Outcome = 'worked' | 'nothing' | 'quit';

/** Throws only where it is itself broken: the worker then dies and says so. */
export class Loop {
  readonly #core: Core;
  readonly #calls: Libc;
  readonly #shared: Shared;
  readonly #port: MessagePort;
  readonly #eventfd: number;
  readonly #memory: NativeMemory;
  readonly #tun: TunPort;
  readonly #errors: PathErrors;
  readonly #sender: Sender | undefined;
  readonly #receiver: Receiver | undefined;
  readonly #arrivals: Arrivals | undefined;
  /** Tunnels that have GRE sequence numbers to publish. */
  readonly #sequences = new Set<number>();
  /** performance.now() is cheap but counts from the thread's own start: what is to be added. */
  readonly #clock: number;
  /** Entries of the table that poll() is given. */
  #entries = 0;

  constructor({ role, core, calls, shared, port, eventfd, clockOffset }: LoopOptions) {
    this.#core = core;
    this.#calls = calls;
    this.#shared = shared;
    this.#port = port;
    this.#eventfd = eventfd;
    this.#memory = new NativeMemory(core);
    this.#tun = new TunPort(calls, this.#memory, shared);
    const emit = (event: PathEvent) => this.#post({ kind: 'event', event });
    this.#errors = new PathErrors(calls, this.#memory, emit);
    const parts: PathParts = {
      core,
      calls,
      memory: this.#memory,
      tun: this.#tun,
      errors: this.#errors,
      shared,
      emit,
    };
    this.#sender = role === 'receiver' ? undefined : new Sender(parts);
    this.#receiver = role === 'sender' ? undefined : new Receiver(parts);
    this.#arrivals = this.#receiver && new Arrivals(core);
    this.#clock = clockOffset + monotonic() - performance.now();
  }

  #time(): number {
    return performance.now() + this.#clock;
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message);
  }

  /** Carries a command out and acknowledges it. false: quit. */
  carryOut(message: ToWorker): boolean {
    let error: string | null = null;
    try {
      if (message.to === 'loop') return false;
      if (message.to === 'sender') this.#commandSender(message.command);
      else this.#commandReceiver(message.command);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    this.#arrivals?.lookNow(this.#time());
    this.#publish();
    this.#post({ kind: 'ack', id: message.id, error });
    return true;
  }

  #commandSender(command: SenderCommand): void {
    if (!this.#sender) throw new Error('this worker does not send');
    this.#sender.command(command, this.#time());
    if (command.kind === 'configure' && command.params.gre?.sequence) this.#sequences.add(command.tunnel);
    else if (command.kind === 'configure' || command.kind === 'removeTunnel') this.#sequences.delete(command.tunnel);
  }

  #commandReceiver(command: ReceiverCommand | PeerNotice): void {
    if (!this.#receiver) throw new Error('this worker does not receive');
    this.#arrivals?.removing(command);
    this.#receiver.command(command, this.#time());
    this.#arrivals?.installed(command);
  }

  /** false: quit. */
  #takeCommands(): boolean {
    for (;;) {
      const taken = receiveMessageOnPort(this.#port);
      if (!taken) return true;
      Atomics.sub(this.#shared.flags, PENDING, 1);
      if (!this.carryOut(taken.message as ToWorker)) return false;
    }
  }

  #publish(): void {
    const { numbers } = this.#shared;
    const { words } = this.#memory;
    const at = COUNTERS >>> 2;
    for (let i = 0; i < COUNTER_COUNT; i++)
      numbers[CORE + i] = words[at + 2 * i]! + words[at + 2 * i + 1]! * 0x1_0000_0000;
    if (this.#receiver) numbers[CORE + COUNTER_IN_IKE] = numbers[CORE + COUNTER_IN_IKE]! + this.#receiver.ikeDirect;
    if (this.#arrivals) {
      numbers[IO_DUE] = this.#arrivals.due;
      numbers[IO_ARRIVED] = this.#arrivals.arrived;
    }
    for (const tunnel of this.#sequences)
      if (tunnel < TUNNELS) numbers[GRE_NEXT + tunnel] = this.#core.greSequence(tunnel);
  }

  #watch(fd: number, events: number): void {
    const { words } = this.#memory;
    const entry = (POLL_FDS + this.#entries * POLLFD_BYTES) >>> 2;
    words[entry] = fd;
    words[entry + 1] = events;
    this.#entries++;
  }

  #revents(entry: number): number {
    return this.#memory.words[((POLL_FDS + entry * POLLFD_BYTES) >>> 2) + 1]! >>> 16;
  }

  /** Milliseconds that poll() may wait; -1: for ever. */
  #timeout(): number {
    const sender = this.#sender;
    if (sender?.busy) return 0;
    let timeout = -1;
    if (this.#receiver) {
      const now = this.#time();
      timeout = Math.ceil(this.#core.expireFragments(now));
      const look = this.#arrivals ? this.#arrivals.look(now) : -1;
      if (look >= 0 && (timeout < 0 || look < timeout)) timeout = Math.ceil(look);
    }
    return sender?.holding ? HOLD_MS : timeout;
  }

  /** Waits up to `longest` milliseconds for something to do; 0: only looks; -1: for as long as it takes. */
  turn(longest: number): Outcome {
    const sender = this.#sender;
    const receiver = this.#receiver;
    if (Atomics.load(this.#shared.flags, PENDING) > 0 && !this.#takeCommands()) return 'quit';

    this.#entries = 0;
    this.#watch(this.#eventfd, POLLIN);
    const tunEntry = sender && this.#tun.fd >= 0 && sender.reading ? this.#entries : -1;
    if (tunEntry >= 0) this.#watch(this.#tun.fd, POLLIN);
    if (sender && sender.blockedOn >= 0) this.#watch(sender.blockedOn, POLLOUT);
    const firstSocket = this.#entries;
    if (receiver) for (const fd of receiver.sockets.keys()) if (this.#entries < POLL_FDS_COUNT) this.#watch(fd, POLLIN);

    const timeout = this.#timeout();
    const wait = longest < 0 || (timeout >= 0 && timeout < longest) ? timeout : longest;
    this.#publish();
    const ready = this.#calls.poll(this.#memory.base + POLL_FDS, this.#entries, wait);
    if (ready < 0 && this.#calls.errno() !== EINTR) throw new Error(`poll: ${errnoName(this.#calls.errno())}`);
    if (ready < 0) return 'nothing';

    const woken = this.#revents(0);
    // Without it the loop could not be woken any more, and would spin.
    if ((woken & POLLNVAL) !== 0) throw new Error("the worker's eventfd was closed");
    if (woken !== 0) this.#calls.read(this.#eventfd, this.#memory.base + WAKE_BUFFER, 8);

    if (sender) {
      const what = tunEntry >= 0 ? this.#revents(tunEntry) : 0;
      if (what !== 0 || sender.busy || sender.waiting || sender.blockedOn >= 0) this.#send(sender, what);
    }
    if (receiver && ready > 0) this.#receive(receiver, firstSocket);
    return ready > 0 || timeout === 0 ? 'worked' : 'nothing';
  }

  /** `what` poll() said of the TUN. */
  #send(sender: Sender, what: number): void {
    const tun = this.#tun;
    const attached = tun.fd >= 0;
    for (let turn = 0; turn < TURNS && sender.turn(this.#time()); turn++)
      if (Atomics.load(this.#shared.flags, PENDING) > 0) break;
    // The interface was deleted, or the other end of an in-memory one closed: waiting for it would spin.
    if ((what & POLLIN) === 0 && (what & (POLLERR | POLLHUP | POLLNVAL)) !== 0) tun.detach();
    if (attached && tun.fd < 0) this.#errors.report(ENODEV, null, this.#time());
  }

  /** `first`: the entry of the first socket. */
  #receive(receiver: Receiver, first: number): void {
    const entries = this.#entries;
    let entry = first;
    for (const socket of receiver.sockets.values()) {
      if (entry >= entries) break;
      const what = this.#revents(entry++);
      if (what === 0) continue;
      const now = this.#time();
      if ((what & POLLNVAL) !== 0) {
        receiver.sockets.delete(socket.fd);
        this.#errors.report(EBADF, null, now);
        continue;
      }
      if ((what & POLLERR) !== 0) this.#errors.drain(socket.fd, now);
      if ((what & POLLIN) !== 0) receiver.turn(socket, now);
    }
  }
}
