// The gateway's clients: one for each IKE SA that is established, with its tunnel slot and its CHILD SAs in the data plane.
// Everything here that touches the data plane is asynchronous; the gateway runs it strictly in order.

import type { RandomBytes } from '../crypto/random.ts';
import { type Children, createChildren } from '../esp/children.ts';
import { chanceOf, lifetimeOf } from '../esp/lifetime.ts';
import { createSlots, type Slots } from '../esp/slots.ts';
import type { ChildSa } from '../ike/child-sa.ts';
import { formatIdentity, sameIdentity } from '../ike/identity.ts';
import type { IkeEffect, SaName } from '../ike/peer.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import { type DataPlane, type Peer, rawEndpoint } from '../path/command.ts';
import { type Endpoint, formatEndpoint, formatPrefix } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import type { Clock } from './clock.ts';
import type { GatewayConfig, GatewayShape } from './config.ts';
import { planClient } from './plan.ts';

type Established = Extract<IkeEffect, { readonly kind: 'established' }>;
type InstallChild = Extract<IkeEffect, { readonly kind: 'installChild' }>;
type MoveChild = Extract<IkeEffect, { readonly kind: 'moveChild' }>;

/** As many as the core holds (assembly/layout.ts, which this folder may not import; a test compares them). */
export const TUNNEL_SLOTS = 8;

/** A client whose tunnel is up, for people: addresses as text. */
export interface ClientInfo {
  readonly sa: SaName;
  readonly identity: string;
  readonly endpoint: string;
  readonly shape: GatewayShape;
  readonly encapsulation: Encapsulation;
  readonly behindNat: { readonly local: boolean; readonly remote: boolean };
  readonly leased: readonly string[];
  readonly ikeProposal: string;
  readonly espProposal: string;
  readonly mtu: number;
}

/** What is kept of a CHILD SA: everything but its keys that a plan is made of. */
type PlannedChild = Pick<
  ChildSa,
  'spiIn' | 'spiOut' | 'mode' | 'cipher' | 'integrity' | 'local' | 'remote' | 'encapsulation' | 'peer'
>;

interface Client {
  readonly sa: SaName;
  readonly established: Established;
  tunnel: number | undefined;
  /** SPIs of what we receive, oldest first. */
  readonly children: PlannedChild[];
  info: ClientInfo | undefined;
}

export interface Clients {
  readonly children: Children;
  established(sa: SaName, effect: Established): void;
  /** SAs of the same identity as `sa`, which is newer. */
  olderOf(sa: SaName): readonly SaName[];
  /** Resolves to the client where this child made its tunnel, to undefined for a further child. Rejects where it cannot be. */
  install(sa: SaName, effect: InstallChild): Promise<ClientInfo | undefined>;
  move(sa: SaName, effect: MoveChild): Promise<void>;
  removeChild(sa: SaName, spiIn: number): Promise<void>;
  /** Takes the client's tunnel down; what it was, where it was up. */
  remove(sa: SaName): Promise<ClientInfo | undefined>;
  /** The SA whose tunnel, or whose SA in the data plane, this is. */
  byTunnel(tunnel: number): SaName | undefined;
  list(): readonly ClientInfo[];
}

export interface ClientsOptions {
  readonly config: GatewayConfig;
  readonly plane: DataPlane;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** The socket that leads to a client; undefined: there is none. */
  readonly socketOf: (encapsulation: Encapsulation, client: Endpoint) => Pick<TunnelSocket, 'fd'> | undefined;
}

