// Who is at the other end of a unix socket, as the kernel noted when it was connected (SO_PEERCRED, unix(7)).
import koffi from 'koffi';

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: three 32-bit numbers, host order. */
const UCRED_BYTES = 12;

type GetSockOpt = (fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array) => number;
let bound: GetSockOpt | undefined;

/** undefined where this platform does not say, or `fd` is no unix socket. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  if (process.platform !== 'linux' || !Number.isInteger(fd) || fd < 0) return undefined;
  bound ??= koffi.load(null).func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']) as GetSockOpt;
  const value = new Uint8Array(UCRED_BYTES);
  const length = Uint32Array.of(UCRED_BYTES);
  if (bound(fd, SOL_SOCKET, SO_PEERCRED, value, length) < 0 || length[0] !== UCRED_BYTES) return undefined;
  const [pid = 0, uid = 0, gid = 0] = new Uint32Array(value.buffer);
  // A socket of another kind answers 0 and -1.
  return uid === 0xffff_ffff ? undefined : { pid, uid, gid };
}
