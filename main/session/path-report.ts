// What the network says about the path's MTU, and whether to believe it. "Fragmentation needed" and "packet too big" are not
// authenticated (RFC 4301 §8.2): whoever can guess two addresses and two well-known ports can send them, and Linux looks at no more.
//
//   a report ─▶ quotes a packet with the SPI of an SA of ours (§8.2.1: the message is mapped to its SA)? ─▶ believed at once
//            ─▶ else the path is asked (RFC 8899 §4.6): a probe of the size that is in use, to the gateway and back, up to three
//                 it arrives                  not believed, and the kernel's own memory of the path is not either
//                 this computer refuses it    of the number nothing is said yet: what is one byte longer than that is asked about instead,
//                                             and where it is refused, too, the narrow link is our own: believed
//                 lost each time              believed
//                 no probes can be sent       believed, as there is nothing to hold against it (plain GRE; platforms without)
//
// Where the outer packets leave without DF, routers cut them and report nothing, and a probe, which has DF, is lost on every narrow
// path: then only what this computer itself refuses counts.
//
// What was believed is not believed for ever (§8.2.2, RFC 1191 §6.3): every ten minutes a probe of the profile's size, and
// one of the size before, ask whether the path is wide again; where none can be sent, the packets themselves ask. Pure: time and probes are handed in.

import type { Clock, Timer } from './clock.ts';
import type { ProbeOutcome } from './path-probe.ts';

/** RFC 8899 §5.1.2, MAX_PROBES. */
const ROUNDS = 3;
/** Milliseconds after a report that was not believed in which others are not asked about. */
export const DEAF_FOR = 10_000;
/** RFC 1191 §6.3. */
export const AGED_AFTER = 600_000;

export interface PathReportFacts {
  readonly clock: Clock;
  /** What the tunnel reckons with, in bytes of the outer packet; null: there is no tunnel. */
  readonly path: () => number | null;
  /** What the profile says. */
  readonly widest: () => number;
  /** Every network carries this; less is never believed. */
  readonly least: number;
  readonly probe: (size: number) => Promise<ProbeOutcome>;
  /** Outer packets have no DF: IPv4 and outerDf "clear". */
  readonly routersMayCut: () => boolean;
  /** Is this the SPI of an SA that we send on? */
  readonly isOurs: (spi: number) => boolean;
  /** Reckon with so many bytes from now on: fewer than before, or more. */
  readonly setPath: (mtu: number) => void;
  /** May the kernel fragment by what it has heard of the path? It hears the same reports. */
  readonly trustKernel: (trust: boolean) => void;
  /** A report was not believed; for the log. */
  readonly disproved: (reported: number, carried: number) => void;
}

export interface PathReports {
  /** `quoted`: the SPI in the packet that the report quotes; null: none can be read. */
  report(mtu: number, quoted: number | null): void;
  close(): void;
}

export function createPathReports(facts: PathReportFacts): PathReports {
  const { clock } = facts;
  let asking = false;
  let deafUntil = Number.NEGATIVE_INFINITY;
  let aging: Timer | null = null;
  let trusted = true;
  /** The most that was reckoned with under the widest: a path may never have been that wide (1492 of PPPoE). */
  let former = 0;
  let closed = false;

  function believe(mtu: number): void {
    if (!trusted) facts.trustKernel(true);
    trusted = true;
    const before = facts.path() ?? 0;
    if (before < facts.widest()) former = Math.max(former, before);
    facts.setPath(mtu);
    age();
  }

  function age(): void {
    aging?.cancel();
    aging = clock.setTimer(clock.now() + AGED_AFTER, () => {
      aging = null;
      void widen();
    });
  }

  async function widen(): Promise<void> {
    const widest = facts.widest();
    for (const size of new Set([widest, Math.min(former, widest)])) {
      const narrow = (): boolean => (facts.path() ?? size) < size;
      if (!narrow()) {
        if (size === widest) return;
        break;
      }
      const { kind } = await facts.probe(size);
      if (closed || !narrow()) return;
      if (kind !== 'arrived' && kind !== 'unavailable') continue;
      facts.setPath(size);
      if (size === widest) return;
      break;
    }
    age();
  }

  async function ask(size: number, mtu: number): Promise<void> {
    let probed = size;
    for (let lost = 0; lost < ROUNDS; ) {
      const outcome = await facts.probe(probed);
      // Meanwhile the path may have been learnt otherwise, by a report that could be believed or in another network.
      if (closed || facts.path() !== size) return;
      if (outcome.kind === 'arrived') {
        deafUntil = clock.now() + DEAF_FOR;
        trusted = false;
        // Each time: the socket may be another one by now.
        facts.trustKernel(false);
        facts.disproved(mtu, probed);
        return;
      }
      if (outcome.kind === 'unavailable') break;
      if (outcome.kind === 'lost') lost++;
      else if (probed > mtu + 1) probed = mtu + 1;
      else {
        believe(mtu);
        return;
      }
    }
    if (facts.routersMayCut()) deafUntil = clock.now() + DEAF_FOR;
    else believe(mtu);
  }

  return {
    report(reported, quoted) {
      const size = facts.path();
      const mtu = Math.max(reported, facts.least);
      if (closed || size === null || mtu >= size) return;
      if (quoted !== null && facts.isOurs(quoted) && !facts.routersMayCut()) {
        believe(mtu);
        return;
      }
      if (asking || clock.now() < deafUntil) return;
      asking = true;
      void ask(size, mtu).finally(() => {
        asking = false;
      });
    },
    close() {
      closed = true;
      aging?.cancel();
    },
  };
}
