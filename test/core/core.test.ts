import { describe, expect, it } from 'vitest';
import { ip4, udp } from '../reference/ip.ts';
import { openEsp } from '../reference/packet.ts';
import { address, INBOUND, newCore, OUTBOUND, open, seal, TUNNEL } from './harness.ts';

const A = address('10.0.0.1');
const B = address('10.0.0.2');

describe('a core', () => {
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
    expect(
      open(
        core,
        sealed.map((s) => s.bytes),
      ).map((o) => o.bytes),
    ).toEqual(packets);
    expect(core.outboundUse(3).sequence).toBe(3n);
    expect(core.inboundUse(5).sequence).toBe(3n);
  });
});
