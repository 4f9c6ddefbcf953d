import { expect, it } from 'vitest';
import { createRoundTripMeter } from '../../main/session/round-trip.ts';

function message(id: number, response: boolean, SPIi = 1n): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, SPIi);
  bytes[19] = response ? 0x20 : 0x08;
  view.setUint32(20, id);
  return bytes;
}

it('measures from a request to its response', () => {
  const meter = createRoundTripMeter();
  meter.sent(message(2, false), 100);
  meter.received(message(2, true, 9n), 105);
  meter.received(message(1, true), 106);
  expect(meter.newest).toBeNull();
  meter.received(message(2, true), 130);
  expect(meter.newest).toEqual({ milliseconds: 30, at: 130 });
  meter.received(message(2, true), 500);
  expect(meter.newest).toEqual({ milliseconds: 30, at: 130 });
});

it('does not count what was sent twice, nor what the gateway asks', () => {
  const meter = createRoundTripMeter();
  meter.sent(message(3, false), 0);
  meter.sent(message(3, false), 500);
  meter.received(message(3, true), 510);
  meter.received(message(0, false), 511);
  meter.sent(message(0, true), 512);
  meter.received(new Uint8Array(3), 513);
  expect(meter.newest).toBeNull();
});
