// The TUN adapter: a network interface whose packets this process reads and writes through a file descriptor.
import type { Prefix } from '../../wire/address.ts';
import type { NetError } from '../error.ts';

export interface TunOptions {
  /** At most 15 bytes; a `%d` is replaced by the first free number. */
  readonly name: string;
  readonly mtu: number;
  /** The host's own addresses on the interface, each with its on-link prefix length. */
  readonly addresses: readonly Prefix[];
}

/** Open while it exists; the interface, its addresses and its routes vanish with the descriptor, also on kill -9. */
export interface Tun {
  readonly fd: number;
  readonly name: string;
  readonly index: number;
  /** Packets on `fd` are preceded by a 10-byte virtio_net_hdr. */
  readonly vnetHeader: boolean;
  /** … and UDP may come and go in super-datagrams (GSO_UDP_L4). */
  readonly uso?: boolean | undefined;
  /** Makes MTU and addresses as given; what is already so is not touched. */
  apply(desired: { readonly mtu: number; readonly addresses: readonly Prefix[] }): Promise<NetError | undefined>;
  close(): Promise<void>;
}

export interface TunAdapter {
  open(options: TunOptions): Promise<Tun | NetError>;
}
