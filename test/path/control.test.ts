// What the data plane tells the control thread, and how it takes commands, trouble and its end.
import { readdirSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import {
  ECONNREFUSED,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_UDP,
  MSG_CONTROLLEN,
  MSG_DONTWAIT,
  UDP_SEGMENT,
} from '../../main/native/constants.ts';
import { libc } from '../../main/native/libc.ts';
import { sockaddrOf } from '../../main/native/sockaddr.ts';
import type { TunnelSocket } from '../../main/net/socket/api.ts';
import { linuxSocketFactory } from '../../main/net/socket/linux.ts';
import { openInMemoryTun } from '../../main/net/tun/fake.ts';
import type { PathEvent, SenderCommand } from '../../main/path/command.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { startDataPlane } from '../../main/path/start.ts';
import { address, install, openSide, packet4, type Side, SPI, saParams, tunnelParams } from './pair.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0).reverse()) await close();
});

/** Two threads, a moment and a half to start: where a test asks one end only, the other is one thread. */
async function side(gro = false, threads: 'workers' | 'single' = 'workers'): Promise<Side> {
  const made = await openSide(threads, 4, gro);
  closers.push(made.close);
  return made;
}

function socket(kind: 'ike' | 'natt' = 'natt'): TunnelSocket {
  const made = linuxSocketFactory().open({ kind, family: 4, localAddress: address('127.0.0.1'), mark: 0 });
  if (made instanceof Error) throw made;
  closers.push(made.close);
  return made;
}

/** Length and TOS of the next datagram on `fd`, where one waits. */
function receiveWithTos(fd: number): [length: number, tos: number] | undefined {
  const calls = libc();
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  const [bytes, words] = [new Uint8Array(memory.buffer), new Uint32Array(memory.buffer)];
  const tables = new NativeMemory({ memory, bytes, words });
  // msghdr at 0, iovec at 64, name at 96, control data at 128, the datagram in the second page.
  tables.message(0, 96, 64, 128);
  tables.iovec(64, 65_536, 65_536);
  words[MSG_CONTROLLEN / 4] = 128;
  const length = calls.recvmsg(fd, tables.base, MSG_DONTWAIT);
  if (length < 0) return undefined;
  const end = 128 + words[MSG_CONTROLLEN / 4]!;
  for (let at = 128; at < end; at += (words[at / 4]! + 7) & ~7)
    if (words[at / 4 + 2] === IPPROTO_IP && words[at / 4 + 3] === IP_TOS) return [length, bytes[at + 16]!];
  return [length, 0];
}

const out = (seed: number, length = 200) => packet4('10.88.0.2', '10.88.0.1', length, seed);
const peerOf = (from: Side, to: TunnelSocket): SenderCommand => ({
  kind: 'setPeer',
  tunnel: 0,
  peer: { remote: to.local, socket: from.socket.fd, encapsulation: 'udp' },
});

it('hands IKE messages to the control thread before any tunnel exists, and swallows keepalives', async () => {
  const right = await side();
  const other = socket();
  const message = Uint8Array.from({ length: 400 }, (_, i) => i & 255);
  expect(other.send(Uint8Array.of(0xff), right.socket.local)).toBeUndefined();
  expect(other.send(Uint8Array.of(0, 0, 0, 0, ...message), right.socket.local)).toBeUndefined();
  const event = await right.event('ike');
  expect(event).toEqual({ kind: 'ike', bytes: message, from: other.local, socket: right.socket.fd });
  await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
  expect(right.plane.statistics().counters).toMatchObject({ inIke: 1, inKeepalives: 1 });
});

it('bounds the IKE messages that wait for the control thread: anybody can send them', async () => {
  const right = await side();
  const other = socket();
  // This thread never yields, so that none is handled before all are sent and read.
  const bytes = Uint8Array.of(0, 0, 0, 0, ...new Uint8Array(28));
  for (let i = 0; i < 400; i++) expect(other.send(bytes, right.socket.local)).toBeUndefined();
  const deadline = performance.now() + 10_000;
  while (right.plane.statistics().counters.inIke < 400 && performance.now() < deadline);
  expect(right.plane.statistics().counters.inIke).toBe(400);
  await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
  expect(right.events).toHaveLength(256);
  expect(right.plane.statistics().io?.ikeDropped).toBe(144);
  // Handled ones make room.
  other.send(bytes, right.socket.local);
  await vi.waitFor(() => expect(right.events).toHaveLength(257));
});

