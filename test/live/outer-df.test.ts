// RFC 4301 §8.1 as the network sees it: profile and gateway each say what the outer DF bit shall be, and tshark looks at it on the
// link: ESP and ESP in UDP, one by one and in bursts. And a router whose next link is narrower.
//
//   cl 198.51.100.2 ══ 198.51.100.1 gw        inside: 10.88.0.2 ── GRE ── 10.88.0.1
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { Capture } from './capture.ts';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';
import { officeProfile, startOffice } from './office.ts';

const TRANSFER = fileURLToPath(new URL('./transfer.mjs', import.meta.url));
const CLIENT = '198.51.100.2';
const GATEWAY = '198.51.100.1';
const INSIDE = { cl: '10.88.0.2', gw: '10.88.0.1' } as const;

type Df = 'set' | 'clear' | 'copy';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function open(encapsulation: 'udp' | 'auto', client: Df, gateway: Df): Promise<Lab> {
  const opened = new Lab();
  lab = opened;
  for (const namespace of ['cl', 'gw']) opened.namespace(namespace);
  opened.link('cl', `${CLIENT}/24`, 'gw', `${GATEWAY}/24`);
  await startOffice(opened, { listen: { address: GATEWAY }, outerDf: gateway });
  const culvert = await Culvert.start(opened, 'cl');
  await culvert.connect(
    officeProfile({
      gateway: { host: GATEWAY, identity: 'gateway.example' },
      tunnel: { shape: 'gre-tunnel', encapsulation },
      mtu: { outerDf: client },
    }),
  );
  return opened;
}

/** `size` bytes of payload, with or without DF; each is answered. */
async function ping(lab: Lab, from: 'cl' | 'gw', df: boolean, size: number): Promise<void> {
  const to = INSIDE[from === 'cl' ? 'gw' : 'cl'];
  const count = ['-c', '5', '-i', '0.02', '-W', '2'];
  const ran = await lab.finish(from, ['ping', '-n', ...count, '-M', df ? 'do' : 'dont', '-s', String(size), to]);
  expect(ran.stdout).toMatch(/5 received/);
}

interface Outer {
  readonly from: string;
  readonly df: boolean;
  readonly length: number;
}

async function outer(wire: Capture): Promise<readonly Outer[]> {
  const rows = await wire.tshark([], ['ip.src', 'ip.flags.df', 'ip.len']);
  return rows.map(([from, df, length]) => ({ from: from!, df: df === '1' || df === 'True', length: Number(length) }));
}

live('the outer DF bit', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  it.each([
    { encapsulation: 'auto', client: 'set', gateway: 'clear' },
    { encapsulation: 'auto', client: 'clear', gateway: 'copy' },
    { encapsulation: 'udp', client: 'copy', gateway: 'set' },
    { encapsulation: 'udp', client: 'clear', gateway: 'copy' },
  ] as const)('$encapsulation: client $client, gateway $gateway', async ({ encapsulation, client, gateway }) => {
    const lab = await open(encapsulation, client, gateway);
    const wire = await Capture.start(lab, 'gw', 'v0b', encapsulation === 'udp' ? 'udp port 4500' : 'ip proto 50');
    const server = lab.start('gw', [process.execPath, TRANSFER, 'serve', INSIDE.gw, '5001']);
    await server.saw(/ready/);
    // Lengths tell apart what both ends ask; the answers, whose DF is their kernel's, are looked at in neither.
    const asked = [
      { from: 'cl', df: true, size: 1000 },
      { from: 'cl', df: false, size: 900 },
      { from: 'gw', df: true, size: 800 },
      { from: 'gw', df: false, size: 700 },
    ] as const;
    for (const { from, df, size } of asked) await ping(lab, from, df, size);
    const single = await outer(wire);
    for (const direction of ['up', 'down']) {
      const moved = await lab.finish('cl', [process.execPath, TRANSFER, direction, INSIDE.gw, '5001', '4000000']);
      expect(moved, moved.stderr).toMatchObject({ code: 0 });
    }
    await wire.stop();

    const wanted = (choice: Df, inner: boolean) => (choice === 'copy' ? inner : choice === 'set');
    for (const { from, df, size } of asked) {
      const address = from === 'cl' ? CLIENT : GATEWAY;
      const seen = single.filter(
        (packet) => packet.from === address && packet.length > size + 60 && packet.length < size + 160,
      );
      const answers = asked.some((other) => other.from !== from && other.size === size);
      expect(answers).toBe(false);
      expect(seen.map((packet) => packet.df)).toEqual(
        Array.from({ length: 5 }, () => wanted(from === 'cl' ? client : gateway, df)),
      );
    }
    // TCP's packets have DF. In UDP they leave in bursts, which this link carries whole.
    const bulk = (await outer(wire)).slice(single.length).filter(({ length }) => length > 1300);
    for (const [address, choice] of [
      [CLIENT, client],
      [GATEWAY, gateway],
    ] as const) {
      const sent = bulk.filter(({ from }) => from === address);
      expect(sent.length).toBeGreaterThan(50);
      expect(new Set(sent.map(({ df }) => df))).toEqual(new Set([wanted(choice, true)]));
      if (encapsulation === 'udp') expect(Math.max(...sent.map(({ length }) => length))).toBeGreaterThan(3000);
    }
  });
});
