// The data plane on a kernel without all of today's offloads: Debian's user-mode Linux is a real 6.1, whose TUN has no USO
// (TUNSETOFFLOAD refuses it). It starts, says so, and carries TCP and UDP, bursts too, to and from a kernel that has everything.
//
//   guest 192.0.2.1 ── tap0 192.0.2.9 gw        inside: 10.88.0.1 (guest), 10.88.0.2

import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';
import type { Final } from './path-pair.ts';
import { Guest, umlMissing } from './uml.ts';

const CHILD = fileURLToPath(new URL('./net-child.mjs', import.meta.url));
const TRANSFER = fileURLToPath(new URL('./transfer.mjs', import.meta.url));
const HERE = { guest: '192.0.2.1', gw: '192.0.2.9' } as const;
const INSIDE = { guest: '10.88.0.1', gw: '10.88.0.2' } as const;
const BURSTS = 4;
const DATAGRAMS = 20;
const SIZE = 1200;
const PORT = 7000;

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const task = (options: Record<string, unknown>): string => `${process.execPath} ${CHILD} '${JSON.stringify(options)}'`;

const end = (where: 'guest' | 'gw'): string =>
  task({
    ...{ task: 'peer', initiator: where === 'guest', shape: 'gre-tunnel', cipher: 'chacha20-poly1305', port: 4500 },
    ...{ local: HERE[where], remote: HERE[where === 'guest' ? 'gw' : 'guest'], name: 'culv0', mtu: 1400 },
    addresses: [`${INSIDE[where]}/24`],
  });

/** Its input ends when the file is there. */
const until = (file: string): string => `while [ ! -e ${file} ]; do sleep 0.2; done`;

const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{') || line.startsWith('['))
    .map((line) => JSON.parse(line) as unknown);

/** What `hear` says of all bursts: number, length, intact. */
const heard = Array.from({ length: BURSTS * (DATAGRAMS + 1) }, (_, i) => [
  i,
  i % (DATAGRAMS + 1) < DATAGRAMS ? SIZE : 5,
  true,
]);

live('the data plane on Linux 6.1', [cannotRunLive(), umlMissing(), culvertMissing('path/start.js')], () => {
  it('does without UDP segmentation offload, says so, and carries TCP and UDP both ways', async () => {
    const opened = new Lab();
    lab = opened;
    opened.namespace('gw');
    const guest = await Guest.boot(opened, 'gw', 'tap0', {
      address: `${HERE.guest}/24`,
      host: `${HERE.gw}/24`,
      script: `modprobe -d /run/modules tun
[ -e /dev/net/tun ] || { mkdir -p /dev/net; mknod /dev/net/tun c 10 200; }
(${until('/run/over')}) | ${end('guest')} > /run/peer.log 2>&1 &`,
    });
    expect(await guest.must('uname -r')).toMatch(/^6\.1\./);
    await guest.must(
      `for i in $(seq 100); do grep -q culv0 /run/peer.log && exit 0; sleep 0.2; done; cat /run/peer.log; exit 1`,
    );
    const over = `${opened.directory}/over`;
    const peer = opened.start('gw', ['sh', '-c', `(${until(over)}) | ${end('gw')}`]);
    const [ready] = await peer.saw(/^\{"name".*\}$/m);
    expect(JSON.parse(ready)).toMatchObject({ vnetHeader: true, uso: true });

    // TCP, up and down as the host's side sees it.
    await guest.must(`${process.execPath} ${TRANSFER} serve ${INSIDE.guest} 5001 > /run/serve.log 2>&1 & sleep 0.1`);
    await guest.must(`for i in $(seq 100); do grep -q ready /run/serve.log && exit 0; sleep 0.2; done; exit 1`);
    for (const direction of ['up', 'down']) {
      const moved = await opened.finish('gw', [process.execPath, TRANSFER, direction, INSIDE.guest, '5001', '5000000']);
      expect(moved, moved.stderr).toMatchObject({ code: 0 });
    }

    // UDP: the host's kernel hands super-datagrams to its TUN; the guest's cuts them before its own.
    const count = DATAGRAMS + 1;
    const bursts = (to: string) =>
      `(for i in 1 2 3 4; do echo more; sleep 0.3; done) | ${task({ task: 'burst', to, port: PORT, size: SIZE, datagrams: DATAGRAMS })}`;
    const hear = (address: string) => task({ task: 'hear', address, port: PORT, count });
    await guest.must(
      `{ (${until('/run/heard')}) | ${hear(INSIDE.guest)} > /run/hear.log; } 2>/run/errors > /dev/null & sleep 0.1`,
    );
    await guest.must(`for i in $(seq 100); do grep -q ready /run/hear.log && exit 0; sleep 0.2; done; exit 1`);
    await opened.finish('gw', ['sh', '-c', bursts(INSIDE.guest)]);
    const there = await guest.must(`touch /run/heard; sleep 1; cat /run/hear.log`);
    expect(lines(there).flat()).toEqual(heard);

    const heardBack = `${opened.directory}/heard`;
    const hearing = opened.start('gw', ['sh', '-c', `(${until(heardBack)}) | ${hear(INSIDE.gw)}`]);
    await hearing.saw(/ready/);
    await guest.must(bursts(INSIDE.gw));
    await hearing.saw(new RegExp(`\\[${heard.length - 1},5,true\\]`));
    expect(lines(hearing.output).flat()).toEqual(heard);
    opened.run('gw', 'touch', heardBack);

    await guest.must('touch /run/over');
    const said = await guest.must(
      `for i in $(seq 100); do grep -q counters /run/peer.log && break; sleep 0.2; done; cat /run/peer.log`,
    );
    const [old, final] = lines(said) as [unknown, Final];
    expect(old).toMatchObject({ name: 'culv0', vnetHeader: true, uso: false });
    const notes = final.events.flatMap(({ text }) => text ?? []);
    expect(notes).toEqual([expect.stringMatching(/no UDP segmentation offload \(Linux 6\.2\)/)]);
    // TCP's super-packets are there all the same, both ways; nothing was refused.
    expect(final.counters.outCut).toBeGreaterThan(100);
    expect(final.counters.inMerged).toBeGreaterThan(100);
    expect(final.io).toMatchObject({ tunDropped: 0, sendDropped: 0 });
    opened.run('gw', 'touch', over);
    await peer.saw(/"counters"/);
  }, 180_000);
});
