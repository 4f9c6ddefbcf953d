// Starts the data plane's workers and speaks with them: the control thread's side of main/path/command.ts.
//
// A command is posted, the shared flag raised, the eventfd written: the worker wakes, takes it, acknowledges it. Commands
// to one worker are carried out in the order they were given.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TUNNELS } from '../../assembly/layout.ts';
import { COUNTER_NAMES, type CounterName } from '../core/counters.ts';
import { loadCoreModule } from '../core/load.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../native/constants.ts';
import { errnoName, libc } from '../native/libc.ts';
import type {
  DataPlane,
  DataPlaneOptions,
  PathEvent,
  PathStatistics,
  ReceiverCommand,
  SenderCommand,
} from './command.ts';
import { KernelDrops } from './kernel-drops.ts';
import { noteLacks } from './lacks.ts';
import { type FromWorker, monotonic, type PeerNotice, type Role, type ToWorker, type WorkerData } from './messages.ts';
import {
  CORE,
  GRE_NEXT,
  IKE_IN_FLIGHT,
  IO_ARRIVED,
  IO_CUT_OFF,
  IO_DUE,
  IO_IKE_DROPPED,
  IO_INJECTED,
  IO_NO_PEER,
  IO_NO_TUN,
  IO_QUEUE_DROPPED,
  IO_QUEUE_MARKED,
  IO_QUEUED,
  IO_RECEIVE_MARKED,
  IO_RECEIVED,
  IO_SEND_DROPPED,
  IO_SENT,
  IO_TUN_DROPPED,
  IO_TUN_READ,
  IO_TUN_WRITTEN,
  LAST_INBOUND,
  LAST_OUTBOUND,
  PENDING,
  type Shared,
  shared,
} from './shared.ts';

/**
 * A worker's young generation. What its loop allocates is short-lived and little; with V8's default of 48 it lets garbage,
 * mostly that of its start, lie for good (15 MiB of the engine's resident memory, measured).
 */
const YOUNG_MEBIBYTES = 3;

/** Resolves once every worker is ready. Rejects with a message for a person where one cannot be started. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const module = await loadCoreModule();
  const threads = options.threads === 'auto' ? threadsFor(availableParallelism()) : options.threads;
  if (options.threads === 'auto')
    options.onEvent({
      kind: 'note',
      text:
        threads === 'workers'
          ? `${availableParallelism()} processors: one thread for each direction`
          : 'One processor: both directions on one thread',
    });
  const roles: readonly Role[] = threads === 'single' ? ['single'] : ['sender', 'receiver'];
  const links = roles.map((role) => new WorkerLink(role, module, options.onEvent));
  try {
    await Promise.all(links.map((link) => link.ready));
  } catch (error) {
    await Promise.all(links.map((link) => link.close()));
    throw error;
  }
  return dataPlane(links[0]!, links.at(-1)!, options.onEvent);
}

/** On one processor two threads only take turns, and each turn costs a switch and another core's memory. */
export function threadsFor(processors: number): 'workers' | 'single' {
  return processors > 1 ? 'workers' : 'single';
}

/** `sender` and `receiver` are one and the same with `threads: 'single'`. */
function dataPlane(sender: WorkerLink, receiver: WorkerLink, onEvent: (event: PathEvent) => void): DataPlane {
  const single = sender === receiver;
  const drops = new KernelDrops();
  const lacks = noteLacks(libc(), onEvent);
  const send = async (command: SenderCommand): Promise<void> => {
    const done = [sender.post({ to: 'sender', command: plain(command) })];
    if (command.kind === 'setPeer') {
      const notice: PeerNotice = { kind: 'peer', tunnel: command.tunnel, peer: command.peer };
      done.push(receiver.post({ to: 'receiver', command: notice }));
    }
    await Promise.all(done);
  };
  const receive = (command: ReceiverCommand): Promise<void> => {
    if (command.kind === 'addSocket') {
      drops.addSocket(command.socket.fd);
      lacks.socket(command.socket);
    } else if (command.kind === 'removeSocket') drops.removeSocket(command.fd);
    return receiver.post({ to: 'receiver', command: plain(command) });
  };
  return {
    send,
    receive,
    configure: async (tunnel, params) => {
      const command = { kind: 'configure', tunnel, params } as const;
      // One core on one thread: configuring it twice would start its GRE sequence anew in between.
      await Promise.all(single ? [send(command)] : [send(command), receive(command)]);
    },
    attachTun: async (tun) => {
      drops.attachTun(tun.fd);
      lacks.tun(tun);
      await Promise.all([send({ kind: 'attachTun', tun }), receive({ kind: 'attachTun', tun })]);
    },
    statistics: () => statistics(single ? [sender.shared] : [sender.shared, receiver.shared], drops),
    close: async () => {
      drops.close();
      await Promise.all(single ? [sender.close()] : [sender.close(), receiver.close()]);
    },
  };
}

/** Callers hand over their Tun and TunnelSocket as they are; only numbers cross to the worker, not their methods. */
function plain<Command extends SenderCommand | ReceiverCommand>(command: Command): Command {
  if (command.kind === 'attachTun')
    return { ...command, tun: { fd: command.tun.fd, vnetHeader: command.tun.vnetHeader, uso: command.tun.uso } };
  if (command.kind === 'addSocket') {
    const { fd, kind, stream } = command.socket;
    return { ...command, socket: { fd, kind, stream } };
  }
  return command;
}

