// The time series of a connection: one point a second, the newest ten minutes.
import type { TrafficSample, TrafficStatistics } from '../ipc/contract.ts';
import type { RoundTrip } from '../session/deps.ts';

export const MOST_SAMPLES = 600;
/** A round trip that is older says nothing of now, in milliseconds. */
const STALE = 45_000;

export interface Moment {
  /** Monotonic and Unix milliseconds. */
  readonly now: number;
  readonly wall: number;
  readonly traffic: TrafficStatistics;
  readonly latency: RoundTrip | null;
}

export interface Series {
  /** The new point; null: the first look, from which the next counts. */
  add(moment: Moment): TrafficSample | null;
  readonly samples: readonly TrafficSample[];
  /** Another connection: it begins anew. */
  clear(): void;
}

export function createSeries(): Series {
  let samples: TrafficSample[] = [];
  let before: Moment | null = null;
  return {
    add(moment) {
      const last = before;
      before = moment;
      if (!last || moment.now <= last.now) return null;
      const { traffic, latency } = moment;
      const since = (key: 'bytesIn' | 'bytesOut' | 'packetsIn' | 'packetsOut'): number =>
        Math.max(0, traffic[key] - last.traffic[key]);
      const sample: TrafficSample = {
        time: Math.round(moment.wall),
        seconds: (moment.now - last.now) / 1000,
        bytesIn: since('bytesIn'),
        bytesOut: since('bytesOut'),
        packetsIn: since('packetsIn'),
        packetsOut: since('packetsOut'),
        latency: latency && moment.now - latency.at <= STALE ? latency.milliseconds : null,
        loss: lossBetween(last.traffic, traffic),
      };
      samples = [...samples.slice(1 - MOST_SAMPLES), sample];
      return sample;
    },
    get samples() {
      return samples;
    },
    clear() {
      samples = [];
      before = null;
    },
  };
}

/** Share of the ESP packets sent to us that did not arrive, by the gaps in their sequence numbers (RFC 4303 §3.3.3). */
export function lossBetween(before: TrafficStatistics, now: TrafficStatistics): number | null {
  if (before.received === undefined || now.received === undefined) return null;
  const due = now.received.due - before.received.due;
  const arrived = now.received.arrived - before.received.arrived;
  // Packets that come late count for the second in which they come.
  return due > 0 ? Math.min(1, Math.max(0, 1 - arrived / due)) : due === 0 && arrived === 0 ? 0 : null;
}