it('takes every datagram of an `ike` socket as IKE, marker or not', async () => {
  const right = await side();
  const port500 = socket('ike');
  await right.plane.receive({ kind: 'addSocket', socket: port500 });
  const other = socket();
  other.send(Uint8Array.of(0, 0, 0, 0, 9), port500.local);
  expect(await right.event('ike')).toEqual({
    kind: 'ike',
    bytes: Uint8Array.of(0, 0, 0, 0, 9),
    from: other.local,
    socket: port500.fd,
  });
  await right.plane.receive({ kind: 'removeSocket', fd: port500.fd });
  expect(right.plane.statistics().counters.inIke).toBe(1);
});

it('finds IKE messages in every segment of a burst', async () => {
  const right = await side(true);
  const other = socket();
  const calls = libc();
  expect(calls.setsockopt(other.fd, IPPROTO_UDP, UDP_SEGMENT, 104)).toBe(0);
  // Two full segments and a shorter one: marker, then the segment's number.
  const burst = new Uint8Array(104 * 2 + 50);
  for (const [i, at] of [0, 104, 208].entries()) burst.fill(i + 1, at + 4, Math.min(at + 104, burst.length));
  const { address: to, port } = right.socket.local;
  expect(calls.sendto(other.fd, burst, 0, sockaddrOf(to, port))).toBe(burst.length);
  await vi.waitFor(() => expect(right.events.filter((event) => event.kind === 'ike')).toHaveLength(3));
  const lengths = right.events.map((event) => (event.kind === 'ike' ? [event.bytes.length, event.bytes[0]] : []));
  expect(lengths).toEqual([
    [100, 1],
    [100, 2],
    [46, 3],
  ]);
});

it('sends runs of equal lengths as bursts and receives them whole', async () => {
  const [left, right] = [await side(true), await side(true, 'single')];
  await install(left, right.socket, true, 'gre-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'gre-tunnel', 'aes-gcm-16');
  const packets = Array.from({ length: 400 }, (_, i) => out(i, i % 50 === 49 ? 333 : 1400));
  for (const packet of packets) expect(left.tun.send(packet)).toBe(true);
  await right.received(packets.length);
  expect(Buffer.concat(right.packets).equals(Buffer.concat(packets))).toBe(true);
});

it('hands the kernel one message for a run of equal lengths', async () => {
  const left = await side();
  const calls = libc();
  const other = linuxSocketFactory({ gro: true }).open({
    kind: 'natt',
    family: 4,
    localAddress: address('127.0.0.1'),
    mark: 0,
  });
  if (other instanceof Error) throw other;
  closers.push(other.close);
  await install(left, other, true, 'esp-tunnel', 'aes-gcm-16');
  // Everything waits in the TUN before the worker looks: the first one, after a silence, leaves alone; the rest is one batch.
  await left.plane.send({ kind: 'detachTun' });
  for (const length of [100, 500, 500, 500, 200, 500]) left.tun.send(out(1, length));
  await left.plane.attachTun(left.tun);
  // ESP: header 8, IV 8, padded to 4 with the two trailer bytes, ICV 16.
  const esp = (length: number) => 8 + 8 + Math.ceil((length + 2) / 4) * 4 + 16;
  const buffer = new Uint8Array(65_536);
  const lengths: number[] = [];
  await vi.waitFor(() => {
    const length = calls.readBytes(other.fd, buffer);
    if (length > 0) lengths.push(length);
    expect(lengths).toEqual([esp(100), 3 * esp(500) + esp(200), esp(500)]);
  });
});

it('sends the outer TOS with the datagrams it belongs to, beside a segment length', async () => {
  const left = await side();
  const other = linuxSocketFactory({ gro: true }).open({
    kind: 'natt',
    family: 4,
    localAddress: address('127.0.0.1'),
    mark: 0,
  });
  if (other instanceof Error) throw other;
  closers.push(other.close);
  await install(left, other, true, 'esp-tunnel', 'aes-gcm-16', { copyDscp: true });
  const marked = (tos: number) => packet4('10.88.0.2', '10.88.0.1', 300, 1, tos);
  // ESP: header 8, IV 8, padded to 4 with the two trailer bytes, ICV 16.
  const length = 8 + 8 + 304 + 16;
  const sent = [0, 0x28, 0x28, 0x28, 0, 0x48];
  // The first one, after a silence, leaves alone; where the machine is busy, that may look like a silence to a second one.
  for (let attempt = 0, together = false; !together; attempt++) {
    expect(attempt).toBeLessThan(20);
    await left.plane.send({ kind: 'detachTun' });
    for (const tos of sent) left.tun.send(marked(tos));
    await left.plane.attachTun(left.tun);
    const seen: [number, number][] = [];
    await vi.waitFor(() => {
      const received = receiveWithTos(other.fd);
      if (received) seen.push(received);
      expect(seen.flatMap(([bytes, tos]) => new Array<number>(bytes / length).fill(tos))).toEqual(sent);
    });
    together = seen.some(([bytes]) => bytes === 3 * length);
  }
});

it('hands the outer TOS to the core: congestion marked on what cannot carry it is a drop (RFC 6040 §4.2)', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'esp-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'esp-tunnel', 'aes-gcm-16');
  const calls = libc();
  calls.setsockopt(left.socket.fd, IPPROTO_IP, IP_TOS, 3);
  left.tun.send(out(1));
  await vi.waitFor(async () => {
    await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
    expect(right.plane.statistics().counters.inEcn).toBe(1);
  });
  calls.setsockopt(left.socket.fd, IPPROTO_IP, IP_TOS, 0);
  left.tun.send(out(2));
  await right.received(1);
  expect(right.packets).toEqual([out(2)]);
});