function statistics(parts: readonly Shared[], drops: KernelDrops): PathStatistics {
  const sum = (index: number) => parts.reduce((total, part) => total + part.numbers[index]!, 0);
  const newest = (index: number) => Math.max(...parts.map((part) => part.numbers[index]!));
  const counters: Partial<Record<CounterName, number>> = {};
  COUNTER_NAMES.forEach((name, i) => {
    counters[name] = sum(CORE + i);
  });
  return {
    counters: counters as PathStatistics['counters'],
    lastInbound: newest(LAST_INBOUND),
    lastOutbound: newest(LAST_OUTBOUND),
    io: {
      sendDropped: sum(IO_SEND_DROPPED),
      noPeer: sum(IO_NO_PEER),
      tunDropped: sum(IO_TUN_DROPPED),
      noTun: sum(IO_NO_TUN),
      ikeDropped: sum(IO_IKE_DROPPED),
      tunRead: sum(IO_TUN_READ),
      tunWritten: sum(IO_TUN_WRITTEN),
      injected: sum(IO_INJECTED),
      queued: sum(IO_QUEUED),
      queueDropped: sum(IO_QUEUE_DROPPED),
      queueMarked: sum(IO_QUEUE_MARKED),
      sent: sum(IO_SENT),
      received: sum(IO_RECEIVED),
      receiveMarked: sum(IO_RECEIVE_MARKED),
      cutOff: sum(IO_CUT_OFF),
      socketOverflow: drops.sockets(),
      tunOverflow: drops.tun(),
    },
    received: { due: sum(IO_DUE), arrived: sum(IO_ARRIVED) },
    greNextSequence: Array.from({ length: TUNNELS }, (_, tunnel) => newest(GRE_NEXT + tunnel)),
  };
}

/** Workers run compiled JavaScript. From TypeScript source (tests) it is what `npm run build` put into build/out. */
function workerEntry(): URL {
  const beside = new URL('./worker.js', import.meta.url);
  const entry = import.meta.url.endsWith('.ts')
    ? new URL('../../build/out/main/path/worker.js', import.meta.url)
    : beside;
  if (existsSync(fileURLToPath(entry))) return entry;
  throw new Error(
    `The data plane's worker ${fileURLToPath(entry)} is missing; most likely it was not built yet. Run "npm run build" in the package's folder.`,
  );
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Omit over each member of the union, so that `to` and `command` stay tied together. */
type WithoutId<Message> = Message extends unknown ? Omit<Message, 'id'> : never;

class WorkerLink {
  readonly shared: Shared = shared();
  readonly ready: Promise<void>;
  readonly #role: Role;
  readonly #worker: Worker;
  readonly #eventfd: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #next = 1;
  #state: 'running' | 'closing' | 'gone' = 'running';

  constructor(role: Role, module: WebAssembly.Module, onEvent: (event: PathEvent) => void) {
    const calls = libc();
    this.#role = role;
    this.#eventfd = calls.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.#eventfd < 0) throw new Error(`eventfd: ${errnoName(calls.errno())}`);
    const data: WorkerData = {
      role,
      module,
      buffer: this.shared.buffer,
      eventfd: this.#eventfd,
      clockOffset: performance.now() - monotonic(),
    };
    this.#worker = new Worker(workerEntry(), {
      workerData: data,
      name: `culvert ${role}`,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
    });

    let failure = 'it ended by itself';
    let started: Waiting | undefined;
    this.ready = new Promise((resolve, reject) => {
      started = { resolve, reject };
    });
    this.#worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'ready':
          started?.resolve();
          started = undefined;
          return;
        case 'ack': {
          const waiting = this.#waiting.get(message.id);
          this.#waiting.delete(message.id);
          if (message.error === null) waiting?.resolve();
          else waiting?.reject(new Error(message.error));
          return;
        }
        case 'event':
          if (message.event.kind === 'ike') Atomics.sub(this.shared.flags, IKE_IN_FLIGHT, 1);
          if (this.#state === 'running') onEvent(message.event);
          return;
      }
    });
    this.#worker.on('error', (error) => {
      failure = error instanceof Error ? error.message : String(error);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        const died = this.#state === 'running';
        this.#state = 'gone';
        calls.close(this.#eventfd);
        const error = new Error(`the ${role} worker of the data plane is gone: ${failure}`);
        for (const waiting of this.#waiting.values()) waiting.reject(error);
        this.#waiting.clear();
        if (started) started.reject(error);
        else if (died) onEvent({ kind: 'died', worker: role, message: failure });
        resolve();
      });
    });
  }

  /** Resolves when the worker has carried the command out; rejects where it refused or is gone. */
  post(message: WithoutId<ToWorker>): Promise<void> {
    if (this.#state !== 'running')
      return Promise.reject(new Error(`the ${this.#role} worker of the data plane is gone`));
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#post({ ...message, id });
      } catch (error) {
        // Not cloneable: misuse.
        this.#waiting.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
    Atomics.add(this.shared.flags, PENDING, 1);
    libc().wake(this.#eventfd);
  }

  /** Tells the worker to quit (terminate() would not return from its native poll) and waits until it has. */
  async close(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'closing';
      this.#post({ id: 0, to: 'loop', command: { kind: 'quit' } });
    }
    await this.#exited;
  }
}
