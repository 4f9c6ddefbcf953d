// The Core of main/core: it finds its module, and refuses misuse before the WebAssembly side, which checks nothing, sees it.
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IN_DESC_COUNT, INBOUND_SAS, MEMORY_BYTES, OUTBOUND_SAS, TUNNELS } from '../../assembly/layout.ts';
import type { InboundSaParams, OutboundSaParams, TunnelParams } from '../../main/core/api.ts';
import { createCore } from '../../main/core/core.ts';
import { COUNTER_NAMES } from '../../main/core/counters.ts';
import { corePath } from '../../main/core/load.ts';
import { selectorOf } from '../../main/wire/selector.ts';
import { ip4, udp } from '../reference/ip.ts';
import { openEsp } from '../reference/packet.ts';
import { address, INBOUND, newCore, OUTBOUND, open, seal, TUNNEL } from './harness.ts';

const A = address('10.0.0.1');
const B = address('10.0.0.2');
const GRE = { key: null, checksum: false, sequence: false, nextSequence: 0 };

describe('a core', () => {
  it('is found from source and started', async () => {
    expect(existsSync(corePath())).toBe(true);
    const core = await createCore();
    expect(core.bytes.length).toBe(MEMORY_BYTES);
    expect(Object.keys(core.counters())).toEqual(COUNTER_NAMES);
    expect(core.seal(0, 0)).toBe(core.seal(0, 1));
  });

  it('seals what the oracle opens, and opens it itself', () => {
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    core.installOutbound(3, OUTBOUND);
    core.activateOutbound(0, 3);
    core.installInbound(5, INBOUND);
    const packets = [1, 2, 3].map((n) =>
      ip4({ source: A, target: B, protocol: 17 }, udp(A, B, 1, 2, new Uint8Array(n * 100).fill(n))),
    );
    const sealed = seal(core, packets);
    expect(sealed.map((s) => openEsp(OUTBOUND, s.bytes)?.payload)).toEqual(packets);
    const opened = open(
      core,
      sealed.map((s) => s.bytes),
    );
    expect(opened.map((o) => o.bytes)).toEqual(packets);
    expect(core.outboundUse(3).sequence).toBe(3n);
    expect(core.inboundUse(5).sequence).toBe(3n);
  });

  it('leaves a tunnel that has other slots and the same SPI elsewhere alone', () => {
    const core = newCore();
    core.configureTunnel(1, TUNNEL);
    core.configureTunnel(2, TUNNEL);
    core.installInbound(0, { ...INBOUND, tunnel: 1 });
    core.installInbound(1, { ...INBOUND, tunnel: 2, spi: 999 });
    core.removeTunnel(1);
    expect(() => core.installInbound(1, { ...INBOUND, tunnel: 2, spi: 998 })).toThrow(/taken/);
    core.installInbound(0, { ...INBOUND, tunnel: 2 });
  });
});

describe('misuse throws', () => {
  const tunnels: readonly (readonly [string, Partial<TunnelParams>])[] = [
    ['gre with esp-tunnel', { gre: GRE }],
    ['no gre with a GRE shape', { shape: 'gre-transport' }],
    ['gre-tunnel without delivery addresses', { shape: 'gre-tunnel', gre: GRE }],
    [
      'delivery addresses of two families',
      { shape: 'gre-tunnel', gre: GRE, delivery: { local: A, remote: address('::1') } },
    ],
    ['delivery addresses in transport mode', { shape: 'gre-transport', gre: GRE, delivery: { local: A, remote: B } }],
    ['a key of 33 bits', { shape: 'gre-transport', gre: { ...GRE, key: 2 ** 32 } }],
    ['an MTU of 67', { mtu: 67 }],
    ['an MTU of 65536', { mtu: 65536 }],
    ['half an MSS', { mss4: 1200.5 }],
    ['a TTL of 0', { ttl: 0 }],
    ['65 selectors', { local: new Array(65).fill(selectorOf({ address: A, bits: 32 })) }],
    ['a selector of two families', { remote: [{ ...selectorOf({ address: A, bits: 32 }), end: address('::1') }] }],
    ['a selector with a large port', { remote: [{ ...selectorOf({ address: A, bits: 32 }), endPort: 65536 }] }],
  ];
  for (const [name, params] of tunnels)
    it(`configureTunnel: ${name}`, () => {
      expect(() => newCore().configureTunnel(0, { ...TUNNEL, ...params })).toThrow(RangeError);
    });

  const sas: readonly (readonly [string, Partial<OutboundSaParams & InboundSaParams>])[] = [
    ['SPI 255', { spi: 255 }],
    ['SPI of 33 bits', { spi: 2 ** 32 }],
    ['a tunnel that is not there', { tunnel: 1 }],
    ['an AES key of 20 bytes', { key: new Uint8Array(20) }],
    ['a ChaCha20 key of 16 bytes', { cipher: 'chacha20-poly1305' }],
    ['a salt of 3 bytes', { salt: new Uint8Array(3) }],
    ['a negative limit', { hardPackets: -1 }],
    ['no limit at all', { hardBytes: Number.NaN }],
    ['a window of 100', { replayWindow: 100 }],
    ['a window of 8192', { replayWindow: 8192 }],
    ['a window of 0', { replayWindow: 0 }],
  ];
  for (const [name, params] of sas)
    it(`install: ${name}`, () => {
      const core = newCore();
      core.configureTunnel(0, TUNNEL);
      expect(() => core.installInbound(0, { ...INBOUND, ...params })).toThrow(RangeError);
    });

  it('slots out of range, taken or empty', () => {
    const core = newCore();
    expect(() => core.configureTunnel(TUNNELS, TUNNEL)).toThrow(RangeError);
    core.configureTunnel(0, TUNNEL);
    expect(() => core.installOutbound(OUTBOUND_SAS, OUTBOUND)).toThrow(RangeError);
    expect(() => core.installInbound(INBOUND_SAS, INBOUND)).toThrow(RangeError);
    expect(() => core.installInbound(-1, INBOUND)).toThrow(RangeError);
    expect(() => core.activateOutbound(0, 0)).toThrow(/holds no SA/);
    core.installOutbound(0, OUTBOUND);
    expect(() => core.installOutbound(0, OUTBOUND)).toThrow(/taken/);
    core.installInbound(0, INBOUND);
    expect(() => core.installInbound(1, INBOUND)).toThrow(/SPI 0xc0ffee01 is installed already/);
    core.configureTunnel(1, TUNNEL);
    expect(() => core.activateOutbound(1, 0)).toThrow(/holds no SA of tunnel 1/);
    for (const count of [IN_DESC_COUNT + 1, -1]) {
      expect(() => core.seal(count, 0)).toThrow(RangeError);
      expect(() => core.open(count, 0)).toThrow(RangeError);
    }
    expect(() => core.sealDummy(0, 65001)).toThrow(RangeError);
  });
});
