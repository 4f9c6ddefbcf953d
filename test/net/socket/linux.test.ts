// Tunnel sockets on loopback, without privilege where it can be.
import { afterEach, expect, it, vi } from 'vitest';
import * as linux from '../../../main/native/constants.ts';
import { libc } from '../../../main/native/libc.ts';
import { NetError } from '../../../main/net/error.ts';
import type { SocketOptions, TunnelSocket } from '../../../main/net/socket/api.ts';
import { linuxSocketFactory } from '../../../main/net/socket/linux.ts';
import { parseAddress } from '../../../main/wire/address.ts';

const calls = libc();
const factory = linuxSocketFactory({ gro: true });
const loopback = parseAddress('127.0.0.1')!;
const opened: TunnelSocket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

function open(options: Partial<SocketOptions> = {}): TunnelSocket {
  const socket = factory.open({ kind: 'natt', family: 4, localAddress: loopback, mark: 0, ...options });
  if (socket instanceof NetError) throw socket;
  opened.push(socket);
  return socket;
}

it('binds where it is told and says where that is', () => {
  const socket = open();
  expect(socket.local.address).toEqual(loopback);
  expect(socket.local.port).toBeGreaterThan(0);
  const six = open({ family: 6, localAddress: parseAddress('::1')! });
  expect(six.local.address).toEqual(parseAddress('::1'));
  const any = factory.open({ kind: 'ike', family: 6, mark: 0 });
  if (any instanceof NetError) throw any;
  opened.push(any);
  expect(any.local.address).toEqual(new Uint8Array(16));
});

it('sets the options that the data plane relies on', () => {
  const { fd } = open();
  const get = (level: number, option: number) => calls.getsockopt(fd, level, option);
  expect(get(linux.IPPROTO_IP, linux.IP_MTU_DISCOVER)).toBe(linux.IP_PMTUDISC_WANT);
  expect(get(linux.IPPROTO_IP, linux.IP_RECVERR)).toBe(1);
  expect(get(linux.IPPROTO_IP, linux.IP_RECVTOS)).toBe(1);
  expect(get(linux.IPPROTO_UDP, linux.UDP_GRO)).toBe(1);
  expect(get(linux.SOL_SOCKET, linux.SO_RCVBUF)).toBeGreaterThan(212_992);
  expect(calls.fcntl(fd, linux.F_GETFL, 0) & linux.O_NONBLOCK).toBe(linux.O_NONBLOCK);
  const six = open({ family: 6, localAddress: parseAddress('::1')! }).fd;
  expect(calls.getsockopt(six, linux.IPPROTO_IPV6, linux.IPV6_RECVTCLASS)).toBe(1);
  expect(calls.getsockopt(six, linux.IPPROTO_IPV6, linux.IPV6_V6ONLY)).toBe(1);
  // The IKE port never sees bursts.
  expect(calls.getsockopt(open({ kind: 'ike' }).fd, linux.IPPROTO_UDP, linux.UDP_GRO)).toBe(0);
});

it('sends', () => {
  const [from, to] = [open(), open()];
  expect(from.send(Uint8Array.of(1, 2, 3), to.local)).toBeUndefined();
  const buffer = new Uint8Array(10);
  expect(calls.readBytes(to.fd, buffer)).toBe(3);
});

it('names a port that is taken', () => {
  const { local } = open();
  const second = factory.open({ kind: 'ike', family: 4, localAddress: loopback, localPort: local.port, mark: 0 });
  expect(second).toMatchObject({ code: 'address-in-use', errno: 'EADDRINUSE' });
});

it('names a local address that is not this machine’s', () => {
  const socket = factory.open({ kind: 'natt', family: 4, localAddress: parseAddress('192.0.2.77')!, mark: 0 });
  expect(socket).toMatchObject({ code: 'unreachable', errno: 'EADDRNOTAVAIL' });
});

it('is not put off by an ICMP error about an earlier datagram', () => {
  const [from, gone, to] = [open(), open(), open()];
  gone.close();
  // Loopback delivers the ICMP error before the first send returns; the second finds it pending.
  expect(from.send(Uint8Array.of(1), gone.local)).toBeUndefined();
  expect(from.send(Uint8Array.of(2, 2), to.local)).toBeUndefined();
  const buffer = new Uint8Array(10);
  expect(calls.readBytes(to.fd, buffer)).toBe(2);
});

it('sends what is longer than a path MTU in fragments instead of refusing it', () => {
  const [from, to] = [open(), open()];
  expect(from.send(new Uint8Array(65_507), to.local)).toBeUndefined();
  expect(calls.readBytes(to.fd, new Uint8Array(70_000))).toBe(65_507);
  expect(from.send(new Uint8Array(65_508), to.local)).toMatchObject({ code: 'system-call', errno: 'EMSGSIZE' });
});

it('finds the source address towards a destination', () => {
  expect(factory.sourceAddress({ address: loopback, port: 4500 }, 0)).toEqual(loopback);
  expect(factory.sourceAddress({ address: parseAddress('127.9.9.9')!, port: 0 }, 0)).toEqual(loopback);
});

it('closes once', () => {
  const socket = open();
  socket.close();
  const other = open();
  // The descriptor's number may be another socket's by now.
  socket.close();
  expect(calls.getsockopt(other.fd, linux.SOL_SOCKET, linux.SO_DOMAIN)).toBe(linux.AF_INET);
});

it('sends in one piece to measure a path, and says what its own link does not carry', () => {
  const receiver = open();
  const socket = open();
  expect(socket.sendWhole?.(new Uint8Array(60_000), receiver.local)).toBeUndefined();
  // Loopback carries 65,536 bytes; UDP's own limit comes first.
  expect(socket.sendWhole?.(new Uint8Array(65_520), receiver.local)).toBe('too-big');
  expect(calls.getsockopt(socket.fd, linux.IPPROTO_IP, linux.IP_MTU_DISCOVER)).toBe(linux.IP_PMTUDISC_WANT);
});

it('lets a long IKE message be fragmented while the data plane sends what must not be', () => {
  const loopback6 = parseAddress('::1')!;
  const receiver = open({ family: 6, localAddress: loopback6 });
  const socket = open({ family: 6, localAddress: loopback6 });
  calls.setsockopt(socket.fd, linux.IPPROTO_IPV6, linux.IPV6_MTU_DISCOVER, linux.IP_PMTUDISC_PROBE);
  // With 48 bytes of headers more than loopback's 65,536.
  expect(socket.send(new Uint8Array(65_500), receiver.local)).toBeUndefined();
});

it.each([
  ['may have been fragmented', linux.IP_PMTUDISC_WANT, 60_000],
  ['may be refused for what the kernel believes of the path', linux.IP_PMTUDISC_DO, 65_520],
])('says so where another thread changes the socket while it measures: it %s', (_, mode, length) => {
  const receiver = open();
  const socket = open();
  const { sendto } = calls;
  const between = vi.spyOn(calls, 'sendto').mockImplementation((fd, ...rest) => {
    calls.setsockopt(fd, linux.IPPROTO_IP, linux.IP_MTU_DISCOVER, mode);
    return sendto(fd, ...rest);
  });
  expect(socket.sendWhole?.(new Uint8Array(length), receiver.local)).toBe('disturbed');
  between.mockRestore();
  expect(calls.getsockopt(socket.fd, linux.IPPROTO_IP, linux.IP_MTU_DISCOVER)).toBe(linux.IP_PMTUDISC_WANT);
});
