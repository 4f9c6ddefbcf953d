// What the net-*.test.ts run inside a network namespace: compiled code, one task per process, one JSON line per result.
//   ip netns exec <namespace> node net-child.mjs '{ "task": "hold", … }'
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import * as C from '../../build/out/main/native/constants.js';
import { errnoName, libc } from '../../build/out/main/native/libc.js';
import { sockaddrOf } from '../../build/out/main/native/sockaddr.js';
import { linuxRouteTable } from '../../build/out/main/net/route/linux.js';
import { linuxSocketFactory } from '../../build/out/main/net/socket/linux.js';
import { linuxTunAdapter } from '../../build/out/main/net/tun/linux.js';
import { startDataPlane } from '../../build/out/main/path/start.js';
import { formatAddress, parseAddress, parsePrefix } from '../../build/out/main/wire/address.js';
import { selectorOf } from '../../build/out/main/wire/selector.js';

const options = JSON.parse(process.argv[2]);
const say = (value) => console.log(JSON.stringify(value));
const prefixes = (texts = []) => texts.map(parsePrefix);
const orThrow = (value) => {
  if (value instanceof Error) throw value;
  return value;
};
const described = (value) =>
  value instanceof Error
    ? { code: value.code, message: value.message, remedy: value.remedy, errno: value.errno }
    : value;
const inputClosed = () => new Promise((resolve) => createInterface({ input: process.stdin }).on('close', resolve));

const openTun = () =>
  linuxTunAdapter({ offloads: options.offloads ?? true, uso: options.uso ?? true }).open({
    name: options.name ?? 'culv%d',
    mtu: options.mtu ?? 1400,
    addresses: prefixes(options.addresses),
  });
const desiredRoutes = (interfaceName) => ({
  interfaceName,
  include: prefixes(options.include),
  exclude: prefixes(options.exclude),
  allowLan: options.allowLan ?? false,
  unreachable: prefixes(options.unreachable),
});

