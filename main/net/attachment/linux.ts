// The network on Linux: the main table's default route and the router's neighbour entry by `ip -json`, Wi-Fi by `iw` (the
// kernel's own word, over nl80211) or, without it, by NetworkManager's `nmcli`.
import { existsSync } from 'node:fs';
import { NetError } from '../error.ts';
import type { Runner } from '../runner.ts';
import {
  type Attachment,
  type AttachmentReader,
  type DefaultRoute,
  normaliseMac,
  OFFLINE,
  type Place,
  placeOf,
  unknown,
} from './api.ts';

export interface LinuxAttachmentOptions {
  /** True for an interface of Wi-Fi; by default what the kernel's sysfs says. */
  readonly isWireless?: (interfaceName: string) => boolean;
}

export function linuxAttachment(runner: Runner, options: LinuxAttachmentOptions = {}): AttachmentReader {
  const isWireless = options.isWireless ?? ((name) => existsSync(`/sys/class/net/${name}/phy80211`));
  const run = async (command: string, ...args: string[]): Promise<string | undefined> => {
    const result = await runner.run(command, args);
    return result instanceof NetError || result.exitCode !== 0 ? undefined : result.stdout;
  };

  const hardwareAddress = async ({ gateway, interfaceName }: DefaultRoute): Promise<string | undefined> => {
    if (gateway === null) return undefined;
    const neighbour = (): Promise<string | undefined> =>
      run('ip', '-json', 'neighbour', 'show', 'to', gateway, 'dev', interfaceName);
    const known = parseNeighbour((await neighbour()) ?? '');
    if (known !== undefined) return known;
    // Nobody has spoken to it yet. Whether it answers the echo does not matter: the kernel has to resolve it first.
    await run('ping', '-n', '-q', '-c', '1', '-W', '1', '-I', interfaceName, gateway);
    return parseNeighbour((await neighbour()) ?? '');
  };

  const wifi = async (name: string): Promise<Attachment> => {
    const link = await run('iw', 'dev', name, 'link');
    if (link !== undefined) {
      const joined = parseIwLink(link);
      if (!joined) return unknown('not-readable');
      const scan = (await run('iw', 'dev', name, 'scan', 'dump')) ?? '';
      return { kind: 'wifi', name: joined.name, secured: isSecuredInScan(scan, joined.bssid) };
    }
    const fields = 'IN-USE,SSID,SECURITY';
    const args = ['--terse', '--escape', 'yes', '--fields', fields, 'device', 'wifi', 'list'];
    const list = await run('nmcli', ...args, 'ifname', name, '--rescan', 'no');
    return (list === undefined ? undefined : parseNmcli(list)) ?? unknown('not-readable');
  };

  const read = async (): Promise<Place> => {
    let found: DefaultRoute | undefined;
    for (const family of ['-4', '-6']) {
      if (found) break;
      const text = await run('ip', '-json', family, 'route', 'show', 'default');
      if (text === undefined) return { attachment: unknown('not-readable'), mark: '' };
      found = parseDefaultRoute(text);
    }
    if (!found) return OFFLINE;
    const mac = await hardwareAddress(found);
    return placeOf(found, mac, isWireless(found.interfaceName) ? await wifi(found.interfaceName) : undefined);
  };
  return { read };
}

interface RouteEntry {
  readonly dev?: unknown;
  readonly gateway?: unknown;
  readonly via?: { readonly host?: unknown };
  readonly metric?: unknown;
  readonly flags?: unknown;
  readonly type?: unknown;
  readonly nexthops?: readonly RouteEntry[];
}

/** Of `ip -json route show default`: the one that the kernel prefers. undefined: there is none. */
export function parseDefaultRoute(text: string): DefaultRoute | undefined {
  const dead = ({ flags }: RouteEntry): boolean =>
    Array.isArray(flags) && (flags.includes('linkdown') || flags.includes('dead'));
  const metric = (entry: RouteEntry): number => (typeof entry.metric === 'number' ? entry.metric : 0);
  const hops = listOf<RouteEntry>(text)
    .filter((entry) => entry.type === undefined || entry.type === 'unicast')
    .flatMap((entry) =>
      (entry.nexthops ?? [entry]).map((hop) => ({ hop, metric: metric(entry), dead: dead(entry) || dead(hop) })),
    )
    .filter((each) => !each.dead && typeof each.hop.dev === 'string')
    .sort((a, b) => a.metric - b.metric);
  const best = hops[0]?.hop;
  if (!best) return undefined;
  const gateway = best.gateway ?? best.via?.host;
  return { interfaceName: String(best.dev), gateway: typeof gateway === 'string' ? gateway : null };
}

