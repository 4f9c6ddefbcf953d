// A host that lives in memory: answers ICMP echo, pings, and speaks TCP. It attaches to anything that moves IP packets:
// `send` takes what it emits, `receive` is given what arrives. For runs without privilege, and for tests.
import type { Address } from '../../wire/address.ts';
import { sameAddress } from '../../wire/address.ts';
import { isWireError } from '../../wire/error.ts';
import type { Clock, Timer } from '../clock.ts';
import { decodeEcho, encodeEcho } from './icmp.ts';
import { decodeIp, encodeIp, ICMP, ICMPV6, type IpPacket, TCP } from './ip.ts';
import type { TcpConnection } from './tcp/connection.ts';
import { type TcpPeer, TcpStack } from './tcp/stack.ts';

export interface HostOptions {
  /** Its own addresses, of both families or one. */
  readonly addresses: readonly Address[];
  /** Largest IP packet, in bytes. */
  readonly mtu: number;
  /** Takes one packet; the bytes are the host's and change after the call. */
  readonly send: (packet: Uint8Array) => void;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
}

/** What the host has seen. Every received packet is in exactly one of the last four. */
export interface HostCounters {
  sent: number;
  delivered: number;
  malformed: number;
  notOurs: number;
  unknownProtocol: number;
}

export interface Host {
  readonly addresses: readonly Address[];
  readonly counters: Readonly<HostCounters>;
  receive(packet: Uint8Array): void;
  /** Milliseconds until the echo came back, or undefined when `timeout` milliseconds passed without it. */
  ping(destination: Address, length: number, timeout: number): Promise<number | undefined>;
  listen(port: number, onConnection: (connection: TcpConnection, peer: TcpPeer) => void): { close(): void };
  connect(destination: Address, port: number): TcpConnection;
  close(): void;
}

interface Waiting {
  readonly data: Uint8Array;
  readonly answer: (rtt: number | undefined) => void;
  readonly sentAt: number;
  readonly timer: Timer;
}

const TTL = 64;

export function createHost(options: HostOptions): Host {
  const { clock, addresses } = options;
  const counters: HostCounters = { sent: 0, delivered: 0, malformed: 0, notOurs: 0, unknownProtocol: 0 };
  const out = new Uint8Array(options.mtu);
  const identifier = uint16(options.random(2));
  const waiting = new Map<number, Waiting>();
  let sequence = 0;

  function send(source: Address, destination: Address, protocol: number, payload: Uint8Array): void {
    const length = encodeIp({ source, destination, protocol, ttl: TTL, payload }, out);
    counters.sent++;
    options.send(out.subarray(0, length));
  }

  const tcp = new TcpStack({
    clock,
    random: options.random,
    mtu: options.mtu,
    send: (source, destination, payload) => send(source, destination, TCP, payload),
  });

  function sourceFor(destination: Address): Address {
    const source = addresses.find((address) => address.length === destination.length);
    if (!source) throw new Error('the host has no address of the destination’s family');
    return source;
  }

  function receiveEcho(packet: IpPacket): void {
    const { source, destination } = packet;
    const echo = decodeEcho(source, destination, packet.payload);
    if (isWireError(echo)) {
      counters.malformed++;
      return;
    }
    counters.delivered++;
    if (echo?.kind === 'request') {
      send(destination, source, packet.protocol, encodeEcho(destination, source, { ...echo, kind: 'reply' }));
    } else if (echo?.kind === 'reply' && echo.identifier === identifier) {
      const asked = waiting.get(echo.sequence);
      if (!asked || !sameAddress(asked.data, echo.data)) return;
      waiting.delete(echo.sequence);
      asked.timer.cancel();
      asked.answer(clock.now() - asked.sentAt);
    }
  }

  return {
    addresses,
    counters,
    receive(bytes) {
      const packet = decodeIp(bytes);
      if (isWireError(packet)) {
        counters.malformed++;
        return;
      }
      if (!addresses.some((address) => sameAddress(address, packet.destination))) {
        counters.notOurs++;
        return;
      }
      const version = packet.source.length === 4 ? ICMP : ICMPV6;
      if (packet.protocol === version) receiveEcho(packet);
      else if (packet.protocol === TCP) {
        if (tcp.receive(packet)) counters.malformed++;
        else counters.delivered++;
      } else counters.unknownProtocol++;
    },
    ping(destination, length, timeout) {
      const source = sourceFor(destination);
      const data = options.random(length);
      const number = sequence;
      sequence = (sequence + 1) & 0xffff;
      return new Promise((answer) => {
        const sentAt = clock.now();
        const timer = clock.setTimer(sentAt + timeout, () => {
          waiting.delete(number);
          answer(undefined);
        });
        waiting.set(number, { data, answer, sentAt, timer });
        send(
          source,
          destination,
          destination.length === 4 ? ICMP : ICMPV6,
          encodeEcho(source, destination, { kind: 'request', identifier, sequence: number, data }),
        );
      });
    },
    listen: (port, onConnection) => tcp.listen(port, onConnection),
    connect: (destination, port) => tcp.connect(sourceFor(destination), destination, port),
    close() {
      tcp.close();
      for (const { timer, answer } of waiting.values()) {
        timer.cancel();
        answer(undefined);
      }
      waiting.clear();
    },
  };
}

function uint16(bytes: Uint8Array): number {
  return bytes[0]! * 256 + bytes[1]!;
}
