import { describe, expect, it } from 'vitest';
import { INBOUND_SAS, OUTBOUND_SAS } from '../../assembly/layout.ts';
import { inboundParams, outboundParams, wipeKeys } from '../../main/esp/child.ts';
import { chanceOf, lifetimeOf } from '../../main/esp/lifetime.ts';
import { createSlots, INBOUND_SLOTS, OUTBOUND_SLOTS } from '../../main/esp/slots.ts';
import { child } from './sample.ts';

describe('parameters', () => {
  it('takes the inbound half for what we receive and the outbound half for what we send', () => {
    const sample = child(1);
    expect(inboundParams(sample, 3, 512)).toEqual({
      spi: sample.spiIn,
      tunnel: 3,
      cipher: 'aes-gcm-16',
      key: sample.keyIn,
      salt: sample.saltIn,
      esn: false,
      hardPackets: 4_294_967_295,
      hardBytes: 388_694_540_288,
      softPackets: 3_865_470_566,
      softBytes: 349_825_086_260,
      replayWindow: 512,
    });
    expect(outboundParams(sample, 3)).toMatchObject({
      spi: sample.spiOut,
      key: sample.keyOut,
      salt: sample.saltOut,
      tunnel: 3,
    });
  });

  it('wipes all four secrets', () => {
    const sample = child(2);
    wipeKeys(sample);
    for (const secret of [sample.keyIn, sample.saltIn, sample.keyOut, sample.saltOut])
      expect([...secret]).toEqual(new Array(secret.length).fill(0));
  });
});

describe('lifetime', () => {
  it('ends an SA without ESN before its sequence number wraps (RFC 4303 §3.3.3)', () => {
    expect(lifetimeOf({ cipher: 'chacha20-poly1305', esn: false })).toEqual({
      hardPackets: 2 ** 32 - 1,
      hardBytes: Number.POSITIVE_INFINITY,
      softPackets: 3_865_470_566,
      softBytes: Number.POSITIVE_INFINITY,
    });
    expect(lifetimeOf({ cipher: 'chacha20-poly1305', esn: true }).hardPackets).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps AES-GCM under 2^24.5 records of 2^14 bytes (RFC 8446 §5.5)', () => {
    const { hardBytes } = lifetimeOf({ cipher: 'aes-gcm-16', esn: true });
    expect(hardBytes).toBeLessThanOrEqual(2 ** 38.5);
    expect(hardBytes).toBeGreaterThan(2 ** 38.4);
  });
});

describe('soft limits', () => {
  const gcm = { cipher: 'aes-gcm-16', esn: false } as const;

  it('lie before the hard ones, each time elsewhere', () => {
    const { hardPackets, hardBytes } = lifetimeOf(gcm);
    const drawn = [0, 0.25, 0.5, 0.999].map((chance) => lifetimeOf(gcm, {}, chance));
    for (const { softPackets, softBytes } of drawn) {
      expect(softPackets / hardPackets).toBeGreaterThan(0.8);
      expect(softPackets / hardPackets).toBeLessThanOrEqual(0.9001);
      expect(softBytes / hardBytes).toBeGreaterThan(0.8);
      expect(softBytes / hardBytes).toBeLessThanOrEqual(0.9001);
    }
    expect(new Set(drawn.map(({ softPackets }) => softPackets)).size).toBe(4);
  });

  it('come earlier where the administrator wants it, never later', () => {
    expect(lifetimeOf(gcm, { packets: 1000, bytes: 5000 })).toMatchObject({ softPackets: 1000, softBytes: 5000 });
    expect(lifetimeOf(gcm, { packets: 1000, bytes: 5000 }, 0.5)).toMatchObject({ softPackets: 950, softBytes: 4750 });
    const { softPackets, softBytes } = lifetimeOf(gcm);
    expect(lifetimeOf(gcm, { packets: 2 ** 40, bytes: 2 ** 50 })).toMatchObject({ softPackets, softBytes });
    // A wish says when to replace, not when to stop.
    expect(lifetimeOf(gcm, { packets: 1000 }).hardPackets).toBe(2 ** 32 - 1);
  });

  it('draws uniformly from random bytes', () => {
    expect(chanceOf(() => Uint8Array.of(0, 0))).toBe(0);
    expect(chanceOf(() => Uint8Array.of(128, 0))).toBe(0.5);
    expect(chanceOf(() => Uint8Array.of(255, 255))).toBeLessThan(1);
  });
});

describe('slots', () => {
  it('are as many as the core has', () => {
    expect(INBOUND_SLOTS).toBe(INBOUND_SAS);
    expect(OUTBOUND_SLOTS).toBe(OUTBOUND_SAS);
  });

  it('gives the lowest free one, and none twice', () => {
    const slots = createSlots(3);
    expect([slots.take(), slots.take(), slots.take(), slots.take()]).toEqual([0, 1, 2, undefined]);
    slots.free(1);
    expect(slots.take()).toBe(1);
    expect(() => createSlots(2).free(0)).toThrow(RangeError);
  });
});
