// V8 makes good code of a function only once it has run some thousand times, and pings are few: an engine that had never been busy
// answered them from its interpreter, in twice the time. So each worker rehearses first, while it has nothing else to do: a
// second loop with a core, a TUN and sockets of its own, on the loopback interface, carries packets from one to the other, a
// turn at a time, for so many turns or so long. Later a turn now and then keeps the way warm (beat.ts). Nothing of it touches the
// real tunnel; where sockets cannot be had, there is no rehearsal, and packets are slower where they are few.
//
//   sender    feed a packet (or several) into the TUN ── loop ──▶ socket ──▶ a sink, read and thrown away
//   receiver  seal a packet (or several), send it  ──▶ socket ── loop ──▶ TUN ──▶ read and thrown away
//
// (main/core/warm.ts does the like for the core's WebAssembly, which all threads share; JavaScript's code belongs to a thread.)
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { DESC_BYTES, DESC_LENGTH, IN, IN_DESC, OUT_DESC, VNET_HEADER_BYTES } from '../../assembly/layout.ts';
import type { Core } from '../core/api.ts';
import { createCoreSync } from '../core/core.ts';
import {
  AF_UNIX,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
} from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';
import { sockaddrOf } from '../native/sockaddr.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import { linuxSocketFactory } from '../net/socket/linux.ts';
import { selectorOf } from '../wire/selector.ts';
import type { ReceiverCommand, SenderCommand } from './command.ts';
import { Loop, type LoopOptions } from './loop.ts';
import { monotonic, type PeerNotice } from './messages.ts';
import { shared } from './shared.ts';

/** V8 looks at a function after some 65,000 bytes of its bytecode have run, thrice: the short ones need as many turns. */
const TURNS = 3000;
const MOST_MS = 750;
/** A few packets at once every so many turns, so that batches are rehearsed too. */
const BATCH_EVERY = 8;
const BATCH = 4;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const TUNNEL = 0;
const SPI = 256;

export class Rehearsal {
  readonly #calls: Libc;
  readonly #loop: Loop;
  readonly #core: Core;
  readonly #sends: boolean;
  readonly #receives: boolean;
  readonly #socket: TunnelSocket;
  readonly #toSocket: Uint8Array;
  readonly #far: number;
  /** What the loop on stage has to tell. */
  readonly #heard: MessagePort;
  readonly #sink: number;
  readonly #release: readonly (() => void)[];
  readonly #packet = inner();
  readonly #room = new Uint8Array(2048);
  readonly #until: number;
  #turns = 0;
  #broken = false;

  /** What the worker of `options` will do, on a stage of its own. undefined: there is none to be had. */
  static open(options: LoopOptions, module: WebAssembly.Module): Rehearsal | undefined {
    const release: (() => void)[] = [];
    try {
      return new Rehearsal(options, module, release);
    } catch {
      for (const each of release.reverse()) each();
      return undefined;
    }
  }