it('refuses an unknown command and one that the core rejects, and goes on', async () => {
  const left = await side();
  const unknown: SenderCommand = JSON.parse('{ "kind": "sing" }');
  await expect(left.plane.send(unknown)).rejects.toThrow('does not know the command "sing"');
  await expect(left.plane.send({ kind: 'activate', tunnel: 0, slot: 0 })).rejects.toThrow('not configured');
  await expect(left.plane.send({ ...peerOf(left, left.socket), tunnel: 99 } as SenderCommand)).rejects.toThrow('99');
  const notCloneable = { kind: 'detachTun', extra: () => {} } as SenderCommand;
  await expect(left.plane.send(notCloneable)).rejects.toThrow('could not be cloned');
  await left.plane.configure(0, tunnelParams('esp-tunnel', true));
});

it('wipes the key it was handed, not the caller’s', async () => {
  const left = await side();
  await left.plane.configure(0, tunnelParams('esp-tunnel', true));
  const params = saParams(0x4444, 'aes-gcm-16');
  await left.plane.send({ kind: 'installOutbound', slot: 3, params });
  expect(params.key).toEqual(new Uint8Array(16).fill(0x44));
  await expect(left.plane.send({ kind: 'installOutbound', slot: 3, params })).rejects.toThrow('taken');
});

it('survives port unreachable, says so once, and sends on', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'esp-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'esp-tunnel', 'aes-gcm-16');
  const nobody = socket();
  await left.plane.send(peerOf(left, nobody));
  nobody.close();
  for (let i = 0; i < 20; i++) left.tun.send(out(i));
  const { quoted, ...error } = await left.event('pathError');
  expect(error).toEqual({ kind: 'pathError', errno: ECONNREFUSED, name: 'ECONNREFUSED', mtu: null });
  // Told by the error queue, which quotes the datagram, or by the next send, which does not.
  expect([undefined, SPI.responder]).toContain(quoted);
  await left.plane.send(peerOf(left, right.socket));
  left.tun.send(out(77));
  await vi.waitFor(() => expect(right.packets.at(-1)).toEqual(out(77)));
  // And the other way, past the error queue that the unreachable port left.
  right.tun.send(packet4('10.88.0.1', '10.88.0.2', 90, 5));
  await left.received(1);
  expect(left.events.filter((event) => event.kind === 'pathError').length).toBeLessThanOrEqual(2);
});

