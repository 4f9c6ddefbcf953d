// The tunnel's sockets on Linux, through libc: Node's dgram knows neither SO_MARK nor raw protocols, and the data plane
// needs the descriptor. Every socket is non-blocking and unconnected (a gateway may answer from another address).
//
// Chosen here, once:
// - SO_MARK                so that net/route keeps the tunnel's own datagrams out of the tunnel.
// - IP_MTU_DISCOVER: WANT  DF is set on what fits the known path MTU, so that routers report a smaller one; what does not
//                          fit is fragmented instead of refused. DO would refuse long IKE messages (which RFC 7296 §2
//                          leaves to IP fragmentation) and, for a moment, ESP after every change of path. This is "set" of
//                          RFC 4301 §8.1, and the default: what is too long for the tunnel is cut before it is sealed, so a router
//                          never needs to, and its ICMP is wanted. For "clear", "copy" and bursts the data plane changes it for
//                          as long as a call: path/socket-df.ts.
// - IP_RECVERR             ICMP errors (port unreachable, new path MTU) are heard at all on an unconnected socket. They
//                          arrive in the error queue, which the data plane drains; a send may return one: see `send`.
// - IP_RECVTOS             ECN and DSCP of the outer header, for RFC 6040.
// - buffers of 4 MiB       a burst at 1 Gbit/s while the receiver is off the processor for 30 ms.
// - SO_TIMESTAMPNS         when a datagram arrived, so that the data plane knows how long it has waited in the buffer.
// - UDP_GRO                not on the IKE port; where the kernel has it.
import {
  AF_INET,
  AF_INET6,
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  ECONNREFUSED,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETUNREACH,
  EPERM,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_PROBE,
  IP_PMTUDISC_WANT,
  IP_RECVERR,
  IP_RECVTOS,
  IPPROTO_ESP,
  IPPROTO_GRE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_RECVTCLASS,
  IPV6_V6ONLY,
  MSG_NOSIGNAL,
  SO_MARK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SO_TIMESTAMPNS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  UDP_GRO,
} from '../../native/constants.ts';
import { errnoName, libc } from '../../native/libc.ts';
import { decodeSockaddr, SOCKADDR_IN6_BYTES, sockaddrOf } from '../../native/sockaddr.ts';
import { type Address, type Endpoint, formatAddress, formatEndpoint } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import type { SocketFactory, SocketOptions, TunnelSocket } from './api.ts';
import { linuxStreams } from './linux-stream.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;
/** A pending ICMP error is returned by the next send instead of its own result; a burst may leave a few. */
const SEND_ATTEMPTS = 4;

export interface LinuxSocketOptions {
  /** UDP_GRO on the `natt` kind: the data plane then finds bursts in one datagram slot. On unless said otherwise. */
  readonly gro?: boolean;
}

export function linuxSocketFactory({ gro = true }: LinuxSocketOptions = {}): SocketFactory {
  return { open: (options) => open(options, gro), sourceAddress, streams: linuxStreams };
}

type DatagramKind = Exclude<SocketOptions['kind'], 'tcp'>;

const PROTOCOL = {
  ike: 0,
  natt: 0,
  esp4: IPPROTO_ESP,
  esp6: IPPROTO_ESP,
  gre4: IPPROTO_GRE,
  gre6: IPPROTO_GRE,
} as const satisfies Record<DatagramKind, number>;

