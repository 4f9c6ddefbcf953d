// An ordinary TCP connection past the tunnel: it carries the mark of the engine's own traffic (see net/route), which has to be set
// before connecting, so Node.js cannot do it alone. For what the engine fetches while a tunnel is being made: CRLs, OCSP answers.
import { Socket } from 'node:net';
import {
  AF_INET,
  AF_INET6,
  EINPROGRESS,
  SO_ERROR,
  SO_MARK,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../native/constants.ts';
import { errnoName, libc } from '../../native/libc.ts';
import { sockaddrOf } from '../../native/sockaddr.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { connectionEnded } from './linux-connected.ts';

/** Rejects with an Error for people. The time that it may take is the caller's: `signal` ends it. `mark` 0: none. */
export function connectMarked(remote: Endpoint, mark: number, signal: AbortSignal): Promise<Socket> {
  const calls = libc();
  const family = remote.address.length === 16 ? AF_INET6 : AF_INET;
  const fd = calls.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const failed = (operation: string, errno: number): Promise<never> => {
    if (fd >= 0) calls.close(fd);
    return Promise.reject(new Error(`no connection to ${formatEndpoint(remote)} (${operation}: ${errnoName(errno)})`));
  };
  if (fd < 0) return failed('socket', calls.errno());
  if (mark !== 0 && calls.setsockopt(fd, SOL_SOCKET, SO_MARK, mark) < 0) return failed('SO_MARK', calls.errno());
  if (calls.connect(fd, sockaddrOf(remote.address, remote.port)) < 0) {
    const errno = calls.errno();
    if (errno !== EINPROGRESS) return failed('connect', errno);
  }
  return connectionEnded(fd, signal).then((connected) => {
    if (!connected) {
      calls.close(fd);
      throw new Error(`no connection to ${formatEndpoint(remote)} in time`);
    }
    const refused = calls.getsockopt(fd, SOL_SOCKET, SO_ERROR);
    // From here on the descriptor is the Socket's to close.
    return refused === 0 ? new Socket({ fd }) : failed('connect', refused > 0 ? refused : calls.errno());
  });
}
