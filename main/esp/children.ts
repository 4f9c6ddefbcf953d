// The CHILD SAs that one data plane carries: gives them slots, installs, replaces and removes them in the order that loses
// and leaks nothing (RFC 7296 §2.8), and wipes the control plane's copy of their keys.
//
//   install   configure tunnel (both directions) → inbound SA → ack → peer → outbound SA → ack → activate → ack
//             The tunnel goes first: packets parked for the SPI are opened as soon as the inbound SA is there.
//   the same, 'first-inbound' (we answered a rekeying): all but activate. The tunnel goes on sending on its old SA until
//             firstInbound() says that the peer uses the new one, or the old SA is removed: the peer may not have our
//             response yet, and what it cannot open is lost.
//   remove    (where it is the one sent on: activate the newest other one →) outbound SA, at once
//             inbound SA, after GRACE: packets sent before the peer switched are still under way
//
//               install(now)                            remove
//   ─────────────────────────────────▶ sending ──────────────────────▶ lingering ── GRACE ──▶ gone
//    install(first-inbound)               ▲                                ▲
//   ──────────────────────▶ waiting ──────┘ firstInbound, or the SA        │
//                              │            sent on is removed             │
//                              └───────────────── remove ─────────────────┘
//
// A step that fails takes the earlier ones back, in reverse (a refused command was not carried out and needs no undoing).
// A slot whose SA the data plane would not let go of is never given out again. The owner calls one after another, in the
// order of IKE's effects; only the end of a grace time comes by itself. The tunnel's own settings, its GRE state among them,
// outlive its SAs.
import type { ChildSa } from '../ike/child-sa.ts';
import type { DataPlane, Peer, TunnelParams } from '../path/command.ts';
import { inboundParams, outboundParams, wipeKeys } from './child.ts';
import { type Lifetime, lifetimeOf } from './lifetime.ts';
import { createSlots, INBOUND_SLOTS, OUTBOUND_SLOTS } from './slots.ts';

/** Milliseconds that an inbound SA outlives its outbound twin: no packet is longer under way than that on a working path. */
export const GRACE = 5_000;

/** Where a child goes in the data plane. */
export interface Placement {
  readonly tunnel: number;
  readonly params: TunnelParams;
  readonly peer: Peer;
  /** Packets in the replay window: a multiple of 64 from 64 to 4096. */
  readonly replayWindow: number;
}

export type Activation = 'now' | 'first-inbound' | 'never';

export interface InstalledChild {
  readonly spiIn: number;
  readonly spiOut: number;
  readonly tunnel: number;
  readonly inboundSlot: number;
  readonly outboundSlot: number;
}

export interface Children {
  /** Park packets for an SPI that a request of ours is about to name. Resolves when the receiver does. */
  expect(spiIn: number): Promise<void>;
  cancel(spiIn: number): Promise<void>;
  /**
   * Rejects, with everything taken back, where the data plane refuses. The child's keys are zeros afterwards either way.
   * `first-inbound` sends at once where the tunnel has no other SA to send on; `never` only receives (RFC 7296 §2.8.1).
   */
  install(child: ChildSa, placement: Placement, activate?: Activation): Promise<InstalledChild>;
  /**
   * The first valid packet has come on this inbound SA. Resolves with the child that waited for it and is sent on from now on;
   * undefined: nothing changed (it is sent on already, a newer one is, or the slot has another SA by now).
   */
  firstInbound(inboundSlot: number, spiIn: number): Promise<InstalledChild | undefined>;
  /**
   * Stops sending on it at once and receiving after the grace time. Undefined where no such child is installed. Rejects where
   * the data plane refuses; the child counts as gone even so.
   */
  remove(spiIn: number): Promise<InstalledChild | undefined>;
  /** Takes the tunnel out of the data plane with all its SAs, those in their grace time too, at once. Rejects as remove does. */
  removeTunnel(tunnel: number): Promise<void>;
  /** Without those in their grace time. */
  list(): readonly InstalledChild[];
  /** The child whose outbound SA this slot holds, if its SPI is that one too (a slot may have been taken anew). */
  outbound(slot: number, spiOut: number): InstalledChild | undefined;
  inbound(slot: number, spiIn: number): InstalledChild | undefined;
  /** The data plane is being closed as a whole: no grace time ends any more. */
  close(): void;
}

