// The C library's system calls, bound by koffi: synchronous, no copies, no allocation on the calls that the packet path
// makes. A call returns -1 on failure; read `errno()` straight after it, before any other call.
//
// Two ways to hand over memory:
// - `address: number`   a machine address. For WebAssembly memory, whose base never moves (`addressOf` once). Nothing
//                       checks it: only the data plane uses these, with offsets from assembly/layout.ts.
// - `bytes: Uint8Array` read or filled in place, for everything off the packet path.
import { constants } from 'node:os';
import koffi from 'koffi';

export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  read(fd: number, address: number, length: number): number;
  write(fd: number, address: number, length: number): number;
  writev(fd: number, iovecs: number, count: number): number;
  readBytes(fd: number, bytes: Uint8Array): number;
  writeBytes(fd: number, bytes: Uint8Array): number;
  /** Writes 1 to an eventfd. */
  wake(eventfd: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  /** Locks an open file for this process; the kernel lets go of it when the process ends, however it does. */
  flock(fd: number, operation: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  ioctlValue(fd: number, request: number, argument: number): number;
  eventfd(initial: number, flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  socketpair(domain: number, type: number, protocol: number, pair: Int32Array): number;
  bind(fd: number, address: Uint8Array): number;
  connect(fd: number, address: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: number): number;
  /** The option as an int, or -1 (with errno) where the call failed. */
  getsockopt(fd: number, level: number, option: number): number;
  /** Fills `value` with a structure; -1 (with errno) where the call failed. */
  getsockoptBytes(fd: number, level: number, option: number, value: Uint8Array): number;
  /** Fills `address` (at least 28 bytes) with a sockaddr. */
  getsockname(fd: number, address: Uint8Array): number;
  listen(fd: number, backlog: number): number;
  /** A connection's descriptor; fills `address` (at least 28 bytes) with the other end's sockaddr. */
  accept4(fd: number, address: Uint8Array, flags: number): number;
  sendto(fd: number, bytes: Uint8Array, flags: number, address: Uint8Array): number;
  recvmmsg(fd: number, headers: number, count: number, flags: number): number;
  sendmmsg(fd: number, headers: number, count: number, flags: number): number;
  sendmsg(fd: number, header: number, flags: number): number;
  recvmsg(fd: number, header: number, flags: number): number;
  poll(fds: number, count: number, milliseconds: number): number;
  ifNameToIndex(name: string): number;
  /** Nice value, and nanoseconds of its turns on the processor, of the calling thread, whose policy stays (sched_setattr). */
  schedule(nice: number, slice: number): number;
  /** Gives the system back what malloc keeps unused, for all threads, where the C library can (musl cannot). */
  trim(): void;
  errno(): number;
}

/** linux/sched/types.h: as it was first published. */
const SCHED_ATTR_BYTES = 48;
/** Without it SCHED_IDLE, SCHED_BATCH and SCHED_FIFO would become SCHED_OTHER. Linux 5.3; older ones refuse, and know no turns either. */
const SCHED_FLAG_KEEP_POLICY = 8n;
const SYS_SCHED_SETATTR_X64 = 314;
const SYS_SCHED_SETATTR_ARM64 = 274;

let loaded: Libc | undefined;

/** Binds the C library at the first call. Throws on anything but 64-bit Linux. */
export function libc(): Libc {
  loaded ??= bind();
  return loaded;
}

/** Where `memory` lies in this process. Only for memory that never moves or shrinks. */
export function addressOf(memory: ArrayBuffer): number {
  return Number(koffi.address(memory));
}

const NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));

/** "ECONNREFUSED" for 111. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

export interface Watch {
  /** Also call back while `fd` can be written; ask only while something waits to be written. */
  wantWritable(wanted: boolean): void;
  close(): void;
}

/**
 * Calls back from this thread's event loop whenever `fd` can be read (level-triggered). One watch per descriptor. For
 * socket pairs of this process's own; not for UDP sockets, where libuv stops for ever after one ICMP error.
 */
export function watch(
  fd: number,
  callback: (events: { readonly readable: boolean; readonly writable: boolean }) => void,
): Watch {
  // koffi's type declaration leaves out the first argument, the status.
  const called = (...given: readonly unknown[]) => {
    const events = given.at(-1) as { readable: boolean; writable: boolean };
    callback(events);
  };
  const handle = koffi.node.poll(fd, { readable: true }, called);
  let closed = false;
  return {
    wantWritable: (wanted) => {
      if (!closed) handle.start({ readable: true, writable: wanted }, called);
    },
    close: () => {
      closed = true;
      handle.close();
    },
  };
}

/** glibc's malloc_trim(3). */
function trimmer(library: ReturnType<typeof koffi.load>): (keep: number) => number {
  try {
    return library.func('malloc_trim', 'int', ['size_t']);
  } catch {
    return () => 0;
  }
}

