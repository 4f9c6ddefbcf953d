// The bindings against the kernel itself: each call once with an outcome that only a right binding gives.

import { constants } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import * as linux from '../../main/native/constants.ts';
import { addressOf, errnoName, libc } from '../../main/native/libc.ts';
import { decodeSockaddr, encodeSockaddr, sockaddrOf } from '../../main/native/sockaddr.ts';

const calls = libc();
const open: number[] = [];
const keep = (fd: number) => {
  expect(fd).toBeGreaterThan(2);
  open.push(fd);
  return fd;
};
afterEach(() => {
  for (const fd of open.splice(0)) calls.close(fd);
});

function boundUdp(): { fd: number; port: number; sockaddr: Uint8Array } {
  const fd = keep(calls.socket(linux.AF_INET, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0));
  expect(calls.bind(fd, sockaddrOf(Uint8Array.of(127, 0, 0, 1), 0))).toBe(0);
  const sockaddr = new Uint8Array(16);
  expect(calls.getsockname(fd, sockaddr)).toBe(0);
  const { port, address } = decodeSockaddr(sockaddr)!;
  expect([...address]).toEqual([127, 0, 0, 1]);
  return { fd, port, sockaddr };
}

it('reads errno right after a call, by its name', () => {
  expect(calls.close(-1)).toBe(-1);
  expect(errnoName(calls.errno())).toBe('EBADF');
  expect(calls.open('/nonexistent/file', linux.O_RDONLY)).toBe(-1);
  expect(calls.errno()).toBe(linux.ENOENT);
  expect(errnoName(99_999)).toBe('errno 99999');
});

it('has the numbers that Node knows too', () => {
  for (const [name, value] of Object.entries(linux))
    if (/^E[A-Z]+$/.test(name))
      expect([name, value]).toEqual([name, constants.errno[name as keyof typeof constants.errno]]);
});

it('reads and writes WebAssembly memory in place', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = new Uint8Array(memory.buffer);
  const base = addressOf(memory.buffer);
  const pair = new Int32Array(2);
  expect(calls.socketpair(linux.AF_UNIX, linux.SOCK_SEQPACKET | linux.SOCK_NONBLOCK, 0, pair)).toBe(0);
  const [left, right] = [keep(pair[0]!), keep(pair[1]!)];
  bytes.set([1, 2, 3, 4, 5], 1000);
  expect(calls.write(left, base + 1000, 5)).toBe(5);
  expect(calls.read(right, base + 65_536 - 5, 5)).toBe(5);
  expect([...bytes.subarray(-5)]).toEqual([1, 2, 3, 4, 5]);
  expect(calls.read(right, base, 5)).toBe(-1);
  expect(calls.errno()).toBe(linux.EAGAIN);
  expect(calls.writeBytes(left, Uint8Array.of(9, 8))).toBe(2);
  const few = new Uint8Array(2);
  expect(calls.readBytes(right, few)).toBe(2);
  expect([...few]).toEqual([9, 8]);
});

it('wakes a poll by an eventfd', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const base = addressOf(memory.buffer);
  const view = new DataView(memory.buffer);
  const fd = keep(calls.eventfd(0, linux.EFD_NONBLOCK | linux.EFD_CLOEXEC));
  view.setInt32(0, fd, true);
  view.setInt16(4, linux.POLLIN, true);
  expect(calls.poll(base, 1, 0)).toBe(0);
  expect(calls.wake(fd)).toBe(8);
  expect(calls.wake(fd)).toBe(8);
  expect(calls.poll(base, 1, 1000)).toBe(1);
  expect(view.getInt16(6, true)).toBe(linux.POLLIN);
  expect(calls.read(fd, base + 64, 8)).toBe(8);
  expect(view.getBigUint64(64, true)).toBe(2n);
  expect(calls.poll(base, 1, 0)).toBe(0);
});

it('sets and gets socket options, descriptor flags', () => {
  const { fd } = boundUdp();
  expect(calls.setsockopt(fd, linux.IPPROTO_IP, linux.IP_TOS, 0xb8)).toBe(0);
  expect(calls.getsockopt(fd, linux.IPPROTO_IP, linux.IP_TOS)).toBe(0xb8);
  expect(calls.getsockopt(fd, linux.SOL_SOCKET, linux.SO_DOMAIN)).toBe(linux.AF_INET);
  expect(calls.getsockopt(fd, linux.SOL_SOCKET, linux.SO_PROTOCOL)).toBe(linux.IPPROTO_UDP);
  expect(calls.getsockopt(fd, 999, 1)).toBe(-1);
  expect(calls.fcntl(fd, linux.F_GETFL, 0) & linux.O_NONBLOCK).toBe(linux.O_NONBLOCK);
  expect(calls.fcntl(fd, linux.F_SETFL, 0)).toBe(0);
  expect(calls.fcntl(fd, linux.F_GETFL, 0) & linux.O_NONBLOCK).toBe(0);
});

