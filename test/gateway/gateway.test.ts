import { afterEach, describe, expect, test } from 'vitest';
import { TUNNELS } from '../../assembly/layout.ts';
import { TUNNEL_SLOTS } from '../../main/gateway/clients.ts';
import type { GatewayEvent } from '../../main/gateway/event.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { IkeResponderEffect, IkeResponderEvent } from '../../main/ike/peer.ts';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { formatSelector, selectorOf } from '../../main/wire/selector.ts';
import { CONFIG, type Lab, openLab, settle } from './lab.ts';

let lab: Lab | undefined;
afterEach(async () => {
  lab = undefined;
});

const ALICE = ['alice@example.com', 'alice’s secret', '192.0.2.2'] as const;
const BOB = ['bob@example.com', 'bob’s secret', '192.0.2.3'] as const;

/** A CHILD SA as the responder would report it: GRE between our endpoint and the client. */
function childSa(spiIn: number): ChildSa {
  return {
    spiIn,
    spiOut: spiIn + 1,
    mode: 'tunnel',
    cipher: 'aes-gcm-16',
    proposal: 'aes128gcm16-esn',
    keyIn: new Uint8Array(16).fill(1),
    saltIn: new Uint8Array(4).fill(2),
    keyOut: new Uint8Array(16).fill(3),
    saltOut: new Uint8Array(4).fill(4),
    esn: true,
    local: [selectorOf(parsePrefix('10.77.0.1')!, 47)],
    remote: [selectorOf(parsePrefix('192.0.2.2')!, 47)],
    encapsulation: 'udp',
    peer: { address: parseAddress('192.0.2.2')!, port: 4500 },
  };
}

const names = (events: readonly GatewayEvent[]): string[] =>
  events.flatMap((event) =>
    event.kind === 'up' || event.kind === 'down' ? [`${event.kind} ${event.client.identity}`] : [],
  );

function commands(lab: Lab, kind: string): readonly unknown[] {
  return lab.plane.commands.filter((command) => command.kind === kind);
}

test('as many tunnels as the core holds', () => {
  expect(TUNNEL_SLOTS).toBe(TUNNELS);
});

