// The way up, for every shape of tunnel, against scripted fakes: what is opened, in which order, and what people are told.
import { describe, expect, it } from 'vitest';
import type { EngineState } from '../../main/ipc/contract.ts';
import { formatAddress, formatPrefix } from '../../main/wire/address.ts';
import { formatSelector } from '../../main/wire/selector.ts';
import { textsOf } from '../words/texts.ts';
import { address, prefix, testProfile } from './fakes/profile.ts';
import { createWorld, GATEWAY, type World } from './fakes/world.ts';

const VIRTUAL = prefix('10.10.0.5/32');

function statesOf(session: { on(listener: (state: EngineState) => void): void }): string[] {
  const states: string[] = [];
  session.on((state) => states.push(state.state === 'connecting' ? `connecting ${state.step}` : state.state));
  return states;
}

function clean(world: World): void {
  expect(world.violations).toEqual([]);
  expect(world.remains()).toEqual([]);
}

describe('connect', () => {
  it('brings a GRE tunnel in ESP tunnel mode up, in order, and takes it down again', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL], dns: [address('10.10.0.1')] } });
    const session = world.session(testProfile('gre-tunnel'));
    const states = statesOf(session);
    session.start();
    await world.clock.settle();

    expect(session.state.state).toBe('connected');
    expect(states).toEqual([
      'connecting resolve',
      'connecting socket',
      'connecting sa-init',
      'connecting auth',
      'connecting tun',
      'connecting routes',
      'connected',
    ]);
    const spi = world.plane().inbound.get(0)?.spi;
    expect(world.plane().transcript).toEqual([
      'receiver addSocket ike',
      'receiver addSocket natt',
      `receiver expect ${spi}`,
      'sender attachTun',
      'sender configure',
      `receiver installInbound 0 spi ${spi}`,
      'sender setPeer 198.51.100.1:4500 udp',
      `sender installOutbound 0 spi ${spi! + 0x100000}`,
      'sender activate 0',
    ]);
    // IKE_SA_INIT leaves without, IKE_AUTH with the non-ESP marker.
    const [ike, natt] = world.sockets;
    expect(ike?.options).toMatchObject({ kind: 'ike', localPort: 500, mark: 0xc01 });
    expect(natt?.options).toMatchObject({ kind: 'natt', localPort: 4500, mark: 0xc01 });
    expect(ike?.sent.map(({ text }) => text)).toEqual(['sa-init']);
    expect([...natt!.sent[0]!.bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 'a'.charCodeAt(0)]);
    expect(natt!.sent[0]!.to).toEqual({ address: GATEWAY, port: 4500 });

    // The TUN carries gre.address, GRE runs between the virtual address and gre.remote.
    expect(world.tuns.map((tun) => tun.addresses.map(formatPrefix))).toEqual([['10.88.0.2/24']]);
    const { params } = world.plane();
    expect(params?.delivery && [params.delivery.local, params.delivery.remote].map(formatAddress)).toEqual([
      '10.10.0.5',
      '10.77.0.1',
    ]);
    expect(params?.local.map(formatSelector)).toEqual(['10.88.0.0-10.88.0.255']);
    expect(params?.remote.map(formatSelector)).toEqual([
      '10.99.0.0-10.99.255.255',
      '10.88.0.0-10.88.0.255',
      '10.10.0.1',
    ]);
    // 1500 - 20 - 8 - 8 - 8 - 16 = 1440, in steps of 4, less 2, less 20 + 8 for delivery header and GRE with key.
    expect(params?.mtu).toBe(1410);
    expect(world.tuns[0]?.mtu).toBe(1410);
    expect(params?.mss4).toBe(1370);
    expect(world.routes).toMatchObject({ interfaceName: 'culvert0', allowLan: true, unreachable: [] });
    expect(world.routes?.include.map(formatPrefix)).toEqual(['10.99.0.0/16', '10.10.0.1/32']);

    const state = session.state;
    expect(state.state === 'connected' && state.tunnel).toMatchObject({
      shape: 'gre-tunnel',
      interfaceName: 'culvert0',
      gateway: '198.51.100.1:4500',
      gatewayIdentity: 'gateway.example.com',
      local: '192.0.2.10:4500',
      encapsulation: 'udp',
      behindNat: { local: true, remote: false },
      addresses: ['10.88.0.2/24'],
      assigned: ['10.10.0.5/32'],
      dns: ['10.10.0.1'],
      ikeProposal: 'aes256gcm16-prfsha256-ecp256',
      espProposal: 'aes128gcm16',
      mtu: { value: 1410, mss4: 1370, mss6: 1350 },
      routes: { include: ['10.99.0.0/16', '10.10.0.1/32'], exclude: [] },
      warnings: [],
    });

    await session.stop();
    expect(states.slice(-2)).toEqual(['disconnecting', 'disconnected']);
    expect(natt?.sent.map(({ text }) => text)).toEqual(['auth', 'delete']);
    clean(world);
  });

  it('hands the keys over once and wipes its own copy', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL] } });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    const first = world.plane().inbound.get(0)!;
    expect(first.key.some((byte) => byte !== 0)).toBe(true);
    // A second child, as at a rekey, whose arrays the test can see.
    const child = world.peer().makeChild();
    const secrets = [child.keyIn, child.saltIn, child.keyOut, child.saltOut];
    world.peer().inject({ kind: 'installChild', activate: 'now', child });
    world.say('anything');
    await world.clock.settle();
    expect(world.plane().inbound.size).toBe(2);
    expect(world.plane().active).toBe(1);
    for (const secret of secrets) expect([...secret]).toEqual(new Array(secret.length).fill(0));
    await session.stop();
    clean(world);
  });

  it('leaves the profile its secret for the next time', async () => {
    const profile = testProfile('gre-tunnel');
    const world = createWorld({ script: { assigned: [VIRTUAL] } });
    const session = world.session(profile);
    session.start();
    await world.clock.settle();
    await session.stop();
    expect(new TextDecoder().decode(profile.authentication.secret)).toBe('correct horse');
  });

  it('does GRE in ESP transport mode over raw ESP', async () => {
    const world = createWorld();
    const profile = testProfile('gre-transport', { tunnel: { encapsulation: 'auto' } });
    const session = world.session(profile);
    session.start();
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    const { child, encapsulation } = world.peer().config;
    expect(encapsulation).toBe('auto');
    expect(child.mode).toBe('transport');
    expect(child.local.map(formatSelector)).toEqual(['192.0.2.10[47]']);
    expect(child.remote.map(formatSelector)).toEqual(['198.51.100.1[47]']);
    const raw = world.sockets.find((socket) => socket.kind === 'esp4');
    expect(world.plane().peer).toEqual({
      remote: { address: GATEWAY, port: 0 },
      socket: raw?.fd,
      encapsulation: 'raw',
    });
    // 1500 - 20 - 8 - 8 - 16 = 1448, less 2, less 8 for GRE with key.
    expect(world.plane().params).toMatchObject({ shape: 'gre-transport', delivery: null, mtu: 1438 });
    await session.stop();
    clean(world);
  });

  it('falls back to UDP encapsulation where raw sockets are not allowed', async () => {
    const world = createWorld();
    const open = world.deps.sockets.open;
    const { NetError } = await import('../../main/net/error.ts');
    Object.assign(world.deps.sockets, {
      open: (options: Parameters<typeof open>[0]) =>
        options.kind === 'esp4'
          ? new NetError({ code: 'no-permission', message: 'not allowed', operation: 'socket', remedy: 'be root' })
          : open(options),
    });
    const session = world.session(testProfile('gre-transport', { tunnel: { encapsulation: 'auto' } }));
    session.start();
    await world.clock.settle();
    expect(world.peer().config.encapsulation).toBe('udp');
    expect(session.state).toMatchObject({ state: 'connected', tunnel: { encapsulation: 'udp' } });
    await session.stop();
    clean(world);
  });

  it('does a plain ESP tunnel between the negotiated selectors', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL], subnets: [prefix('172.20.0.0/16')] } });
    const profile = testProfile('esp-tunnel', { routes: { include: [], fromGateway: true } });
    const session = world.session(profile);
    session.start();
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    expect(world.peer().config.child.remote.map(formatSelector)).toEqual(['0.0.0.0-255.255.255.255']);
    const { params } = world.plane();
    expect(params).toMatchObject({ shape: 'esp-tunnel', gre: null, delivery: null });
    expect(params?.local.map(formatSelector)).toEqual(['10.10.0.5']);
    expect(params?.remote.map(formatSelector)).toEqual(['0.0.0.0-255.255.255.255']);
    expect(world.tuns[0]?.addresses.map(formatPrefix)).toEqual(['10.10.0.5/32']);
    expect(world.routes?.include.map(formatPrefix)).toEqual(['172.20.0.0/16']);
    await session.stop();
    clean(world);
  });

  it('does plain GRE without IKE, and says loudly that nothing is encrypted', async () => {
    const world = createWorld();
    const session = world.session(testProfile('gre-plain'));
    session.start();
    await world.clock.settle();
    expect(session.state).toMatchObject({
      state: 'connected',
      tunnel: { encapsulation: 'raw', ikeProposal: 'none', espProposal: 'none' },
    });
    const state = session.state;
    expect(state.state === 'connected' && textsOf(state.tunnel.warnings)).toMatch(/NOTHING IS ENCRYPTED/);
    expect(
      world.logs
        .filter(({ level }) => level === 'warn')
        .map(({ text }) => text)
        .join(),
    ).toMatch(/nothing .*encrypted/i);
    expect(world.peers).toEqual([]);
    expect(world.sockets.map(({ kind }) => kind)).toEqual(['gre4']);
    expect(world.plane().transcript).toEqual([
      'receiver addSocket gre4',
      'sender attachTun',
      'sender configure',
      'sender setPeer 198.51.100.1:0 raw',
    ]);
    await session.stop();
    clean(world);
  });

  it('tries the next address where one does not answer', async () => {
    const dead = address('2001:db8::1');
    const world = createWorld({
      addresses: [dead, GATEWAY],
      answers: (to) => to.length === 4,
      script: { assigned: [VIRTUAL] },
    });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.advance(7_400);
    expect(session.state.state).toBe('connecting');
    await world.clock.advance(200);
    expect(session.state.state).toBe('connected');
    expect(world.sockets.map(({ closed }) => closed)).toEqual([true, true, false, false]);
    await session.stop();
    clean(world);
  });

  it('takes any port where another program has 500 and 4500, and says so', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL] } });
    const other = world.session(testProfile('gre-tunnel'));
    other.start();
    await world.clock.settle();
    const second = world.session(testProfile('gre-tunnel', { tunnel: { interfaceName: 'second' } }));
    second.start();
    await world.clock.settle();
    expect(second.state.state).toBe('connected');
    expect(world.peer().config.localNatt.port).toBeGreaterThan(40_000);
    expect(world.logs.map(({ text }) => text).join('\n')).toMatch(
      /UDP port 4500 is not to be had .* using 4\d+ instead/,
    );
    await Promise.all([other.stop(), second.stop()]);
    clean(world);
  });

  it('sends the keepalive byte as one byte', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL] } });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    world.peer().inject({ kind: 'keepalive', to: { address: GATEWAY, port: 4500 } });
    world.say('anything');
    await world.clock.settle();
    const natt = world.sockets.find(({ kind }) => kind === 'natt');
    expect([...natt!.sent.at(-1)!.bytes]).toEqual([0xff]);
    await session.stop();
    clean(world);
  });

  it('tells the peer of traffic before its liveness timer', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL] } });
    const session = world.session(testProfile('gre-tunnel'));
    session.start();
    await world.clock.settle();
    const heard = world.clock.now() + 12_345;
    world.plane().lastInbound = heard;
    await world.clock.advance(31_000);
    expect(world.peer().events.slice(-2)).toEqual([{ kind: 'inboundTraffic', at: heard }, { kind: 'timer' }]);
    await session.stop();
    clean(world);
  });

  it('does nothing twice: start while connected, stop while down', async () => {
    const world = createWorld({ script: { assigned: [VIRTUAL] } });
    const session = world.session(testProfile('gre-tunnel'));
    await session.stop();
    session.start();
    session.start();
    await world.clock.settle();
    session.start();
    await world.clock.settle();
    expect(world.planes).toHaveLength(1);
    await Promise.all([session.stop(), session.stop()]);
    await session.stop();
    expect(session.state).toEqual({ state: 'disconnected', lastError: null });
    clean(world);
  });
});
