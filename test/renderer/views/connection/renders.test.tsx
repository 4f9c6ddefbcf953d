// @vitest-environment happy-dom
// What one update of statistics makes the page do, counted: sixty of them come in a second (docs/benchmarks.md, interface).
import { act, render } from '@testing-library/react';
import { Profiler } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { fakeStates } from '../../../../main/ipc/fake.ts';
import { settle } from '../../clock.ts';
import { app } from '../../draw.tsx';
import { setUp } from '../../engine.ts';

/** Parts of the page that no statistics concern. */
const drawn = vi.hoisted(() => new Map<string, number>());
vi.mock('../../../../renderer/views/connection/state-card.tsx', async (original) => {
  const real = await original<typeof import('../../../../renderer/views/connection/state-card.tsx')>();
  return { ...real, StateCard: counted('StateCard', real.StateCard) };
});
vi.mock('../../../../renderer/views/connection/tunnel-card.tsx', async (original) => {
  const real = await original<typeof import('../../../../renderer/views/connection/tunnel-card.tsx')>();
  return { ...real, TunnelCard: counted('TunnelCard', real.TunnelCard) };
});
vi.mock('../../../../renderer/components/icon.tsx', async (original) => {
  const real = await original<typeof import('../../../../renderer/components/icon.tsx')>();
  return { ...real, Icon: counted('Icon', real.Icon), Mark: counted('Mark', real.Mark) };
});
// The time connected goes on once a second by a clock of its own: on a slow machine that would be one more.
vi.mock('../../../../renderer/views/connection/now.ts', () => ({ useNow: (from: number) => from }));
vi.mock('../../../../renderer/views/connection/traffic.tsx', async (original) => {
  const real = await original<typeof import('../../../../renderer/views/connection/traffic.tsx')>();
  return { ...real, Traffic: counted('Traffic', real.Traffic) };
});
function counted<P, R>(name: string, draw: (props: P) => R): (props: P) => R {
  const Counted = (props: P): R => {
    drawn.set(name, (drawn.get(name) ?? 0) + 1);
    return draw(props);
  };
  return Counted;
}

const UPDATES = 20;

describe('sixty updates a second', () => {
  it('draw what they change and nothing else, once each', async () => {
    const setting = await setUp();
    const now = Date.now();
    setting.fake.setState(fakeStates(now).connected);
    await settle();
    location.hash = '#/connection';
    let commits = 0;
    const { unmount } = render(
      <Profiler id="page" onRender={() => commits++}>
        {app(setting.engine)}
      </Profiler>,
    );
    await settle();
    expect(drawn.get('StateCard')).toBeGreaterThan(0);
    expect(drawn.get('TunnelCard')).toBeGreaterThan(0);
    const touched = new Set<Element>();
    const watcher = new MutationObserver((changes) => {
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        if (element) touched.add(element);
      }
    });
    watcher.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    drawn.clear();
    commits = 0;
    for (let i = 1; i <= UPDATES; i++) {
      await act(async () => {
        const sample = { time: now + i * 16, seconds: 1 / 60, bytesIn: 20_000 * i, bytesOut: 5000, packetsIn: 9 };
        setting.fake.publish('samples', [{ ...sample, packetsOut: 4, latency: 12, loss: 0 }]);
        const traffic = { bytesIn: i * 20_000, bytesOut: i * 1000, packetsIn: i, packetsOut: i, lastInboundAgo: 3 };
        setting.fake.publish('traffic', { ...traffic, counters: { inAuthFailed: i } });
        await settle();
      });
    }
    watcher.disconnect();
    // A series and its totals came together: they are drawn together.
    expect(commits).toBe(UPDATES);
    expect(Object.fromEntries(drawn)).toEqual({ Traffic: UPDATES });
    const elsewhere = [...touched].filter((element) => !element.closest('.traffic, .statistics, .drops'));
    expect(elsewhere.map((element) => element.outerHTML)).toEqual([]);
    expect(touched.size).toBeGreaterThan(0);
    unmount();
  });
});