  private constructor(options: LoopOptions, module: WebAssembly.Module, release: (() => void)[]) {
    const { calls } = options;
    const open = <Thing>(thing: Thing | Error, close: (thing: Thing) => void): Thing => {
      if (thing instanceof Error) throw thing;
      release.push(() => close(thing));
      return thing;
    };
    const closeSocket = (socket: TunnelSocket) => socket.close();
    this.#calls = calls;
    this.#release = release;
    this.#sends = options.role !== 'receiver';
    this.#receives = options.role !== 'sender';
    const sockets = linuxSocketFactory();
    const socket = open(sockets.open({ kind: 'natt', family: 4, localAddress: LOOPBACK, mark: 0 }), closeSocket);
    this.#socket = socket;
    const sink = open(sockets.open({ kind: 'ike', family: 4, localAddress: LOOPBACK, mark: 0 }), closeSocket);
    this.#sink = sink.fd;
    const pair = new Int32Array(2);
    if (calls.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
      throw new Error('socketpair');
    const [tun, far] = [pair[0]!, pair[1]!];
    release.push(() => {
      calls.close(tun);
      calls.close(far);
    });
    this.#far = far;
    const eventfd = calls.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (eventfd < 0) throw new Error('eventfd');
    release.push(() => calls.close(eventfd));
    const { port1, port2 } = new MessageChannel();
    this.#heard = port2;
    release.push(() => port1.close());

    this.#core = createCoreSync(module);
    this.#loop = new Loop({ ...options, core: this.#core, shared: shared(), port: port1, eventfd });
    this.#toSocket = sockaddrOf(LOOPBACK, socket.local.port);
    // Who else is on this machine cannot join in: each takes datagrams of this one socket only.
    for (const { fd } of [socket, sink]) if (calls.connect(fd, this.#toSocket) < 0) throw new Error('connect');
    this.#configure(tun, this.#receives && this.#sends ? socket : sink);
    this.#until = monotonic() + MOST_MS;
  }

  #configure(tun: number, peer: TunnelSocket): void {
    const any = [selectorOf({ address: Uint8Array.of(0, 0, 0, 0), bits: 0 })];
    const attach = { kind: 'attachTun', tun: { fd: tun, vnetHeader: true } } as const;
    const configure = {
      kind: 'configure',
      tunnel: TUNNEL,
      params: {
        shape: 'gre-tunnel',
        gre: { key: null, checksum: false, sequence: false, nextSequence: 0 },
        delivery: { local: LOOPBACK, remote: LOOPBACK },
        mtu: 1400,
        mss4: 0,
        mss6: 0,
        local: any,
        remote: any,
        copyDscp: false,
        ttl: 64,
      },
    } as const;
    const sa = () => ({
      spi: SPI,
      tunnel: TUNNEL,
      cipher: 'aes-gcm-16' as const,
      // Nothing but the packets made here is ever sealed with it.
      key: new Uint8Array(16),
      salt: new Uint8Array(4),
      esn: false,
      hardPackets: Number.POSITIVE_INFINITY,
      hardBytes: Number.POSITIVE_INFINITY,
    });
    const remote = { remote: peer.local, socket: this.#socket.fd, encapsulation: 'udp' } as const;
    if (this.#receives) {
      this.#receive(attach);
      this.#receive(configure);
      this.#receive({ kind: 'addSocket', socket: { fd: this.#socket.fd, kind: 'natt' } });
      this.#receive({ kind: 'installInbound', slot: 0, params: { ...sa(), replayWindow: 1024 } });
      this.#receive({ kind: 'peer', tunnel: TUNNEL, peer: { ...remote, remote: this.#socket.local } });
    }
    if (this.#sends) {
      this.#send(attach);
      this.#send(configure);
      this.#send({ kind: 'setPeer', tunnel: TUNNEL, peer: remote });
      this.#send({ kind: 'installOutbound', slot: 0, params: sa() });
      this.#send({ kind: 'activate', tunnel: TUNNEL, slot: 0 });
    } else {
      this.#core.installOutbound(0, sa());
      this.#core.activateOutbound(TUNNEL, 0);
    }
  }

  #send(command: SenderCommand): void {
    this.#loop.carryOut({ id: 0, to: 'sender', command });
  }

  #receive(command: ReceiverCommand | PeerNotice): void {
    this.#loop.carryOut({ id: 0, to: 'receiver', command });
  }

  get goesOn(): boolean {
    return !this.#broken && this.#turns < TURNS && monotonic() < this.#until;
  }

  /** One turn of the loop on stage. What goes wrong there ends the rehearsal, and costs the tunnel nothing. */
  step(): void {
    if (this.#broken) return;
    try {
      this.#play();
    } catch {
      this.#broken = true;
    }
  }

  #play(): void {
    const batch = this.#turns++ % BATCH_EVERY === 0;
    const count = batch ? BATCH : 1;
    // A worker never gets to its event loop, so they would pile up: errors, where a firewall forbids the loopback.
    if (batch) while (receiveMessageOnPort(this.#heard));
    if (this.#sends) for (let i = 0; i < count; i++) this.#calls.writeBytes(this.#far, this.#packet);
    else this.#sealAndSend(count);
    this.#loop.turn(0);
    if (this.#sends && this.#receives) this.#loop.turn(0);
    // Unread, they would fill its queue, and the kernel would count drops for all to see.
    const end = this.#receives ? this.#far : this.#sink;
    while (this.#calls.readBytes(end, this.#room) > 0);
  }

  /** What the far end would send: this core has the key as well. */
  #sealAndSend(count: number): void {
    const { words, bytes } = this.#core;
    for (let i = 0; i < count; i++) {
      bytes.set(this.#packet.subarray(VNET_HEADER_BYTES), IN + i * this.#room.length);
      const length = this.#packet.length - VNET_HEADER_BYTES;
      words.set([IN + i * this.#room.length, this.#room.length, length, 0], (IN_DESC + i * DESC_BYTES) >>> 2);
    }
    const { out } = this.#core.seal(count, monotonic());
    for (let i = 0; i < out; i++) {
      const at = (OUT_DESC + i * DESC_BYTES) >>> 2;
      const offset = words[at]!;
      const datagram = bytes.subarray(offset, offset + words[at + DESC_LENGTH / 4]!);
      this.#calls.sendto(this.#socket.fd, datagram, MSG_NOSIGNAL, this.#toSocket);
    }
  }

  /** The core is left to the collector: wiping it would make all of its memory resident, and it holds no secret. */
  close(): void {
    for (const each of [...this.#release].reverse()) each();
  }
}

/** A virtio header of zeros, and an ICMP echo request of 84 bytes whose checksums are never looked at. */
function inner(): Uint8Array {
  const packet = new Uint8Array(VNET_HEADER_BYTES + 84);
  packet.set([0x45, 0, 0, 84, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 8], VNET_HEADER_BYTES);
  return packet;
}