/** Of `ip -json neighbour show to ADDRESS dev NAME`: its hardware address. */
export function parseNeighbour(text: string): string | undefined {
  const entries = listOf<{ readonly lladdr?: unknown; readonly state?: unknown }>(text);
  const entry = entries.find(({ state }) => !(Array.isArray(state) && state.includes('FAILED')));
  return typeof entry?.lladdr === 'string' ? normaliseMac(entry.lladdr) : undefined;
}

function listOf<T extends object>(json: string): readonly T[] {
  try {
    const value: unknown = JSON.parse(json.trim() || '[]');
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'object' && entry !== null) : [];
  } catch {
    return [];
  }
}

/** Of `iw dev NAME link`; undefined: joined to none, or to one without a name. */
export function parseIwLink(text: string): { readonly bssid: string; readonly name: string } | undefined {
  const bssid = /^Connected to ([0-9a-f:]{17})\b/m.exec(text)?.[1];
  // iw escapes what is not printable, line ends among them: a name cannot forge a line.
  const escaped = /^\tSSID: (.+)$/m.exec(text)?.[1];
  const name = escaped === undefined ? undefined : unescapeIw(escaped);
  return bssid && name ? { bssid, name } : undefined;
}

/** "Caf\xc3\xa9" → "Café"; undefined where it is no UTF-8, which a settings page could not show. */
export function unescapeIw(text: string): string | undefined {
  const bytes = text.split(/(\\x[0-9a-f]{2}|\\.)/).flatMap((part) => {
    if (part.startsWith('\\x')) return [Number.parseInt(part.slice(2), 16)];
    return [...Buffer.from(part.startsWith('\\') ? part.slice(1) : part, 'utf8')];
  });
  return readable(Uint8Array.from(bytes));
}

function readable(bytes: Uint8Array): string | undefined {
  try {
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return name === '' || /\p{Cc}/u.test(name) ? undefined : name;
  } catch {
    return undefined;
  }
}

/** Key management that proves a key at both ends (IEEE 802.11 §9.4.2.24.3), as `iw` names it; not OWE, not "none". */
const PROVES = /\b(?:PSK|SAE|IEEE 802\.1X|FT|FILS|Suite B)\b/;

/** Of `iw dev NAME scan dump`: whether the access point wants a key shown. One that is not in it: no. */
export function isSecuredInScan(text: string, bssid: string): boolean {
  const block = text.split(/^(?=BSS )/m).find((each) => each.startsWith(`BSS ${bssid}`));
  // The texts of WPS and P2P are printed as the access point sent them, line ends and all.
  const before = block?.split(/^\t(?:WPS|P2P):/m)[0] ?? '';
  const suites = /^(?:\tRSN:)?\s+\* Authentication suites: (.*)$/gm;
  return [...before.matchAll(suites)].some(([, names = '']) => PROVES.test(names) && !/\bOWE\b/.test(names));
}

/** Of `nmcli --terse --fields IN-USE,SSID,SECURITY device wifi list`; undefined: none is in use. */
export function parseNmcli(text: string): Attachment | undefined {
  for (const line of text.split('\n')) {
    if (!line.startsWith('*:')) continue;
    // Colons and backslashes in a field have a backslash before them.
    const fields = line.match(/(?:\\.|[^\\:])*(?::|$)/g)?.map((field) => field.replace(/:$/, '')) ?? [];
    const [, ssid = '', security = ''] = fields.map((field) => field.replace(/\\(.)/g, '$1'));
    const name = readable(Buffer.from(ssid, 'utf8'));
    // A letter that its locale does not have becomes a question mark, and so do all others: two networks would have one name.
    if (name === undefined || name.includes('?')) return undefined;
    // More fields than asked for: something in the name was not escaped.
    if (fields.filter((field, i) => i < 3 || field !== '').length !== 3) return undefined;
    return { kind: 'wifi', name, secured: /\bWPA/.test(security) };
  }
  return undefined;
}