describe('the gateway', () => {
  test('opens its sockets and its TUN, with its own addresses on it', async () => {
    lab = await openLab();
    expect(lab.tun.options).toMatchObject({ mtu: 1434 });
    expect(lab.tun.options.addresses.map(formatPrefix)).toEqual(['10.88.0.1/24', '10.99.0.1/24']);
    expect(commands(lab, 'addSocket')).toMatchObject([{ socket: { kind: 'ike' } }, { socket: { kind: 'natt' } }]);
    await lab.gateway.close();
    expect([lab.plane.closed, lab.tun.closed, lab.socketsClosed()]).toEqual([true, true, true]);
  });

  test('a client gets a lease and a tunnel, and the keys at both ends agree', async () => {
    lab = await openLab();
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(500);
    expect(names(lab.events)).toEqual(['up alice@example.com']);
    expect(alice.established?.configuration.addresses.map(formatPrefix)).toEqual(['10.99.0.2/32']);
    expect(lab.gateway.clients).toMatchObject([
      {
        shape: 'gre-tunnel',
        encapsulation: 'udp',
        leased: ['10.99.0.2/32'],
        mtu: 1414,
        espProposal: 'aes128gcm16-esn',
      },
    ]);

    const [configured] = commands(lab, 'configure') as { params: import('../../main/path/command.ts').TunnelParams }[];
    expect(formatAddress(configured!.params.delivery!.remote)).toBe('10.99.0.2');
    expect(configured!.params.remote.map(formatSelector)).toEqual(['10.88.0.2', '10.99.0.2']);
    const [child] = alice.children;
    const [inbound] = commands(lab, 'installInbound') as { params: { spi: number; key: Uint8Array } }[];
    expect(inbound!.params.spi).toBe(child!.spiOut);
    expect(Buffer.from(inbound!.params.key).equals(child!.keyOut)).toBe(true);
    const [outbound] = commands(lab, 'installOutbound') as { params: { spi: number; key: Uint8Array } }[];
    expect(Buffer.from(outbound!.params.key).equals(child!.keyIn)).toBe(true);
    expect(commands(lab, 'setPeer')).toMatchObject([
      { tunnel: 0, peer: { encapsulation: 'udp', remote: { port: 4500 } } },
    ]);
  });

  test('a wrong secret and an unknown identity get neither lease nor tunnel', async () => {
    lab = await openLab();
    const mallory = lab.client('alice@example.com', 'a guess', '192.0.2.66');
    const stranger = lab.client('eve@example.com', 'many', '192.0.2.67');
    mallory.start();
    stranger.start();
    await lab.run(60_000);
    expect(names(lab.events)).toEqual([]);
    expect(mallory.closed).toMatchObject({ by: 'error', error: { code: 'refused-by-peer' } });
    expect(stranger.closed).toMatchObject({ by: 'error', error: { code: 'refused-by-peer' } });
    expect(lab.gateway.leased).toBe(0);
    expect(commands(lab, 'installInbound')).toEqual([]);
  });

  test('several clients at once, each in a tunnel slot of its own; one leaves, its slot and lease are free', async () => {
    lab = await openLab();
    const [alice, bob] = [lab.client(...ALICE), lab.client(...BOB)];
    alice.start();
    bob.start();
    await lab.run(1000);
    expect(lab.gateway.clients.map(({ identity }) => identity).sort()).toEqual([
      'alice@example.com',
      'bob@example.com',
    ]);
    expect(lab.gateway.leased).toBe(2);
    expect(new Set((commands(lab, 'configure') as { tunnel: number }[]).map(({ tunnel }) => tunnel))).toEqual(
      new Set([0, 1]),
    );
    alice.close();
    await lab.run(1000);
    expect(alice.closed).toEqual({ by: 'us' });
    expect(lab.gateway.clients.map(({ identity }) => identity)).toEqual(['bob@example.com']);
    expect(lab.gateway.leased).toBe(1);
    expect(commands(lab, 'removeTunnel')).toHaveLength(2);
  });

  test('a ninth client is told that there is no room, and keeps no address', async () => {
    lab = await openLab();
    for (let i = 0; i < 8; i++) lab.client(`user${i}@example.com`, 'many', `192.0.2.${100 + i}`).start();
    await lab.run(3000);
    expect(lab.gateway.clients).toHaveLength(8);
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(30_000);
    expect(lab.gateway.clients).toHaveLength(8);
    expect(alice.closed).toEqual({ by: 'peer' });
    expect(lab.gateway.leased).toBe(8);
    // One leaves: now there is.
    lab.gateway.disconnect('user3@example.com');
    await lab.run(3000);
    const again = lab.client(ALICE[0], ALICE[1], '192.0.2.4');
    again.start();
    await lab.run(3000);
    expect(again.children).toHaveLength(1);
    expect(lab.gateway.clients.map(({ identity }) => identity)).toContain('alice@example.com');
    expect(lab.gateway.clients).toHaveLength(8);
  });

  test('the same identity again replaces the old tunnel at once, and gets its address', async () => {
    lab = await openLab();
    const old = lab.client(...ALICE);
    old.start();
    await lab.run(500);
    old.dead = true;
    const again = lab.client(ALICE[0], ALICE[1], '192.0.2.22');
    again.start();
    await lab.run(500);
    expect(names(lab.events)).toEqual(['up alice@example.com', 'down alice@example.com', 'up alice@example.com']);
    expect(again.established?.configuration.addresses.map(formatPrefix)).toEqual(['10.99.0.2/32']);
    await lab.run(200_000);
    expect(lab.gateway.clients).toMatchObject([{ endpoint: '192.0.2.22:4500' }]);
    expect(lab.gateway.leased).toBe(1);
  });

  test('the same identity again replaces the old tunnel also where it does not say INITIAL_CONTACT', async () => {
    const handled: IkeResponderEvent[] = [];
    const effects = (sa: string, spi: number): IkeResponderEffect[] =>
      [
        {
          kind: 'established' as const,
          proposal: 'p',
          local: { address: parseAddress('192.0.2.1')!, port: 4500 },
          remote: { address: parseAddress('192.0.2.2')!, port: 4500 },
          remoteIdentity: { type: 'rfc822' as const, text: ALICE[0] },
          behindNat: { local: false, remote: false },
          configuration: { addresses: [], dns: [], subnets: [], applicationVersion: undefined },
        },
        { kind: 'installChild' as const, activate: 'now' as const, child: childSa(spi) },
      ].map((effect) => ({ sa, effect }));
    lab = await openLab(CONFIG, 1, () => ({
      handle(event) {
        handled.push(event);
        if (event.kind !== 'datagram') return [];
        return effects(String(event.bytes[0]), 1000 + event.bytes[0]!);
      },
    }));
    for (const byte of [1, 2]) {
      const from = { address: parseAddress('192.0.2.2')!, port: 4500 };
      lab.plane.emit({ kind: 'ike', bytes: Uint8Array.of(byte), from, socket: -3 });
      await settle();
    }
    expect(names(lab.events)).toEqual(['up alice@example.com', 'down alice@example.com', 'up alice@example.com']);
    expect(lab.gateway.clients).toMatchObject([{ sa: '2' }]);
    expect(handled).toContainEqual({ kind: 'close', sa: '1' });
    // Before the new one is installed: else its packets would still leave through the old tunnel.
    const order = lab.plane.commands.map(({ kind }) => kind);
    expect(order.indexOf('removeTunnel')).toBeLessThan(order.lastIndexOf('configure'));
  });

  test('a client that died is noticed by liveness, and its lease comes back', async () => {
    lab = await openLab();
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(500);
    alice.dead = true;
    await lab.run(300_000);
    expect(names(lab.events)).toEqual(['up alice@example.com', 'down alice@example.com']);
    expect(lab.gateway.leased).toBe(0);
  });

  test('traffic is a sign of life: no check as long as packets come', async () => {
    lab = await openLab();
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(500);
    alice.dead = true;
    for (let i = 0; i < 60; i++) {
      lab.plane.statisticsNow = { ...lab.plane.statisticsNow, lastInbound: lab.clock.now() };
      await lab.run(5000);
    }
    expect(names(lab.events)).toEqual(['up alice@example.com']);
  });

  test('a data plane that refuses ends the client with an error, and everything is taken back', async () => {
    lab = await openLab();
    lab.plane.refuse.add('installOutbound');
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(30_000);
    expect(alice.closed).toEqual({ by: 'peer' });
    expect(commands(lab, 'removeInbound')).toHaveLength(1);
    expect(lab.gateway.leased).toBe(0);
    expect(lab.events.some((event) => event.kind === 'log' && event.text.includes('installOutbound refused'))).toBe(
      true,
    );
  });

  test('GRE that ends nowhere here is refused by its selectors', async () => {
    lab = await openLab({ ...CONFIG, gre: { ...CONFIG.gre, endpoint: '10.77.0.9' } });
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(30_000);
    expect(alice.closed).toMatchObject({ by: 'error', error: { code: 'traffic-selectors' } });
    expect(lab.gateway.leased).toBe(0);
  });

  test.each([false, true])(
    'GRE where no shape has it is refused, not carried into nothing; childless %s',
    async (childless) => {
      lab = await openLab({ ...CONFIG, shapes: ['esp-tunnel'], authentication: { childless } });
      const alice = lab.client(...ALICE, { childless });
      alice.start();
      await lab.run(30_000);
      expect(alice.closed).toMatchObject({ by: 'error', error: { code: 'traffic-selectors' } });
      expect(lab.gateway.clients).toEqual([]);
      expect(lab.gateway.leased).toBe(0);
      // Who wants everything, GRE among it, has what there is.
      const any = [selectorOf(parsePrefix('0.0.0.0/0')!)];
      const child = {
        mode: 'tunnel',
        proposals: ['aes128gcm16-esn'],
        local: any,
        remote: any,
        localIsDynamic: true,
      } as const;
      const bob = lab.client(...BOB, { child });
      bob.start();
      await lab.run(30_000);
      expect(lab.gateway.clients.map(({ shape }) => shape)).toEqual(['esp-tunnel']);
    },
  );

  test('a peer that moved is followed', async () => {
    lab = await openLab();
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(500);
    const from = { address: parseAddress('198.51.100.7')!, port: 10_000 };
    lab.plane.emit({ kind: 'peerMoved', tunnel: 0, from, socket: -3 });
    await lab.run(100);
    expect(lab.plane.commands.at(-1)).toMatchObject({ kind: 'setPeer', tunnel: 0, peer: { remote: { port: 10_000 } } });
    expect(lab.gateway.clients).toMatchObject([{ endpoint: '198.51.100.7:10000' }]);
  });

  test('close says goodbye to every client', async () => {
    lab = await openLab();
    const [alice, bob] = [lab.client(...ALICE), lab.client(...BOB)];
    alice.start();
    bob.start();
    await lab.run(500);
    const closing = lab.gateway.close();
    await lab.run(2000);
    await closing;
    expect([alice.closed, bob.closed]).toEqual([{ by: 'peer' }, { by: 'peer' }]);
    expect([lab.plane.closed, lab.tun.closed, lab.gateway.leased]).toEqual([true, true, 0]);
  });

  test('close does not wait for a client that is gone', async () => {
    lab = await openLab();
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(500);
    alice.dead = true;
    const closing = lab.gateway.close();
    await lab.run(1100);
    await closing;
    expect(lab.plane.closed).toBe(true);
  });

  test('20 seeds of a network that loses 15 % of everything: every client comes up, leaves, and leaves nothing', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      lab = await openLab(CONFIG, seed);
      lab.loss = 0.15;
      const clients = [lab.client(...ALICE), lab.client(...BOB)];
      for (const client of clients) client.start();
      await lab.run(60_000);
      expect(lab.gateway.clients.length, `seed ${seed}`).toBe(2);
      for (const client of clients) client.close();
      await lab.run(60_000);
      expect([lab.gateway.clients.length, lab.gateway.leased], `seed ${seed}`).toEqual([0, 0]);
    }
  });

  test('a client that replaces its CHILD SA: received on before the answer leaves, sent on once the client uses it', async () => {
    lab = await openLab();
    const alice = lab.client(...ALICE);
    alice.start();
    await lab.run(500);
    const before = lab.plane.commands.length;
    // The answer waits for the data plane, so nothing has come back yet when the inbound SA is there.
    const receive = lab.plane.receive.bind(lab.plane);
    let childrenThen = 0;
    lab.plane.receive = (command) => {
      if (command.kind === 'installInbound') childrenThen = alice.children.length;
      return receive(command);
    };
    alice.rekey();
    await lab.run(500);
    expect(childrenThen).toBe(1);
    expect(alice.children).toHaveLength(2);
    const fresh = alice.children[1]!;
    const kinds = () => lab!.plane.commands.slice(before).map((command) => command.kind);
    expect(kinds().filter((kind) => kind.startsWith('install'))).toEqual(['installInbound', 'installOutbound']);
    // The client has deleted the old one by now, so the gateway has nothing else to send on.
    expect(kinds().indexOf('activate')).toBeGreaterThan(kinds().indexOf('installOutbound'));
    expect(kinds().indexOf('activate')).toBeLessThan(kinds().indexOf('removeOutbound'));
    expect(kinds()).not.toContain('removeInbound');
    const [inbound] = lab.plane.commands.slice(before).filter((command) => command.kind === 'installInbound');
    expect(inbound).toMatchObject({ params: { spi: fresh.spiOut } });
    await lab.run(5_000);
    expect(kinds()).toContain('removeInbound');
    expect(names(lab.events)).toEqual(['up alice@example.com']);
  });
});
