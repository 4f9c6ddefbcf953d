// Packets for an announced SPI wait for its keys, bounded and in order (RFC 7296 §2.8).
import { describe, expect, it } from 'vitest';
import { AUX_RAW4, AUX_UDP, IN, PARK_PACKET_BYTES, PARK_PACKETS } from '../../assembly/layout.ts';
import { ip4 } from '../reference/ip.ts';
import { sealEsp } from '../reference/packet.ts';
import { address, counted, INBOUND, newCore, open, outputs, TUNNEL } from './harness.ts';

const A = address('10.0.0.1');
const B = address('10.0.0.2');
const inner = (n: number, tos = 0) => ip4({ source: A, target: B, protocol: 17, id: n, tos }, new Uint8Array(n));
const packet = (n: number, spi = INBOUND.spi) => sealEsp({ ...INBOUND, spi }, BigInt(n), inner(n), 4);

function receiver() {
  const core = newCore();
  core.configureTunnel(0, TUNNEL);
  return core;
}

describe('parking', () => {
  it('keeps packets until the SA is installed, then gives them back in order', () => {
    const core = receiver();
    core.expect(INBOUND.spi);
    core.expect(INBOUND.spi);
    core.expect(0x7777);
    const marked = sealEsp(INBOUND, 3n, inner(3, 2), 4);
    const outer = ip4({ source: B, target: A, protocol: 50, tos: 3 }, marked);
    expect(open(core, [packet(1), packet(9, 0x7777), packet(2)])).toEqual([]);
    expect(open(core, [outer], AUX_RAW4)).toEqual([]);
    expect(core.takeParked()).toBe(0);
    core.installInbound(4, INBOUND);
    const count = core.takeParked();
    expect(count).toBe(3);
    const opened = outputs(core, core.open(count, 0).out);
    // Not in IN: what lies there stands for the datagrams that were read last.
    for (const o of outputs(core, count)) expect(o.offset).toBeLessThan(IN);
    // The outer header is gone, but its CE mark was kept.
    expect(opened.map((o) => o.bytes)).toEqual([inner(1), inner(2), inner(3, 3)]);
    expect(core.takeParked()).toBe(0);
    expect(counted(core)).toMatchObject({ inParked: 4, inPackets: 3 });
    core.cancelExpected(0x7777);
    expect(counted(core)).toMatchObject({ inUnknownSpi: 1 });
  });

  it('is bounded in number and size', () => {
    const core = receiver();
    core.expect(INBOUND.spi);
    for (let i = 0; i <= PARK_PACKETS; i++) open(core, [packet(i + 1)]);
    expect(counted(core)).toEqual({ inParked: PARK_PACKETS, inParkOverflow: 1 });
    core.cancelExpected(INBOUND.spi);
    expect(core.counters().inUnknownSpi).toBe(PARK_PACKETS);
    core.expect(INBOUND.spi);
    open(core, [packet(PARK_PACKET_BYTES)]);
    expect(core.counters().inParkOverflow).toBe(2);
  });

  it('a cancelled SPI is unknown again, and one that is installed is not parked', () => {
    const core = receiver();
    core.expect(INBOUND.spi);
    core.cancelExpected(INBOUND.spi);
    open(core, [packet(1)]);
    expect(counted(core)).toEqual({ inUnknownSpi: 1 });
    core.expect(INBOUND.spi);
    core.installInbound(0, INBOUND);
    expect(open(core, [packet(1)], AUX_UDP)).toHaveLength(1);
    core.removeInbound(0);
    open(core, [packet(2)]);
    expect(counted(core)).toMatchObject({ inUnknownSpi: 2, inPackets: 1 });
  });
});
