// Sixty updates of statistics a second, as an engine that measures often would send them, and what the browser says that
// they cost: for the benchmark, which reads the times, and for a test, which reads the counts.
import type { Stage } from './stage.mjs';

export const A_SECOND = 60;

export interface Cost {
  readonly updates: number;
  /** What the page shows last is what was sent last. */
  readonly shown: boolean;
  /** Milliseconds between frames, in order. */
  readonly frames: readonly number[];
  /** Tasks of more than 50 ms. */
  readonly longTasks: number;
  /** What Chromium counted meanwhile: layouts, and recalculations of style. */
  readonly layouts: number;
  readonly styles: number;
  /** Milliseconds that the page's main thread worked. */
  readonly worked: number;
}

const WATCH = `(() => {
  const seen = { frames: [], long: 0, last: performance.now(), run: true };
  new PerformanceObserver((list) => { seen.long += list.getEntries().length; }).observe({ type: 'longtask' });
  const frame = (time) => { seen.frames.push(time - seen.last); seen.last = time; if (seen.run) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  globalThis.seen = seen;
})()`;

async function metrics(stage: Stage): Promise<Readonly<Record<string, number>>> {
  const { metrics: all } = await stage.browser.send('Performance.getMetrics');
  const list = all as readonly { readonly name: string; readonly value: number }[];
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

/** `rate` updates a second for `seconds`, on a stage that plays a connected scene; 0: only watches. */
export async function watch(stage: Stage, rate: number, seconds: number): Promise<Cost> {
  const { browser, fake } = stage;
  const start = Date.now() + 1000;
  await browser.send('Performance.enable');
  await browser.run(WATCH);
  const before = await metrics(stage);
  const began = performance.now();
  const total = Math.round(rate * seconds);
  let sent = 0;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const passed = (performance.now() - began) / 1000;
      for (; sent < Math.min(total, Math.floor(passed * rate)); sent++) {
        const bytesIn = Math.round(20_000 * (2 + Math.sin(sent / 20)));
        const sample = { time: start + sent * 16, seconds: 1 / A_SECOND, bytesIn, bytesOut: Math.round(bytesIn / 4) };
        fake.publish('samples', [{ ...sample, packetsIn: 9, packetsOut: 4, latency: 12, loss: 0 }]);
        const totals = { bytesIn: sent * bytesIn, bytesOut: sent * 1000, packetsIn: sent + 1, packetsOut: sent };
        fake.publish('traffic', { ...totals, counters: { inAuthFailed: sent + 1 }, lastInboundAgo: 3 });
      }
      if (passed < seconds) setTimeout(tick, 4);
      else resolve();
    };
    tick();
  });
  await browser.settle();
  const after = await metrics(stage);
  const { frames, long } = await browser.run<{ frames: number[]; long: number }>(
    '(seen.run = false, { frames: seen.frames, long: seen.long })',
  );
  const last = await browser.run<string>(`document.querySelector('.drops td.numeric')?.textContent ?? ''`);
  const grown = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  return {
    updates: sent,
    shown: sent === 0 || last === String(sent),
    // The first ones belong to what was before.
    frames: frames.slice(5),
    longTasks: long,
    layouts: grown('LayoutCount'),
    styles: grown('RecalcStyleCount'),
    worked: grown('TaskDuration') * 1000,
  };
}
