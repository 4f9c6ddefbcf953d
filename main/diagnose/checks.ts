// What may be wrong, from what is known: each check names what was found, the likely cause and what to do. Pure: the facts are
// gathered by the daemon, so that every verdict can be tested.
import { COUNTERS_BY_NAME, type CounterName } from '../core/counters.ts';
import type { Check, ContractError, Drop, EngineState, TrafficStatistics } from '../ipc/contract.ts';
import { isToldCode, type Told, type ToldCode, tell, tellError } from '../words/told.ts';

export interface Facts {
  readonly state: EngineState;
  readonly traffic: TrafficStatistics | null;
  readonly lastError: ContractError | null;
  /** Unix milliseconds. */
  readonly now: number;
  /** May this process make TUN devices? null: yes; else why not ("EACCES", "ENOENT"). */
  readonly tun: string | null;
  /** The gateway's name and what it resolves to; null: no profile to look at. */
  readonly gateway: {
    readonly host: string;
    readonly addresses: readonly string[];
    /** Why it could not be resolved: an error number's name ("ENOTFOUND"), "late"; null: it has no address. */
    readonly error: string | null;
  } | null;
  /** What the ports answered, asked just now; null: not asked (a tunnel is up, or its routes are). */
  readonly ports:
    | readonly { readonly port: number; readonly answered: boolean; readonly error: string | null }[]
    | null;
  /** Newest path test, where there was one. */
  readonly path: { readonly works: number | null; readonly assumed: number } | null;
}

type Verdict = Check['verdict'];

interface Finding {
  readonly found: Told;
  readonly cause?: Told;
  readonly remedy?: Told;
  readonly data?: Check['data'];
}

type CheckId = 'connection' | 'tun' | 'clock' | 'dns' | 'gateway-reachable' | 'traffic' | 'mtu-black-hole' | 'drops';

const check = (id: CheckId, verdict: Verdict, { found, cause, remedy, data = {} }: Finding): Check => ({
  id,
  title: tell(`check.title.${id}`),
  verdict,
  found,
  cause: cause ?? null,
  remedy: remedy ?? null,
  data,
});

const NOT_CONNECTED: Finding = { found: tell('check.notConnected') };

