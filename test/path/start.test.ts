// What the data plane chooses for itself, says for the log, and counts at its edges.
import { availableParallelism } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { threadsFor } from '../../main/path/start.ts';
import { install, openSide, packet4, type Side } from './pair.ts';

const sides: Side[] = [];
afterEach(async () => {
  await Promise.all(sides.splice(0).map((side) => side.close()));
});

async function side(...options: Parameters<typeof openSide>): Promise<Side> {
  const made = await openSide(...options);
  sides.push(made);
  return made;
}

it('takes a thread for each direction where there are processors for them', () => {
  expect([1, 2, 16].map(threadsFor)).toEqual(['single', 'workers', 'workers']);
});

it('says which it chose, and what it has to do without, once each', async () => {
  const one = await side('auto', 4, false);
  await one.plane.attachTun(one.tun);
  await one.plane.receive({ kind: 'addSocket', socket: one.socket });
  expect(one.notes).toEqual([
    expect.stringContaining(availableParallelism() > 1 ? 'one thread for each direction' : 'both directions on one'),
    expect.stringContaining('UDP_GRO'),
    expect.stringContaining('no virtio header'),
  ]);
});

it('says nothing about what is there', async () => {
  const one = await side('workers', 4, true);
  expect(one.notes).toEqual([expect.stringContaining('no virtio header')]);
});

it('accounts for every packet at every edge, both ways', async () => {
  const [left, right] = [await side('workers'), await side('workers')];
  await install(left, right.socket, true, 'gre-tunnel', 'aes-gcm-16');
  await install(right, left.socket, false, 'gre-tunnel', 'aes-gcm-16');
  const good = 50;
  for (let i = 0; i < good; i++) left.tun.send(packet4('10.88.0.2', '10.88.0.1', 100 + i, i));
  // No tunnel's selectors match; too long (answered on the TUN); for the other side's receiver, nonsense.
  left.tun.send(packet4('10.99.0.2', '10.88.0.1', 100));
  left.tun.send(packet4('10.88.0.2', '10.88.0.1', 1401));
  left.socket.send(Uint8Array.of(0, 0, 9, 9, ...new Uint8Array(60)), right.socket.local);
  await right.received(good);
  await left.received(1);
  await left.plane.send({ kind: 'injectPacket', packet: packet4('10.88.0.2', '10.88.0.1', 60) });
  await right.received(good + 1);
  await vi.waitFor(async () => {
    await right.plane.receive({ kind: 'cancelExpected', spi: 999 });
    expect(right.plane.statistics().counters.inUnknownSpi).toBe(1);
  });
  const [out, come] = [left.plane.statistics(), right.plane.statistics()];
  expect(out.io).toMatchObject({ tunRead: good + 2, injected: 1, queued: 0, queueDropped: 0, sent: good + 1 });
  expect(out.counters).toMatchObject({ outPackets: good + 1, outNoTunnel: 1, outTooBig: 1, outCut: 0 });
  expect(come.io).toMatchObject({ received: good + 2, tunWritten: good + 1, tunDropped: 0, socketOverflow: 0 });
  expect(come.counters).toMatchObject({ inPackets: good + 1, inUnknownSpi: 1, inMerged: 0 });
});
