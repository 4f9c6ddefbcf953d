// What a network does to a worker, with the gateway program at the far end: names that must be asked inside (RFC 8598), and a firewall
// that lets no UDP through (RFC 9329).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { GatewayConfigInput } from '../../main/gateway/config.ts';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab, type Running } from './lab.ts';
import { live } from './live.ts';

const RUN = fileURLToPath(new URL('../../build/out/main/gateway/run.js', import.meta.url));
const NAME_SERVER = fileURLToPath(new URL('./name-server.mjs', import.meta.url));
/** The lab's own resolv.conf (lab.ts) names this one. */
const OUTSIDE = '192.0.2.53';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

/** A gateway, and an engine that knows the way to it. */
async function open(
  config: Partial<GatewayConfigInput>,
  profile: Record<string, unknown>,
): Promise<{ readonly culvert: Culvert; connect(): Promise<void> }> {
  const opened = new Lab();
  lab = opened;
  opened.namespace('cl');
  opened.namespace('gw');
  opened.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
  opened.run('gw', 'ip', 'address', 'add', `${OUTSIDE}/32`, 'dev', 'lo');
  opened.run('gw', 'ip', 'address', 'add', '10.77.0.53/32', 'dev', 'lo');
  const file = join(opened.directory, 'gateway.json');
  const base: GatewayConfigInput = {
    identity: 'gateway.example',
    users: [{ identity: 'alice@example.com', secret: 'correct horse battery' }],
    listen: { address: '192.0.2.1' },
    shapes: ['gre-tunnel'],
    pool: { ipv4: '10.99.0.0/24' },
    gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
  };
  writeFileSync(file, JSON.stringify({ ...base, ...config }));
  const gateway = opened.start('gw', [process.execPath, RUN, '--config', file]);
  await gateway.saw(/"ready"/);
  const culvert = await Culvert.start(opened, 'cl');
  const office = {
    culvert: 1,
    name: 'office',
    gateway: { host: '192.0.2.1', identity: 'gateway.example' },
    authentication: { method: 'psk', identity: 'alice@example.com', secret: 'correct horse battery' },
    tunnel: { shape: 'gre-tunnel' },
    gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
    routes: { include: ['10.88.0.0/24'] },
    ...profile,
  };
  return { culvert, connect: () => culvert.connect(office) };
}

async function nameServers(): Promise<{ inside: Running; outside: Running }> {
  const inside = lab!.start('gw', [process.execPath, NAME_SERVER, '10.77.0.53', '10.88.0.1']);
  const outside = lab!.start('gw', [process.execPath, NAME_SERVER, OUTSIDE, '192.0.2.1']);
  await Promise.all([inside.saw(/ready/), outside.saw(/ready/)]);
  return { inside, outside };
}

/** What the C library's resolver finds, as any program would. */
async function look(name: string): Promise<string> {
  const script = `require('node:dns').lookup('${name}', { family: 4 }, (e, a) => console.log(e ? e.code : a))`;
  const { stdout } = await lab!.finish('cl', [process.execPath, '-e', script], 20_000);
  return stdout.trim();
}

live('names', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  test('of the company are asked inside alone, all others outside alone, and afterwards all is as before', async () => {
    const { culvert, connect } = await open({ dns: ['10.77.0.53'], domains: ['corp.example'] }, {});
    const { inside, outside } = await nameServers();
    const before = readFileSync(lab!.resolverFile('cl'), 'utf8');
    expect(await look('www.corp.example')).toBe('192.0.2.1');
    outside.output = '';

    await connect();
    expect((await culvert.cli(['status'])).stdout).toMatch(
      /DNS +10\.77\.0\.53 for corp\.example, by a forwarder on 127\.71\.86\.1/,
    );
    expect(await look('www.corp.example')).toBe('10.88.0.1');
    expect(await look('www.example.net')).toBe('192.0.2.1');
    expect(inside.output).toContain('asked www.corp.example');
    expect(inside.output).not.toContain('example.net');
    expect(outside.output).toContain('asked www.example.net');
    expect(outside.output).not.toContain('corp.example');

    await culvert.down();
    expect(readFileSync(lab!.resolverFile('cl'), 'utf8')).toBe(before);
    expect(await look('www.corp.example')).toBe('192.0.2.1');
  });

  test('all go inside where everything does, and the engine’s death is put right by its next start', async () => {
    const { culvert, connect } = await open(
      { dns: ['10.77.0.53'] },
      { routes: { include: ['0.0.0.0/0'], allowLan: false }, gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' } },
    );
    const { inside, outside } = await nameServers();
    const before = readFileSync(lab!.resolverFile('cl'), 'utf8');
    await connect();
    expect(await look('anything.example.net')).toBe('10.88.0.1');
    expect(inside.output).toContain('asked anything.example.net');
    expect(outside.output).not.toContain('asked');
    await culvert.daemon.stop('SIGKILL');
    expect(readFileSync(lab!.resolverFile('cl'), 'utf8')).not.toBe(before);
    await culvert.restart();
    expect(readFileSync(lab!.resolverFile('cl'), 'utf8')).toBe(before);
  });
});

live('a firewall', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  test('that drops all UDP is gone around by TCP, with a page fetched and the truth told', async () => {
    const { culvert, connect } = await open(
      { listen: { address: '192.0.2.1', tcpPort: 4500 } },
      { timing: { connectSeconds: 8 } },
    );
    lab!.run('cl', 'nft', 'add', 'table', 'inet', 'wall');
    lab!.run('cl', 'nft', 'add', 'chain', 'inet', 'wall', 'out', '{ type filter hook output priority 0 ; }');
    lab!.run('cl', 'nft', 'add', 'rule', 'inet', 'wall', 'out', 'oifname', '"v*"', 'meta', 'l4proto', 'udp', 'drop');
    await connect();
    const { stdout } = await culvert.cli(['status']);
    expect(stdout).toMatch(/in TCP/);
    const page = `fetch('http://10.88.0.1/').then((answer) => answer.text()).then(console.log)`;
    expect(lab!.run('cl', process.execPath, '-e', page)).toContain('far side of the tunnel');
    await culvert.down();
  });
});
