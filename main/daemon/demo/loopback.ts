// The demo without privilege: gateway and session in this process, real IKEv2 and real ESP in UDP over 127.0.0.1, and in
// the place of the TUN adapters and the kernel's TCP/IP two hosts in memory (main/gateway/host).
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { parseGatewayConfig } from '../../gateway/config.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { createHost, type Host } from '../../gateway/host/host.ts';
import { fetchHttp } from '../../gateway/host/http/client.ts';
import { serveHttp } from '../../gateway/host/http/server.ts';
import { welcomePages } from '../../gateway/page.ts';
import type { TunnelInfo } from '../../ipc/contract.ts';
import { fakeDnsSettings } from '../../net/dns/fake.ts';
import { fakeRouteTable } from '../../net/route/fake.ts';
import { linuxSocketFactory } from '../../net/socket/linux.ts';
import { type InMemoryTun, inMemoryTunAdapter } from '../../net/tun/fake.ts';
import { startDataPlane } from '../../path/start.ts';
import { parseProfile } from '../../profile/parse.ts';
import type { Session } from '../../session/deps.ts';
import { createSession } from '../../session/session.ts';
import { type Address, formatEndpoint, parseAddress } from '../../wire/address.ts';
import { systemClock } from '../clock.ts';
import { transferBetween } from './host-transfer.ts';
import type { DemoOptions } from './options.ts';
import {
  checkFigures,
  describeCounters,
  describePings,
  describeTransfer,
  describeTunnel,
  type Print,
  summarisePings,
} from './report.ts';
import { demoSetting } from './setting.ts';
import type { Undo } from './undo.ts';

const LOOPBACK = '127.0.0.1';
const PINGS = 20;
const PING_BYTES = 56;
const BULK_PORT = 5001;

export async function runLoopback(options: DemoOptions, print: Print, undo: Undo): Promise<void> {
  // Any two free ports: 500 and 4500 need privilege.
  const setting = demoSetting({ ...options, address: LOOPBACK, ports: { ike: 0, natt: 0 }, real: false });

  let gatewayTun: InMemoryTun | undefined;
  const gateway = await createGateway(parseGatewayConfig(setting.gateway), {
    tun: inMemoryTunAdapter((tun) => {
      gatewayTun = tun;
    }),
    sockets: linuxSocketFactory(),
    startDataPlane,
    random: randomBytes,
    clock: systemClock,
    onEvent: (event) => {
      if (event.kind === 'failed') print(`  the gateway failed: ${event.message}`);
      if (event.kind === 'log' && event.level === 'warn') print(`  gateway: ${event.text}`);
    },
  });
  undo.add('closing the gateway', () => gateway.close());
  const far = attach(
    gatewayTun!,
    gateway.tun.addresses.map(({ address }) => address),
    gateway.tun.mtu,
  );
  undo.add('closing the far host', () => far.close());
  serveHttp(far, 80, welcomePages(formatEndpoint(gateway.natt)));
  print(
    `1. A gateway listens on ${formatEndpoint(gateway.ike)} and ${formatEndpoint(gateway.natt)} (UDP, loopback only).`,
  );

  let clientTun: InMemoryTun | undefined;
  const { profile } = parseProfile(setting.profile({ ike: gateway.ike.port, natt: gateway.natt.port }));
  const session = createSession(profile, {
    tun: inMemoryTunAdapter((tun) => {
      clientTun = tun;
    }),
    routes: fakeRouteTable(),
    dns: fakeDnsSettings(),
    sockets: linuxSocketFactory(),
    startDataPlane,
    resolveHost: resolve,
    random: randomBytes,
    clock: systemClock,
    log: ({ level, area, text }) => {
      if (level === 'warn' || level === 'error') print(`  ${area}: ${text}`);
    },
  });
  undo.add('disconnecting', () => session.stop());
  const started = performance.now();
  const tunnel = await connected(session);
  print(`2. The tunnel is up after ${(performance.now() - started).toFixed(0)} ms:`);
  for (const line of describeTunnel(tunnel)) print(line);

  const near = attach(
    clientTun!,
    clientTun!.addresses.map(({ address }) => address),
    tunnel.mtu.value,
  );
  undo.add('closing the near host', () => near.close());
  const inside = parseAddress(setting.inside)!;
  const page = await fetchHttp(near, inside, 80, '/', setting.inside);
  if (page.status !== 200) throw new Error(`the page came with HTTP status ${page.status} instead of 200`);
  print(`3. http://${setting.inside}/ fetched through the tunnel:`);
  for (const line of Buffer.from(page.body).toString().trimEnd().split('\n')) print(`  | ${line}`);

  const answers: (number | undefined)[] = [];
  for (let i = 0; i < PINGS; i++) answers.push(await near.ping(inside, PING_BYTES, 1000));
  const pings = summarisePings(answers);
  print(`4. Ping through the tunnel: ${describePings(pings)}.`);

  const up = await transferBetween(near, far, inside, BULK_PORT, options.seconds);
  print(`5. TCP through the tunnel, to the gateway:   ${describeTransfer(up)}`);
  const down = await transferBetween(far, near, near.addresses[0]!, BULK_PORT, options.seconds);
  print(`                           from the gateway: ${describeTransfer(down)}`);
  print('   (Both ends, both TCP stacks and both ciphers share this one process; the stacks are in JavaScript.)');

  print('6. Counters of our packet core:');
  for (const line of describeCounters(session.traffic()?.counters ?? {})) print(`  ${line}`);
  await session.stop();
  const problems = await undo.run();
  if (problems.length > 0) throw new Error(`taking everything down: ${problems.join('; ')}`);
  if (gateway.clients.length > 0 || gateway.leased > 0) throw new Error('the gateway still counts a client that left');
  print('7. Disconnected; the gateway has its address back, and nothing is left running.');
  checkFigures(pings, [up, down]);
}

function attach(tun: InMemoryTun, addresses: readonly Address[], mtu: number): Host {
  const host = createHost({
    addresses,
    mtu,
    send: (packet) => void tun.send(packet),
    clock: systemClock,
    random: randomBytes,
  });
  tun.onPacket((packet) => host.receive(packet));
  return host;
}

function connected(session: Session): Promise<TunnelInfo> {
  return new Promise((resolve, reject) => {
    session.on((state) => {
      if (state.state === 'connected') resolve(state.tunnel);
      else if (state.state === 'failed') reject(new Error(`${state.error.message} ${state.error.remedy}`));
      else if (state.state === 'reconnecting') reject(new Error(`${state.because.message} ${state.because.remedy}`));
    });
    session.start();
  });
}

async function resolve(name: string): Promise<readonly Address[]> {
  const found = await lookup(name, { all: true });
  return found.flatMap(({ address }) => parseAddress(address) ?? []);
}