function open(options: SocketOptions, gro: boolean): TunnelSocket | NetError {
  const calls = libc();
  const udp = options.kind === 'ike' || options.kind === 'natt';
  const six = udp ? options.family === 6 : options.kind.endsWith('6');
  const what = udp ? `UDP port ${options.localPort ?? 0}` : `raw protocol ${PROTOCOL[options.kind]}`;
  const type = (udp ? SOCK_DGRAM : SOCK_RAW) | SOCK_NONBLOCK | SOCK_CLOEXEC;

  const fd = calls.socket(six ? AF_INET6 : AF_INET, type, PROTOCOL[options.kind]);
  if (fd < 0) return socketError(calls.errno(), 'socket', what);
  const fail = (operation: string): NetError => {
    const error = socketError(calls.errno(), operation, what);
    calls.close(fd);
    return error;
  };

  if (options.mark !== 0 && calls.setsockopt(fd, SOL_SOCKET, SO_MARK, options.mark) < 0) return fail('SO_MARK');
  if (six) {
    if (udp) calls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    calls.setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_WANT);
    calls.setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    calls.setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  } else {
    calls.setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT);
    calls.setsockopt(fd, IPPROTO_IP, IP_RECVERR, 1);
    calls.setsockopt(fd, IPPROTO_IP, IP_RECVTOS, 1);
  }
  // Past net.core.*mem_max with privilege, up to it without.
  if (calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) < 0)
    calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  if (calls.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) < 0)
    calls.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
  if (options.kind === 'natt') calls.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (gro && options.kind === 'natt') calls.setsockopt(fd, IPPROTO_UDP, UDP_GRO, 1);

  const address = options.localAddress ?? new Uint8Array(six ? 16 : 4);
  if (calls.bind(fd, sockaddrOf(address, udp ? (options.localPort ?? 0) : 0)) < 0) return fail('bind');
  const name = new Uint8Array(SOCKADDR_IN6_BYTES);
  if (calls.getsockname(fd, name) < 0) return fail('getsockname');
  const bound = decodeSockaddr(name)!;
  let closed = false;
  const [level, option] = six ? [IPPROTO_IPV6, IPV6_MTU_DISCOVER] : [IPPROTO_IP, IP_MTU_DISCOVER];

  return {
    fd,
    kind: options.kind,
    // A raw socket's "port" is its protocol number: no port.
    local: udp ? bound : { address: bound.address, port: 0 },
    send: (bytes, to) => {
      const sockaddr = sockaddrOf(to.address, udp ? to.port : 0);
      for (let attempt = 1; ; attempt++) {
        if (calls.sendto(fd, bytes, MSG_NOSIGNAL, sockaddr) >= 0) return undefined;
        const errno = calls.errno();
        // Full buffer: as though the network had lost it; IKE retransmits.
        if (errno === EAGAIN) return undefined;
        // The data plane just sends what must not be fragmented (path/socket-df.ts); this may be.
        if (errno === EMSGSIZE) calls.setsockopt(fd, level, option, IP_PMTUDISC_WANT);
        if (attempt === SEND_ATTEMPTS) return sendError(errno, to);
      }
    },
    sendWhole: (bytes, to) => {
      const sockaddr = sockaddrOf(to.address, udp ? to.port : 0);
      // PROBE: DF set, and what the kernel has learnt of the path does not count. For this one call; what the data plane sends
      // on the same socket meanwhile fits the path anyway, or has DF by mistake, once. It may also end PROBE too early
      // (path/socket-df.ts): then what became of the datagram says nothing of the path.
      try {
        for (let attempt = 1; ; attempt++) {
          calls.setsockopt(fd, level, option, IP_PMTUDISC_PROBE);
          const sent = calls.sendto(fd, bytes, MSG_NOSIGNAL, sockaddr) >= 0;
          const errno = sent ? 0 : calls.errno();
          if (errno === EAGAIN) return undefined;
          const undisturbed = calls.getsockopt(fd, level, option) === IP_PMTUDISC_PROBE;
          if (sent) return undisturbed ? undefined : 'disturbed';
          // An error that an earlier datagram brought is cleared by reading it, which this was.
          if (attempt < SEND_ATTEMPTS) continue;
          if (errno !== EMSGSIZE) return sendError(errno, to);
          return undisturbed ? 'too-big' : 'disturbed';
        }
      } finally {
        calls.setsockopt(fd, level, option, IP_PMTUDISC_WANT);
      }
    },
    close: () => {
      if (closed) return;
      closed = true;
      calls.close(fd);
    },
  };
}

