// TCP connections for TCP encapsulation (RFC 9329) on Linux: connected or accepted here, written and read by the data plane.
//
// Chosen here, once:
// - TCP_NODELAY         a packet inside must not wait for the one before it to be acknowledged outside.
// - TCP_NOTSENT_LOWAT   what the network has not taken yet waits in our queue, where CoDel sees it, not in the kernel's
//                       (RFC 9329 §9.1: TCP in TCP): the socket is writable while less than this is unsent.
// - TCP_USER_TIMEOUT    a connection whose data nobody acknowledges ends; IKE's own liveness checks decide on the peer (§6.7).
import {
  AF_INET,
  AF_INET6,
  ECONNREFUSED,
  EINPROGRESS,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  MSG_NOSIGNAL,
  SO_ERROR,
  SO_MARK,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
  TCP_NOTSENT_LOWAT,
  TCP_USER_TIMEOUT,
} from '../../native/constants.ts';
import { errnoName, libc, watch } from '../../native/libc.ts';
import { decodeSockaddr, SOCKADDR_IN6_BYTES, sockaddrOf } from '../../native/sockaddr.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import type { StreamConnectOptions, StreamFactory, StreamListener, StreamSocket } from './api.ts';
import { connectionEnded } from './linux-connected.ts';

const PREFIX = new TextEncoder().encode('IKETCP');
const NOT_SENT_BYTES = 128 * 1024;
const USER_TIMEOUT_MS = 30_000;
const BACKLOG = 64;
const NOWHERE = new Uint8Array(0);

export const linuxStreams: StreamFactory = { connect, listen };

async function connect({ remote, mark, signal }: StreamConnectOptions): Promise<StreamSocket | NetError> {
  const calls = libc();
  const fd = streamSocket(remote);
  if (fd instanceof NetError) return fd;
  const fail = (operation: string, errno: number): NetError => {
    calls.close(fd);
    return connectError(operation, errno, remote);
  };
  if (mark !== 0 && calls.setsockopt(fd, SOL_SOCKET, SO_MARK, mark) < 0) return fail('SO_MARK', calls.errno());
  if (calls.connect(fd, sockaddrOf(remote.address, remote.port)) < 0) {
    const errno = calls.errno();
    if (errno !== EINPROGRESS) return fail('connect', errno);
    if (!(await connectionEnded(fd, signal))) {
      calls.close(fd);
      return givenUp(remote);
    }
    const refused = calls.getsockopt(fd, SOL_SOCKET, SO_ERROR);
    if (refused !== 0) return fail('connect', refused > 0 ? refused : calls.errno());
  }
  // An empty send buffer takes six bytes.
  if (calls.sendto(fd, PREFIX, MSG_NOSIGNAL, NOWHERE) !== PREFIX.length) return fail('send', calls.errno());
  return streamOf(fd, remote, false);
}

function listen(local: Endpoint, onConnection: (socket: StreamSocket) => void): StreamListener | NetError {
  const calls = libc();
  const fd = streamSocket(local);
  if (fd instanceof NetError) return fd;
  const fail = (operation: string): NetError => {
    const errno = calls.errno();
    calls.close(fd);
    return new NetError({
      code: errnoName(errno) === 'EADDRINUSE' ? 'address-in-use' : 'system-call',
      message: `Listening on TCP ${formatEndpoint(local)} failed (${operation}: ${errnoName(errno)}).`,
      operation,
      errno: errnoName(errno),
      remedy: 'Stop the other program on this port ("ss -ltnp" names it), or choose another.',
    });
  };
  calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (local.address.length === 16) calls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (calls.bind(fd, sockaddrOf(local.address, local.port)) < 0) return fail('bind');
  if (calls.listen(fd, BACKLOG) < 0) return fail('listen');
  const watching = watch(fd, () => {
    for (;;) {
      const from = new Uint8Array(SOCKADDR_IN6_BYTES);
      const accepted = calls.accept4(fd, from, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted < 0) return;
      const remote = decodeSockaddr(from);
      const socket = remote && streamOf(accepted, remote, true);
      if (socket) onConnection(socket);
      else calls.close(accepted);
    }
  });
  let closed = false;
  return {
    local: nameOf(fd) ?? local,
    close: () => {
      if (closed) return;
      closed = true;
      watching.close();
      calls.close(fd);
    },
  };
}

function streamSocket(towards: Endpoint): number | NetError {
  const calls = libc();
  const six = towards.address.length === 16;
  const fd = calls.socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) return fd;
  return connectError('socket', calls.errno(), towards);
}

function streamOf(fd: number, remote: Endpoint, expectsPrefix: boolean): StreamSocket {
  const calls = libc();
  calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BYTES);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
  let closed = false;
  return {
    fd,
    kind: 'tcp',
    local: nameOf(fd) ?? { address: new Uint8Array(remote.address.length), port: 0 },
    stream: { remote, expectsPrefix },
    close: () => {
      if (closed) return;
      closed = true;
      calls.close(fd);
    },
  };
}

function nameOf(fd: number): Endpoint | undefined {
  const name = new Uint8Array(SOCKADDR_IN6_BYTES);
  return libc().getsockname(fd, name) < 0 ? undefined : decodeSockaddr(name);
}

function connectError(operation: string, errno: number, remote: Endpoint): NetError {
  const to = formatEndpoint(remote);
  const refused = errno === ECONNREFUSED;
  return new NetError({
    code: 'unreachable',
    message: refused
      ? `${to} refuses TCP connections.`
      : `A TCP connection to ${to} could not be made (${operation}: ${errnoName(errno)}).`,
    operation: `${operation} (TCP to ${to})`,
    errno: errnoName(errno),
    remedy: refused
      ? 'The gateway does not do IKE over TCP on this port: ask its administrator, or set gateway.tcp to "off" in the profile.'
      : 'Check that the network is connected.',
  });
}

function givenUp(remote: Endpoint): NetError {
  const to = formatEndpoint(remote);
  return new NetError({
    code: 'unreachable',
    message: `${to} does not answer TCP either.`,
    operation: `connect (TCP to ${to})`,
    remedy: 'Check the network and the address of the gateway: neither UDP nor TCP gets through.',
  });
}
