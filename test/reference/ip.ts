// IP, GRE, TCP and UDP packets written and read the slow way, from the RFCs: what tests feed to the packet core and compare
// its outputs with.

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** RFC 1071, byte pair by byte pair. */
export function checksum(...parts: readonly Uint8Array[]): number {
  const bytes = concat(...parts);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return ~sum & 0xffff;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >> 8) & 0xff;
  bytes[at + 1] = value & 0xff;
}

export function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function get32(bytes: Uint8Array, at: number): number {
  return get16(bytes, at) * 65536 + get16(bytes, at + 2);
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, Math.floor(value / 65536));
  put16(bytes, at + 2, value & 0xffff);
}

export interface Ip4Fields {
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  readonly protocol: number;
  readonly tos: number;
  readonly id: number;
  readonly df: boolean;
  readonly mf: boolean;
  /** In bytes. */
  readonly offset: number;
  readonly ttl: number;
  readonly options: Uint8Array;
}

type Required4 = 'source' | 'target' | 'protocol';

export function ip4(fields: Pick<Ip4Fields, Required4> & Partial<Ip4Fields>, payload: Uint8Array): Uint8Array {
  const options = fields.options ?? new Uint8Array();
  const header = new Uint8Array(20 + options.length);
  header[0] = 0x40 | (header.length / 4);
  header[1] = fields.tos ?? 0;
  put16(header, 2, header.length + payload.length);
  put16(header, 4, fields.id ?? 0);
  put16(header, 6, (fields.df ? 0x4000 : 0) | (fields.mf ? 0x2000 : 0) | ((fields.offset ?? 0) / 8));
  header[8] = fields.ttl ?? 64;
  header[9] = fields.protocol;
  header.set(fields.source, 12);
  header.set(fields.target, 16);
  header.set(options, 20);
  put16(header, 10, checksum(header));
  return concat(header, payload);
}

export interface Ip6Fields {
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  readonly next: number;
  readonly tos: number;
  readonly label: number;
  readonly hops: number;
}

type Required6 = 'source' | 'target' | 'next';

export function ip6(fields: Pick<Ip6Fields, Required6> & Partial<Ip6Fields>, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(40);
  put32(header, 0, 0x60000000 + (fields.tos ?? 0) * 0x100000 + (fields.label ?? 0));
  put16(header, 4, payload.length);
  header[6] = fields.next;
  header[7] = fields.hops ?? 64;
  header.set(fields.source, 8);
  header.set(fields.target, 24);
  return concat(header, payload);
}

/** An IPv6 fragment header (RFC 8200 §4.5); offset in bytes. */
export function fragment6(next: number, offset: number, more: boolean, id: number): Uint8Array {
  const header = new Uint8Array(8);
  header[0] = next;
  put16(header, 2, offset | (more ? 1 : 0));
  put32(header, 4, id);
  return header;
}

/** What upper-layer checksums begin with (RFC 793 §3.1, RFC 8200 §8.1). */
export function pseudo(source: Uint8Array, target: Uint8Array, protocol: number, length: number): Uint8Array {
  const tail = new Uint8Array(source.length === 4 ? 4 : 8);
  if (source.length === 4) {
    tail[1] = protocol;
    put16(tail, 2, length);
  } else {
    put32(tail, 0, length);
    tail[7] = protocol;
  }
  return concat(source, target, tail);
}

export interface TcpFields {
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly sequence: number;
  readonly flags: number;
  readonly options: Uint8Array;
}

/** A TCP segment with its checksum. */
export function tcp(fields: TcpFields, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(20 + fields.options.length);
  put16(header, 0, fields.sourcePort);
  put16(header, 2, fields.targetPort);
  put32(header, 4, fields.sequence);
  header[12] = (header.length / 4) << 4;
  header[13] = fields.flags;
  put16(header, 14, 65535);
  header.set(fields.options, 20);
  put16(header, 16, checksum(pseudo(fields.source, fields.target, 6, header.length + payload.length), header, payload));
  return concat(header, payload);
}

export function udp(
  source: Uint8Array,
  target: Uint8Array,
  sourcePort: number,
  targetPort: number,
  payload: Uint8Array,
): Uint8Array {
  const header = new Uint8Array(8);
  put16(header, 0, sourcePort);
  put16(header, 2, targetPort);
  put16(header, 4, 8 + payload.length);
  put16(header, 6, checksum(pseudo(source, target, 17, 8 + payload.length), header, payload) || 0xffff);
  return concat(header, payload);
}

export interface GreFields {
  readonly key: number | null;
  readonly checksum: boolean;
  readonly sequence: number | null;
  readonly protocol: number;
}

/** RFC 2784 §2, RFC 2890 §2. */
export function gre(fields: GreFields, payload: Uint8Array): Uint8Array {
  const words = [
    ...(fields.checksum ? [0] : []),
    ...(fields.key === null ? [] : [fields.key]),
    ...(fields.sequence === null ? [] : [fields.sequence]),
  ];
  const header = new Uint8Array(4 + 4 * words.length);
  header[0] = (fields.checksum ? 0x80 : 0) | (fields.key === null ? 0 : 0x20) | (fields.sequence === null ? 0 : 0x10);
  put16(header, 2, fields.protocol);
  words.forEach((word, i) => {
    put32(header, 4 + 4 * i, word);
  });
  if (fields.checksum) put16(header, 4, checksum(header, payload));
  return concat(header, payload);
}

export function parseGre(packet: Uint8Array): GreFields & { readonly payload: Uint8Array } {
  const flags = get16(packet, 0);
  let at = 4;
  if (flags & 0x8000) {
    if (checksum(packet) !== 0) throw new Error('oracle: bad GRE checksum');
    at += 4;
  }
  const next = () => {
    at += 4;
    return get32(packet, at - 4);
  };
  const key = flags & 0x2000 ? next() : null;
  const sequence = flags & 0x1000 ? next() : null;
  return { key, sequence, checksum: (flags & 0x8000) !== 0, protocol: get16(packet, 2), payload: packet.subarray(at) };
}

/** An IP packet without extension headers, its header checksum verified. */
export function parseIp(packet: Uint8Array): {
  readonly family: 4 | 6;
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  readonly protocol: number;
  readonly tos: number;
  readonly payload: Uint8Array;
} {
  if (packet[0]! >> 4 === 4) {
    const header = (packet[0]! & 15) * 4;
    if (checksum(packet.subarray(0, header)) !== 0) throw new Error('oracle: bad IPv4 header checksum');
    const source = packet.subarray(12, 16);
    const target = packet.subarray(16, 20);
    const payload = packet.subarray(header, get16(packet, 2));
    return { family: 4, source, target, protocol: packet[9]!, tos: packet[1]!, payload };
  }
  const payload = packet.subarray(40, 40 + get16(packet, 4));
  const tos = (get16(packet, 0) >> 4) & 0xff;
  return {
    family: 6,
    source: packet.subarray(8, 24),
    target: packet.subarray(24, 40),
    protocol: packet[6]!,
    tos,
    payload,
  };
}