/** Connecting a UDP socket sends nothing, but makes the kernel choose route and source address. */
function sourceAddress(remote: Endpoint, mark: number): Address | NetError {
  const calls = libc();
  const to = formatEndpoint(remote);
  const family = remote.address.length === 4 ? AF_INET : AF_INET6;
  const fd = calls.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return socketError(calls.errno(), 'socket', `UDP to ${to}`);
  try {
    if (mark !== 0 && calls.setsockopt(fd, SOL_SOCKET, SO_MARK, mark) < 0)
      return socketError(calls.errno(), 'SO_MARK', `UDP to ${to}`);
    if (calls.connect(fd, sockaddrOf(remote.address, remote.port || 9)) < 0) return sendError(calls.errno(), remote);
    const name = new Uint8Array(SOCKADDR_IN6_BYTES);
    if (calls.getsockname(fd, name) < 0) return socketError(calls.errno(), 'getsockname', `UDP to ${to}`);
    return decodeSockaddr(name)!.address;
  } finally {
    calls.close(fd);
  }
}

function socketError(errno: number, operation: string, what: string): NetError {
  const fields = { operation: `${operation} (${what})`, errno: errnoName(errno) };
  switch (errno) {
    case EPERM:
    case EACCES:
      return new NetError({
        ...fields,
        code: 'no-permission',
        message: `This process may not open ${what} (${operation}: ${fields.errno}).`,
        remedy:
          'Run the engine as root, or give it CAP_NET_RAW and CAP_NET_ADMIN. Without privilege only UDP encapsulation on an unprivileged port works.',
      });
    case EADDRINUSE:
      return new NetError({
        ...fields,
        code: 'address-in-use',
        message: `${what} is taken by another program.`,
        remedy: 'Stop the other IPsec program on this machine ("ss -lunp" names it), or let Culvert choose a port (0).',
      });
    case EADDRNOTAVAIL:
      return new NetError({
        ...fields,
        code: 'unreachable',
        message: `The local address for ${what} is not (or no longer) one of this machine's.`,
        remedy: 'The network changed: connect again, or leave the local address out of the profile.',
      });
    default:
      return new NetError({
        ...fields,
        code: 'system-call',
        message: `${what} could not be opened (${operation}: ${fields.errno}).`,
        remedy:
          'If the error is EAFNOSUPPORT, this machine has no IPv6: use an IPv4 gateway address. Else restart the engine.',
      });
  }
}

function sendError(errno: number, to: Endpoint): NetError {
  const fields = { operation: `send to ${formatEndpoint(to)}`, errno: errnoName(errno) };
  const host = formatAddress(to.address);
  switch (errno) {
    case ECONNREFUSED:
      return new NetError({
        ...fields,
        code: 'unreachable',
        message: `${host} answers that nothing listens on UDP port ${to.port}.`,
        remedy: 'Check the gateway address; on the gateway, check that its IPsec service runs.',
      });
    case ENETUNREACH:
    case EHOSTUNREACH:
      return new NetError({
        ...fields,
        code: 'unreachable',
        message: `There is no way to ${host} from this machine (${fields.errno}).`,
        remedy: 'Check that the network is connected; an IPv6 gateway address needs IPv6 on this network.',
      });
    case EPERM:
      return new NetError({
        ...fields,
        code: 'no-permission',
        message: `A firewall on this machine forbids sending to ${formatEndpoint(to)}.`,
        remedy: 'Allow outgoing UDP 500 and 4500 and IP protocol 50 to the gateway (nft list ruleset).',
      });
    default:
      return new NetError({
        ...fields,
        code: 'system-call',
        message: `Sending to ${formatEndpoint(to)} failed (${fields.errno}).`,
        remedy: 'Check the gateway address in the profile.',
      });
  }
}
