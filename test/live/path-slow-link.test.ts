// A link slower than the TUN (tc tbf, 50 Mbit/s): packets wait in the sender's queue, where CoDel drops them or marks them,
// instead of in ever longer queues of the kernel's. And no flow is reordered by it.
import { afterEach, expect, it } from 'vitest';
import { live } from './live.ts';
import { LONG, PathPair, pathSkipped, percentile, roundTrips, unaccounted } from './path-pair.ts';

const SECONDS = LONG ? 60 : 4;

const pairs: PathPair[] = [];
afterEach(async () => {
  for (const pair of pairs.splice(0)) await pair.remove();
});

live('a link slower than the TUN', [pathSkipped('iperf3', 'ping', 'tc')], () => {
  it.each([
    { ecn: 0, offloads: true },
    { ecn: 1, offloads: true },
    { ecn: 0, offloads: false },
  ])(
    'bounds the wait, eight flows of TCP, ECN $ecn, offloads $offloads',
    async ({ ecn, offloads }) => {
      const tunnel = new PathPair('pslow');
      pairs.push(tunnel);
      // A queue of 400 ms at 50 Mbit/s, which TCP would fill if we let it.
      tunnel.left.run('tc qdisc add dev eth0 root tbf rate 50mbit burst 64kb latency 400ms');
      for (const end of [tunnel.left, tunnel.right]) end.run(`sysctl -qw net.ipv4.tcp_ecn=${ecn}`);
      await tunnel.start({ offloads, gro: offloads });
      const server = tunnel.right.startScript(
        `const child = require('child_process').spawn('iperf3', ['-s', '-1', '-B', '10.88.0.2', '--forceflush']);
         child.stdout.on('data', () => { if (!child.said) { child.said = true; console.log('"listening"'); } });`,
      );
      await server.next();
      const client = tunnel.left.startScript(
        `require('child_process').execFile('iperf3', ['-c', '10.88.0.2', '-t', '${SECONDS}', '-P', '8', '-J'],
           { maxBuffer: 1 << 28 }, (error, out) => console.log(JSON.stringify(JSON.parse(out).end.sum_received.bits_per_second)));`,
      );
      const ping = tunnel.left.startScript(
        `require('child_process').execFile('ping', ['-n', '-i', '0.02', '-c', '${(SECONDS - 1) * 50}', '10.88.0.2'],
           { maxBuffer: 1 << 28 }, (error, out) => console.log(JSON.stringify(out)));`,
      );
      const trips = roundTrips(await ping.next<string>());
      const rate = (await client.next<number>()) / 1e6;
      for (const child of [ping, client, server]) await child.end();
      const [left, right] = await tunnel.finish();
      const { queueDropped, queueMarked } = left.io;
      console.log(
        `50 Mbit/s link, ECN ${ecn}, offloads ${offloads}: ${rate.toFixed(1)} Mbit/s; ping median ${percentile(trips, 0.5).toFixed(1)}, ` +
          `p99 ${percentile(trips, 0.99).toFixed(1)} ms; dropped ${queueDropped}, marked ${queueMarked}`,
      );
      const everything = JSON.stringify([left, right]);
      expect(unaccounted(left, right), everything).toEqual({ seal: 0, link: 0, open: 0, write: 0 });
      expect(queueDropped! + queueMarked!, everything).toBeGreaterThan(0);
      if (ecn) expect(queueMarked, everything).toBeGreaterThan(0);
      // Without control the ping would wait some 400 ms in tbf alone, and TCP's whole window before it.
      expect(percentile(trips, 0.5), everything).toBeLessThan(300);
      expect(rate, everything).toBeGreaterThan(15);
    },
    (SECONDS + 60) * 1000,
  );
});
