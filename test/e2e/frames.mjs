// How soon the page is usable, and what 60 updates of statistics a second cost it: node test/e2e/frames.mjs (after
// `npm run build`). Prints the figures; exits with 1 where the page took longer than a second, lost an update, or held a
// frame back for more than 50 ms (a long task).
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './browser.mjs';
import { serveFake } from './fake-server.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { createFakeEngine, fakeStates } = await import(join(root, 'build/out/main/ipc/fake.js'));
const SECONDS = 5;
const now = Date.now();
const fake = createFakeEngine({ now });
fake.setState(fakeStates(now).connected);
const server = await serveFake(() => fake);
const browser = await openBrowser();
let ok = true;
try {
  await browser.look(1440, 900, 'light');
  await browser.go(`${server.url}/#/connection`);
  const usable = await browser.run(`new Promise((resolve) => {
    const look = () => document.querySelector('[data-state=connected] button') ? resolve(performance.now()) : requestAnimationFrame(look);
    look();
  })`);
  await browser.run(`(() => {
    const seen = { frames: [], long: 0, last: performance.now(), run: true };
    new PerformanceObserver((list) => { seen.long += list.getEntries().length; }).observe({ type: 'longtask' });
    const frame = (time) => { seen.frames.push(time - seen.last); seen.last = time; if (seen.run) requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    globalThis.seen = seen;
  })()`);
  const metrics = async () => {
    const { metrics: all } = await browser.send('Performance.getMetrics');
    return Object.fromEntries(all.map(({ name, value }) => [name, value]));
  };
  await browser.send('Performance.enable');
  const before = await metrics();
  let sent = 0;
  const began = performance.now();
  await new Promise((resolve) => {
    const tick = () => {
      const due = Math.floor(((performance.now() - began) / 1000) * 60);
      for (; sent < due && sent < SECONDS * 60; sent++) {
        const bytes = Math.round(20_000 * (2 + Math.sin(sent / 20)));
        fake.publish(
          'samples',
          [
            {
              time: now + sent * 16,
              seconds: 1 / 60,
              bytesIn: bytes,
              bytesOut: bytes / 4,
              packetsIn: 9,
              packetsOut: 4,
              latency: 12,
              loss: 0,
            },
          ].map((sample) => ({ ...sample, bytesOut: Math.round(sample.bytesOut) })),
        );
        fake.publish('traffic', {
          bytesIn: sent * bytes,
          bytesOut: sent * 1000,
          packetsIn: sent + 1,
          packetsOut: sent,
          counters: { inAuthFailed: sent + 1 },
          lastInboundAgo: 3,
        });
      }
      if (sent < SECONDS * 60) setTimeout(tick, 4);
      else resolve();
    };
    tick();
  });
  await browser.settle();
  const after = await metrics();
  const { frames, long } = await browser.run('(seen.run = false, { frames: seen.frames, long: seen.long })');
  const drawn = await browser.run(`document.querySelector('.drops .numeric').textContent`);
  const sorted = frames.slice(5).sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor(sorted.length * share)].toFixed(1);
  const busy = ((after.TaskDuration - before.TaskDuration) / (after.Timestamp - before.Timestamp)) * 100;
  console.log(`usable after ${usable.toFixed(0)} ms`);
  console.log(`${sent} updates in ${SECONDS} s, last one drawn: ${drawn === String(sent)}; ${frames.length} frames`);
  console.log(`frame to frame: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, 99 % ${at(0.99)} ms; long tasks: ${long}`);
  console.log(`main thread busy ${busy.toFixed(0)} %, ${((10 * busy * SECONDS) / sent).toFixed(2)} ms an update`);
  ok = usable < 1000 && long === 0 && drawn === String(sent);
} finally {
  await browser.close();
  server.close();
}
process.exit(ok ? 0 : 1);
