// The tunnel inside one link: brings CHILD SAs, TUN, MTU and routes together, and changes them while it is up.
//
//   install (first)  plan → TUN → data plane gets the TUN → children.install → routes
//   install (rekey)  plan → children.install; the old child stays until the peer or we remove it
//   firstInbound     children.firstInbound: where we answered a rekeying, the new child is sent on from now on
//   setPath          plan with another path MTU → (routes, where IPv6 no longer fits) → core → TUN → routes
//   reconfigure      plan with other routes or another MTU → core → TUN → routes
//
// Changes run one after another, in the order of the calls: SAs that come and go never overtake each other.
import { type Children, createChildren, type Placement } from '../esp/children.ts';
import { chanceOf, lifetimeOf } from '../esp/lifetime.ts';
import type { ChildSa } from '../ike/child-sa.ts';
import type { TunnelInfo } from '../ipc/contract.ts';
import { createTurns } from '../net/in-turn.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { Tun } from '../net/tun/api.ts';
import { type DataPlane, type Peer, rawEndpoint } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, formatPrefix } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import type { SessionDeps } from './deps.ts';
import type { Established, InstallChild, MoveChild } from './drive.ts';
import { reasonText, SessionError, sessionFailure } from './failure.ts';
import type { Holding } from './holding.ts';
import { tunnelInfo } from './info.ts';
import { LinkClosed } from './loss.ts';
import { createNameServers } from './names.ts';
import { planDirect, planTunnel, type TunnelPlan } from './plan.ts';
import { familyOf } from './request.ts';

/** The core's slot of the tunnel itself; CHILD SAs beside it (profile.tunnel.direct) have those after it, in their order. */
const TUNNEL = 0;

export interface TunnelFacts {
  /** What `info` tells has changed by itself. */
  readonly changed?: () => void;
  readonly profile: Profile;
  readonly deps: SessionDeps;
  readonly plane: DataPlane;
  readonly holding: Holding;
  readonly step: (step: 'tun' | 'routes') => void;
  /** Throws once the link is being closed: nothing may be put up behind the back of what takes it down. */
  readonly check: () => void;
  readonly local: Address;
  readonly gateway: Address;
  /** See GatewayMemory. */
  readonly greNext: number;
}

export interface Tunnel {
  /** The first child makes the tunnel, further ones take its traffic over. Rejects where it cannot be. */
  install(effect: InstallChild, established: Established | null, socketOf: SocketOf): Promise<void>;
  /** The first packet came on this inbound SA. True: the tunnel sends on its other direction from now on, and did not before. */
  firstInbound(slot: number, spiIn: number): Promise<boolean>;
  /** Plain GRE: no child, no keys. */
  installPlain(socket: TunnelSocket): Promise<void>;
  move(effect: MoveChild, socketOf: SocketOf): Promise<void>;
  /** The IKE SA has other algorithms, or other ends, now. */
  note(established: Established): Promise<void>;
  /** Everything is sent through these sockets from now on: this computer has moved. The path is a new one. */
  relocate(socketOf: SocketOf): Promise<void>;
  /** Makes the TUN anew where others have taken it away, and its routes with it (which alone are the holding's to put back). */
  refresh(): Promise<void>;
  /** How many children are left; undefined: there was none of this SPI. */
  remove(spiIn: number): Promise<number | undefined>;
  /** Bytes that an outer packet is reckoned to have at most; null: there is no tunnel yet. */
  readonly path: number | null;
  /** The path MTU is `mtu` bytes, in an order with other changes. True: the tunnel changed. */
  setPath(mtu: number): Promise<boolean>;
  /**
   * Other routes and another MTU from now on (nothing else of the profile counts here). True: the tunnel changed. Rejects
   * where they cannot be; then everything is as before, as far as the operating system lets it.
   */
  reconfigure(next: Pick<Profile, 'routes' | 'mtu'>): Promise<boolean>;
  readonly children: Children;
  /** null until the first install is done. */
  info(): TunnelInfo | null;
}

