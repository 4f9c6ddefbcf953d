import { expect, it } from 'vitest';
import { SendWindow } from '../../main/path/window.ts';

/** A link of `rate` bytes per millisecond fed through the window in messages; the bytes in flight over time. */
function drive(window: SendWindow, rate: number, milliseconds: number): { sent: number; most: number } {
  let inFlight = 0;
  let sent = 0;
  let most = 0;
  for (let now = 1; now <= milliseconds; now++) {
    window.waited(inFlight, now);
    for (; window.open(inFlight); inFlight += 1500) window.sent(1500);
    if (now > milliseconds / 2) most = Math.max(most, inFlight);
    const gone = Math.min(inFlight, rate);
    inFlight -= gone;
    if (now > milliseconds / 2) sent += gone;
  }
  return { sent, most };
}

it('lets a slow link keep little more than it sends in a few milliseconds, and still keeps it busy', () => {
  const rate = 2500; // 20 Mbit/s
  const { sent, most } = drive(new SendWindow(), rate, 4000);
  expect(sent).toBeGreaterThan(0.95 * 2000 * rate);
  expect(most).toBeLessThan(12 * rate);
});

it('grows for a fast one', () => {
  const rate = 600_000; // 4.8 Gbit/s
  const { sent } = drive(new SendWindow(), rate, 4000);
  expect(sent).toBeGreaterThan(0.95 * 2000 * rate);
});

it('does not take a thread that was kept waiting for a fast link', () => {
  const window = new SendWindow();
  const rate = 6250; // 50 Mbit/s
  let inFlight = 0;
  for (let now = 1; now < 5000; now++) {
    // Every 40 ms the machine is away for 15.
    if (now % 40 >= 15) {
      window.waited(inFlight, now);
      for (; window.open(inFlight); inFlight += 1500) window.sent(1500);
    }
    inFlight = Math.max(0, inFlight - rate);
  }
  expect(window.bytes).toBeLessThan(30 * rate);
});
