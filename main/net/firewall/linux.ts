// The firewall on Linux: one nftables table of our own, replaced as a whole in one transaction.
//
//   out  Any program may bind its socket to an interface (SO_BINDTODEVICE, IP_UNICAST_IF: no right is needed for either), and then the
//        kernel sends there what the routing tables refuse: it takes the destination for one on that link
//        (ip_route_output_key_hash). Whoever is on the same network and answers for every address gets it.
//   in   Whoever is on the same network can send to the tunnel's own address: the answers, though inside the tunnel, tell by their
//        number and size which connections there are (CVE-2019-14899).
//
//   table inet culvert
//     chain out   hook output      our mark, lo, the tunnel ▶ accept     DHCP, neighbour discovery, group membership ▶ accept
//                                  what other rules decide before ours (earlier-rules.ts) ▶ accept
//                                  then as the routes say (route/plan.ts), the most specific first: out ▶ accept, in ▶ reject
//     chain in    hook prerouting  to an address of the tunnel, through another interface ▶ drop
//
// Like the routes, it stays where the engine is killed, and is removed by the next start. Nothing needs to be remembered: the table's
// name says whose it is.
import { formatAddress, type Prefix, parseAddress } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { createTurns } from '../in-turn.ts';
import type { DesiredRoutes } from '../route/api.ts';
import { destination, planRoutes, type TableRoute } from '../route/plan.ts';
import { type Family, MARK, readAttached } from '../route/table.ts';
import { type Runner, runOrError, systemRunner } from '../runner.ts';
import type { Firewall } from './api.ts';
import { acceptEarlier } from './earlier-rules.ts';

export const TABLE = 'culvert';

/** What a link cannot be used without. From ports that only the system may use (DHCP), or by the kernel itself. */
const NEEDED = [
  'udp sport 68 udp dport 67 accept',
  'udp sport 546 udp dport 547 accept',
  'meta l4proto igmp accept',
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept',
  'icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } accept',
];
/** How printers and the like are found: names (mDNS, LLMNR) and services (SSDP), on this link only. */
const LAN = ['ip daddr { 224.0.0.0/24, 239.255.255.250, 255.255.255.255 } accept', 'ip6 daddr ff02::/16 accept'];

export function linuxFirewall(runner: Runner = systemRunner): Firewall {
  const inTurn = createTurns();
  const cleanUp = async (): Promise<readonly string[]> => ((await remove(runner)) ? [`nftables table ${TABLE}`] : []);
  return {
    apply: (desired) => inTurn(() => apply(runner, desired)),
    close: () => inTurn(async () => void (await cleanUp())),
    cleanUp: () => inTurn(cleanUp),
  };
}

async function apply(runner: Runner, desired: DesiredRoutes): Promise<NetError | undefined> {
  const attached: Prefix[] = [];
  for (const family of [4, 6] as const satisfies readonly Family[]) {
    const found = await readAttached(runner, family, desired.interfaceName);
    // A family that this kernel does not have has no networks either.
    if (!(found instanceof NetError)) attached.push(...found.networks);
  }
  const addresses = await readAddresses(runner, desired.interfaceName);
  const earlier = await acceptEarlier(runner, desired.interfaceName);
  const script = rules(desired, planRoutes(desired, attached), addresses, earlier);
  const done = await runOrError(runner, 'nft', ['-f', '-'], `${script.join('\n')}\n`);
  return done instanceof NetError ? done : undefined;
}

function rules(
  desired: DesiredRoutes,
  plan: ReadonlyMap<string, TableRoute>,
  addresses: readonly string[],
  earlier: readonly string[],
): string[] {
  const specific = [...plan.values()].sort((a, b) => b.prefix.bits - a.prefix.bits);
  const tunnel = JSON.stringify(desired.interfaceName);
  const families = ['ip', 'ip6'] as const;
  const toTunnel = families.flatMap((family) => {
    const own = addresses.filter((address) => address.includes(':') === (family === 'ip6'));
    return own.length > 0 ? [`iifname != { "lo", ${tunnel} } ${family} daddr { ${own.join(', ')} } drop`] : [];
  });
  return [
    // Together they remove it, whether it was there or not.
    `add table inet ${TABLE}`,
    `delete table inet ${TABLE}`,
    `table inet ${TABLE} {`,
    'chain out {',
    'type filter hook output priority filter; policy accept;',
    `meta mark ${MARK} accept`,
    `oifname { "lo", ${tunnel} } accept`,
    ...NEEDED,
    ...earlier,
    ...(desired.allowLan ? LAN : []),
    ...specific.map(({ type, prefix }) => {
      const to = `${prefix.address.length === 4 ? 'ip' : 'ip6'} daddr ${destination(prefix)}`;
      return type === 'throw' ? `${to} accept` : `${to} reject with icmpx type no-route`;
    }),
    '}',
    'chain in {',
    'type filter hook prerouting priority raw; policy accept;',
    ...toTunnel,
    '}',
    '}',
  ];
}

/**
 * The addresses that only the tunnel's interface has; none where it has gone meanwhile. What another link has too (the network around
 * has the same numbers as the one behind the gateway, say) is how this computer is reached there, by the gateway first of all.
 */
async function readAddresses(runner: Runner, name: string): Promise<readonly string[]> {
  const text = await runOrError(runner, 'ip', ['-json', 'address', 'show']);
  if (text instanceof NetError) return [];
  const links = JSON.parse(text.trim() || '[]') as readonly {
    readonly ifname?: string;
    readonly addr_info?: readonly { readonly local?: string }[];
  }[];
  const addressesOf = (isTunnel: boolean): string[] =>
    links
      .filter(({ ifname }) => (ifname === name) === isTunnel)
      .flatMap((link) => link.addr_info ?? [])
      .flatMap(({ local }) => parseAddress(local ?? '') ?? [])
      // Every link has one of those, and each means its own link only.
      .filter((address) => !(address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80))
      .map(formatAddress);
  const elsewhere = new Set(addressesOf(false));
  return addressesOf(true).filter((address) => !elsewhere.has(address));
}

/** True: there was one. Without nftables there is nothing to remove. */
async function remove(runner: Runner): Promise<boolean> {
  const there = await runner.run('nft', ['list', 'table', 'inet', TABLE]);
  if (there instanceof NetError || there.exitCode !== 0) return false;
  const done = await runOrError(runner, 'nft', ['delete', 'table', 'inet', TABLE]);
  if (done instanceof NetError) throw done;
  return true;
}