/** 2026: nothing of this program is older. Certificates and logs are wrong when the clock is. */
const EARLIEST = Date.UTC(2026, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

export function runChecks(facts: Facts): readonly Check[] {
  return [
    connection(facts),
    tun(facts),
    clock(facts),
    name(facts),
    reach(facts),
    silence(facts),
    mtu(facts),
    drops(facts),
  ];
}

function connection({ state, lastError }: Facts): Check {
  const because = (verdict: Verdict, error: ContractError): Check => {
    const { error: found, remedy } = tellError(error);
    return check('connection', verdict, { found, remedy, data: { code: error.code } });
  };
  switch (state.state) {
    case 'connected':
      return check('connection', 'pass', { found: tell('check.connection.up', { profile: state.profile }) });
    case 'connecting':
    case 'disconnecting':
      return check('connection', 'skipped', {
        found: tell(`check.connection.${state.state}`, { profile: state.profile }),
      });
    case 'reconnecting':
      return because('warn', state.because);
    case 'failed':
      return because('fail', state.error);
    case 'disconnected': {
      if (!lastError) return check('connection', 'skipped', NOT_CONNECTED);
      const { error, remedy } = tellError(lastError);
      const found = tell('check.connection.ended', { error });
      return check('connection', 'warn', { found, remedy, data: { code: lastError.code } });
    }
  }
}

function tun({ tun: error }: Facts): Check {
  if (error === null) return check('tun', 'pass', { found: tell('check.tun.good') });
  const why = error === 'ENOENT' ? 'check.tun.noModule' : 'check.tun.noRights';
  return check('tun', 'fail', {
    found: tell('check.tun.bad', { error }),
    cause: tell(why),
    remedy: tell(`${why}.remedy`),
    data: { error },
  });
}

function clock({ now }: Facts): Check {
  // The same in every language, down to the minute.
  const time = `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (now >= EARLIEST && now < LATEST) return check('clock', 'pass', { found: tell('check.clock.good', { time }) });
  return check('clock', 'fail', {
    found: tell('check.clock.wrong', { time }),
    cause: tell('check.clock.cause'),
    remedy: tell('check.clock.remedy'),
  });
}

function name({ gateway }: Facts): Check {
  if (!gateway) return check('dns', 'skipped', { found: tell('check.dns.noProfile') });
  const { host, addresses, error } = gateway;
  if (addresses.length > 0) return check('dns', 'pass', { found: tell('check.dns.found', { host, addresses }) });
  return check('dns', 'fail', {
    found:
      error === null
        ? tell('check.dns.empty', { host })
        : error === 'late'
          ? tell('check.dns.late', { host })
          : tell('check.dns.failed', { host, error }),
    cause: tell('check.dns.cause'),
    remedy: tell('check.dns.remedy'),
    data: { host },
  });
}

function reach({ state, ports, gateway }: Facts): Check {
  const id = 'gateway-reachable';
  if (state.state === 'connected') return check(id, 'pass', { found: tell('check.reach.connected') });
  if (!ports || !gateway) return check(id, 'skipped', { found: tell('check.reach.notAsked') });
  const numbers = (wanted: boolean): readonly string[] =>
    ports.flatMap(({ port, answered }) => (answered === wanted ? [String(port)] : []));
  const [answered, silent] = [numbers(true), numbers(false)];
  const data = Object.fromEntries(ports.map((port) => [`udp${port.port}`, port.answered]));
  if (silent.length === 0) return check(id, 'pass', { found: tell('check.reach.all', { answered }), data });
  if (answered.length > 0)
    return check(id, 'warn', {
      found: tell('check.reach.some', { answered, silent }),
      cause: tell('check.reach.some.cause', { silent }),
      remedy: tell('check.reach.some.remedy'),
      data,
    });
  const refused = ports.some(({ error }) => error === 'ECONNREFUSED');
  const why = refused ? 'check.reach.refused' : 'check.reach.silent';
  return check(id, 'fail', {
    found: tell('check.reach.none', { silent }),
    cause: tell(why),
    remedy: tell(`${why}.remedy`),
    data,
  });
}

function silence({ state, traffic }: Facts): Check {
  if (state.state !== 'connected' || !traffic) return check('traffic', 'skipped', NOT_CONNECTED);
  const { packetsIn: received, packetsOut: sent } = traffic;
  if (sent < 20 || received > 0)
    return check('traffic', 'pass', { found: tell('check.traffic.good', { received, sent }) });
  return check('traffic', 'warn', {
    found: tell('check.traffic.silent', { sent }),
    cause: tell('check.traffic.silent.cause'),
    remedy: tell('check.traffic.silent.remedy'),
  });
}

function mtu({ state, traffic, path }: Facts): Check {
  const id = 'mtu-black-hole';
  if (path?.works && path.works < path.assumed)
    return check(id, 'fail', {
      found: tell('check.mtu.narrow', { works: path.works, assumed: path.assumed }),
      cause: tell('check.mtu.narrow.cause'),
      remedy: tell('check.mtu.narrow.remedy'),
      data: { works: path.works, assumed: path.assumed },
    });
  if (state.state !== 'connected' || !traffic) return check(id, 'skipped', NOT_CONNECTED);
  const { value, computed } = state.tunnel.mtu;
  if (computed !== undefined && value > computed)
    return check(id, 'warn', {
      found: tell('check.mtu.fixed', { value, computed }),
      cause: tell('check.mtu.fixed.cause'),
      remedy: tell('check.mtu.fixed.remedy'),
      data: { value, computed },
    });
  // Mostly small packets come back while large ones leave: what a black hole looks like from here.
  const outSize = traffic.bytesOut / Math.max(1, traffic.packetsOut);
  const inSize = traffic.bytesIn / Math.max(1, traffic.packetsIn);
  if (traffic.packetsOut > 200 && outSize > 0.8 * value && traffic.packetsIn * 8 < traffic.packetsOut && inSize < 120)
    return check(id, 'warn', {
      found: tell('check.mtu.oneWay'),
      cause: tell('check.mtu.oneWay.cause'),
      remedy: tell('check.mtu.oneWay.remedy'),
    });
  return check(id, 'pass', { found: tell('check.mtu.good', { mtu: value }) });
}

/** Counters that say what went well, or that belong to normal work. */
const HARMLESS: ReadonlySet<string> = new Set<CounterName>([
  'outPackets',
  'outBytes',
  'outDummies',
  'outFragments',
  'outMssClamped',
  'inPackets',
  'inBytes',
  'inIke',
  'inKeepalives',
  'inDummies',
  'inMssClamped',
  'inParked',
  'fragReceived',
  'fragReassembled',
  'inGreKeepalive',
  'outTooBig',
  'outNoTunnel',
]);

/** Packets that went nowhere, by the reason, the most first. */
export function dropsOf(traffic: TrafficStatistics | null): readonly Drop[] {
  return Object.entries(traffic?.counters ?? {})
    .filter(([key, packets]) => packets > 0 && !HARMLESS.has(key))
    .map(([key, packets]) => ({ name: key, meaning: meaningOf(key), packets }))
    .sort((a, b) => b.packets - a.packets);
}

/** In the core's own words where there are none for people. */
function meaningOf(counter: string): Told {
  const code = `drop.${counter}`;
  const technical: Readonly<Record<string, string>> = COUNTERS_BY_NAME;
  return isToldCode(code) ? tell(code as DropCode) : { code, data: {}, text: technical[counter] ?? counter };
}
type DropCode = Extract<ToldCode, `drop.${string}`>;

function drops({ traffic }: Facts): Check {
  if (!traffic) return check('drops', 'skipped', NOT_CONNECTED);
  const all = dropsOf(traffic);
  const dropped = all.reduce((sum, { packets }) => sum + packets, 0);
  const through = traffic.packetsIn + traffic.packetsOut;
  const [first] = all;
  if (!first) return check('drops', 'pass', { found: tell('check.drops.none') });
  const found = tell('check.drops.some', {
    dropped,
    all: dropped + through,
    reason: first.meaning,
    most: first.packets,
  });
  const data = Object.fromEntries(all.map(({ name: key, packets }) => [key, packets]));
  // One packet in a thousand is the network's ordinary weather.
  if (dropped <= 10 || dropped * 1000 <= through) return check('drops', 'pass', { found, data });
  return check('drops', 'warn', { found, cause: causeOf(first.name), remedy: tell('check.drops.remedy'), data });
}

function causeOf(counter: string): Told {
  if (counter.startsWith('inGre')) return tell('check.drops.gre');
  if (counter.startsWith('inReplay')) return tell('check.drops.replay');
  if (counter === 'inAuthFailed' || counter === 'inUnknownSpi') return tell('check.drops.foreign');
  if (counter === 'inInnerAddress' || counter === 'inDeliveryAddress') return tell('check.drops.addresses');
  return tell('check.drops.other');
}
