// What went through the tunnel, summed over reconnections: each link's counters start at zero.
import type { Instant } from '../ike/timing.ts';
import type { TrafficStatistics } from '../ipc/contract.ts';
import type { PathStatistics } from '../path/command.ts';

export const NO_TRAFFIC: TrafficStatistics = {
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  counters: {},
  lastInboundAgo: null,
};

export function trafficOf(statistics: PathStatistics, now: Instant): TrafficStatistics {
  const { counters, lastInbound } = statistics;
  return {
    bytesIn: counters.inBytes,
    bytesOut: counters.outBytes,
    packetsIn: counters.inPackets,
    packetsOut: counters.outPackets,
    counters: Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0)),
    lastInboundAgo: lastInbound === 0 ? null : Math.max(0, now - lastInbound),
    ...(statistics.received ? { received: statistics.received } : {}),
  };
}

/** `earlier` links and the one that counts now. */
export function addTraffic(earlier: TrafficStatistics, current: TrafficStatistics): TrafficStatistics {
  const counters: Record<string, number> = { ...earlier.counters };
  for (const [name, count] of Object.entries(current.counters)) counters[name] = (counters[name] ?? 0) + count;
  return {
    bytesIn: earlier.bytesIn + current.bytesIn,
    bytesOut: earlier.bytesOut + current.bytesOut,
    packetsIn: earlier.packetsIn + current.packetsIn,
    packetsOut: earlier.packetsOut + current.packetsOut,
    counters,
    lastInboundAgo: current.lastInboundAgo,
    ...(current.received
      ? {
          received: {
            due: (earlier.received?.due ?? 0) + current.received.due,
            arrived: (earlier.received?.arrived ?? 0) + current.received.arrived,
          },
        }
      : {}),
  };
}
