// GRE on receipt (RFC 2784 §2.3, RFC 2890) and the delivery header around it, each fault with its counter.
import { describe, expect, it } from 'vitest';
import { AUX_GRE, AUX_RAW4 } from '../../assembly/layout.ts';
import type { GreParams, TunnelParams } from '../../main/core/api.ts';
import { selectorOf } from '../../main/wire/selector.ts';
import { concat, gre, ip4, ip6, parseGre, udp } from '../reference/ip.ts';
import { openEsp, sealEsp } from '../reference/packet.ts';
import { address, counted, INBOUND, newCore, OUTBOUND, open, seal, TUNNEL } from './harness.ts';

const A = address('10.0.0.1');
const B = address('10.0.0.2');
const GW = address('10.77.0.1');
const ME = address('10.99.0.1');
const GW6 = address('fd00:77::1');
const ME6 = address('fd00:99::1');
const INNER = ip4({ source: A, target: B, protocol: 17 }, udp(A, B, 1, 2, new Uint8Array(9)));
const PLAIN: GreParams = { key: null, checksum: false, sequence: false, nextSequence: 0 };
const HEADER = { key: null, checksum: false, sequence: null, protocol: 0x0800 };

function transport(params: Partial<GreParams> = {}, more: Partial<TunnelParams> = {}) {
  const core = newCore();
  core.configureTunnel(0, { ...TUNNEL, shape: 'gre-transport', gre: { ...PLAIN, ...params }, ...more });
  core.installInbound(0, INBOUND);
  let sequence = 0n;
  const give = (payload: Uint8Array, next = 47) => {
    sequence++;
    return open(core, [sealEsp(INBOUND, sequence, payload, next)]).map((o) => o.bytes);
  };
  return { core, give };
}

