// Samples as what is drawn and said: rates in bits per second, gaps where the engine measured nothing.
import type { TrafficSample } from '../../../main/ipc/contract.ts';

export interface TrafficSeries {
  /** Unix time in seconds. */
  readonly times: readonly number[];
  readonly in: readonly (number | null)[];
  readonly out: readonly (number | null)[];
  /** Milliseconds. */
  readonly latency: readonly (number | null)[];
}

/** Seconds shown. */
export const SPAN = 120;
/** A pause longer than this, in milliseconds, is a gap and no line. */
const GAP = 3_500;

export const rate = (bytes: number, { seconds }: TrafficSample): number => (seconds > 0 ? (bytes * 8) / seconds : 0);

export function seriesOf(samples: readonly TrafficSample[]): TrafficSeries {
  const newest = samples.at(-1)?.time ?? 0;
  const times: number[] = [];
  const received: (number | null)[] = [];
  const sent: (number | null)[] = [];
  const latency: (number | null)[] = [];
  let before: number | undefined;
  for (const sample of samples) {
    if (sample.time < newest - SPAN * 1000) continue;
    if (before !== undefined && sample.time - before > GAP) {
      times.push((before + sample.time) / 2000);
      received.push(null);
      sent.push(null);
      latency.push(null);
    }
    before = sample.time;
    times.push(sample.time / 1000);
    received.push(rate(sample.bytesIn, sample));
    sent.push(rate(sample.bytesOut, sample));
    latency.push(sample.latency);
  }
  return { times, in: received, out: sent, latency };
}

export interface Extent {
  readonly now: number;
  readonly least: number;
  readonly most: number;
}

/** Null: no value at all. */
export function extentOf(values: readonly (number | null)[]): Extent | null {
  const known = values.filter((value) => value !== null);
  const now = known.at(-1);
  return now === undefined ? null : { now, least: Math.min(...known), most: Math.max(...known) };
}

/** Share of packets lost over the span, 0 to 1; null: not known. */
export function lossOf(samples: readonly TrafficSample[]): number | null {
  const newest = samples.at(-1)?.time ?? 0;
  let lost = 0;
  let due = 0;
  let known = false;
  for (const { time, loss, packetsIn } of samples) {
    if (loss === null || time < newest - SPAN * 1000) continue;
    known = true;
    // Of those due, a share of `loss` is missing from what came.
    const were = loss < 1 ? packetsIn / (1 - loss) : packetsIn;
    lost += were * loss;
    due += were;
  }
  return known ? (due ? lost / due : 0) : null;
}
