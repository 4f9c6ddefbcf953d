import { expect, it } from 'vitest';
import { createSeries, MOST_SAMPLES } from '../../main/daemon/samples.ts';
import type { TrafficStatistics } from '../../main/ipc/contract.ts';

const traffic = (n: number, received?: TrafficStatistics['received']): TrafficStatistics => ({
  bytesIn: 1000 * n,
  bytesOut: 10 * n,
  packetsIn: n,
  packetsOut: n,
  counters: {},
  lastInboundAgo: 1,
  ...(received ? { received } : {}),
});

it('counts from look to look, and keeps ten minutes', () => {
  const series = createSeries();
  expect(series.add({ now: 0, wall: 1e12, traffic: traffic(0), latency: null })).toBeNull();
  for (let i = 1; i <= MOST_SAMPLES + 50; i++)
    series.add({ now: i * 1000, wall: 1e12 + i * 1000, traffic: traffic(i), latency: null });
  expect(series.samples).toHaveLength(MOST_SAMPLES);
  expect(series.samples.at(-1)).toEqual({
    time: 1e12 + 650_000,
    seconds: 1,
    bytesIn: 1000,
    bytesOut: 10,
    packetsIn: 1,
    packetsOut: 1,
    latency: null,
    loss: null,
  });
  series.clear();
  expect(series.samples).toEqual([]);
  expect(series.add({ now: 0, wall: 0, traffic: traffic(5), latency: null })).toBeNull();
});

it('shows a round trip while it is fresh, and loss by the gaps in sequence numbers', () => {
  const series = createSeries();
  const latency = { milliseconds: 21, at: 500 };
  series.add({ now: 0, wall: 0, traffic: traffic(0, { due: 100, arrived: 100 }), latency });
  const first = series.add({ now: 1000, wall: 0, traffic: traffic(1, { due: 200, arrived: 175 }), latency });
  expect(first).toMatchObject({ latency: 21, loss: 0.25 });
  const late = series.add({ now: 60_000, wall: 0, traffic: traffic(1, { due: 200, arrived: 180 }), latency });
  expect(late).toMatchObject({ latency: null, loss: null });
  const still = series.add({ now: 61_000, wall: 0, traffic: traffic(1, { due: 200, arrived: 180 }), latency });
  expect(still).toMatchObject({ loss: 0 });
});
