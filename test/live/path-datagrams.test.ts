// UDP in super-datagrams through real TUNs: a program that sends with UDP_SEGMENT, the kernel that hands them whole to the TUN and
// takes them joined from it, and one that hears datagrams, every one, in order, with the bytes that were sent.
import { afterEach, expect, it } from 'vitest';
import { live } from './live.ts';
import { PathPair, pathSkipped, unaccounted } from './path-pair.ts';

const BURSTS = 20;
/** And one of 5 bytes behind them. */
const DATAGRAMS = 40;
const PORT = 7000;

const pairs: PathPair[] = [];
afterEach(async () => {
  for (const pair of pairs.splice(0)) await pair.remove();
});

live('UDP through the tunnel', [pathSkipped()], () => {
  it.each([
    { to: '10.88.0.2', size: 1200, uso: true },
    { to: 'fd88::2', size: 777, uso: true },
    { to: '10.88.0.2', size: 1200, uso: false },
  ])(
    'super-datagrams of $size bytes each to $to, USO $uso',
    async ({ to, size, uso }) => {
      const tunnel = new PathPair('pdgram');
      pairs.push(tunnel);
      await tunnel.start({ uso });
      const count = DATAGRAMS + 1;
      const hearing = tunnel.right.start({ task: 'hear', address: to, port: PORT, count });
      const sending = tunnel.left.start({ task: 'burst', to, port: PORT, size, datagrams: DATAGRAMS });
      expect([await hearing.next(), await sending.next()]).toEqual(['ready', 'ready']);
      for (let burst = 0; burst < BURSTS; burst++) {
        sending.write('one more');
        const heard = await hearing.next();
        expect(heard).toEqual(
          Array.from({ length: count }, (_, i) => [burst * count + i, i < DATAGRAMS ? size : 5, true]),
        );
      }
      await sending.end();
      await hearing.end();
      const [left, right] = await tunnel.finish();
      const everything = JSON.stringify([left, right]);
      expect(unaccounted(left, right), everything).toEqual({ seal: 0, link: 0, open: 0, write: 0 });
      expect(left.counters.outCut ?? 0, everything).toBe(uso ? BURSTS * DATAGRAMS : 0);
      if (uso) expect(right.counters.inMerged, everything).toBeGreaterThan(BURSTS);
      else expect(right.counters.inMerged ?? 0, everything).toBe(0);
      expect(right.io.tunDropped).toBe(0);
      const notes = left.events.filter(({ text }) => text?.includes('UDP segmentation offload'));
      expect(notes).toHaveLength(uso ? 0 : 1);
    },
    30_000,
  );
});
