// SAs replaced every few milliseconds, from both sides, under numbered packets both ways: none is lost, none comes twice,
// and nothing is sent on an SA that was removed (RFC 7296 §2.8). Real workers and cores; between them a relay that reads
// the SPI of each datagram. IKE is played by the test, in the order that two of its peers would keep.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { type Children, createChildren, type InstalledChild } from '../../main/esp/children.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { DataPlaneOptions, EspCipher, PathEvent, Shape } from '../../main/path/command.ts';
import type { Endpoint } from '../../main/wire/address.ts';
import { address, openSide, packet4, type Side, tunnelParams } from './pair.ts';

const REPLACEMENTS = 60;
/** Packets of one direction under way: few enough that no socket buffer overflows. */
const WINDOW = 48;
const LENGTH = 120;
/** ECN-capable (RFC 3168): CoDel marks what a slow machine lets wait, and drops none of it. */
const ECT = 2;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Relay {
  /** Where that side sends to, and what it receives comes from. */
  readonly facing: readonly [Endpoint, Endpoint];
  /** SPIs that a datagram came with after they were dead. */
  readonly violations: string[];
  /** Resolves when every datagram that side has sent so far was read; from then on this SPI is dead. */
  dead(side: 0 | 1, spi: number): Promise<void>;
}

/** Datagrams of one socket are read in the order they were sent, so a marker tells that all before it were read. */
async function openRelay(sides: readonly [Side, Side]): Promise<Relay> {
  const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
  const marker = createSocket('udp4');
  closers.push(() => [...sockets, marker].map((socket) => socket.close()));
  const dead = new Set<number>();
  const waiting = new Map<number, () => void>();
  const violations: string[] = [];
  let serial = 0;
  for (const side of [0, 1] as const) {
    const socket = sockets[side];
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const to = sides[1 - side]!.socket.local.port;
    socket.on('message', (bytes) => {
      const spi = bytes.readUInt32BE(0);
      if (spi === 0) {
        waiting.get(bytes.readUInt32BE(4))?.();
        return;
      }
      if (dead.has(spi)) violations.push(`0x${spi.toString(16)} was used after it was removed`);
      sockets[1 - side]!.send(bytes, to, '127.0.0.1');
    });
  }
  const endpoint = (side: 0 | 1): Endpoint => ({ address: address('127.0.0.1'), port: sockets[side].address().port });
  return {
    facing: [endpoint(0), endpoint(1)],
    violations,
    dead: (side, spi) =>
      new Promise((resolve) => {
        const id = ++serial;
        waiting.set(id, () => {
          waiting.delete(id);
          dead.add(spi);
          resolve();
        });
        const bytes = Buffer.alloc(8);
        bytes.writeUInt32BE(id, 4);
        marker.send(bytes, endpoint(side).port, '127.0.0.1');
      }),
  };
}

const CIPHERS: readonly EspCipher[] = ['aes-gcm-16', 'chacha20-poly1305'];

/** A pair of SAs as the two ends would have agreed on it: `[left, right]`. */
function agree(number: number): readonly [ChildSa, ChildSa] {
  const cipher = CIPHERS[number % 2]!;
  const length = cipher === 'aes-gcm-16' ? 16 : 32;
  const key = (seed: number) => Uint8Array.from({ length }, (_, i) => (number * 7 + seed * 31 + i * 3 + 1) & 0xff);
  const salt = (seed: number) => new Uint8Array(4).fill(number + seed);
  const common = {
    mode: 'tunnel' as const,
    cipher,
    proposal: cipher,
    esn: number % 3 === 0,
    local: [],
    remote: [],
    encapsulation: 'udp' as const,
    peer: { address: address('127.0.0.1'), port: 1 },
  };
  const [spiLeft, spiRight] = [0x10000 + number, 0x20000 + number];
  return [
    { ...common, spiIn: spiLeft, spiOut: spiRight, keyIn: key(1), saltIn: salt(1), keyOut: key(2), saltOut: salt(2) },
    { ...common, spiIn: spiRight, spiOut: spiLeft, keyIn: key(2), saltIn: salt(2), keyOut: key(1), saltOut: salt(1) },
  ];
}

interface End {
  readonly side: Side;
  readonly children: Children;
  install(child: ChildSa, activate: 'now' | 'first-inbound'): Promise<InstalledChild>;
  /** Waits until what the path said has been acted on. */
  settled(): Promise<void>;
  /** Resolves when the end sends on this child because the other one does. */
  switchedTo(spiIn: number): Promise<void>;
  /** Ends every grace time that began before the one before last. */
  passGrace(): void;
}