describe('GRE on receipt', () => {
  it('takes the example of a bare header, byte by byte', () => {
    const { give } = transport();
    expect(give(concat(Uint8Array.of(0, 0, 8, 0), INNER))).toEqual([INNER]);
  });

  const faults: readonly (readonly [string, Uint8Array, string])[] = [
    ['version 1', Uint8Array.of(0x00, 0x01, 8, 0), 'inGreVersion'],
    ['reserved bit 1 (RFC 1701 routing)', Uint8Array.of(0x40, 0, 8, 0), 'inGreReserved'],
    ['reserved bit 4 (strict source route)', Uint8Array.of(0x08, 0, 8, 0), 'inGreReserved'],
    ['reserved bit 5 (recursion control)', Uint8Array.of(0x04, 0, 8, 0), 'inGreReserved'],
    ['a key nobody expects', Uint8Array.of(0x20, 0, 8, 0, 0, 0, 0, 1), 'inGreKey'],
    ['transparent Ethernet', Uint8Array.of(0, 0, 0x65, 0x58), 'inGreProtocol'],
    ['keepalive, protocol 0', Uint8Array.of(0, 0, 0, 0), 'inGreKeepalive'],
    ['IPv6 promised, IPv4 there', Uint8Array.of(0, 0, 0x86, 0xdd), 'inBadInner'],
  ];
  for (const [name, header, counter] of faults)
    it(`drops ${name}`, () => {
      const { core, give } = transport();
      expect(give(concat(header, INNER))).toEqual([]);
      expect(counted(core)).toEqual({ [counter]: 1 });
    });

  it('ignores bits 6 to 12, which are reserved for the future (RFC 2784 §2.3)', () => {
    const { give } = transport();
    expect(give(concat(Uint8Array.of(0x03, 0xf8, 8, 0), INNER))).toEqual([INNER]);
  });

  it('drops a header shorter than its flags promise', () => {
    const { core, give } = transport({ key: 1 });
    const whole = gre({ key: 1, checksum: true, sequence: 5, protocol: 0x0800 }, new Uint8Array());
    for (let n = 0; n < whole.length; n++) expect(give(whole.subarray(0, n))).toEqual([]);
    expect(counted(core)).toEqual({ inGreTooShort: whole.length });
  });

  it('verifies a checksum though it sends none, at odd lengths too', () => {
    const { core, give } = transport();
    for (const extra of [0, 1, 2, 3]) {
      const inner = ip4({ source: A, target: B, protocol: 17 }, new Uint8Array(20 + extra).fill(0xc3));
      const packet = gre({ ...HEADER, checksum: true }, inner);
      expect(give(packet)).toEqual([inner]);
      for (const at of [0, 4, 12, packet.length - 1]) {
        const bad = Uint8Array.from(packet);
        if (at === 0) bad[4]! ^= 0x80;
        else bad[at]! ^= 4;
        expect(give(bad)).toEqual([]);
      }
    }
    expect(core.counters().inGreChecksum).toBe(16);
  });

  it('wants exactly its key', () => {
    const { core, give } = transport({ key: 0xdeadbeef });
    expect(give(gre({ ...HEADER, key: 0xdeadbeef }, INNER))).toEqual([INNER]);
    expect(give(gre({ ...HEADER, key: 0xdeadbeee }, INNER))).toEqual([]);
    expect(give(gre(HEADER, INNER))).toEqual([]);
    expect(core.counters().inGreKey).toBe(2);
  });

  it('discards older sequence numbers, modulo 2^32 (RFC 2890 §2.2)', () => {
    const { core, give } = transport();
    const fate = (sequence: number) => give(gre({ ...HEADER, sequence }, INNER)).length;
    expect([0xfffffff0, 0xfffffff0, 0xffffffef, 0xfffffff1, 0, 0xffffffff, 5, 4, 0x7fffffff, 5].map(fate)).toEqual([
      1, 0, 0, 1, 1, 0, 1, 0, 1, 0,
    ]);
    expect(core.counters().inGreSequence).toBe(5);
    // A packet without a number stands outside of the order.
    expect(give(gre(HEADER, INNER))).toEqual([INNER]);
  });

  it('the order survives a rekey and a new MTU, sent and received', () => {
    const gate = { ...PLAIN, sequence: true, nextSequence: 40 };
    const { core, give } = transport(gate);
    core.installOutbound(0, OUTBOUND);
    core.activateOutbound(0, 0);
    const sent = () => parseGre(openEsp(OUTBOUND, seal(core, [INNER])[0]!.bytes)!.payload).sequence;
    expect([sent(), sent()]).toEqual([40, 41]);
    expect(give(gre({ ...HEADER, sequence: 9 }, INNER))).toHaveLength(1);
    core.removeOutbound(0);
    core.installOutbound(1, OUTBOUND);
    core.activateOutbound(0, 1);
    core.configureTunnel(0, { ...TUNNEL, shape: 'gre-transport', gre: gate, mtu: 1300 });
    expect(sent()).toBe(42);
    expect(core.greSequence(0)).toBe(43);
    expect(give(gre({ ...HEADER, sequence: 9 }, INNER))).toHaveLength(0);
  });

  it('wants next header 47 in transport mode, and never an inner packet without GRE', () => {
    const { core, give } = transport();
    expect(give(INNER, 4)).toEqual([]);
    expect(give(INNER, 17)).toEqual([]);
    expect(counted(core)).toEqual({ inBadNextHeader: 2 });
  });

  it('drops inner packets outside of the selectors', () => {
    const only = (text: string, protocol = 0) => selectorOf({ address: address(text), bits: 32 }, protocol);
    const { core, give } = transport({}, { local: [only('10.0.0.2')], remote: [only('10.0.0.1', 17)] });
    const other = (source: string, target: string, protocol: number) =>
      gre(HEADER, ip4({ source: address(source), target: address(target), protocol }, new Uint8Array(8)));
    expect(give(gre(HEADER, INNER))).toEqual([INNER]);
    expect(give(other('10.0.0.3', '10.0.0.2', 17))).toEqual([]);
    expect(give(other('10.0.0.1', '10.0.0.3', 17))).toEqual([]);
    expect(give(other('10.0.0.1', '10.0.0.2', 6))).toEqual([]);
    // The reverse direction is what we send, not what we take.
    expect(give(other('10.0.0.2', '10.0.0.1', 17))).toEqual([]);
    expect(core.counters().inInnerAddress).toBe(4);
  });
});

