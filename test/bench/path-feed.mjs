// Feeds one end of a path and drains the other: packets go in and come out through socket pairs that stand for TUNs.

import * as C from '../../build/out/main/native/constants.js';
import { addressOf, libc } from '../../build/out/main/native/libc.js';
import { NativeMemory } from '../../build/out/main/path/memory.js';

/** Messages of one system call, and the largest of them. */
const BATCH = 32;
const SLOT_BYTES = 66_560;
/** What is under way at once: enough to keep two threads busy, little enough for every buffer on the way. */
const PACKETS_UNDER_WAY = 256;
const BURSTS_UNDER_WAY = 6;
const BURST_SEGMENTS = 44;
const HEADERS = 40;
const VNET_HEADER = 10;
const BUFFER_BYTES = 4 << 20;
const PATIENCE_MS = 200;

const HEADER_TABLE = 0;
const IOVEC_TABLE = HEADER_TABLE + BATCH * C.MMSGHDR_BYTES;
const TEMPLATE = 4096;
const SLOTS = TEMPLATE + SLOT_BYTES;
const TABLES = SLOTS + BATCH * SLOT_BYTES;
const BYTES = TABLES + BATCH * (C.MMSGHDR_BYTES + C.IOVEC_BYTES);

const calls = libc();

/** A TUN's stand-in: `fd` for the data plane, `host` for us. */
export function openPair() {
  const pair = new Int32Array(2);
  const type = C.SOCK_SEQPACKET | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;
  if (calls.socketpair(C.AF_UNIX, type, 0, pair) < 0) throw new Error('socketpair failed');
  for (const end of pair)
    if (calls.setsockopt(end, C.SOL_SOCKET, C.SO_SNDBUFFORCE, BUFFER_BYTES) < 0)
      calls.setsockopt(end, C.SOL_SOCKET, C.SO_SNDBUF, BUFFER_BYTES);
  return { fd: pair[0], host: pair[1] };
}

/** The one's complement sum of `bytes`, not inverted. */
function sum16(bytes) {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** TCP/IPv4 from 10.88.0.1 to 10.88.0.2 with `payload` bytes; the checksum is left to the data plane (virtio) or absent. */
function tcpPacket(payload) {
  const packet = new Uint8Array(HEADERS + payload).fill(0x5a);
  const total = packet.length;
  packet.set([0x45, 0, total >> 8, total & 255, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 88, 0, 1, 10, 88, 0, 2]);
  const ip = ~sum16(packet.subarray(0, 20)) & 0xffff;
  packet.set([ip >> 8, ip & 255], 10);
  packet.set([0x13, 0x88, 0x13, 0x89, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0], 20);
  const pseudo = sum16(Uint8Array.of(...packet.subarray(12, 20), 0, 6, (total - 20) >> 8, (total - 20) & 255));
  packet.set([pseudo >> 8, pseudo & 255], 36);
  return packet;
}

/** What the host's stack would put into the TUN: a packet of `size` bytes, or a burst that segments into such packets. */
function template(size, offloads) {
  if (!offloads) return { bytes: tcpPacket(size - HEADERS), packets: 1 };
  const segment = size - HEADERS;
  const packet = tcpPacket(segment * BURST_SEGMENTS);
  const bytes = new Uint8Array(VNET_HEADER + packet.length);
  // NEEDS_CSUM, TCPv4, header length, segment size, checksum start and offset: assembly/vnet.ts.
  bytes.set([1, 1, HEADERS, 0, segment & 255, segment >> 8, 20, 0, 16, 0]);
  bytes.set(packet, VNET_HEADER);
  return { bytes, packets: BURST_SEGMENTS };
}

export class Feed {
  #memory;

  constructor() {
    const buffer = new ArrayBuffer(BYTES);
    this.#memory = new NativeMemory({
      memory: { buffer },
      words: new Uint32Array(buffer),
      bytes: new Uint8Array(buffer),
    });
    if (this.#memory.base !== addressOf(buffer)) throw new Error('the buffer moved');
  }

  #table(headers, iovecs, target, length) {
    const memory = this.#memory;
    for (let i = 0; i < BATCH; i++) {
      const [header, iovec] = [headers + i * C.MMSGHDR_BYTES, iovecs + i * C.IOVEC_BYTES];
      memory.iovec(iovec, target(i), length);
      memory.words.fill(0, header >>> 2, (header + C.MMSGHDR_BYTES) >>> 2);
      memory.pointer(header + C.MSG_IOV, iovec);
      memory.words[(header + C.MSG_IOVLEN) >>> 2] = 1;
    }
  }

  /**
   * Pushes packets of `size` bytes into `from` and takes them out of `to` for `milliseconds`. `between` runs in each turn, for
   * paths that live in this very thread. Returns packets that came out, packets lost, seconds and CPU seconds of the process.
   */
  run({ from, to, size, offloads, milliseconds, between }) {
    const { bytes: packet, packets: each } = template(size, offloads);
    const memory = this.#memory;
    memory.bytes.set(packet, TEMPLATE);
    this.#table(HEADER_TABLE, IOVEC_TABLE, () => TEMPLATE, packet.length);
    this.#table(TABLES, TABLES + BATCH * C.MMSGHDR_BYTES, (i) => SLOTS + i * SLOT_BYTES, SLOT_BYTES);
    const most = offloads ? BURSTS_UNDER_WAY * each : PACKETS_UNDER_WAY;
    const payload = size - HEADERS;
    const poll = TEMPLATE - C.POLLFD_BYTES;
    memory.words[poll >>> 2] = to;
    memory.words[(poll >>> 2) + 1] = C.POLLIN;

    const drain = () => {
      const got = calls.recvmmsg(to, memory.base + TABLES, BATCH, C.MSG_DONTWAIT);
      if (got <= 0) return 0;
      if (!offloads) return got;
      let packets = 0;
      for (let i = 0; i < got; i++) {
        const length = memory.words[(TABLES + i * C.MMSGHDR_BYTES + C.MSG_LEN) >>> 2];
        packets += Math.ceil((length - VNET_HEADER - HEADERS) / payload);
      }
      return packets;
    };

    let [underWay, out, lost] = [0, 0, 0];
    const cpu = process.cpuUsage();
    const start = performance.now();
    const end = start + milliseconds;
    let progress = start;
    for (let feeding = true; ; ) {
      feeding &&= performance.now() < end;
      if (!feeding && underWay <= 0) break;
      if (feeding && underWay + each <= most) {
        const room = Math.min(BATCH, Math.floor((most - underWay) / each));
        const sent = calls.sendmmsg(from, memory.base + HEADER_TABLE, room, C.MSG_DONTWAIT);
        if (sent > 0) underWay += sent * each;
      }
      if (between) between();
      else calls.poll(memory.base + poll, 1, PATIENCE_MS);
      const got = drain();
      if (got > 0) progress = performance.now();
      else if (performance.now() - progress > PATIENCE_MS) {
        // What has not come out by now never will.
        lost += underWay;
        underWay = 0;
        progress = performance.now();
      }
      out += got;
      underWay -= got;
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { packets: out, lost, seconds, cpuSeconds: (user + system) / 1e6 };
  }
}
