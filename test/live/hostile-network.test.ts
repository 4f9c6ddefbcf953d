// A false access point: it calls itself by the company's addresses, answers for everybody, and sends to the tunnel itself. Everything
// goes into the tunnel (0.0.0.0/0), and the private networks around stay reachable (the default).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';

const RUN = fileURLToPath(new URL('../../build/out/main/gateway/run.js', import.meta.url));
const NAME_SERVER = fileURLToPath(new URL('./name-server.mjs', import.meta.url));
const NAMES = '10.99.0.1';
const WEB = '203.0.113.9';
const NEIGHBOUR = '10.9.9.9';

/** What any program may do, without any right: choose its interface (SO_BINDTODEVICE = 25, IP_UNICAST_IF = 50). */
const BOUND = `
import socket
for option in ((socket.SOL_SOCKET, 25, b'DEVICE'), (0, 50, socket.htonl(socket.if_nametoindex('DEVICE')).to_bytes(4, 'little'))):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(*option)
    try: one.sendto(b'around', ('${WEB}', 9))
    except OSError: pass
`;
const LISTENER = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (bytes) => console.log('heard ' + bytes));
socket.bind(9, '${WEB}', () => console.log('ready'));
`;

live('a hostile network', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  let lab: Lab;
  let culvert: Culvert;
  let device: string;

  beforeEach(async () => {
    lab = new Lab();
    for (const name of ['cl', 'gw', 'ap']) lab.namespace(name);
    lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
    device = lab.link('cl', '10.3.4.5/8', 'ap', `${NAMES}/8`).a;
    for (const address of [WEB, NEIGHBOUR]) lab.run('ap', 'ip', 'address', 'add', `${address}/32`, 'dev', 'lo');
    const file = join(lab.directory, 'gateway.json');
    const config = {
      identity: 'gateway.example',
      users: [{ identity: 'alice@example.com', secret: 'correct horse battery' }],
      listen: { address: '192.0.2.1' },
      shapes: ['esp-tunnel'],
      pool: { ipv4: '10.99.0.0/24' },
      dns: [NAMES],
    };
    writeFileSync(file, JSON.stringify(config));
    const gateway = lab.start('gw', [process.execPath, RUN, '--config', file]);
    await gateway.saw(/"ready"/);
    culvert = await Culvert.start(lab, 'cl');
  });
  afterEach(() => lab.close());

  const connect = (): Promise<void> =>
    culvert.connect({
      culvert: 1,
      name: 'office',
      gateway: { host: '192.0.2.1', identity: 'gateway.example' },
      authentication: { method: 'psk', identity: 'alice@example.com', secret: 'correct horse battery' },
      tunnel: { shape: 'esp-tunnel' },
      routes: { include: ['0.0.0.0/0'] },
    });

  it('is not asked for names in the place of the tunnel’s server, whose address it has', async () => {
    const inside = lab.start('gw', [process.execPath, NAME_SERVER, NAMES, '10.99.0.7']);
    const outside = lab.start('ap', [process.execPath, NAME_SERVER, NAMES, '10.6.6.6']);
    await Promise.all([inside.saw(/ready/), outside.saw(/ready/)]);
    await connect();
    const script = `require('node:dns').lookup('secret.corp.example', { family: 4 }, (e, a) => console.log(e ? e.code : a))`;
    const { stdout } = await lab.finish('cl', [process.execPath, '-e', script], 20_000);
    expect(stdout.trim()).toBe('10.99.0.7');
    expect(outside.output).not.toContain('asked');
    // The kernel would take the tunnel for the network of a router that it does not know, and the main table would lead into it.
    const other = await lab.finish('cl', ['ip', 'route', 'add', '198.51.100.0/24', 'via', '172.31.99.1']);
    expect(other.code).not.toBe(0);
  });

  it('gets nothing from programs that bind themselves to its interface, and no answer from the tunnel’s address', async () => {
    const unprivileged = [
      'setpriv',
      '--reuid',
      '65534',
      '--regid',
      '65534',
      '--clear-groups',
      '--bounding-set',
      '-all',
    ];
    const send = () => lab.run('cl', ...unprivileged, '/usr/bin/python3', '-c', BOUND.replaceAll('DEVICE', device));
    const listener = lab.start('ap', [process.execPath, '-e', LISTENER]);
    await listener.saw(/ready/);
    // Without a tunnel it goes there, so that the test can fail.
    send();
    await listener.saw(/(heard around\s+){2}/);
    await connect();
    send();
    lab.run('ap', 'ip', 'route', 'add', '10.99.0.2/32', 'via', '10.3.4.5', 'dev', 'v1b');
    const pings = await lab.finish('ap', ['ping', '-c', '2', '-i', '0.2', '-W', '1', '-I', NEIGHBOUR, '10.99.0.2']);
    expect(pings.stdout).toMatch(/ 0 received/);
    expect((await lab.finish('ap', ['ping', '-c', '1', '-W', '1', '-I', NEIGHBOUR, '10.3.4.5'])).code).toBe(0);
    expect((await lab.finish('gw', ['ping', '-c', '1', '-W', '1', '10.99.0.2'])).code).toBe(0);
    expect(listener.output.match(/heard/g)).toHaveLength(2);
    const rules = (): string => lab.run('cl', 'nft', 'list', 'ruleset');
    expect(rules()).toContain('table inet culvert');
    // Killed, the engine still lets nothing out, until the next start removes it.
    await culvert.daemon.stop('SIGKILL');
    send();
    expect((await lab.finish('ap', ['ping', '-c', '1', '-W', '1', '-I', NEIGHBOUR, '10.3.4.5'])).code).toBe(0);
    expect(listener.output.match(/heard/g)).toHaveLength(2);
    await culvert.restart();
    expect(rules()).toBe('');
    send();
    await listener.saw(/(heard around\s+){4}/);
  });
});
