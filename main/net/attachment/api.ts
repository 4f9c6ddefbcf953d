// Which network this computer is attached to: the one that carries its default route. Wi-Fi is known by its name and by
// whether the access point had to prove a key; a wired network by its router's hardware address, where that is one of a kind.
// Everything else is `unknown`, with the reason: whoever asks has to treat it as a network that nobody vouches for.
//
// None of this is proof. A name can be given to any access point; a key that both ends had to show (WPA2 and later) says that
// it is one of those who know the key; a hardware address can be imitated by whoever has seen it.

/** Why a network cannot be told from others. */
export type UnknownReason =
  /** The system keeps Wi-Fi names from programs without the right to know where the computer is (macOS 14, Windows 11 24H2). */
  | 'name-hidden'
  /** The router's hardware address is made up, shared (VRRP, HSRP) or a virtual machine's: many networks have the same. */
  | 'no-identity'
  /** Mobile broadband, another tunnel: neither Wi-Fi nor Ethernet. */
  | 'other-kind'
  /** The commands that would tell are missing, failed or took too long. */
  | 'not-readable';

export type Attachment =
  | { readonly kind: 'offline' }
  /** `secured`: access point and computer proved a key to each other (WPA, not open, WEP or OWE). */
  | { readonly kind: 'wifi'; readonly name: string; readonly secured: boolean }
  /** `gateway`: hardware address, lower case with colons. */
  | { readonly kind: 'wired'; readonly gateway: string }
  | { readonly kind: 'unknown'; readonly because: UnknownReason };

export interface Place {
  readonly attachment: Attachment;
  /** Tells this place from others also where it is unknown: interface, router and its hardware address; '' offline. */
  readonly mark: string;
}

export interface AttachmentReader {
  /** Takes seconds at most. Never rejects. */
  read(): Promise<Place>;
}

export const OFFLINE: Place = { attachment: { kind: 'offline' }, mark: '' };

/** Where the default route leads. */
export interface DefaultRoute {
  readonly interfaceName: string;
  /** Address of the router; null: a point-to-point link has none. */
  readonly gateway: string | null;
}

export const unknown = (because: UnknownReason): Attachment => ({ kind: 'unknown', because });

/** The rest of what a reader finds, put together alike on every system. `wifi`: undefined where it is none. */
export function placeOf(route: DefaultRoute, mac: string | undefined, wifi: Attachment | undefined): Place {
  const mark = `${route.interfaceName} ${route.gateway ?? '-'} ${mac ?? '-'}`;
  return { attachment: wifi ?? wired(route, mac), mark };
}

function wired(route: DefaultRoute, mac: string | undefined): Attachment {
  if (route.gateway === null) return unknown('other-kind');
  if (mac === undefined) return unknown('not-readable');
  return isOneOfAKind(mac) ? { kind: 'wired', gateway: mac } : unknown('no-identity');
}

/** "3C-A6-2F-0-B-C", "3c:a6:2f:0:b:c" → "3c:a6:2f:00:0b:0c"; undefined where it is no hardware address. */
export function normaliseMac(text: string): string | undefined {
  const parts = text.trim().toLowerCase().split(/[:-]/);
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{1,2}$/.test(part))) return undefined;
  const mac = parts.map((part) => part.padStart(2, '0')).join(':');
  return mac === '00:00:00:00:00:00' ? undefined : mac;
}

/** Routers that share an address (VRRP of RFC 9568 §7.3, HSRP, GLBP) and what virtual machines are given. */
const SHARED = [
  '00:00:5e:00:01:',
  '00:00:5e:00:02:',
  '00:00:0c:07:ac:',
  '00:00:0c:9f:f',
  '00:05:73:a0:0',
  '00:07:b4:00:',
  '00:05:69:',
  '00:0c:29:',
  '00:50:56:',
  '00:15:5d:',
  '08:00:27:',
];

/** A hardware address that its maker gave to this one device (IEEE 802 §8.2: universally administered, not a group's). */
export function isOneOfAKind(mac: string): boolean {
  const first = Number.parseInt(mac.slice(0, 2), 16);
  return (first & 3) === 0 && !SHARED.some((prefix) => mac.startsWith(prefix));
}
