// Two data planes with in-memory TUNs, joined by UDP over 127.0.0.1 or ::1, keys installed by hand.

import type { TunnelSocket } from '../../main/net/socket/api.ts';
import { linuxSocketFactory } from '../../main/net/socket/linux.ts';
import { type InMemoryTun, openInMemoryTun } from '../../main/net/tun/fake.ts';
import type {
  DataPlane,
  DataPlaneOptions,
  EspCipher,
  PathEvent,
  Shape,
  TunnelParams,
} from '../../main/path/command.ts';
import { startDataPlane } from '../../main/path/start.ts';
import { parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { selectorOf } from '../../main/wire/selector.ts';

export const address = (text: string) => parseAddress(text)!;
const any = (text: string) => selectorOf(parsePrefix(text)!);

export interface Side {
  readonly plane: DataPlane;
  readonly tun: InMemoryTun;
  readonly socket: TunnelSocket;
  /** All but notes. */
  readonly events: PathEvent[];
  /** What the data plane said for the log. */
  readonly notes: string[];
  /** Packets that came out of the TUN, oldest first. */
  readonly packets: Uint8Array[];
  /** Resolves with the first event, past or future, that matches. */
  event<Kind extends PathEvent['kind']>(kind: Kind): Promise<Extract<PathEvent, { kind: Kind }>>;
  /** Called with every event from now on, but not with notes. */
  listen(listener: (event: PathEvent) => void): void;
  /** Resolves when `count` packets have come out. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openSide(threads: DataPlaneOptions['threads'], family: 4 | 6 = 4, gro = false): Promise<Side> {
  const events: PathEvent[] = [];
  const notes: string[] = [];
  const packets: Uint8Array[] = [];
  const listeners: ((event: PathEvent) => void)[] = [];
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of [...watchers]) watcher();
  };
  const until = <Value>(find: () => Value | undefined): Promise<Value> =>
    new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });
  const socket = linuxSocketFactory({ gro }).open({
    kind: 'natt',
    family,
    localAddress: address(family === 4 ? '127.0.0.1' : '::1'),
    mark: 0,
  });
  if (socket instanceof Error) throw socket;
  const tun = openInMemoryTun({ mtu: 1400 });
  tun.onPacket((packet) => {
    packets.push(packet);
    changed();
  });
  const plane = await startDataPlane({
    threads,
    onEvent: (event) => {
      if (event.kind === 'note') notes.push(event.text);
      else {
        events.push(event);
        for (const listener of listeners) listener(event);
      }
      changed();
    },
  });
  await plane.receive({ kind: 'addSocket', socket });
  await plane.attachTun(tun);
  return {
    plane,
    tun,
    socket,
    events,
    notes,
    packets,
    event: (kind) =>
      until(() => events.find((event): event is Extract<PathEvent, { kind: typeof kind }> => event.kind === kind)),
    listen: (listener) => void listeners.push(listener),
    received: (count) => until(() => (packets.length >= count ? true : undefined)).then(() => {}),
    close: async () => {
      await plane.close();
      await tun.close();
      socket.close();
    },
  };
}

export function tunnelParams(shape: Shape, initiator: boolean, fields: Partial<TunnelParams> = {}): TunnelParams {
  const ends = { local: address('10.77.0.1'), remote: address('10.77.0.2') };
  return {
    shape,
    gre: shape === 'esp-tunnel' ? null : { key: 7, checksum: true, sequence: true, nextSequence: 0 },
    delivery: shape !== 'gre-tunnel' ? null : initiator ? ends : { local: ends.remote, remote: ends.local },
    mtu: 1400,
    mss4: 0,
    mss6: 0,
    local: [any(initiator ? '10.88.0.2/32' : '10.88.0.1/32'), any(initiator ? 'fd00::2/128' : 'fd00::1/128')],
    remote: [any(initiator ? '10.88.0.1/32' : '10.88.0.2/32'), any(initiator ? 'fd00::1/128' : 'fd00::2/128')],
    copyDscp: false,
    ttl: 64,
    ...fields,
  };
}

/** SPIs of the pair: what the initiator receives on, and what the responder receives on. */
export const SPI = { initiator: 0x1001, responder: 0x2002 };

export function saParams(spi: number, cipher: EspCipher, fill = spi & 0xff) {
  return {
    spi,
    tunnel: 0,
    cipher,
    key: new Uint8Array(cipher === 'aes-gcm-16' ? 16 : 32).fill(fill),
    salt: new Uint8Array(4).fill(fill),
    esn: false,
    hardPackets: Number.POSITIVE_INFINITY,
    hardBytes: Number.POSITIVE_INFINITY,
  };
}

/** Configures one side and lets it send to `other`. */
export async function install(
  side: Side,
  other: TunnelSocket,
  initiator: boolean,
  shape: Shape,
  cipher: EspCipher,
  fields: Partial<TunnelParams> = {},
): Promise<void> {
  const { plane } = side;
  await plane.configure(0, tunnelParams(shape, initiator, fields));
  const [inbound, outbound] = initiator ? [SPI.initiator, SPI.responder] : [SPI.responder, SPI.initiator];
  await plane.receive({
    kind: 'installInbound',
    slot: 0,
    params: { ...saParams(inbound, cipher), replayWindow: 1024 },
  });
  await plane.send({
    kind: 'setPeer',
    tunnel: 0,
    peer: { remote: other.local, socket: side.socket.fd, encapsulation: 'udp' },
  });
  await plane.send({ kind: 'installOutbound', slot: 0, params: saParams(outbound, cipher) });
  await plane.send({ kind: 'activate', tunnel: 0, slot: 0 });
}

/** An IPv4 packet of `length` bytes, DF set, protocol 253 (RFC 3692, for experiments), filled by `seed`. */
export function packet4(from: string, to: string, length: number, seed = 1, tos = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set([0x45, tos, length >> 8, length & 255, 0, seed & 255, 0x40, 0, 64, 253]);
  bytes.set(address(from), 12);
  bytes.set(address(to), 16);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes[10] = (~sum >> 8) & 255;
  bytes[11] = ~sum & 255;
  for (let i = 20; i < length; i++) bytes[i] = (i * 31 + seed * 7) & 255;
  return bytes;
}

/** An IPv6 packet of `length` bytes, next header 253. */
export function packet6(from: string, to: string, length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set([0x60, 0, 0, 0, (length - 40) >> 8, (length - 40) & 255, 253, 64]);
  bytes.set(address(from), 8);
  bytes.set(address(to), 24);
  for (let i = 40; i < length; i++) bytes[i] = (i * 31 + seed * 7) & 255;
  return bytes;
}