/** The socket that ESP of this encapsulation uses; undefined: there is none. */
export type SocketOf = (encapsulation: Encapsulation) => TunnelSocket | undefined;

interface Up {
  /** The newest; its keys are gone. */
  readonly child: ChildSa | null;
  readonly established: Established | null;
  readonly encapsulation: Encapsulation;
  readonly tun: Tun;
  readonly since: number;
  plan: TunnelPlan;
}

export function createTunnel(facts: TunnelFacts): Tunnel {
  const { deps, plane, holding, local, gateway, greNext } = facts;
  const children = createChildren(plane, {
    clock: deps.clock,
    lifetime(child) {
      const { rekeyBytes, rekeyPackets } = profile.timing;
      const wish = { bytes: rekeyBytes ?? undefined, packets: rekeyPackets ?? undefined };
      return lifetimeOf(child, wish, chanceOf(deps.random));
    },
    onError: (error) => deps.log({ level: 'warn', area: 'esp', text: `removing an old SA: ${reasonText(error)}` }),
  });
  /** Those that are installed, the newest last, with the slot of their tunnel. */
  const known = new Map<number, { readonly child: ChildSa; readonly slot: number }>();
  let profile = facts.profile;
  let path = profile.mtu.path;
  let up: Up | null = null;
  const names = createNameServers({ deps, holding, check: facts.check, changed: () => facts.changed?.() });
  const inTurn = createTurns();

  function planFor(child: ChildSa | null, established: Established | null, encapsulation: Encapsulation): TunnelPlan {
    const configuration = established?.configuration ?? null;
    return planTunnel(profile, { local, gateway, encapsulation, child, configuration, path, greNext });
  }

  async function openTun(plan: TunnelPlan): Promise<Tun> {
    facts.check();
    facts.step('tun');
    const tun = await holding.tun({
      name: profile.tunnel.interfaceName,
      mtu: plan.mtu.value,
      addresses: plan.addresses,
    });
    facts.check();
    await plane.attachTun({ fd: tun.fd, vnetHeader: tun.vnetHeader, uso: tun.uso });
    return tun;
  }

  async function applyRoutes(plan: TunnelPlan, tun: Tun): Promise<void> {
    facts.check();
    if (!up) facts.step('routes');
    await names.apply(plan, tun, (include) => holding.routes({ interfaceName: tun.name, ...plan.routes, include }));
  }

  async function firstInstall(child: ChildSa, established: Established | null, socket: TunnelSocket): Promise<void> {
    const plan = planFor(child, established, child.encapsulation);
    const tun = await openTun(plan);
    await children.install(child, placement(plan, child, socket));
    known.set(child.spiIn, { child, slot: TUNNEL });
    await applyRoutes(plan, tun);
    up = { child, established, encapsulation: child.encapsulation, tun, since: deps.clock.wall(), plan };
  }

  function placement(plan: TunnelPlan, child: ChildSa, socket: TunnelSocket): Placement {
    const { replayWindow } = profile.tunnel;
    return { tunnel: TUNNEL, params: plan.params, peer: peerOf(child, socket), replayWindow };
  }

  /** Another child for a tunnel that is up. */
  async function furtherInstall(
    here: Up,
    effect: InstallChild,
    established: Established | null,
    socket: TunnelSocket,
  ): Promise<void> {
    const { child, activate, name } = effect;
    if (name !== undefined) return installBeside(here, effect, name, socket);
    const plan = planFor(child, established, child.encapsulation);
    await children.install(child, placement(plan, child, socket), activate);
    known.set(child.spiIn, { child, slot: TUNNEL });
    const anew = established !== here.established;
    up = { ...here, child, established, encapsulation: child.encapsulation };
    // Another cipher leaves other room for packets; another IKE SA may have assigned other addresses.
    if (plan.mtu.value === here.plan.mtu.value && !anew) up.plan = plan;
    else await replan(up);
  }

  /** A child for what does not go through GRE: a tunnel of its own in the core, on the same TUN. */
  async function installBeside(here: Up, effect: InstallChild, name: string, socket: TunnelSocket): Promise<void> {
    const { child, activate } = effect;
    const index = profile.tunnel.direct.findIndex((prefix) => formatPrefix(prefix) === name);
    if (index < 0) throw new Error(`nobody asked for a CHILD SA "${name}"`);
    const slot = TUNNEL + 1 + index;
    const params = planDirect(profile, here.plan, { gateway, path, encapsulation: child.encapsulation }, child);
    await children.install(child, { ...placement(here.plan, child, socket), tunnel: slot, params }, activate);
    known.set(child.spiIn, { child, slot });
    deps.log({ level: 'info', area: 'esp', text: `${name} has a CHILD SA of its own: ${child.proposal}` });
    facts.changed?.();
  }

  /** The newest child of each tunnel. */
  function newest(): readonly { readonly child: ChildSa; readonly slot: number }[] {
    return [...new Map([...known.values()].map((one) => [one.slot, one])).values()];
  }

  async function setPath(next: number): Promise<boolean> {
    if (next === path) return false;
    const before = path;
    path = next;
    if (!up) return false;
    try {
      await replan(up);
    } catch (error) {
      // As before, so that the next report of the network is not taken for old news.
      path = before;
      if (!(error instanceof SessionError)) await goBack(up);
      throw error;
    }
    return true;
  }

  async function goBack(here: Up): Promise<void> {
    await replan(here).catch((error: unknown) => {
      if (error instanceof LinkClosed) return;
      deps.log({ level: 'error', area: 'session', text: `going back to the former settings: ${reasonText(error)}` });
    });
  }

  /** Throws SessionError before anything is touched, or what the operating system says while it is. */
  async function replan(here: Up): Promise<void> {
    const plan = planFor(here.child, here.established, here.encapsulation);
    // A family that the tunnel is about to lose is refused before its addresses go, not after.
    if (losesFamily(here.plan, plan)) await applyRoutes(plan, here.tun);
    await plane.configure(TUNNEL, plan.params);
    for (const { child, slot } of newest()) {
      if (slot === TUNNEL) continue;
      const { encapsulation } = child;
      await plane.configure(slot, planDirect(profile, plan, { gateway, path, encapsulation }, child));
    }
    here.plan = plan;
    facts.check();
    await holding.change({ mtu: plan.mtu.value, addresses: plan.addresses });
    await applyRoutes(plan, here.tun);
  }

  async function refresh(here: Up): Promise<void> {
    const { plan } = here;
    const wanted = { mtu: plan.mtu.value, addresses: plan.addresses };
    facts.check();
    try {
      await holding.change(wanted);
    } catch {
      // The interface is gone. The data plane lets go of what is left of it before another one is made.
      await Promise.all([plane.send({ kind: 'detachTun' }), plane.receive({ kind: 'detachTun' })]);
      const tun = await holding.tun({ name: profile.tunnel.interfaceName, ...wanted });
      facts.check();
      await plane.attachTun({ fd: tun.fd, vnetHeader: tun.vnetHeader, uso: tun.uso });
      up = { ...here, tun };
      await applyRoutes(plan, tun);
    }
  }

  async function reconfigure(next: Pick<Profile, 'routes' | 'mtu'>): Promise<boolean> {
    const before = { profile, path };
    profile = { ...profile, routes: next.routes, mtu: next.mtu };
    // What the network said holds on, unless the person now says something else about the path.
    if (next.mtu.path !== before.profile.mtu.path) path = next.mtu.path;
    if (!up) return false;
    try {
      await replan(up);
      return true;
    } catch (error) {
      ({ profile, path } = before);
      await goBack(up);
      throw error;
    }
  }

  return {
    children,
    get path() {
      return up && path;
    },
    install: (effect, established, socketOf) =>
      inTurn(async () => {
        const { child } = effect;
        const socket = socketOf(child.encapsulation);
        if (!socket) throw noSocket();
        if (up) await furtherInstall(up, effect, established, socket);
        else await firstInstall(child, established, socket);
      }),

    firstInbound: (slot, spiIn) => inTurn(async () => (await children.firstInbound(slot, spiIn)) !== undefined),

    installPlain: (socket) =>
      inTurn(async () => {
        const plan = planFor(null, null, 'raw');
        const tun = await openTun(plan);
        await plane.configure(TUNNEL, plan.params);
        const peer: Peer = { remote: rawEndpoint(gateway), socket: socket.fd, encapsulation: 'raw' };
        await plane.send({ kind: 'setPeer', tunnel: TUNNEL, peer });
        await applyRoutes(plan, tun);
        const since = deps.clock.wall();
        up = { child: null, established: null, encapsulation: 'raw', tun, since, plan };
      }),

    move: (effect, socketOf) =>
      inTurn(async () => {
        const entry = [...known.values()].find((one) => one.child.spiOut === effect.spiOut);
        if (!up || !entry) return;
        const { child, slot } = entry;
        const moved = { ...child, peer: effect.peer, encapsulation: effect.encapsulation ?? child.encapsulation };
        const socket = socketOf(moved.encapsulation);
        if (!socket) throw noSocket();
        known.set(child.spiIn, { child: moved, slot });
        await plane.send({ kind: 'setPeer', tunnel: slot, peer: peerOf(moved, socket) });
        if (up.child?.spiIn === child.spiIn) up = { ...up, child: moved, encapsulation: moved.encapsulation };
        // UDP takes room that raw ESP leaves to packets.
        if (moved.encapsulation !== child.encapsulation) await replan(up);
      }),

    remove: (spiIn) =>
      inTurn(async () => {
        const gone = known.get(spiIn);
        known.delete(spiIn);
        if (gone && gone.slot !== TUNNEL) facts.changed?.();
        const left = [...known.values()].findLast(({ slot }) => slot === TUNNEL);
        if (up?.child?.spiIn === spiIn && left) up = { ...up, child: left.child };
        const removed = await children.remove(spiIn);
        return removed ? children.list().length : undefined;
      }),

    note: (established) =>
      inTurn(async () => {
        if (up) up = { ...up, established };
      }),

    relocate: (socketOf) =>
      inTurn(async () => {
        if (!up) return;
        for (const { child, slot } of newest()) {
          const socket = socketOf(child.encapsulation);
          if (!socket) throw noSocket();
          await plane.send({ kind: 'setPeer', tunnel: slot, peer: peerOf(child, socket) });
        }
        if (path === profile.mtu.path) return;
        path = profile.mtu.path;
        await replan(up);
      }),

    refresh: () =>
      inTurn(async () => {
        if (up) await refresh(up);
      }),

    setPath: (mtu) => inTurn(() => setPath(mtu)),
    reconfigure: (next) => inTurn(() => reconfigure(next)),

    info() {
      if (!up) return null;
      const { child, established, encapsulation, tun, since, plan } = up;
      const bySlot = new Map(newest().map((one) => [one.slot, one.child]));
      const direct = profile.tunnel.direct.map((_, i) => bySlot.get(TUNNEL + 1 + i) ?? null);
      return tunnelInfo({
        profile,
        local,
        gateway,
        child,
        established,
        encapsulation,
        tun,
        since,
        plan,
        names: names.current,
        direct,
      });
    },
  };
}

function losesFamily(before: TunnelPlan, after: TunnelPlan): boolean {
  const carries = (plan: TunnelPlan, family: 4 | 6) =>
    plan.addresses.some((prefix) => familyOf(prefix.address) === family);
  return ([4, 6] as const).some((family) => carries(before, family) && !carries(after, family));
}

function peerOf(child: ChildSa, socket: TunnelSocket): Peer {
  const remote = child.encapsulation === 'raw' ? rawEndpoint(child.peer.address) : child.peer;
  return { remote, socket: socket.fd, encapsulation: child.encapsulation };
}

function noSocket(): SessionError {
  return new SessionError(
    sessionFailure(
      'session/data-plane',
      'The gateway and we agreed on raw ESP (protocol 50), but there is no raw socket for it.',
      'Set tunnel.encapsulation to "udp" in the profile, or run the engine with the privilege to open raw sockets (CAP_NET_RAW).',
      { permanent: true },
    ),
  );
}