export function createClients({ config, plane, clock, random, socketOf }: ClientsOptions): Clients {
  const children = createChildren(plane, { clock, lifetime: (child) => lifetimeOf(child, {}, chanceOf(random)) });
  const tunnels: Slots = createSlots(TUNNEL_SLOTS);
  const clients = new Map<SaName, Client>();

  function peerOf(encapsulation: Encapsulation, endpoint: Endpoint): Peer {
    const socket = socketOf(encapsulation, endpoint);
    if (!socket) throw new Error(`there is no ${encapsulation} socket to ${formatEndpoint(endpoint)}`);
    const remote = encapsulation === 'raw' ? rawEndpoint(endpoint.address) : endpoint;
    return { remote, socket: socket.fd, encapsulation };
  }

  async function freeTunnel(client: Client): Promise<void> {
    const { tunnel } = client;
    if (tunnel === undefined) return;
    client.tunnel = undefined;
    client.children.length = 0;
    tunnels.free(tunnel);
    await children.removeTunnel(tunnel);
  }

  function planOf({ established }: Client, child: PlannedChild): ReturnType<typeof planClient> {
    const user = config.users.find((candidate) => sameIdentity(candidate.identity, established.remoteIdentity));
    if (!user) return `${formatIdentity(established.remoteIdentity)} is not a user of this gateway`;
    return planClient(config, user, child, established.configuration.addresses);
  }

  async function install(client: Client, { child, activate }: InstallChild): Promise<ClientInfo | undefined> {
    const { established } = client;
    const plan = planOf(client, child);
    if (typeof plan === 'string') throw new Error(plan);
    const peer = peerOf(child.encapsulation, child.peer);
    const first = client.tunnel === undefined;
    const tunnel = client.tunnel ?? tunnels.take();
    if (tunnel === undefined) throw new Error(`all ${TUNNEL_SLOTS} tunnels of this gateway are in use`);
    client.tunnel = tunnel;
    try {
      const { replayWindow } = config;
      await children.install(child, { tunnel, params: plan.params, peer, replayWindow }, activate);
    } catch (error) {
      // The first error is the one to report.
      if (first) await freeTunnel(client).catch(() => {});
      throw error;
    }
    const { spiIn, spiOut, mode, cipher, integrity, local, remote, encapsulation } = child;
    client.children.push({ spiIn, spiOut, mode, cipher, integrity, local, remote, encapsulation, peer: child.peer });
    client.info = {
      sa: client.sa,
      identity: formatIdentity(established.remoteIdentity),
      endpoint: formatEndpoint(child.peer),
      shape: plan.shape,
      encapsulation: child.encapsulation,
      behindNat: established.behindNat,
      leased: established.configuration.addresses.map(formatPrefix),
      ikeProposal: established.proposal,
      espProposal: child.proposal,
      mtu: plan.params.mtu,
    };
    return first ? client.info : undefined;
  }

  async function removeChild(client: Client, spiIn: number): Promise<void> {
    const index = client.children.findIndex((child) => child.spiIn === spiIn);
    if (index < 0) return;
    client.children.splice(index, 1);
    await children.remove(spiIn);
  }

  return {
    children,
    established(sa, established) {
      clients.set(sa, { sa, established, tunnel: undefined, children: [], info: undefined });
    },
    olderOf(sa) {
      const identity = clients.get(sa)?.established.remoteIdentity;
      if (!identity) return [];
      return [...clients.values()]
        .filter((other) => other.sa !== sa && sameIdentity(other.established.remoteIdentity, identity))
        .map((other) => other.sa);
    },
    async install(sa, effect) {
      const client = clients.get(sa);
      if (!client) throw new Error(`the IKE SA ${sa} is gone`);
      return install(client, effect);
    },
    async move(sa, { spiOut, peer, encapsulation: wanted, behindNat }) {
      const client = clients.get(sa);
      const index = client?.children.findIndex((candidate) => candidate.spiOut === spiOut) ?? -1;
      const child = client?.children[index];
      if (!client?.info || !child || client.tunnel === undefined) return;
      const { tunnel } = client;
      const encapsulation = wanted ?? child.encapsulation;
      await plane.send({ kind: 'setPeer', tunnel, peer: peerOf(encapsulation, peer) });
      const { info } = client;
      client.info = { ...info, endpoint: formatEndpoint(peer), encapsulation, behindNat: behindNat ?? info.behindNat };
      if (encapsulation === child.encapsulation) return;
      const moved = { ...child, encapsulation };
      client.children[index] = moved;
      // UDP takes room that raw ESP leaves to packets.
      const plan = planOf(client, moved);
      if (typeof plan === 'string') return;
      await plane.configure(tunnel, plan.params);
      client.info = { ...client.info, mtu: plan.params.mtu };
    },
    async removeChild(sa, spiIn) {
      const client = clients.get(sa);
      if (client) await removeChild(client, spiIn);
    },
    async remove(sa) {
      const client = clients.get(sa);
      if (!client) return undefined;
      clients.delete(sa);
      await freeTunnel(client);
      return client.info;
    },
    byTunnel: (tunnel) => [...clients.values()].find((client) => client.tunnel === tunnel)?.sa,
    list: () => [...clients.values()].flatMap(({ info }) => (info ? [info] : [])),
  };
}