function bind(): Libc {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
    throw new Error(`the native bindings know 64-bit Linux only, not ${process.platform} on ${process.arch}`);
  // The process itself: Node is linked against the C library, be it glibc or musl.
  const library = koffi.load(null);
  const call = (name: string, result: string, ...parameters: string[]) => library.func(name, result, parameters);

  const open = call('open', 'int', 'str', 'int', 'int');
  const setsockopt = call('setsockopt', 'int', 'int', 'int', 'int', 'void *', 'uint32');
  const getsockopt = call('getsockopt', 'int', 'int', 'int', 'int', 'void *', 'void *');
  const getsockname = call('getsockname', 'int', 'int', 'void *', 'void *');
  const bindSocket = call('bind', 'int', 'int', 'void *', 'uint32');
  const accept4 = call('accept4', 'int', 'int', 'void *', 'void *', 'int');
  const connect = call('connect', 'int', 'int', 'void *', 'uint32');
  const sendto = call('sendto', 'intptr_t', 'int', 'void *', 'size_t', 'int', 'void *', 'uint32');
  const readBytes = call('read', 'intptr_t', 'int', 'void *', 'size_t');
  const writeBytes = call('write', 'intptr_t', 'int', 'void *', 'size_t');
  const recvmmsg = call('recvmmsg', 'int', 'int', 'uintptr_t', 'uint', 'int', 'uintptr_t');
  // ioctl and fcntl are variadic in C; on Linux's 64-bit calling conventions an integer or pointer travels the same way.
  const ioctl = call('ioctl', 'int', 'int', 'ulong', 'void *');

  // The C library has no function for it before glibc 2.41.
  const syscall = call('syscall', 'long', 'long', 'long', 'void *', 'long');

  const trim = trimmer(library);

  const one = new Uint8Array(new BigUint64Array([1n]).buffer);
  const value = new Int32Array(1);
  const length = new Uint32Array(1);

  return {
    open: (path, flags) => open(path, flags, 0),
    close: call('close', 'int', 'int'),
    read: call('read', 'intptr_t', 'int', 'uintptr_t', 'size_t'),
    write: call('write', 'intptr_t', 'int', 'uintptr_t', 'size_t'),
    writev: call('writev', 'intptr_t', 'int', 'uintptr_t', 'int'),
    readBytes: (fd, bytes) => readBytes(fd, bytes, bytes.length),
    writeBytes: (fd, bytes) => writeBytes(fd, bytes, bytes.length),
    wake: (fd) => writeBytes(fd, one, 8),
    fcntl: call('fcntl', 'int', 'int', 'int', 'long'),
    flock: call('flock', 'int', 'int', 'int'),
    ioctl,
    ioctlValue: call('ioctl', 'int', 'int', 'ulong', 'ulong'),
    eventfd: call('eventfd', 'int', 'uint', 'int'),
    socket: call('socket', 'int', 'int', 'int', 'int'),
    socketpair: call('socketpair', 'int', 'int', 'int', 'int', 'void *'),
    bind: (fd, address) => bindSocket(fd, address, address.length),
    connect: (fd, address) => connect(fd, address, address.length),
    setsockopt: (fd, level, option, number) => {
      value[0] = number;
      return setsockopt(fd, level, option, value, 4);
    },
    getsockopt: (fd, level, option) => {
      length[0] = 4;
      value[0] = 0;
      return getsockopt(fd, level, option, value, length) < 0 ? -1 : value[0];
    },
    getsockoptBytes: (fd, level, option, bytes) => {
      length[0] = bytes.length;
      return getsockopt(fd, level, option, bytes, length);
    },
    getsockname: (fd, address) => {
      length[0] = address.length;
      return getsockname(fd, address, length);
    },
    listen: call('listen', 'int', 'int', 'int'),
    accept4: (fd, address, flags) => {
      length[0] = address.length;
      return accept4(fd, address, length, flags);
    },
    sendto: (fd, bytes, flags, address) => sendto(fd, bytes, bytes.length, flags, address, address.length),
    recvmmsg: (fd, headers, count, flags) => recvmmsg(fd, headers, count, flags, 0),
    sendmmsg: call('sendmmsg', 'int', 'int', 'uintptr_t', 'uint', 'int'),
    sendmsg: call('sendmsg', 'intptr_t', 'int', 'uintptr_t', 'int'),
    recvmsg: call('recvmsg', 'intptr_t', 'int', 'uintptr_t', 'int'),
    poll: call('poll', 'int', 'uintptr_t', 'ulong', 'int'),
    ifNameToIndex: call('if_nametoindex', 'uint', 'str'),
    schedule: (nice, slice) => {
      // struct sched_attr: size u32, policy u32, flags u64, nice i32, priority u32, runtime u64, deadline u64, period u64.
      const attributes = new DataView(new ArrayBuffer(SCHED_ATTR_BYTES));
      attributes.setUint32(0, SCHED_ATTR_BYTES, true);
      attributes.setBigUint64(8, SCHED_FLAG_KEEP_POLICY, true);
      attributes.setInt32(16, nice, true);
      attributes.setBigUint64(24, BigInt(slice), true);
      const number = process.arch === 'x64' ? SYS_SCHED_SETATTR_X64 : SYS_SCHED_SETATTR_ARM64;
      return syscall(number, 0, new Uint8Array(attributes.buffer), 0);
    },
    trim: () => {
      trim(0);
    },
    errno: () => koffi.errno(),
  };
}
