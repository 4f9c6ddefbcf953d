// The whole session in one TCP connection (RFC 9329), over loopback: real IKE, real data planes, in-memory TUNs.
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/daemon/clock.ts';
import { parseGatewayConfig } from '../../main/gateway/config.ts';
import { createGateway, type Gateway } from '../../main/gateway/gateway.ts';
import type { EngineState } from '../../main/ipc/contract.ts';
import { fakeDnsSettings } from '../../main/net/dns/fake.ts';
import { fakeRouteTable } from '../../main/net/route/fake.ts';
import { linuxSocketFactory } from '../../main/net/socket/linux.ts';
import { type InMemoryTun, inMemoryTunAdapter } from '../../main/net/tun/fake.ts';
import { startDataPlane } from '../../main/path/start.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import type { Session } from '../../main/session/deps.ts';
import { createSession } from '../../main/session/session.ts';
import { packet4 } from '../path/pair.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function openGateway(
  more: Record<string, unknown> = {},
): Promise<{ gateway: Gateway; tun: InMemoryTun; port: number }> {
  let tun: InMemoryTun | undefined;
  const gateway = await createGateway(
    parseGatewayConfig({
      identity: 'gateway.example',
      users: [{ identity: 'alice@example.com', secret: 'correct horse' }],
      listen: { address: '127.0.0.1', port: 0, nattPort: 0, tcpPort: 0 },
      shapes: ['gre-tunnel'],
      pool: { ipv4: '10.99.0.0/24' },
      gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
      threads: 'single',
      pagePort: null,
      ...more,
    }),
    {
      tun: inMemoryTunAdapter((opened) => {
        tun = opened;
      }),
      sockets: linuxSocketFactory(),
      startDataPlane,
      random: randomBytes,
      clock: systemClock,
      onEvent: () => {},
    },
  );
  undo.push(() => gateway.close());
  return { gateway, tun: tun!, port: gateway.tcp!.port };
}

/** Passes bytes on, and can be cut. */
async function middlebox(to: number): Promise<{ port: number; cut(): void; connections: number }> {
  const pairs: [Socket, Socket][] = [];
  const server: Server = createServer((inner) => {
    const outer = tcpConnect(to, '127.0.0.1');
    pairs.push([inner, outer]);
    for (const socket of [inner, outer]) socket.on('error', () => {});
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const pair of pairs.splice(0)) for (const socket of pair) socket.resetAndDestroy();
  };
  undo.push(() => {
    cut();
    server.close();
  });
  const state = { port: (server.address() as { port: number }).port, cut, connections: 0 };
  server.on('connection', () => {
    state.connections++;
  });
  return state;
}

interface Client {
  readonly session: Session;
  readonly states: EngineState[];
  readonly log: string[];
  tun(): InMemoryTun;
  until(state: EngineState['state']): Promise<EngineState>;
}

function client(gateway: Record<string, unknown>, tunnel: Record<string, unknown> = {}): Client {
  const { profile } = parseProfile(
    JSON.stringify({
      culvert: 1,
      name: 'tcp',
      gateway: { host: '127.0.0.1', identity: 'gateway.example', ...gateway },
      authentication: { method: 'psk', identity: 'alice@example.com', secret: 'correct horse' },
      tunnel: { shape: 'gre-tunnel', encapsulation: 'udp', ...tunnel },
      gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
      routes: { include: ['10.88.0.0/24'] },
      timing: { connectSeconds: 6 },
    }),
  );
  let tun: InMemoryTun | undefined;
  const log: string[] = [];
  const states: EngineState[] = [];
  const session = createSession(profile, {
    tun: inMemoryTunAdapter((opened) => {
      tun = opened;
    }),
    routes: fakeRouteTable(),
    dns: fakeDnsSettings(),
    sockets: linuxSocketFactory(),
    startDataPlane,
    resolveHost: async () => [],
    random: randomBytes,
    clock: systemClock,
    log: ({ text }) => log.push(text),
  });
  undo.push(() => session.stop());
  const waiting: (() => void)[] = [];
  session.on((state) => {
    states.push(state);
    for (const look of waiting) look();
  });
  session.start();
  return {
    session,
    states,
    log,
    tun: () => tun!,
    until: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (session.state.state === wanted) resolve(session.state);
        };
        waiting.push(look);
        look();
      }),
  };
}

/** A UDP port of loopback where nobody is. */
const NOBODY = { port: 1, nattPort: 2 };

