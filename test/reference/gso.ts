// Super-packets as a TUN with IFF_VNET_HDR carries them, cut the slow way: what seal and open are compared with. From the virtio
// specification (1.2, §5.1.6) and what Linux does with it (net/ipv4/tcp_offload.c, udp_offload.c).
import { checksum, concat, get16, get32, parseIp, pseudo } from './ip.ts';

const TYPES = { 1: [4, 6], 4: [6, 6], 5: [0, 17] } as const;
const TRANSPORT_CHECKSUM = { 6: 16, 17: 6 } as const;

/** The packets that a super-packet stands for; a packet with an empty header, itself. Throws where the header lies. */
export function cut(packet: Uint8Array): Uint8Array[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const inner = packet.subarray(10);
  const kind = packet[1]!;
  if (kind === 0) {
    if (packet.subarray(0, 10).some((byte) => byte !== 0)) throw new Error('oracle: the header is not empty');
    return [inner];
  }
  const type = TYPES[kind as keyof typeof TYPES];
  if (!type) throw new Error(`oracle: gso_type ${kind}`);
  const { family, protocol, payload, source, target } = parseIp(inner);
  if (packet[0] !== 1 || protocol !== type[1] || (type[0] !== 0 && family !== type[0]))
    throw new Error('oracle: flags or type of another packet');
  const [headers, size, start, offset] = [2, 4, 6, 8].map((at) => view.getUint16(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  const ip = family === 4 ? (inner[0]! & 15) * 4 : 40;
  const transport = protocol === 6 ? (payload[12]! >> 4) * 4 : 8;
  if (start !== ip || offset !== TRANSPORT_CHECKSUM[type[1]] || headers !== ip + transport)
    throw new Error('oracle: the header points elsewhere');
  if (inner.length <= headers + size) throw new Error('oracle: nothing to cut');
  if (ip + payload.length !== inner.length) throw new Error('oracle: the IP length is another');
  if (protocol === 17 && get16(payload, 4) !== payload.length) throw new Error('oracle: the UDP length is another');
  const partial = ~checksum(pseudo(source, target, protocol, payload.length)) & 0xffff;
  if (get16(payload, offset) !== partial) throw new Error('oracle: the partial checksum is wrong');

  const packets: Uint8Array[] = [];
  for (let at = headers; at < inner.length; at += size) {
    const last = at + size >= inner.length;
    const one = concat(inner.subarray(0, headers), inner.subarray(at, at + size));
    const to = new DataView(one.buffer);
    if (family === 4) {
      to.setUint16(2, one.length);
      to.setUint16(4, (get16(one, 4) + packets.length) & 0xffff);
      to.setUint16(10, 0);
      to.setUint16(10, checksum(one.subarray(0, ip)));
    } else to.setUint16(4, one.length - 40);
    if (protocol === 6) {
      to.setUint32(ip + 4, (get32(one, ip + 4) + at - headers) % 2 ** 32);
      if (!last) one[ip + 13]! &= ~0x09;
      if (packets.length > 0) one[ip + 13]! &= ~0x80;
    } else to.setUint16(ip + 4, one.length - ip);
    to.setUint16(ip + offset, 0);
    const sum = checksum(pseudo(source, target, protocol, one.length - ip), one.subarray(ip));
    to.setUint16(ip + offset, protocol === 17 && sum === 0 ? 0xffff : sum);
    packets.push(one);
  }
  return packets;
}