it('sends and receives datagrams one by one and in tables', () => {
  const [one, two] = [boundUdp(), boundUdp()];
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const base = addressOf(memory.buffer);
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const pointer = (at: number, target: number) => view.setBigUint64(at, BigInt(base + target), true);
  /** Two mmsghdr at 0, iovecs at 256, names at 512, data at 1024. */
  const prepare = (length: number) => {
    bytes.fill(0, 0, 512);
    for (const i of [0, 1]) {
      const header = i * linux.MMSGHDR_BYTES;
      pointer(header + linux.MSG_NAME, 512 + i * 32);
      view.setUint32(header + linux.MSG_NAMELEN, 16, true);
      pointer(header + linux.MSG_IOV, 256 + i * linux.IOVEC_BYTES);
      view.setUint32(header + linux.MSG_IOVLEN, 1, true);
      pointer(256 + i * linux.IOVEC_BYTES, 1024 + i * 100);
      view.setUint32(256 + i * linux.IOVEC_BYTES + 8, length, true);
    }
  };
  prepare(3);
  bytes.set(two.sockaddr, 512);
  bytes.set(two.sockaddr, 544);
  bytes.set([1, 2, 3], 1024);
  bytes.set([4, 5, 6], 1124);
  expect(calls.sendmmsg(one.fd, base, 2, linux.MSG_DONTWAIT)).toBe(2);
  expect(calls.sendto(one.fd, Uint8Array.of(7, 8, 9, 10), 0, two.sockaddr)).toBe(4);
  prepare(100);
  bytes.fill(0, 512, 2048);
  expect(calls.recvmmsg(two.fd, base, 2, linux.MSG_DONTWAIT)).toBe(2);
  expect([view.getUint32(linux.MSG_LEN, true), view.getUint32(linux.MMSGHDR_BYTES + linux.MSG_LEN, true)]).toEqual([
    3, 3,
  ]);
  expect([...bytes.subarray(1024, 1028), ...bytes.subarray(1124, 1128)]).toEqual([1, 2, 3, 0, 4, 5, 6, 0]);
  expect(decodeSockaddr(bytes, 544)?.port).toBe(one.port);
  prepare(2);
  expect(calls.recvmsg(two.fd, base, linux.MSG_DONTWAIT | linux.MSG_TRUNC)).toBe(4);
  expect(view.getUint32(linux.MSG_FLAGS, true) & linux.MSG_TRUNC).toBe(linux.MSG_TRUNC);
  expect(calls.recvmmsg(two.fd, base, 2, linux.MSG_DONTWAIT)).toBe(-1);
  expect(calls.errno()).toBe(linux.EAGAIN);
});

it('connects, and learns the source address from it', () => {
  const { sockaddr } = boundUdp();
  const fd = keep(calls.socket(linux.AF_INET, linux.SOCK_DGRAM, 0));
  expect(calls.connect(fd, sockaddr)).toBe(0);
  const own = new Uint8Array(28);
  calls.getsockname(fd, own);
  expect([...decodeSockaddr(own)!.address]).toEqual([127, 0, 0, 1]);
  expect(calls.getsockopt(fd, linux.IPPROTO_IP, linux.IP_MTU)).toBeGreaterThan(1000);
});

it('asks drivers by ioctl, and interfaces by name', () => {
  const fd = keep(calls.open('/dev/null', linux.O_RDWR | linux.O_CLOEXEC));
  expect(calls.ioctl(fd, linux.TUNSETIFF, new Uint8Array(linux.IFREQ_BYTES))).toBe(-1);
  expect(errnoName(calls.errno())).toBe('ENOTTY');
  expect(calls.ioctlValue(fd, linux.TUNSETOFFLOAD, 0)).toBe(-1);
  expect(calls.ifNameToIndex('lo')).toBe(1);
  expect(calls.ifNameToIndex('no-such-device')).toBe(0);
});

describe('sockaddr', () => {
  it('is laid out as netinet/in.h says', () => {
    expect([...sockaddrOf(Uint8Array.of(192, 0, 2, 1), 4500)]).toEqual([
      2, 0, 0x11, 0x94, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    const six = sockaddrOf(new Uint8Array(16).fill(0xab), 500);
    expect([...six]).toEqual([10, 0, 1, 0xf4, 0, 0, 0, 0, ...new Array(16).fill(0xab), 0, 0, 0, 0]);
  });

  it('comes back from a dirty buffer at an offset, and nothing else is touched', () => {
    for (const address of [Uint8Array.of(10, 1, 2, 3), Uint8Array.from({ length: 16 }, (_, i) => i)]) {
      const buffer = new Uint8Array(64).fill(0xee);
      const length = encodeSockaddr(address, 65_535, buffer, 7);
      expect(decodeSockaddr(buffer, 7)).toEqual({ address, port: 65_535 });
      expect(buffer[6]).toBe(0xee);
      expect(buffer[7 + length]).toBe(0xee);
    }
    expect(decodeSockaddr(new Uint8Array(28))).toBeUndefined();
  });
});