describe('the delivery header', () => {
  const DELIVERED = gre(HEADER, INNER);
  const tunnel = (local: Uint8Array, remote: Uint8Array) =>
    transport({}, { shape: 'gre-tunnel', delivery: { local, remote } });
  const four = (fields: object = {}) => ip4({ source: GW, target: ME, protocol: 47, ...fields }, DELIVERED);
  const six = (fields: object = {}, payload = DELIVERED) =>
    ip6({ source: GW6, target: ME6, next: 47, ...fields }, payload);

  it('IPv4: checks version, lengths, addresses, protocol', () => {
    const { core, give } = tunnel(ME, GW);
    expect(give(four(), 4)).toEqual([INNER]);
    expect(give(four({ options: Uint8Array.of(1, 1, 1, 0) }), 4)).toEqual([INNER]);
    // Traffic flow confidentiality padding behind the packet (RFC 4303 §2.7).
    expect(give(concat(four(), new Uint8Array(100)), 4)).toEqual([INNER]);
    const count = (counter: string, ...packets: readonly Uint8Array[]) => {
      for (const packet of packets) expect(give(packet, 4)).toEqual([]);
      expect(counted(core)[counter]).toBe(packets.length);
    };
    count('inDeliveryAddress', four({ source: A }), four({ target: A }), four({ source: ME, target: GW }));
    count('inDeliveryProtocol', four({ protocol: 17 }), four({ protocol: 4 }));
    const long = four();
    long[3]! += 1;
    const headless = four();
    headless[0] = 0x44;
    count('inBadDelivery', long, headless, four().subarray(0, 19), new Uint8Array(), six());
  });

  it('IPv6: walks destination options (a tunnel encapsulation limit, RFC 2473), not beyond its bounds', () => {
    const { core, give } = tunnel(ME6, GW6);
    expect(give(six(), 41)).toEqual([INNER]);
    const limit = Uint8Array.of(47, 0, 4, 1, 4, 1, 1, 0);
    expect(give(six({ next: 60 }, concat(limit, DELIVERED)), 41)).toEqual([INNER]);
    const chain = concat(...Array.from({ length: 9 }, () => Uint8Array.of(60, 0, 1, 4, 0, 0, 0, 0)), DELIVERED);
    expect(give(six({ next: 60 }, chain), 41)).toEqual([]);
    expect(give(six({ next: 60 }, Uint8Array.of(47, 200, 1, 4, 0, 0, 0, 0)), 41)).toEqual([]);
    expect(core.counters().inBadDelivery).toBe(2);
    expect(give(six({ next: 17 }), 41)).toEqual([]);
    expect(core.counters().inDeliveryProtocol).toBe(1);
    expect(give(six({ source: ME6 }), 41)).toEqual([]);
    expect(give(four(), 4)).toEqual([]);
    expect(core.counters().inDeliveryAddress).toBe(2);
  });
});

describe('plain GRE', () => {
  it('finds the tunnel by its key', () => {
    const core = newCore();
    const params = { ...TUNNEL, shape: 'gre-plain' } as const;
    expect(open(core, [gre(HEADER, INNER)], AUX_GRE)).toEqual([]);
    core.configureTunnel(3, { ...params, gre: { ...PLAIN, key: 3 } });
    core.configureTunnel(5, { ...params, gre: PLAIN });
    core.configureTunnel(6, { ...params, gre: { ...PLAIN, key: 6 } });
    const inputs = [
      gre({ ...HEADER, key: 6 }, INNER),
      gre(HEADER, INNER),
      gre({ ...HEADER, key: 3, checksum: true }, INNER),
    ];
    expect(open(core, inputs, AUX_GRE).map((o) => (o.aux >>> 8) & 15)).toEqual([6, 5, 3]);
    expect(open(core, [gre({ ...HEADER, key: 9 }, INNER)], AUX_GRE)).toEqual([]);
    expect(counted(core)).toMatchObject({ inNoTunnel: 1, inGreKey: 1, inPackets: 3 });
  });

  it('holds raw sockets to the outer addresses where they are given', () => {
    const core = newCore();
    core.configureTunnel(0, { ...TUNNEL, shape: 'gre-plain', gre: PLAIN, delivery: { local: ME, remote: GW } });
    const outer = (fields: object) => ip4({ source: GW, target: ME, protocol: 47, ...fields }, gre(HEADER, INNER));
    const give = (packet: Uint8Array) => open(core, [packet], AUX_GRE | AUX_RAW4);
    expect(give(outer({}))).toHaveLength(1);
    expect(give(outer({ source: A }))).toHaveLength(0);
    expect(give(outer({ mf: true }))).toHaveLength(0);
    expect(give(outer({ protocol: 50 }))).toHaveLength(0);
    expect(counted(core)).toMatchObject({ inPackets: 1, inDeliveryAddress: 1, inBadOuter: 2 });
  });
});