function endOf(side: Side, shape: Shape, initiator: boolean, remote: Endpoint): End {
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(operation: () => Promise<T>): Promise<T> => {
    const result = last.then(operation);
    last = result;
    return result;
  };
  const timers: (() => void)[] = [];
  const children = createChildren(side.plane, {
    clock: {
      now: () => 0,
      setTimer(_, fn) {
        timers.push(fn);
        return { cancel: () => void timers.splice(timers.indexOf(fn), timers.includes(fn) ? 1 : 0) };
      },
    },
  });
  const switches = new Map<number, { readonly done: Promise<void>; readonly resolve: () => void }>();
  const switchOf = (spiIn: number) => {
    let resolve = (): void => {};
    const known = switches.get(spiIn) ?? {
      done: new Promise<void>((done) => {
        resolve = done;
      }),
      resolve: () => resolve(),
    };
    switches.set(spiIn, known);
    return known;
  };
  side.listen((event: PathEvent) => {
    if (event.kind !== 'firstInbound') return;
    void inOrder(() => children.firstInbound(event.slot, event.spi)).then(
      (child) => child && switchOf(child.spiIn).resolve(),
    );
  });
  const params = tunnelParams(shape, initiator);
  const peer = { remote, socket: side.socket.fd, encapsulation: 'udp' as const };
  return {
    side,
    children,
    switchedTo: (spiIn) => switchOf(spiIn).done,
    settled: async () => void (await last),
    install: (child, activate) =>
      inOrder(() => children.install(child, { tunnel: 0, params, peer, replayWindow: 64 }, activate)),
    passGrace() {
      for (const fn of timers.slice(0, Math.max(0, timers.length - 2))) {
        timers.splice(timers.indexOf(fn), 1);
        fn();
      }
    },
  };
}

interface Stream {
  readonly sent: number;
  /** Sends no more, and resolves when all has come out. */
  finish(): Promise<void>;
}

/** Sends numbered packets, never more than WINDOW ahead of what has come out at the other end. */
function stream(from: Side, to: Side, source: string, target: string): Stream {
  let sent = 0;
  let going = true;
  const go = (): void => {
    if (!going) return;
    for (let burst = 0; burst < 8 && sent - to.packets.length < WINDOW; burst++) {
      const packet = packet4(source, target, LENGTH, 1, ECT);
      new DataView(packet.buffer).setUint32(20, sent);
      if (!from.tun.send(packet)) break;
      sent++;
    }
    setImmediate(go);
  };
  go();
  return {
    get sent() {
      return sent;
    },
    finish() {
      going = false;
      return to.received(sent);
    },
  };
}

const numbers = (packets: readonly Uint8Array[]): number[] =>
  packets.map((packet) => new DataView(packet.buffer, packet.byteOffset).getUint32(20));

const cases: readonly { readonly threads: DataPlaneOptions['threads']; readonly shape: Shape }[] = [
  { threads: 'workers', shape: 'gre-tunnel' },
  { threads: 'workers', shape: 'esp-tunnel' },
  { threads: 'single', shape: 'gre-transport' },
];

it.each(cases)(
  'loses nothing while SAs are replaced from both sides: $shape, $threads',
  async ({ threads, shape }) => {
    const sides: [Side, Side] = [await openSide(threads), await openSide(threads)];
    closers.push(() => Promise.all(sides.map((side) => side.close())));
    const relay = await openRelay(sides);
    const ends = [
      endOf(sides[0], shape, true, relay.facing[0]),
      endOf(sides[1], shape, false, relay.facing[1]),
    ] as const;
    const first = agree(0);
    await Promise.all([ends[0].install(first[0], 'now'), ends[1].install(first[1], 'now')]);

    const streams = [
      stream(sides[0], sides[1], '10.88.0.2', '10.88.0.1'),
      stream(sides[1], sides[0], '10.88.0.1', '10.88.0.2'),
    ] as const;

    let old = first.map(({ spiIn, spiOut }) => ({ spiIn, spiOut }));
    for (let number = 1; number <= REPLACEMENTS; number++) {
      const who = (number % 2) as 0 | 1;
      const [asks, answers] = [ends[who], ends[(1 - who) as 0 | 1]];
      const child = agree(number);
      // request → (installed there) → response → installed here → Delete → answered
      await asks.children.expect(child[who].spiIn);
      await answers.install(child[1 - who]!, 'first-inbound');
      await asks.install(child[who], 'now');
      // Now and then the Delete comes before any packet on the new SA; else after.
      if (number % 4 < 2) await answers.switchedTo(child[1 - who]!.spiIn);
      for (const end of [1 - who, who] as const) {
        const { spiIn, spiOut } = old[end]!;
        await ends[end as 0 | 1].settled();
        await ends[end as 0 | 1].children.remove(spiIn);
        await relay.dead(end as 0 | 1, spiOut);
        ends[end as 0 | 1].passGrace();
      }
      old = child.map(({ spiIn, spiOut }) => ({ spiIn, spiOut }));
    }
    await Promise.all(streams.map((one) => one.finish()));

    expect(relay.violations).toEqual([]);
    for (const [i, { sent }] of streams.entries())
      expect(numbers(sides[1 - i]!.packets)).toEqual(Array.from({ length: sent }, (_, number) => number));
    for (const [i, { plane, events }] of sides.entries()) {
      // An acknowledged command makes the worker publish.
      await plane.receive({ kind: 'cancelExpected', spi: 0x9999 });
      const { counters, io } = plane.statistics();
      expect(counters).toMatchObject({
        inPackets: streams[1 - i]!.sent,
        outPackets: streams[i]!.sent,
        outNoSa: 0,
        inUnknownSpi: 0,
        inReplayDuplicate: 0,
        inReplayOld: 0,
        inGreSequence: 0,
        inAuthFailed: 0,
      });
      expect(io).toMatchObject({ sendDropped: 0, noPeer: 0 });
      expect(events.filter(({ kind }) => kind !== 'firstInbound')).toEqual([]);
    }
    const total = streams[0].sent + streams[1].sent;
    console.info(`${shape}, ${threads}: ${REPLACEMENTS} replacements under ${total} packets`);
    expect(total).toBeGreaterThan(20 * REPLACEMENTS);
  },
  60_000,
);
