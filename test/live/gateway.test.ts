// The gateway as a program (main/gateway/run): what it prints, how it ends, and what it says when it cannot start.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { GatewayConfigInput } from '../../main/gateway/config.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';

const RUN = fileURLToPath(new URL('../../build/out/main/gateway/run.js', import.meta.url));
const CONFIG: GatewayConfigInput = {
  identity: 'gateway.example',
  users: [{ identity: 'alice@example.com', secret: 'a secret that nobody shall see' }],
  listen: { address: '192.0.2.1' },
  pool: { ipv4: '10.99.0.0/24' },
  gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
};

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

function open(): Lab {
  const opened = new Lab();
  lab = opened;
  opened.namespace('gw');
  opened.run('gw', 'ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo');
  return opened;
}

function configFile(lab: Lab, content: unknown): string {
  const file = join(lab.directory, 'gateway.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

live('the gateway program', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  test('says when it is ready, serves the page, and leaves nothing after SIGTERM', async () => {
    const lab = open();
    const gateway = lab.start('gw', [process.execPath, RUN, '--config', configFile(lab, CONFIG)]);
    const [line] = await gateway.saw(/^\{"event":"ready".*\}$/m);
    const ready = JSON.parse(line) as Record<string, unknown>;
    expect(ready).toMatchObject({
      ike: '192.0.2.1:500',
      natt: '192.0.2.1:4500',
      tun: { name: 'culvertgw0', addresses: ['10.88.0.1/24', '10.99.0.1/24'] },
      page: ['http://10.88.0.1/', 'http://10.99.0.1/'],
    });
    const page = `fetch('http://10.88.0.1/').then((answer) => answer.text()).then(console.log)`;
    expect(lab.run('gw', process.execPath, '-e', page)).toContain('far side of the tunnel');
    expect(lab.run('gw', 'ip', '-o', 'link')).toContain('culvertgw0');
    await gateway.stop();
    expect(gateway.child.exitCode).toBe(0);
    expect(gateway.output).toContain('{"event":"closed"');
    expect(lab.run('gw', 'ip', '-o', 'link')).not.toContain('culvertgw0');
  });

  test.each([
    ['not JSON', '{ "users": [{ "secret": "a secret that nobody shall see" ?', 2, /not JSON/],
    ['a typing error', { ...CONFIG, lissten: {} }, 2, /\/lissten: there is no such key/],
    ['no such address here', { ...CONFIG, listen: { address: '192.0.2.77' } }, 1, /192\.0\.2\.77|address/],
  ])('%s: a clear error, and no secret in it', async (_, content, code, message) => {
    const lab = open();
    const end = await lab.finish('gw', [process.execPath, RUN, '--config', configFile(lab, content)], 20_000);
    expect(end.code, end.stderr).toBe(code);
    expect(end.stderr).toMatch(message);
    expect(end.stderr).not.toContain('nobody shall see');
    expect(lab.run('gw', 'ip', '-o', 'link')).not.toContain('culvertgw');
  });

  test('a taken port is told, and the TUN is not made', async () => {
    const lab = open();
    const first = lab.start('gw', [process.execPath, RUN, '--config', configFile(lab, CONFIG)]);
    await first.saw(/"ready"/);
    const end = await lab.finish('gw', [process.execPath, RUN, '--config', configFile(lab, CONFIG)], 20_000);
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/UDP port 500 .*taken|in use/);
    expect(lab.run('gw', 'ip', '-o', 'link')).not.toContain('culvertgw1');
  });
});