async function carries(one: Client, gateway: InMemoryTun, mark: number): Promise<void> {
  const there = packet4('10.88.0.2', '10.88.0.1', 900 + mark, mark);
  const back = packet4('10.88.0.1', '10.88.0.2', 1200 + mark, mark);
  const arrived = (tun: InMemoryTun) => new Promise<Uint8Array>((resolve) => tun.onPacket(resolve));
  const [far, near] = [arrived(gateway), arrived(one.tun())];
  one.tun().send(there);
  expect(await far).toEqual(there);
  gateway.send(back);
  expect(await near).toEqual(back);
}

describe('IKE and ESP over TCP', () => {
  test('alone: connects, carries packets, and says so', async () => {
    const { tun, port, gateway } = await openGateway();
    const one = client({ ...NOBODY, tcp: 'only', tcpPort: port });
    const state = await one.until('connected');
    expect(state).toMatchObject({ tunnel: { encapsulation: 'tcp', behindNat: { local: false, remote: false } } });
    // 1500 - 20 - 34 (TCP with time stamps, and the length) - 8 - 8 - 16 = 1414, in steps of 4, - 2 - 20 - 4.
    expect(state).toMatchObject({ tunnel: { mtu: { value: 1386 } } });
    expect(gateway.clients[0]).toMatchObject({ encapsulation: 'tcp' });
    await carries(one, tun, 1);
    await one.session.stop();
    await expect.poll(() => gateway.clients.length).toBe(0);
  });

  test('is what is left where UDP does not get through', async () => {
    const { tun, port } = await openGateway();
    const one = client({ ...NOBODY, tcpPort: port });
    expect(await one.until('connected')).toMatchObject({ tunnel: { encapsulation: 'tcp' } });
    expect(one.log.join('\n')).toMatch(/Trying the gateway's next way in/);
    await carries(one, tun, 2);
  });

  test('is not used where UDP gets through', async () => {
    const { port, gateway, tun } = await openGateway();
    const one = client({ port: gateway.ike.port, nattPort: gateway.natt.port, tcpPort: port });
    expect(await one.until('connected')).toMatchObject({ tunnel: { encapsulation: 'udp' } });
    await carries(one, tun, 3);
  });

  test('goes on over a new connection where the old one breaks, with the same SAs', async () => {
    const { tun, port, gateway } = await openGateway();
    const between = await middlebox(port);
    const one = client({ ...NOBODY, tcp: 'only', tcpPort: between.port });
    await one.until('connected');
    await carries(one, tun, 4);
    const before = gateway.clients[0]!;
    between.cut();
    await expect.poll(() => between.connections).toBe(2);
    await expect.poll(() => gateway.clients[0]?.endpoint === before.endpoint).toBe(false);
    await carries(one, tun, 5);
    expect(gateway.clients[0]).toMatchObject({ sa: before.sa });
    expect(one.states.filter(({ state }) => state === 'reconnecting')).toEqual([]);
  });

  test('is not kept from a client by connections that say nothing', async () => {
    const { tun, port } = await openGateway();
    const silent = Array.from({ length: 64 }, () => tcpConnect(port, '127.0.0.1'));
    for (const socket of silent) socket.on('error', () => {});
    undo.push(() => {
      for (const socket of silent) socket.destroy();
    });
    await Promise.all(silent.map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))));
    const one = client({ ...NOBODY, tcp: 'only', tcpPort: port });
    expect(await one.until('connected')).toMatchObject({ tunnel: { encapsulation: 'tcp' } });
    await carries(one, tun, 6);
  });

  test('refused as well: the failure still tells of UDP, and of TCP', async () => {
    const one = client({ ...NOBODY, tcpPort: 3 });
    const state = await one.until('failed');
    if (state.state !== 'failed') throw new Error(state.state);
    expect(state.error.code).toBe('ike/no-response');
    expect(state.error.message).toMatch(/UDP ports 1 and 2.*IKE over TCP \(RFC 9329\) did not get through either/s);
  });
});

describe('an IKE SA whose CHILD SA is made afterwards (RFC 6023)', () => {
  test.each([true, false])(
    'carries packets like any other, where the gateway takes it and where not (%s)',
    async (childless) => {
      const { tun, port, gateway } = await openGateway({ authentication: { childless } });
      const one = client({ ...NOBODY, tcp: 'only', tcpPort: port }, { childless: true });
      await one.until('connected');
      // Only in CREATE_CHILD_SA there is a key exchange for it.
      expect(/ecp256|x25519|modp|mlkem/.test(gateway.clients[0]!.espProposal)).toBe(childless);
      await carries(one, tun, 7);
    },
  );
});
