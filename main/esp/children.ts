// The CHILD SAs that one data plane carries: gives them slots, installs and removes them in the order that loses and
// leaks nothing, and wipes the control plane's copy of their keys.
//
//   install   configure tunnel (both directions) → inbound SA → ack → peer → outbound SA → ack → activate → ack
//             The tunnel goes first: packets parked for the SPI are opened as soon as the inbound SA is there.
//   remove    outbound SA → inbound SA
//
// A step that fails takes the earlier ones back, in reverse (a refused command was not carried out and needs no undoing).
// A slot whose SA the data plane would not let go of is never given out again. The tunnel's own settings outlive its SAs (they change
// together at a rekey), so `removeTunnel` is the owner's to send.
import type { ChildSa } from '../ike/types.ts';
import type { DataPlane, Peer, TunnelParams } from '../path/command.ts';
import { inboundParams, outboundParams, wipeKeys } from './child.ts';
import { createSlots, INBOUND_SLOTS, OUTBOUND_SLOTS } from './slots.ts';

/** Where a child goes in the data plane. */
export interface Placement {
  readonly tunnel: number;
  readonly params: TunnelParams;
  readonly peer: Peer;
  /** Packets in the replay window: a multiple of 64 from 64 to 4096. */
  readonly replayWindow: number;
}

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
  /** Rejects, with everything taken back, where the data plane refuses. The child's keys are zeros afterwards either way. */
  install(child: ChildSa, placement: Placement): Promise<InstalledChild>;
  /** Undefined where no such child is installed. Rejects where the data plane refuses; the child counts as gone even so. */
  remove(spiIn: number): Promise<InstalledChild | undefined>;
  list(): readonly InstalledChild[];
  /** The child whose outbound SA this slot holds, if its SPI is that one too (a slot may have been taken anew). */
  outbound(slot: number, spiOut: number): InstalledChild | undefined;
}

export function createChildren(plane: DataPlane): Children {
  const inbound = createSlots(INBOUND_SLOTS);
  const outbound = createSlots(OUTBOUND_SLOTS);
  const installed = new Map<number, InstalledChild>();

  async function install(child: ChildSa, placement: Placement): Promise<InstalledChild> {
    const { tunnel, params, peer, replayWindow } = placement;
    /** Each resolves when its slot may be given out again. */
    const undo: (() => Promise<void> | void)[] = [];
    let inboundFree = true;
    let outboundFree = true;
    try {
      if (installed.has(child.spiIn)) throw new Error(`SPI ${spiText(child.spiIn)} is installed already`);
      const inboundSlot = inbound.take();
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
        params: inboundParams(child, tunnel, replayWindow),
      });
      inboundFree = false;
      undo.push(async () => {
        await plane.receive({ kind: 'removeInbound', slot: inboundSlot });
        inboundFree = true;
      });
      await plane.send({ kind: 'setPeer', tunnel, peer });
      await plane.send({ kind: 'installOutbound', slot: outboundSlot, params: outboundParams(child, tunnel) });
      outboundFree = false;
      undo.push(async () => {
        await plane.send({ kind: 'removeOutbound', slot: outboundSlot });
        outboundFree = true;
      });
      await plane.send({ kind: 'activate', tunnel, slot: outboundSlot });

      const entry = { spiIn: child.spiIn, spiOut: child.spiOut, tunnel, inboundSlot, outboundSlot };
      installed.set(child.spiIn, entry);
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

  return {
    expect: (spi) => plane.receive({ kind: 'expect', spi }),
    cancel: (spi) => plane.receive({ kind: 'cancelExpected', spi }),
    install,
    async remove(spiIn) {
      const entry = installed.get(spiIn);
      if (!entry) return undefined;
      installed.delete(spiIn);
      // Both, though the first may fail: the two directions live in different workers.
      const results = await Promise.allSettled([
        plane.send({ kind: 'removeOutbound', slot: entry.outboundSlot }).then(() => outbound.free(entry.outboundSlot)),
        plane.receive({ kind: 'removeInbound', slot: entry.inboundSlot }).then(() => inbound.free(entry.inboundSlot)),
      ]);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      return entry;
    },
    list: () => [...installed.values()],
    outbound: (slot, spiOut) =>
      [...installed.values()].find((entry) => entry.outboundSlot === slot && entry.spiOut === spiOut),
  };
}

/** "0xc0ffee01", as packet tools print SPIs. */
export function spiText(spi: number): string {
  return `0x${spi.toString(16).padStart(8, '0')}`;
}
