// The sockets towards one address of the gateway: UDP 500 and 4500 (or any two ports where those are taken), raw ESP where
// it may be needed, and raw GRE for plain GRE. Each is given to the receiver as soon as it is open, so that nothing that
// arrives before the tunnel exists is missed.
import { NetError } from '../net/error.ts';
import type { SocketOptions, TunnelSocket } from '../net/socket/api.ts';
import type { DataPlane } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import { type Address, type Endpoint, formatAddress, formatEndpoint } from '../wire/address.ts';
import type { SessionDeps } from './deps.ts';
import { familyOf } from './request.ts';
import type { UndoStack } from './undo.ts';

/** RFC 7296 §2, RFC 3948 §2. */
const IKE_PORT = 500;
const NATT_PORT = 4500;

export interface IkeSockets {
  /** `tcp`: `ike` and `natt` are one and the same, the way into the stream. */
  readonly over: 'udp' | 'tcp';
  readonly local: Address;
  readonly ike: TunnelSocket;
  readonly natt: TunnelSocket;
  /** null: raw ESP is not wanted, or not allowed here. */
  readonly esp: TunnelSocket | null;
}

export interface SocketOpener {
  readonly deps: SessionDeps;
  readonly plane: DataPlane;
  /** Until the data plane is closed it has to let go of a socket before the socket closes. */
  readonly planeOpen: () => boolean;
  readonly undo: UndoStack;
}

/** Rejects with a NetError. What was opened before that is on the undo stack. */
export async function openIkeSockets(opener: SocketOpener, profile: Profile, gateway: Address): Promise<IkeSockets> {
  const local = sourceAddress(opener, gateway, profile.gateway.port);
  const ike = await openUdp(opener, 'ike', local, IKE_PORT);
  const natt = await openUdp(opener, 'natt', local, NATT_PORT);
  const esp = profile.tunnel.encapsulation === 'auto' ? await openRawEsp(opener, local) : null;
  return { over: 'udp', local, ike, natt, esp };
}

/** One TCP connection instead of them (RFC 9329). Rejects with a NetError, or where `signal` ends it. */
export async function openIkeStream(
  opener: SocketOpener,
  remote: Endpoint,
  signal: AbortSignal,
  complain: (error: unknown) => void,
): Promise<IkeSockets> {
  const { deps, plane, planeOpen, undo } = opener;
  const { streams } = deps.sockets;
  if (!streams) throw new RangeError('there is no TCP encapsulation here');
  const stream = await streams.connect({ remote, mark: deps.routes.mark, signal });
  if (stream instanceof NetError) throw stream;
  undo.push(`closing the connection to ${formatEndpoint(remote)}`, () => stream.close());
  undo.push(`taking the connection to ${formatEndpoint(remote)} from the data plane`, async () => {
    if (!planeOpen()) return;
    await plane.receive({ kind: 'removeSocket', fd: stream.fd });
    await plane.send({ kind: 'forgetStream', socket: stream.fd });
  });
  await plane.receive({ kind: 'addSocket', socket: stream });
  const into: TunnelSocket = {
    fd: stream.fd,
    kind: 'tcp',
    local: stream.local,
    stream: stream.stream,
    send(bytes) {
      plane.send({ kind: 'sendMessage', socket: stream.fd, bytes }).catch(complain);
      return undefined;
    },
    close: () => stream.close(),
  };
  return { over: 'tcp', local: stream.local.address, ike: into, natt: into, esp: null };
}

export async function openGreSocket(
  opener: SocketOpener,
  gateway: Address,
): Promise<{ readonly local: Address; readonly gre: TunnelSocket }> {
  const local = sourceAddress(opener, gateway, 0);
  const gre = await open(opener, { kind: familyOf(local) === 4 ? 'gre4' : 'gre6', local });
  if (gre instanceof NetError) throw gre;
  return { local, gre };
}

function sourceAddress({ deps }: SocketOpener, gateway: Address, port: number): Address {
  const local = deps.sockets.sourceAddress({ address: gateway, port }, deps.routes.mark);
  if (local instanceof NetError) throw local;
  return local;
}

async function openUdp(
  opener: SocketOpener,
  kind: 'ike' | 'natt',
  local: Address,
  preferred: number,
): Promise<TunnelSocket> {
  const first = await open(opener, { kind, local, port: preferred });
  if (!(first instanceof NetError)) return first;
  // Another IPsec program on this machine, or no privilege for a port under 1024: any port will do behind a NAT, and
  // gateways answer to the port that a request came from (RFC 7296 §2.11).
  if (first.code !== 'address-in-use' && first.code !== 'no-permission') throw first;
  const any = await open(opener, { kind, local, port: 0 });
  if (any instanceof NetError) throw any;
  opener.deps.log({
    level: 'info',
    area: 'socket',
    text: `UDP port ${preferred} is not to be had (${first.message}): using ${any.local.port} instead`,
  });
  return any;
}

async function openRawEsp(opener: SocketOpener, local: Address): Promise<TunnelSocket | null> {
  const esp = await open(opener, { kind: familyOf(local) === 4 ? 'esp4' : 'esp6', local });
  if (!(esp instanceof NetError)) return esp;
  opener.deps.log({
    level: 'info',
    area: 'socket',
    text: `no raw ESP socket (${esp.message}): ESP will be encapsulated in UDP`,
  });
  return null;
}

async function open(
  { deps, plane, planeOpen, undo }: SocketOpener,
  options: { readonly kind: SocketOptions['kind']; readonly local: Address; readonly port?: number },
): Promise<TunnelSocket | NetError> {
  const { kind, local, port } = options;
  const socket = deps.sockets.open({
    kind,
    family: familyOf(local),
    localAddress: local,
    ...(port === undefined ? {} : { localPort: port }),
    mark: deps.routes.mark,
  });
  if (socket instanceof NetError) return socket;
  const name = `the ${kind} socket at ${formatAddress(local)}`;
  undo.push(`closing ${name}`, () => socket.close());
  undo.push(`taking ${name} from the receiver`, async () => {
    if (planeOpen()) await plane.receive({ kind: 'removeSocket', fd: socket.fd });
  });
  await plane.receive({ kind: 'addSocket', socket: { fd: socket.fd, kind } });
  return socket;
}
