// The office: a gateway of our own (main/gateway/run, namespace `gw`, 192.0.2.1), one wire away from Alice's computer (namespace `cl`,
// 192.0.2.2), and the profile that she was given: GRE in ESP tunnel mode, a secret.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GatewayConfigInput } from '../../main/gateway/config.ts';
import type { Lab, Running } from './lab.ts';

const GATEWAY = fileURLToPath(new URL('../../build/out/main/gateway/run.js', import.meta.url));
const SECRET = 'correct horse battery staple';

const CONFIG: GatewayConfigInput = {
  identity: 'gateway.example',
  users: [{ identity: 'alice@example.com', secret: SECRET }],
  listen: { address: '192.0.2.1' },
  pool: { ipv4: '10.99.0.0/24' },
  gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
};

/** Both namespaces and the wire between them. */
export function officeNetwork(lab: Lab): { readonly a: string; readonly b: string } {
  lab.namespace('cl');
  lab.namespace('gw');
  return lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
}

export async function startOffice(lab: Lab, changes: Partial<GatewayConfigInput> = {}): Promise<Running> {
  const file = join(lab.directory, 'gateway.json');
  writeFileSync(file, JSON.stringify({ ...CONFIG, ...changes }));
  const gateway = lab.start('gw', [process.execPath, GATEWAY, '--config', file]);
  await gateway.saw(/"event":"ready"/);
  return gateway;
}

/** The gateway's end of the tunnel, which answers pings. */
export const OFFICE_INSIDE = '10.88.0.1';

export const officeProfile = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  culvert: 1,
  name: 'office',
  gateway: { host: '192.0.2.1', identity: 'gateway.example' },
  authentication: { method: 'psk', identity: 'alice@example.com', secret: SECRET },
  tunnel: { shape: 'gre-tunnel' },
  gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
  routes: { include: ['10.88.0.0/24'] },
  ...changes,
});