it('tells when authenticated packets come from elsewhere, and only then', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'gre-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'gre-tunnel', 'aes-gcm-16');
  const moved = socket();
  // Forged: right SPI, wrong tag. Nobody moves for it.
  moved.send(Uint8Array.of(0, 0, 0x20, 0x02, 0, 0, 0, 1, ...new Uint8Array(92)), right.socket.local);
  left.tun.send(out(1));
  await right.received(1);
  // What is acknowledged comes after what was told before it.
  await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
  expect(right.events.filter((event) => event.kind === 'peerMoved')).toEqual([]);
  await left.plane.send({
    kind: 'setPeer',
    tunnel: 0,
    peer: { remote: right.socket.local, socket: moved.fd, encapsulation: 'udp' },
  });
  for (let i = 2; i < 5; i++) left.tun.send(out(i));
  await right.received(4);
  await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
  expect(right.events.filter((event) => event.kind === 'peerMoved')).toEqual([
    { kind: 'peerMoved', tunnel: 0, from: moved.local, socket: right.socket.fd },
  ]);
  expect(right.plane.statistics().counters.inAuthFailed).toBe(1);
});

it('parks packets of an announced SPI until its keys are there', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'esp-tunnel', 'chacha20-poly1305');
  await right.plane.configure(0, tunnelParams('esp-tunnel', false));
  await right.plane.receive({ kind: 'expect', spi: SPI.responder });
  for (let i = 0; i < 5; i++) left.tun.send(out(i));
  await vi.waitFor(async () => {
    await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
    expect(right.plane.statistics().counters.inParked).toBe(5);
  });
  const params = { ...saParams(SPI.responder, 'chacha20-poly1305'), replayWindow: 64 };
  await right.plane.receive({ kind: 'installInbound', slot: 4, params });
  await right.received(5);
  expect(right.packets).toEqual([0, 1, 2, 3, 4].map((i) => out(i)));
  expect(await right.event('firstInbound')).toEqual({ kind: 'firstInbound', slot: 4, spi: SPI.responder });
});

it('says once when an outbound SA stopped itself at its limit', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'esp-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'esp-tunnel', 'aes-gcm-16');
  const params = { ...saParams(SPI.responder, 'aes-gcm-16'), hardPackets: 3 };
  await left.plane.send({ kind: 'removeOutbound', slot: 0 });
  await left.plane.send({ kind: 'installOutbound', slot: 1, params });
  await left.plane.send({ kind: 'activate', tunnel: 0, slot: 1 });
  for (let i = 0; i < 8; i++) left.tun.send(out(i));
  expect(await left.event('exhausted')).toEqual({ kind: 'exhausted', slot: 1, spi: SPI.responder });
  await right.received(3);
  await left.plane.send(peerOf(left, right.socket));
  expect(left.events.filter((event) => event.kind === 'exhausted')).toHaveLength(1);
  expect(right.packets).toEqual([out(0), out(1), out(2)]);
});

