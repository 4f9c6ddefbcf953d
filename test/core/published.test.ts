// Packets that others computed: RFC 7634 App. A, and draft-mcgrew-gcm-test-01 §3 (RFC 4106 with ESN).
import { describe, expect, it } from 'vitest';
import { IN } from '../../assembly/layout.ts';
import { openEsp } from '../reference/packet.ts';
import { INBOUND, newCore, open, setRightEdge, TUNNEL } from './harness.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

describe('published packets', () => {
  it('RFC 7634 App. A: an ICMP echo in tunnel mode under ChaCha20-Poly1305', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
    const sa = { ...INBOUND, cipher: 'chacha20-poly1305', spi: 0x01020304, key, salt: hex('a0a1a2a3') } as const;
    const source = hex(`45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10
      0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637`);
    const packet = hex(`0102030400000005 1011121314151617
      24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f7
      2aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0 76aaa8266b7fb0f7b11b369907e1ad43`);
    expect(openEsp(sa, packet)?.payload).toEqual(source);
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    core.installInbound(0, sa);
    expect(open(core, [packet]).map((o) => o.bytes)).toEqual([source]);
    expect(core.inboundUse(0)).toEqual({ packets: 1, bytes: 88, sequence: 5n });
  });

  it('draft-mcgrew-gcm-test-01: AES-128-GCM with extended sequence number 0x87654321_00000000', () => {
    const sa = {
      ...INBOUND,
      spi: 0x4321,
      key: hex('4c80cdefbb5d10da906ac73c3613a634'),
      salt: hex('2e443b68'),
      esn: true,
    };
    const plain =
      hex(`45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f736970045f756470037369
      700963796265726369747902646b0000210001 01020201`);
    const packet = hex(`00004321 00000000 4956ed7e3b244cfe
      fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff62
      47aeabb786b93bce61bc17d768fd9732459018148f6cbe722fd04796562dfdb4`);
    const core = newCore();
    core.configureTunnel(0, TUNNEL);
    core.installInbound(0, sa);
    setRightEdge(core, sa.spi, 0x87654320_ffffff00n);
    // Its trailer says next header 1, which tunnel mode does not carry: authenticated, decrypted, and then dropped.
    expect(open(core, [packet])).toEqual([]);
    expect(core.counters().inBadNextHeader).toBe(1);
    expect(core.inboundUse(0).sequence).toBe(0x87654321_00000000n);
    expect(core.bytes.slice(IN + 16, IN + 16 + plain.length)).toEqual(plain);
  });
});
