// A profile: what an administrator hands a worker. This is the checked form, as the rest of the engine reads it; the file
// format and its validation are schema.ts. Addresses are bytes here, defaults are filled in.
import type { Address, Prefix } from '../wire/address.ts';
import type { GatewayAuthentication, ProfileAuthentication } from './authentication.ts';
import type { ProfilePolicy } from './policy.ts';

export interface Profile {
  readonly name: string;
  readonly gateway: {
    /** Host name or address. */
    readonly host: string;
    readonly port: number;
    readonly nattPort: number;
    /** IKE and ESP over a TCP connection (RFC 9329): where UDP is blocked, always, or never. */
    readonly tcp: 'fallback' | 'only' | 'off';
    readonly tcpPort: number;
    /** Expected identity, in the notation of `identity`; null: with a secret whatever it proves, with a certificate `host`. */
    readonly identity: string | null;
    /** undefined: by the pre-shared key that we use. */
    readonly authentication?: GatewayAuthentication | undefined;
  };
  readonly authentication: ProfileAuthentication;
  readonly tunnel: {
    readonly shape: 'gre-transport' | 'gre-tunnel' | 'esp-tunnel' | 'gre-plain';
    readonly encapsulation: 'udp' | 'auto';
    /** Ask for a virtual address of these families. */
    readonly requestAddresses: readonly (4 | 6)[];
    readonly replayWindow: number;
    readonly interfaceName: string;
    /** Wider or other traffic selectors than the shape's own, where the gateway wants them; null: the shape's. */
    readonly remoteSelectors: readonly Prefix[] | null;
    readonly anyProtocol: boolean;
    /** Follow this computer to other addresses without connecting anew (RFC 4555); in tunnel mode only. */
    readonly mobike: boolean;
    /** Make the IKE SA first and the CHILD SA after it, where the gateway can (RFC 6023). */
    readonly childless: boolean;
    /** Networks that are reached beside GRE, each through a CHILD SA of its own in tunnel mode. */
    readonly direct: readonly Prefix[];
  };
  /** null for `esp-tunnel`. */
  readonly gre: {
    /** Address of the TUN with its on-link prefix; null: the assigned virtual address. */
    readonly address: readonly Prefix[];
    /** Delivery header's addresses; null: the assigned (else local) address, and the gateway. */
    readonly local: Address | null;
    readonly remote: Address | null;
    readonly key: number | null;
    readonly checksum: boolean;
    readonly sequence: boolean;
  } | null;
  readonly routes: {
    readonly include: readonly Prefix[];
    readonly exclude: readonly Prefix[];
    readonly allowLan: boolean;
    /** Also route the subnets that the gateway announces. */
    readonly fromGateway: boolean;
  };
  readonly dns: {
    /** Ask the tunnel's name servers while it is up. */
    readonly use: boolean;
    /** null: those that the gateway names. */
    readonly servers: readonly Address[] | null;
    /** Only these names, and what is under them, are the tunnel's (RFC 8598 §5); null: those that the gateway names. */
    readonly domains: readonly string[] | null;
  };
  readonly mtu: {
    /** Inner MTU; null: computed. */
    readonly value: number | null;
    /** Path MTU assumed between us and the gateway. */
    readonly path: number;
    /** null: computed from the MTU; 0: leave MSS alone. */
    readonly mss: number | null;
    readonly copyDscp: boolean;
    /** DF of the outer IPv4 header (RFC 4301 §8.1). */
    readonly outerDf: 'set' | 'clear' | 'copy';
  };
  readonly proposals: { readonly ike: readonly string[]; readonly esp: readonly string[] };
  readonly timing: {
    readonly livenessSeconds: number;
    readonly keepaliveSeconds: number;
    /** Give up connecting after this long without an answer. */
    readonly connectSeconds: number;
    /** A CHILD SA, or the IKE SA, is replaced after so long, or is authenticated anew; 0: never because of time. */
    readonly rekeySeconds: number;
    readonly ikeRekeySeconds: number;
    readonly reauthSeconds: number;
    /** A CHILD SA is replaced after so much in one direction; null: only before its cipher's own limit. */
    readonly rekeyBytes: number | null;
    readonly rekeyPackets: number | null;
  };
  /** Locks, and what the person changed (`routes` and `mtu` above are as they count). Absent where none was read from a file. */
  readonly policy?: ProfilePolicy;
}