export interface ChildrenClock {
  now(): number;
  setTimer(at: number, fn: () => void): { cancel(): void };
}

export interface ChildrenOptions {
  readonly clock: ChildrenClock;
  /** Asked once for each child, for both its directions. */
  readonly lifetime?: (child: ChildSa) => Lifetime;
  /** An inbound SA could not be removed when its grace time was over. */
  readonly onError?: (error: unknown) => void;
}

interface Lingering {
  readonly entry: InstalledChild;
  readonly timer: { cancel(): void };
}

export function createChildren(plane: DataPlane, options: ChildrenOptions): Children {
  const { clock } = options;
  const inbound = createSlots(INBOUND_SLOTS);
  const outbound = createSlots(OUTBOUND_SLOTS);
  /** In the order of their installation. */
  const installed = new Map<number, InstalledChild>();
  /** By tunnel: the SPI (inbound) of the child that is sent on. */
  const active = new Map<number, number>();
  /** What is never to be sent on. */
  const redundant = new Set<number>();
  /** By inbound SPI, in the order of their removal. */
  const lingering = new Map<number, Lingering>();

  async function activate(entry: InstalledChild): Promise<void> {
    await plane.send({ kind: 'activate', tunnel: entry.tunnel, slot: entry.outboundSlot });
    active.set(entry.tunnel, entry.spiIn);
  }

  async function endGrace({ entry, timer }: Lingering): Promise<void> {
    timer.cancel();
    lingering.delete(entry.spiIn);
    await plane.receive({ kind: 'removeInbound', slot: entry.inboundSlot });
    inbound.free(entry.inboundSlot);
  }

  function linger(entry: InstalledChild): void {
    const timer = clock.setTimer(clock.now() + GRACE, () => {
      const own = lingering.get(entry.spiIn);
      if (own) endGrace(own).catch((error: unknown) => options.onError?.(error));
    });
    lingering.set(entry.spiIn, { entry, timer });
  }

  /** A new SA matters more than the last packets of an old one. */
  async function takeInbound(spiIn: number): Promise<number | undefined> {
    const same = lingering.get(spiIn);
    if (same) await endGrace(same);
    const slot = inbound.take();
    if (slot !== undefined) return slot;
    const [oldest] = lingering.values();
    if (!oldest) return undefined;
    await endGrace(oldest);
    return inbound.take();
  }

  async function install(child: ChildSa, placement: Placement, when: Activation = 'now'): Promise<InstalledChild> {
    const { tunnel, params, peer, replayWindow } = placement;
    const lifetime = options.lifetime?.(child) ?? lifetimeOf(child);
    /** Each resolves when its slot may be given out again. */
    const undo: (() => Promise<void> | void)[] = [];
    let inboundFree = true;
    let outboundFree = true;
    try {
      if (installed.has(child.spiIn)) throw new Error(`SPI ${spiText(child.spiIn)} is installed already`);
      const inboundSlot = await takeInbound(child.spiIn);
      if (inboundSlot === undefined) throw new Error(`all ${INBOUND_SLOTS} inbound SAs of the data plane are in use`);
      undo.push(() => void (inboundFree && inbound.free(inboundSlot)));
      const outboundSlot = outbound.take();
      if (outboundSlot === undefined)
        throw new Error(`all ${OUTBOUND_SLOTS} outbound SAs of the data plane are in use`);
      undo.push(() => void (outboundFree && outbound.free(outboundSlot)));

      await plane.configure(tunnel, params);
      await plane.receive({
        kind: 'installInbound',
        slot: inboundSlot,
        params: inboundParams(child, tunnel, replayWindow, lifetime),
      });
      inboundFree = false;
      undo.push(async () => {
        await plane.receive({ kind: 'removeInbound', slot: inboundSlot });
        inboundFree = true;
      });
      await plane.send({ kind: 'setPeer', tunnel, peer });
      await plane.send({
        kind: 'installOutbound',
        slot: outboundSlot,
        params: outboundParams(child, tunnel, lifetime),
      });
      outboundFree = false;
      undo.push(async () => {
        await plane.send({ kind: 'removeOutbound', slot: outboundSlot });
        outboundFree = true;
      });
      const entry = { spiIn: child.spiIn, spiOut: child.spiOut, tunnel, inboundSlot, outboundSlot };
      if (when === 'now' || (when === 'first-inbound' && !active.has(tunnel))) await activate(entry);
      installed.set(child.spiIn, entry);
      if (when === 'never') redundant.add(child.spiIn);
      return entry;
    } catch (error) {
      for (const step of undo.reverse()) {
        try {
          await step();
        } catch {
          // The first error is the one to report: a data plane that refuses the undo as well is being closed anyway.
        }
      }
      throw error;
    } finally {
      wipeKeys(child);
    }
  }

  async function firstInbound(slot: number, spiIn: number): Promise<InstalledChild | undefined> {
    const entry = installed.get(spiIn);
    if (entry?.inboundSlot !== slot || redundant.has(spiIn)) return undefined;
    // Never back to an older one: packets of several SAs overtake each other on the way.
    for (const other of [...installed.values()].reverse()) {
      if (other === entry) break;
      if (active.get(entry.tunnel) === other.spiIn) return undefined;
    }
    if (active.get(entry.tunnel) === spiIn) return undefined;
    await activate(entry);
    return entry;
  }

  async function remove(spiIn: number): Promise<InstalledChild | undefined> {
    const entry = installed.get(spiIn);
    if (!entry) return undefined;
    installed.delete(spiIn);
    redundant.delete(spiIn);
    linger(entry);
    const { tunnel, outboundSlot } = entry;
    try {
      if (active.get(tunnel) === spiIn) {
        active.delete(tunnel);
        // Whatever waited for this, or is left where two replacements crossed each other (RFC 7296 §2.8.1).
        const next = [...installed.values()]
          .reverse()
          .find((other) => other.tunnel === tunnel && !redundant.has(other.spiIn));
        if (next) await activate(next);
      }
    } finally {
      await plane.send({ kind: 'removeOutbound', slot: outboundSlot });
      outbound.free(outboundSlot);
    }
    return entry;
  }

  async function removeTunnel(tunnel: number): Promise<void> {
    active.delete(tunnel);
    const children = [...installed.values()].filter((entry) => entry.tunnel === tunnel);
    for (const entry of children) {
      installed.delete(entry.spiIn);
      redundant.delete(entry.spiIn);
      linger(entry);
    }
    const late = [...lingering.values()].filter(({ entry }) => entry.tunnel === tunnel);
    // All of them, though one may fail: the two directions live in different workers.
    const results = await Promise.allSettled([
      ...children.map(({ outboundSlot }) =>
        plane.send({ kind: 'removeOutbound', slot: outboundSlot }).then(() => outbound.free(outboundSlot)),
      ),
      ...late.map(endGrace),
      plane.send({ kind: 'removeTunnel', tunnel }),
      plane.receive({ kind: 'removeTunnel', tunnel }),
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  return {
    expect: (spi) => plane.receive({ kind: 'expect', spi }),
    cancel: (spi) => plane.receive({ kind: 'cancelExpected', spi }),
    install,
    firstInbound,
    remove,
    removeTunnel,
    list: () => [...installed.values()],
    outbound: (slot, spiOut) =>
      [...installed.values()].find((entry) => entry.outboundSlot === slot && entry.spiOut === spiOut),
    inbound: (slot, spiIn) => {
      const entry = installed.get(spiIn);
      return entry?.inboundSlot === slot ? entry : undefined;
    },
    close() {
      for (const { timer } of lingering.values()) timer.cancel();
      lingering.clear();
    },
  };
}

/** "0xc0ffee01", as packet tools print SPIs. */
export function spiText(spi: number): string {
  return `0x${spi.toString(16).padStart(8, '0')}`;
}
