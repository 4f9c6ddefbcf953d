// What may be wrong, from what is known: each check names what was found, the likely cause and what to do. Pure: the facts are
// gathered by the daemon, so that every verdict can be tested.
import { COUNTERS_BY_NAME, type CounterName } from '../core/counters.ts';
import type { Check, ContractError, Drop, EngineState, TrafficStatistics } from '../ipc/contract.ts';

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
const check = (
  id: string,
  title: string,
  verdict: Verdict,
  found: string,
  cause: string | null = null,
  remedy: string | null = null,
  data: Check['data'] = {},
): Check => ({ id, title, verdict, found, cause, remedy, data });

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
  const title = 'Connection';
  switch (state.state) {
    case 'connected':
      return check('connection', title, 'pass', `Connected with "${state.profile}".`);
    case 'connecting':
    case 'disconnecting':
      return check('connection', title, 'skipped', `The engine is ${state.state}.`);
    case 'reconnecting':
      return check('connection', title, 'warn', state.because.message, null, state.because.remedy, {
        code: state.because.code,
      });
    case 'failed':
      return check('connection', title, 'fail', state.error.message, null, state.error.remedy, {
        code: state.error.code,
      });
    case 'disconnected':
      return lastError
        ? check(
            'connection',
            title,
            'warn',
            `Not connected. The last time: ${lastError.message}`,
            null,
            lastError.remedy,
            { code: lastError.code },
          )
        : check('connection', title, 'skipped', 'Not connected.');
  }
}

function tun({ tun: problem }: Facts): Check {
  const title = 'Network interface of the tunnel';
  if (problem === null) return check('tun', title, 'pass', 'TUN devices can be made.');
  return check(
    'tun',
    title,
    'fail',
    `/dev/net/tun cannot be used (${problem}).`,
    problem === 'ENOENT'
      ? 'The kernel module "tun" is not loaded, or a container hides it.'
      : 'The engine does not run as root.',
    problem === 'ENOENT' ? 'Load it: sudo modprobe tun.' : 'Start the engine as root, or give it CAP_NET_ADMIN.',
    { error: problem },
  );
}

function clock({ now }: Facts): Check {
  const shown = new Date(now).toISOString();
  if (now >= EARLIEST && now < LATEST) return check('clock', 'Clock', 'pass', `It is ${shown}.`);
  return check(
    'clock',
    'Clock',
    'fail',
    `This computer believes that it is ${shown}.`,
    'Its battery is empty, or it has not reached a time server yet.',
    'Set the date and time; certificates are judged by it.',
  );
}

function name({ gateway }: Facts): Check {
  const title = 'Name of the gateway';
  if (!gateway) return check('dns', title, 'skipped', 'There is no profile to look at.');
  if (gateway.addresses.length > 0)
    return check('dns', title, 'pass', `${gateway.host} is ${gateway.addresses.join(', ')}.`);
  return check(
    'dns',
    title,
    'fail',
    `${gateway.host} does not resolve: ${gateway.error ?? 'it has no address'}.`,
    'This computer is offline, its name server does not answer, or the name is misspelt.',
    'Check the network, and gateway.host in the profile. A hotel or café may want you to accept its terms in a browser first.',
    { host: gateway.host },
  );
}

function reach({ state, ports, gateway }: Facts): Check {
  const title = 'Way to the gateway';
  if (state.state === 'connected') return check('gateway-reachable', title, 'pass', 'The gateway answers.');
  if (!ports || !gateway) return check('gateway-reachable', title, 'skipped', 'Not asked now.');
  const silent = ports.filter(({ answered }) => !answered);
  const list = ports.map(({ port, answered }) => `UDP ${port}: ${answered ? 'answers' : 'silent'}`).join(', ');
  const data = Object.fromEntries(ports.map(({ port, answered }) => [`udp${port}`, answered]));
  if (silent.length === 0) return check('gateway-reachable', title, 'pass', `${list}.`, null, null, data);
  if (silent.length < ports.length)
    return check(
      'gateway-reachable',
      title,
      'warn',
      `${list}.`,
      `A firewall on the way blocks UDP ${silent.map(({ port }) => port).join(' and ')}.`,
      'Both ports are needed, 4500 also for the traffic itself: try another network, or ask its administrator.',
      data,
    );
  const refused = silent.some(({ error }) => error === 'ECONNREFUSED');
  return check(
    'gateway-reachable',
    title,
    'fail',
    `${list}.`,
    refused
      ? 'The computer at this address says that nothing listens there.'
      : 'The gateway is down, its address is wrong, or a firewall on the way blocks UDP 500 and 4500.',
    refused
      ? 'Check the address in the profile; on the gateway, check that its IPsec service runs.'
      : 'Try another network (a mobile phone’s, for instance). Where that works, this network blocks VPNs.',
    data,
  );
}

