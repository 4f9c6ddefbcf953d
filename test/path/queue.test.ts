import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BURST_SLOT_BYTES, PACKET_SLOT_BYTES, QUEUE, QUEUE_BYTES } from '../../assembly/layout.ts';
import { PacketQueue } from '../../main/path/queue.ts';

it('keeps order, time and bytes of any packets, and never lays one over another that is still needed', () => {
  const step = fc.record({
    put: fc.integer({ min: 0, max: 40 }),
    length: fc.integer({ min: 1, max: BURST_SLOT_BYTES }),
    small: fc.boolean(),
    take: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new PacketQueue(QUEUE, QUEUE_BYTES);
      const model: { offset: number; length: number; time: number; flow: number }[] = [];
      let clock = 0;
      for (const { put, length, small, take } of steps) {
        const slot = small ? PACKET_SLOT_BYTES : BURST_SLOT_BYTES;
        for (let i = 0; i < put; i++) {
          const offset = queue.reserve(slot);
          if (offset < 0) break;
          expect(offset).toBeGreaterThanOrEqual(QUEUE);
          expect(offset + slot).toBeLessThanOrEqual(QUEUE + QUEUE_BYTES);
          for (const other of model)
            if (offset < other.offset + other.length && other.offset < offset + slot)
              throw new Error(`${offset} + ${slot} lies over ${other.offset} + ${other.length}`);
          const used = Math.min(length, slot);
          queue.put(offset, used, ++clock, clock & 1023);
          model.push({ offset, length: used, time: clock, flow: clock & 1023 });
        }
        for (let i = 0; i < take && model.length > 0; i++) {
          expect({ offset: queue.offset, length: queue.size, time: queue.time, flow: queue.flow }).toEqual(
            model.shift(),
          );
          queue.take();
        }
        queue.release();
        expect(queue.length).toBe(model.length);
        expect(queue.bytes).toBe(model.reduce((sum, one) => sum + one.length, 0));
      }
    }),
  );
});

it('keeps what was taken until it is released', () => {
  const queue = new PacketQueue(QUEUE, QUEUE_BYTES);
  const first = queue.reserve(BURST_SLOT_BYTES);
  queue.put(first, BURST_SLOT_BYTES, 1, 0);
  queue.take();
  for (let offset = queue.reserve(BURST_SLOT_BYTES); offset >= 0; offset = queue.reserve(BURST_SLOT_BYTES)) {
    expect(offset).toBeGreaterThanOrEqual(first + BURST_SLOT_BYTES);
    queue.put(offset, BURST_SLOT_BYTES, 2, 0);
  }
  expect(queue.length).toBeGreaterThan(20);
  queue.take();
  queue.release();
  expect(queue.reserve(BURST_SLOT_BYTES)).toBe(first);
});

it('is full at some number of small packets, and empty again when they are gone', () => {
  const queue = new PacketQueue(QUEUE, QUEUE_BYTES);
  let count = 0;
  for (let offset = queue.reserve(64); offset >= 0; offset = queue.reserve(64)) {
    queue.put(offset, 64, count, 0);
    count++;
  }
  expect(count).toBe(1023);
  for (let i = 0; i < count; i++) queue.take();
  queue.release();
  expect(queue.length).toBe(0);
  expect(queue.bytes).toBe(0);
  expect(queue.reserve(BURST_SLOT_BYTES)).toBe(QUEUE);
});
