// The effects of the gateway's responder, carried out one after another; here above all what they mean for TCP connections.
import { expect, test } from 'vitest';
import type { Clients } from '../../main/gateway/clients.ts';
import { createDrive } from '../../main/gateway/drive.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import type { TunnelSocket } from '../../main/net/socket/api.ts';
import { type Endpoint, formatEndpoint } from '../../main/wire/address.ts';
import { settle } from './lab.ts';
import { streamScene } from './stream-scene.ts';

const SA = '0123456789abcdef';
const HOUR = 3_600_000;

const unused = () => {
  throw new Error('not of these tests');
};

function scene() {
  const { streams, plane, clock, connect, closed } = streamScene();
  const socket = (kind: 'ike' | 'natt', fd: number): TunnelSocket => ({
    fd,
    kind,
    local: { address: Uint8Array.of(192, 0, 2, 1), port: 500 },
    send: () => undefined,
    close: unused,
  });
  /** What the tunnel of the only client sends to; undefined: there is none. */
  let endpoint: Endpoint | undefined;
  const clients: Clients = {
    children: {
      expect: unused,
      cancel: unused,
      install: unused,
      firstInbound: unused,
      remove: unused,
      removeTunnel: unused,
      list: unused,
      outbound: unused,
      inbound: unused,
      close: unused,
    },
    established: () => {},
    olderOf: () => [],
    install: unused,
    move: async (_, effect) => {
      endpoint = effect.peer;
    },
    removeChild: unused,
    remove: async () => {
      endpoint = undefined;
      return undefined;
    },
    byTunnel: unused,
    list: () =>
      endpoint
        ? [
            {
              sa: SA,
              identity: 'alice@example.com',
              endpoint: formatEndpoint(endpoint),
              shape: 'esp-tunnel',
              encapsulation: 'tcp',
              behindNat: { local: false, remote: false },
              leased: [],
              ikeProposal: '',
              espProposal: '',
              mtu: 1400,
            },
          ]
        : [],
  };
  let next: readonly IkeEffect[] = [];
  const drive = createDrive({
    responder: {
      handle() {
        const effects = next.map((effect) => ({ sa: SA, effect }));
        next = [];
        return effects;
      },
    },
    clients,
    streams,
    plane,
    clock,
    ike: socket('ike', 901),
    natt: socket('natt', 902),
    authentication: {
      rules: { credential: { kind: 'psk' }, rounds: [], authorities: [] },
      answer: () => new Promise(() => {}),
      forget: () => {},
    },
    onEvent: () => {},
  });
  /** The responder wants this. */
  const wants = async (...effects: IkeEffect[]): Promise<void> => {
    next = effects;
    drive.feed({ kind: 'timer' });
    await settle();
  };
  const later = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds);
    await settle();
  };
  return { drive, streams, wants, later, connect, closed };
}

const established = (remote: Endpoint): IkeEffect => ({
  kind: 'established',
  proposal: 'aes256gcm16-prfsha256-ecp256',
  local: remote,
  remote,
  remoteIdentity: { type: 'rfc822', text: 'alice@example.com' },
  behindNat: { local: false, remote: false },
  configuration: { addresses: [], dns: [], subnets: [], applicationVersion: undefined },
});
const send = (to: Endpoint): IkeEffect => ({ kind: 'send', bytes: new Uint8Array(28), to, transport: 'tcp' });
const asking: IkeEffect = {
  kind: 'ask',
  id: 1,
  question: { kind: 'eap', packet: new Uint8Array(0), gatewayProven: true, round: 0 },
};
const move = (peer: Endpoint): IkeEffect => ({ kind: 'moveChild', spiOut: 7, peer });

test('a connection over which nobody authenticates goes; the one of a client that did stays', async () => {
  const { wants, later, connect, closed } = scene();
  const [stranger, client] = [connect(7), connect(8)];
  await wants(established(client.remote));
  await later(HOUR);
  expect(closed).toEqual([stranger.fd]);
});

test('a connection over which a user is asked waits longer than a stranger’s', async () => {
  const { wants, later, connect, closed } = scene();
  const { remote, fd } = connect(7);
  await wants(send(remote), asking);
  await later(60_000);
  expect(closed).toEqual([]);
  await later(HOUR);
  expect(closed).toEqual([fd]);
});

test('a client that comes back on another connection keeps that one', async () => {
  const { wants, later, connect, closed } = scene();
  const old = connect(7);
  await wants(established(old.remote), move(old.remote));
  const fresh = connect(7);
  await wants(move(fresh.remote));
  await later(HOUR);
  expect(closed).toEqual([]);
});

test('what has ended under a tunnel goes when the client has moved away, or is gone', async () => {
  const { drive, streams, wants, connect, closed } = scene();
  const [one, two] = [connect(7), connect(7)];
  await wants(established(one.remote), move(one.remote));
  await streams.ended(one.fd, drive.endpoints());
  expect(closed).toEqual([]);
  await wants(move(two.remote));
  expect(closed).toEqual([one.fd]);
  await streams.ended(two.fd, drive.endpoints());
  expect(closed).toEqual([one.fd]);
  await wants({ kind: 'closed', reason: { by: 'peer' } });
  expect(closed).toEqual([one.fd, two.fd]);
});
