// One packet of an exact size on the way to the gateway, between the same ports as the tunnel's own, with DF set: does it
// arrive? The answer to an IKE message that belongs to no SA (ike/probe.ts) tells. Lost probes cost the tunnel nothing.

import type { RandomBytes } from '../crypto/random.ts';
import { LEAST_PROBE_BYTES, type Probe, pathProbe } from '../ike/probe.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { Endpoint } from '../wire/address.ts';
import type { Clock, Timer } from './clock.ts';

export type ProbeOutcome =
  | { readonly kind: 'arrived'; readonly milliseconds: number }
  /** No answer in time. */
  | { readonly kind: 'lost' }
  /** This computer's own link refuses packets of this size. */
  | { readonly kind: 'too-big' }
  /** There is no connection over IKE now, or this platform cannot do it. */
  | { readonly kind: 'unavailable' };

/** Milliseconds that an answer may take. */
export const PROBE_PATIENCE = 1_000;

export interface ProbeWay {
  readonly socket: TunnelSocket;
  readonly to: Endpoint;
  /** In front of an IKE message on the NAT traversal port (RFC 3948 §2.2). */
  readonly marker: boolean;
}

export interface PathProber {
  /** `size`: bytes of the IP packet. Sizes under what a probe needs are rounded up to it. */
  probe(way: ProbeWay, size: number): Promise<ProbeOutcome>;
  /** True: the datagram answered a probe, and is nobody else's. */
  received(datagram: Uint8Array): boolean;
  close(): void;
}

const UDP_HEADER = 8;
const MARKER = 4;
/** Of a probe that other traffic of the socket disturbs. */
const ATTEMPTS = 4;

export function createPathProber(deps: { readonly clock: Clock; readonly random: RandomBytes }): PathProber {
  const { clock, random } = deps;
  const waiting = new Map<Probe, (outcome: ProbeOutcome) => void>();
  let closed = false;

  return {
    probe(way, size) {
      const { socket, to, marker } = way;
      if (closed || !socket.sendWhole) return Promise.resolve({ kind: 'unavailable' });
      const around = (to.address.length === 4 ? 20 : 40) + UDP_HEADER + (marker ? MARKER : 0);
      const sent = clock.now();
      let probe: Probe;
      let result: ReturnType<NonNullable<TunnelSocket['sendWhole']>>;
      // Each time another one: whoever answers one that went out in fragments says nothing of its size.
      for (let attempt = 1; ; attempt++) {
        probe = pathProbe(Math.max(LEAST_PROBE_BYTES, size - around), random);
        const datagram = new Uint8Array((marker ? MARKER : 0) + probe.bytes.length);
        datagram.set(probe.bytes, marker ? MARKER : 0);
        result = socket.sendWhole(datagram, to);
        if (result !== 'disturbed' || attempt === ATTEMPTS) break;
      }
      if (result === 'too-big') return Promise.resolve({ kind: 'too-big' });
      // One that could not be sent is lost, but not at once: whoever sends another then shall not meet the same full queue.
      return new Promise((resolve) => {
        let timer: Timer | null = null;
        const end = (outcome: ProbeOutcome): void => {
          timer?.cancel();
          waiting.delete(probe);
          resolve(outcome);
        };
        timer = clock.setTimer(sent + PROBE_PATIENCE, () => end({ kind: 'lost' }));
        waiting.set(probe, (outcome) =>
          end(outcome.kind === 'arrived' ? { kind: 'arrived', milliseconds: clock.now() - sent } : outcome),
        );
      });
    },
    received(datagram) {
      for (const [probe, answer] of waiting)
        if (probe.answeredBy(datagram)) {
          answer({ kind: 'arrived', milliseconds: 0 });
          return true;
        }
      return false;
    },
    close() {
      closed = true;
      for (const answer of [...waiting.values()]) answer({ kind: 'unavailable' });
    },
  };
}
