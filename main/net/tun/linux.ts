// The TUN adapter on Linux: /dev/net/tun for packets, `ip` (through the runner) for MTU, addresses and "up".
//
// The interface is not persistent: it exists as long as the descriptor does, and takes its addresses and the routes
// through it along when the process ends, however it ends.
import {
  EACCES,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOENT,
  EPERM,
  IFF_NO_PI,
  IFF_TUN,
  IFF_TUN_EXCL,
  IFF_VNET_HDR,
  IFREQ_BYTES,
  IFREQ_FLAGS,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUN_F_CSUM,
  TUN_F_TSO_ECN,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  TUNSETIFF,
  TUNSETOFFLOAD,
  TUNSETVNETHDRSZ,
} from '../../native/constants.ts';
import { errnoName, libc } from '../../native/libc.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { type Runner, runOrError, systemRunner } from '../runner.ts';
import type { Tun, TunAdapter, TunOptions } from './api.ts';

const DEVICE = '/dev/net/tun';
const VNET_HEADER_BYTES = 10;
/** IPv6 does not exist on a link with a smaller MTU (RFC 8200 §5); Linux then removes its addresses. */
const IPV6_MINIMUM_MTU = 1280;

export interface LinuxTunOptions {
  readonly runner?: Runner;
  /** Read and write with a virtio_net_hdr, so that TCP arrives in super-packets of up to 64 KB. On unless said otherwise. */
  readonly offloads?: boolean;
  /** With that, UDP in super-datagrams too, where the kernel has it (Linux 6.2). On unless said otherwise. */
  readonly uso?: boolean;
}

export function linuxTunAdapter({
  runner = systemRunner,
  offloads = true,
  uso = true,
}: LinuxTunOptions = {}): TunAdapter {
  return {
    open: async (options) => {
      const created = create(options.name, offloads, uso);
      if (created instanceof NetError) return created;
      const tun = tunOf(created, runner);
      const error = await tun.apply(options);
      if (!error) return tun;
      await tun.close();
      return error;
    },
  };
}

interface Created {
  readonly fd: number;
  readonly name: string;
  readonly vnetHeader: boolean;
  readonly uso: boolean;
}

const TCP_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

function create(wanted: string, offloads: boolean, wantsUso: boolean): Created | NetError {
  const calls = libc();
  const name = new TextEncoder().encode(wanted);
  // The name is a C string of 16 bytes; the kernel would cut a longer one.
  if (name.length > 15 || name.length === 0 || /[/\s:]/.test(wanted))
    return new NetError({
      code: 'unsupported',
      message: `"${wanted}" cannot be the name of a network interface.`,
      operation: 'TUNSETIFF',
      remedy: 'Use 1 to 15 bytes without slash, colon or space; "%d" stands for the first free number.',
    });

  const fd = calls.open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return openError(calls.errno());

  const request = new Uint8Array(IFREQ_BYTES);
  request.set(name);
  const flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL | (offloads ? IFF_VNET_HDR : 0);
  new DataView(request.buffer).setUint16(IFREQ_FLAGS, flags, true);
  if (calls.ioctl(fd, TUNSETIFF, request) < 0) {
    const errno = calls.errno();
    calls.close(fd);
    // What only looks like Linux may not know the header. (A name that is taken is refused once more.)
    if (errno === EINVAL && offloads) return create(wanted, false, false);
    return attachError(errno, wanted);
  }
  let uso = false;
  if (offloads) {
    const size = new Uint8Array(Int32Array.of(VNET_HEADER_BYTES).buffer);
    const sized = calls.ioctl(fd, TUNSETVNETHDRSZ, size) >= 0;
    // A kernel that does not know all of these refuses them all.
    uso = sized && wantsUso && calls.ioctlValue(fd, TUNSETOFFLOAD, TCP_OFFLOADS | TUN_F_USO4 | TUN_F_USO6) >= 0;
    if (!sized || (!uso && calls.ioctlValue(fd, TUNSETOFFLOAD, TCP_OFFLOADS) < 0)) {
      // A kernel without them: the same interface without the header.
      calls.close(fd);
      return create(wanted, false, false);
    }
  }
  const end = request.indexOf(0);
  return { fd, name: new TextDecoder().decode(request.subarray(0, end)), vnetHeader: offloads, uso };
}

function openError(errno: number): NetError {
  const fields = { operation: `open ${DEVICE}`, errno: errnoName(errno) };
  if (errno === ENOENT || errno === ENODEV)
    return new NetError({
      ...fields,
      code: 'no-tun-device',
      message: `This machine has no TUN device (${DEVICE} is absent).`,
      remedy: 'Load the kernel module ("modprobe tun"). In a container, pass the device in (--device /dev/net/tun).',
    });
  if (errno === EACCES || errno === EPERM) return permissionError(fields);
  return new NetError({
    ...fields,
    code: 'system-call',
    message: `${DEVICE} could not be opened (${fields.errno}).`,
    remedy: 'Close other programs that hold many files open, or restart the engine.',
  });
}