function silence({ state, traffic }: Facts): Check {
  const title = 'Traffic from the gateway';
  if (state.state !== 'connected' || !traffic) return check('traffic', title, 'skipped', 'Not connected.');
  if (traffic.packetsOut < 20 || traffic.packetsIn > 0)
    return check('traffic', title, 'pass', `${traffic.packetsIn} packets came, ${traffic.packetsOut} went.`);
  return check(
    'traffic',
    title,
    'warn',
    `${traffic.packetsOut} packets went into the tunnel, and none came back.`,
    'The gateway has no way back to your tunnel address, its GRE key or addresses differ from the profile, or a firewall on the way drops ESP.',
    'Look at the drops below. With encapsulation "auto", try "udp". Else give the report to the administrator of the gateway.',
  );
}

function mtu({ state, traffic, path }: Facts): Check {
  const title = 'Large packets';
  if (path?.works && path.works < path.assumed)
    return check(
      'mtu-black-hole',
      title,
      'fail',
      `Packets of more than ${path.works} bytes are lost on the way, but ${path.assumed} is assumed.`,
      'A link on the way is narrower, and the router before it does not say so.',
      'Use the result of the path test on the MTU page.',
      { works: path.works, assumed: path.assumed },
    );
  if (state.state !== 'connected' || !traffic) return check('mtu-black-hole', title, 'skipped', 'Not connected.');
  const { value, computed } = state.tunnel.mtu;
  if (computed !== undefined && value > computed)
    return check(
      'mtu-black-hole',
      title,
      'warn',
      `The tunnel's MTU is fixed at ${value}, but only ${computed} fit.`,
      'The profile or a person set it.',
      'Set the MTU to automatic.',
      { value, computed },
    );
  // Mostly small packets come back while large ones leave: what a black hole looks like from here.
  const outSize = traffic.bytesOut / Math.max(1, traffic.packetsOut);
  const inSize = traffic.bytesIn / Math.max(1, traffic.packetsIn);
  if (traffic.packetsOut > 200 && outSize > 0.8 * value && traffic.packetsIn * 8 < traffic.packetsOut && inSize < 120)
    return check(
      'mtu-black-hole',
      title,
      'warn',
      'Large packets leave and hardly anything comes back.',
      'They may be too large for a link on the way that does not say so.',
      'Test the path on the MTU page.',
    );
  return check('mtu-black-hole', title, 'pass', `Nothing speaks against an MTU of ${value}.`);
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
  const meanings: Readonly<Record<string, string>> = COUNTERS_BY_NAME;
  return Object.entries(traffic?.counters ?? {})
    .filter(([key, packets]) => packets > 0 && !HARMLESS.has(key))
    .map(([key, packets]) => ({ name: key, meaning: meanings[key] ?? key, packets }))
    .sort((a, b) => b.packets - a.packets);
}

function drops({ traffic }: Facts): Check {
  const title = 'Dropped packets';
  if (!traffic) return check('drops', title, 'skipped', 'Not connected.');
  const all = dropsOf(traffic);
  const total = all.reduce((sum, { packets }) => sum + packets, 0);
  const through = traffic.packetsIn + traffic.packetsOut;
  const [most] = all;
  if (!most) return check('drops', title, 'pass', 'None.');
  // One packet in a thousand is the network's ordinary weather.
  const verdict: Verdict = total > 10 && total * 1000 > through ? 'warn' : 'pass';
  return check(
    'drops',
    title,
    verdict,
    `${total} of ${total + through}; mostly: ${most.meaning} (${most.packets}).`,
    verdict === 'warn' ? causeOf(most.name) : null,
    verdict === 'warn' ? 'Give the report to the administrator of the gateway.' : null,
    Object.fromEntries(all.map(({ name: key, packets }) => [key, packets])),
  );
}

function causeOf(counter: string): string {
  if (counter.startsWith('inGre'))
    return 'The GRE settings of profile and gateway differ (key, checksum, sequence numbers).';
  if (counter.startsWith('inReplay'))
    return 'The network reorders packets more than the replay window allows, or repeats them.';
  if (counter === 'inAuthFailed' || counter === 'inUnknownSpi')
    return 'Somebody sends packets of another connection, or they are damaged on the way.';
  if (counter === 'inInnerAddress' || counter === 'inDeliveryAddress')
    return 'The gateway sends packets from networks that the profile does not route.';
  return 'See the meaning of each counter.';
}