it.each(['workers', 'single'] as const)('says once, and at once, that an SA nears its limit, %s', async (threads) => {
  const made = await Promise.all([openSide(threads), openSide(threads)]);
  const [left, right] = made;
  for (const one of made) closers.push(one.close);
  await install(left, right.socket, true, 'esp-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'esp-tunnel', 'aes-gcm-16');
  // Other slots than those of the SAs which have no limit. 200 bytes become 204 of ciphertext.
  const out9 = { ...saParams(0x9001, 'aes-gcm-16'), softPackets: 3 };
  await right.plane.receive({
    kind: 'installInbound',
    slot: 6,
    params: { ...saParams(0x9001, 'aes-gcm-16'), softBytes: 5 * 204, replayWindow: 64 },
  });
  await left.plane.send({ kind: 'installOutbound', slot: 5, params: out9 });
  await left.plane.send({ kind: 'activate', tunnel: 0, slot: 5 });
  const softLimits = (one: Side) => one.events.filter((event) => event.kind === 'softLimit');
  for (let i = 0; i < 2; i++) left.tun.send(out(i));
  await right.received(2);
  expect([...softLimits(left), ...softLimits(right)]).toEqual([]);
  left.tun.send(out(2));
  expect(await left.event('softLimit')).toEqual({ kind: 'softLimit', direction: 'out', slot: 5, spi: 0x9001 });
  await right.received(3);
  expect(softLimits(right)).toEqual([]);
  for (let i = 3; i < 8; i++) left.tun.send(out(i));
  expect(await right.event('softLimit')).toEqual({ kind: 'softLimit', direction: 'in', slot: 6, spi: 0x9001 });
  await right.received(8);
  await left.plane.send(peerOf(left, right.socket));
  expect([softLimits(left), softLimits(right)].map(({ length }) => length)).toEqual([1, 1]);
});

it('injects packets and dummies of the control plane', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'gre-transport', 'aes-gcm-16');
  await install(right, left.socket, false, 'gre-transport', 'aes-gcm-16');
  await left.plane.send({ kind: 'injectDummy', tunnel: 0, length: 300 });
  // A dummy delivers nothing, but is a first valid packet.
  expect(await right.event('firstInbound')).toMatchObject({ spi: SPI.responder });
  await left.plane.send({ kind: 'injectPacket', packet: out(3) });
  await right.received(1);
  expect(right.packets).toEqual([out(3)]);
  expect(left.plane.statistics().counters).toMatchObject({ outDummies: 1, outPackets: 1 });
  expect(right.plane.statistics().lastInbound).toBeGreaterThan(0);
});

it('answers oversized packets with ICMP on the TUN', async () => {
  const left = await side();
  await install(left, left.socket, true, 'esp-tunnel', 'aes-gcm-16', { mtu: 1300 });
  left.tun.send(out(1, 1301));
  await left.received(1);
  const answer = left.packets[0]!;
  // Protocol 1, type 3 (unreachable), code 4 (fragmentation needed), MTU 1300 (RFC 1191 §4).
  expect([answer[9], answer[20], answer[21], (answer[26]! << 8) | answer[27]!]).toEqual([1, 3, 4, 1300]);
});

it('lets go of a TUN whose other side is gone, and takes another', async () => {
  const [left, right] = [await side(), await side(false, 'single')];
  await install(left, right.socket, true, 'esp-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'esp-tunnel', 'aes-gcm-16');
  const calls = libc();
  const gone = new Int32Array(2);
  calls.socketpair(1, 5 | 0o4000, 0, gone);
  await left.plane.attachTun({ fd: gone[0]!, vnetHeader: false });
  calls.close(gone[1]!);
  expect(await left.event('pathError')).toMatchObject({ name: 'ENODEV' });
  const fresh = openInMemoryTun({ mtu: 1400 });
  closers.push(fresh.close);
  await left.plane.attachTun(fresh);
  calls.close(gone[0]!);
  fresh.send(out(9));
  await right.received(1);
});

it('reports the death of a worker, rejects what waits for it, and still closes', async () => {
  // No such descriptor: the loop finds that it cannot be woken, and gives up.
  vi.spyOn(libc(), 'eventfd').mockReturnValueOnce(999_999);
  const events: PathEvent[] = [];
  const plane = await startDataPlane({ threads: 'workers', onEvent: (event) => events.push(event) });
  await vi.waitFor(() => expect(events).toHaveLength(1));
  expect(events).toEqual([{ kind: 'died', worker: 'sender', message: "the worker's eventfd was closed" }]);
  await expect(plane.send({ kind: 'detachTun' })).rejects.toThrow('sender worker of the data plane is gone');
  await plane.receive({ kind: 'detachTun' });
  await plane.close();
  await plane.close();
  expect(events).toHaveLength(1);
});

it('leaves no thread, no descriptor and no listener behind', async () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const tasks = () => readdirSync('/proc/self/task').length;
  // The first data plane of a process loads things that stay.
  await (await openSide('single')).close();
  const before = [count(), tasks()];
  for (const threads of ['workers', 'single'] as const) {
    const made = await openSide(threads);
    await made.close();
    await expect(made.plane.send({ kind: 'detachTun' })).rejects.toThrow('gone');
  }
  await vi.waitFor(() => expect([count(), tasks()]).toEqual(before));
});