function attachError(errno: number, name: string): NetError {
  const fields = { operation: `TUNSETIFF ${name}`, errno: errnoName(errno) };
  if (errno === EPERM || errno === EACCES) return permissionError(fields);
  // EBUSY: a TUN of this name is attached or persistent. EINVAL: an interface of another kind has it.
  if (errno === EBUSY || errno === EINVAL)
    return new NetError({
      ...fields,
      code: 'name-taken',
      message: `A network interface called "${name}" exists already.`,
      remedy: `Disconnect the program that made it, remove it ("ip link del ${name}"), or use a name with "%d" in it.`,
    });
  return new NetError({
    ...fields,
    code: 'system-call',
    message: `The TUN interface "${name}" could not be made (${fields.errno}).`,
    remedy: 'Look into the kernel log (dmesg) for what it says about tun.',
  });
}

function permissionError(fields: { operation: string; errno: string }): NetError {
  return new NetError({
    ...fields,
    code: 'no-permission',
    message: 'This process may not make a TUN interface: it lacks CAP_NET_ADMIN.',
    remedy: 'Run the engine as root (the system service does), or give it CAP_NET_ADMIN.',
  });
}

export interface Link {
  readonly mtu?: number;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

function tunOf(created: Created, runner: Runner): Tun {
  const { fd, name } = created;
  let open = true;

  return {
    ...created,
    index: libc().ifNameToIndex(name),

    apply: (desired) => apply(runner, name, desired, 2),

    close: async () => {
      if (!open) return;
      open = false;
      libc().close(fd);
    },
  };
}

/** `rounds`: removing a primary address may take its secondaries along (promote_secondaries), so look again once. */
async function apply(
  runner: Runner,
  name: string,
  desired: Pick<TunOptions, 'mtu' | 'addresses'>,
  rounds: number,
): Promise<NetError | undefined> {
  const shown = await runOrError(runner, 'ip', ['-json', 'address', 'show', 'dev', name]);
  if (shown instanceof NetError) return shown;
  const link = (JSON.parse(shown || '[]') as readonly Link[])[0] ?? {};
  const lines = changes(name, link, desired);
  if (lines instanceof NetError) return lines;
  if (lines.length === 0) return undefined;
  if (!link.flags?.includes('UP'))
    // No link-local address and no router solicitations of the kernel's on it; fails, rightly unheard, without IPv6.
    await runner.run('ip', ['link', 'set', 'dev', name, 'addrgenmode', 'none']);
  const done = await runOrError(runner, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`);
  if (done instanceof NetError) return done;
  const removed = lines.some((line) => line.startsWith('address del'));
  return removed && rounds > 1 ? apply(runner, name, desired, rounds - 1) : undefined;
}

/** Lines for `ip -batch` that turn what is there into what is desired. Exported for tests. */
export function changes(name: string, link: Link, desired: Pick<TunOptions, 'mtu' | 'addresses'>): string[] | NetError {
  if (desired.mtu < IPV6_MINIMUM_MTU && desired.addresses.some((prefix) => prefix.address.length === 16))
    return new NetError({
      code: 'unsupported',
      message: `An MTU of ${desired.mtu} is too small for IPv6 addresses on ${name}; IPv6 needs ${IPV6_MINIMUM_MTU}.`,
      operation: `ip address add dev ${name}`,
      remedy: 'Raise the MTU, or leave IPv6 out of this tunnel.',
    });
  const key = (prefix: Prefix) => formatPrefix(prefix);
  const wanted = desired.addresses.map(key);
  const present = (link.addr_info ?? [])
    // A link-local address nobody asked for is the kernel's business.
    .filter((info) => info.scope !== 'link' || wanted.includes(`${info.local}/${info.prefixlen}`))
    .flatMap((info) => parsePrefix(`${info.local}/${info.prefixlen}`) ?? [])
    .map(key);
  const lines: string[] = [];
  const mtu = link.mtu === desired.mtu ? [] : [`link set dev ${name} mtu ${desired.mtu}`];
  // Under an MTU of 1280 the kernel ends IPv6 on the link: IPv6 addresses go before that, and come after its end.
  const narrower = link.mtu !== undefined && desired.mtu < link.mtu;
  if (!narrower) lines.push(...mtu);
  // New addresses before the old ones go: with the last of a family, the kernel drops all routes through the interface.
  // No duplicate address detection: nobody else is on this link, and a tentative address delays the first packet.
  for (const text of wanted)
    if (!present.includes(text)) lines.push(`address add ${text} dev ${name}${text.includes(':') ? ' nodad' : ''}`);
  for (const text of present) if (!wanted.includes(text)) lines.push(`address del ${text} dev ${name}`);
  if (narrower) lines.push(...mtu);
  if (!link.flags?.includes('UP')) lines.push(`link set dev ${name} up`);
  return lines;
}