const tasks = {
  /** Makes a TUN and routes, says so, and holds them until its input closes (or it is killed). */
  async hold() {
    const tun = orThrow(await openTun());
    const routes = linuxRouteTable();
    orThrow(await routes.apply(desiredRoutes(tun.name)));
    orThrow(await routes.apply(desiredRoutes(tun.name)));
    say({ name: tun.name, index: tun.index });
    await inputClosed();
    await routes.close();
    await tun.close();
  },

  async cleanUp() {
    say(await linuxRouteTable().cleanUp());
  },

  /** Opens a TUN of a name twice; reports each as its name or its error. */
  async tun() {
    const first = await openTun();
    const second = options.twice ? await openTun() : undefined;
    say([first, second].map((result) => (result && 'fd' in result ? { name: result.name } : described(result))));
    for (const tun of [first, second]) if (tun && 'fd' in tun) await tun.close();
  },

  /** Applies each of `steps` to a TUN and says what `ip` then shows. */
  async reconfigure() {
    const tun = orThrow(await openTun());
    say({ name: tun.name });
    for await (const line of createInterface({ input: process.stdin })) {
      const step = JSON.parse(line);
      say(described(await tun.apply({ mtu: step.mtu, addresses: prefixes(step.addresses) })) ?? null);
    }
    await tun.close();
  },

  /** Sends through a marked socket under a full tunnel and waits for the echo. */
  async marked() {
    const tun = orThrow(await openTun());
    const routes = linuxRouteTable();
    orThrow(await routes.apply(desiredRoutes(tun.name)));
    const events = [];
    let heard;
    const answer = new Promise((resolve) => {
      heard = resolve;
    });
    const plane = await startDataPlane({
      threads: 'single',
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'ike') heard(event);
      },
    });
    const factory = linuxSocketFactory();
    const remote = { address: parseAddress(options.remote), port: options.port };
    const socket = orThrow(factory.open({ kind: 'ike', family: 4, mark: routes.mark }));
    await plane.receive({ kind: 'addSocket', socket });
    orThrow(socket.send(Uint8Array.of(1, 2, 3), remote));
    const late = new Promise((resolve) => setTimeout(() => resolve(undefined), 3000).unref());
    const event = await Promise.race([answer, late]);
    say({
      echoed: event ? [...event.bytes] : null,
      source: formatAddress(orThrow(factory.sourceAddress(remote, routes.mark))),
      unmarked: formatAddress(orThrow(factory.sourceAddress(remote, 0))),
    });
    await plane.close();
    socket.close();
    await routes.close();
    await tun.close();
  },

  /** For each line in, sends one UDP super-datagram (UDP_SEGMENT) of `datagrams` numbered ones of `size` bytes and a short one. */
  async burst() {
    const { to, port, size, datagrams } = options;
    const address = parseAddress(to);
    const calls = libc();
    const fd = calls.socket(address.length === 4 ? C.AF_INET : C.AF_INET6, C.SOCK_DGRAM | C.SOCK_CLOEXEC, 0);
    const or = (result, what) => {
      if (result < 0) throw new Error(`${what}: ${errnoName(calls.errno())}`);
    };
    or(calls.setsockopt(fd, C.IPPROTO_UDP, C.UDP_SEGMENT, size), 'UDP_SEGMENT');
    let number = 0;
    say('ready');
    for await (const _ of createInterface({ input: process.stdin })) {
      const bytes = Buffer.alloc(datagrams * size + 5);
      for (let at = 0; at < bytes.length; at += size) {
        bytes.fill(number & 0xff, at, Math.min(at + size, bytes.length));
        bytes.writeUInt32BE(number++, at);
      }
      or(calls.sendto(fd, bytes, 0, sockaddrOf(address, port)), 'sendto');
    }
    calls.close(fd);
  },

  /** Says [number, length, all bytes as they were sent] of the datagrams that arrive, each time `count` have. */
  async hear() {
    const socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
    let heard = [];
    socket.on('message', (bytes) => {
      const number = bytes.readUInt32BE(0);
      heard.push([number, bytes.length, bytes.subarray(4).every((byte) => byte === (number & 0xff))]);
      if (heard.length < options.count) return;
      say(heard);
      heard = [];
    });
    await new Promise((resolve) => socket.bind(options.port, options.address, resolve));
    say('ready');
    await inputClosed();
    socket.close();
  },

  /** One end of a tunnel with keys from `options`: real TUN, real sockets, until its input closes. */
  async peer() {
    const { initiator, shape, cipher, local, remote, raw, port } = options;
    const tun = orThrow(await openTun());
    const family = local.includes(':') ? 6 : 4;
    const kind = raw ? `${shape === 'gre-plain' ? 'gre' : 'esp'}${family}` : 'natt';
    const socket = orThrow(
      linuxSocketFactory({ gro: options.gro ?? true }).open({
        kind,
        family,
        localAddress: parseAddress(local),
        ...(raw ? {} : { localPort: port }),
        mark: 0,
      }),
    );
    const events = [];
    const plane = await startDataPlane({
      threads: options.threads ?? 'workers',
      onEvent: (event) => events.push({ ...event, bytes: undefined, from: undefined }),
    });
    await plane.receive({ kind: 'addSocket', socket });
    const any = [selectorOf(parsePrefix('0.0.0.0/0')), selectorOf(parsePrefix('::/0'))];
    const delivery = { local: parseAddress('10.77.0.1'), remote: parseAddress('10.77.0.2') };
    const here = initiator ? 1 : 2;
    await plane.configure(0, {
      shape,
      gre:
        shape === 'esp-tunnel'
          ? null
          : { key: 7, checksum: options.checksum ?? false, sequence: true, nextSequence: 0 },
      delivery:
        shape !== 'gre-tunnel' ? null : initiator ? delivery : { local: delivery.remote, remote: delivery.local },
      mtu: options.mtu ?? 1400,
      mss4: 0,
      mss6: 0,
      local: any,
      remote: any,
      copyDscp: true,
      outerDf: options.outerDf,
      ttl: 64,
    });
    const sa = (number) => ({
      spi: 0x1000 + number,
      tunnel: 0,
      cipher,
      key: new Uint8Array(cipher === 'aes-gcm-16' ? 16 : 32).fill(number),
      salt: new Uint8Array(4).fill(number),
      esn: true,
      hardPackets: Number.POSITIVE_INFINITY,
      hardBytes: Number.POSITIVE_INFINITY,
    });
    const peer = { remote: { address: parseAddress(remote), port: raw ? 0 : port }, socket: socket.fd };
    if (shape !== 'gre-plain') {
      await plane.receive({ kind: 'installInbound', slot: 0, params: { ...sa(here), replayWindow: 1024 } });
      await plane.send({ kind: 'installOutbound', slot: 0, params: sa(3 - here) });
      await plane.send({ kind: 'activate', tunnel: 0, slot: 0 });
    }
    await plane.send({ kind: 'setPeer', tunnel: 0, peer: { ...peer, encapsulation: raw ? 'raw' : 'udp' } });
    await plane.attachTun(tun);
    say({ name: tun.name, vnetHeader: tun.vnetHeader, uso: tun.uso });
    await inputClosed();
    const statistics = plane.statistics();
    const counters = Object.fromEntries(Object.entries(statistics.counters).filter(([, count]) => count > 0));
    const { user, system } = process.cpuUsage();
    say({ counters, io: statistics.io, events, cpuSeconds: { user: user / 1e6, system: system / 1e6 } });
    await plane.close();
    socket.close();
    await tun.close();
  },
};

await tasks[options.task]();
