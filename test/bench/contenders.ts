// The tunnels that the end-to-end benchmark compares: each brings up both ends between two namespaces of a lab of its own
// and says where the far end answers. All of them stay up while all are measured in turn.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Culvert } from '../live/culvert.ts';
import { Lab } from '../live/lab.ts';
import { StrongSwan } from '../live/strongswan.ts';

export interface Contender {
  readonly name: string;
  readonly lab: Lab;
  /** Address of the far end ("gw") through the tunnel. */
  readonly address: string;
  close(): Promise<void>;
}

export interface Link {
  /** false: the veth pair's segmentation offloads are off, as on a link without them. */
  readonly offloads: boolean;
}

function twoEnds({ offloads }: Link): Lab {
  const lab = new Lab();
  lab.namespace('cl');
  lab.namespace('gw');
  lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
  if (!offloads) {
    lab.cutBursts('cl', 'v0a');
    lab.cutBursts('gw', 'v0b');
  }
  return lab;
}

export async function bareLink(link: Link): Promise<Contender> {
  const lab = twoEnds(link);
  return { name: 'bare veth', lab, address: '192.0.2.1', close: () => lab.close() };
}

const GATEWAY = fileURLToPath(new URL('../../build/out/main/gateway/run.js', import.meta.url));

/** Culvert at both ends, GRE in ESP tunnel mode in UDP. */
export async function culvert(link: Link, esp: string): Promise<Contender> {
  const lab = twoEnds(link);
  try {
    const file = join(lab.directory, 'gateway.json');
    writeFileSync(
      file,
      JSON.stringify({
        identity: 'gw.example',
        users: [{ identity: 'alice@example.com', secret: 'correct horse battery' }],
        listen: { address: '192.0.2.1' },
        encapsulation: 'udp',
        shapes: ['gre-tunnel'],
        pool: { ipv4: '10.99.0.0/24' },
        gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
        proposals: { esp: [esp] },
      }),
    );
    const gateway = lab.start('gw', [process.execPath, GATEWAY, '--config', file]);
    await gateway.saw(/ready/);
    const client = await Culvert.start(lab, 'cl');
    await client.connect({
      culvert: 1,
      name: 'bench',
      gateway: { host: '192.0.2.1', identity: 'gw.example' },
      authentication: { method: 'psk', identity: 'alice@example.com', secret: 'correct horse battery' },
      tunnel: { shape: 'gre-tunnel' },
      gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
      routes: { include: ['10.88.0.0/24'] },
      proposals: { esp: [esp] },
    });
    return { name: `Culvert, GRE, ${esp}`, lab, address: '10.88.0.1', close: () => lab.close() };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** strongSwan's userspace ESP (kernel-libipsec) at both ends, without GRE. */
export async function strongSwan(link: Link, esp: string): Promise<Contender> {
  const lab = twoEnds(link);
  try {
    lab.run('gw', 'ip', 'address', 'add', '10.66.0.1/32', 'dev', 'lo');
    const end = (more: string, child: string): string => `connections { bench { version = 2
  proposals = aes256gcm16-prfsha256-ecp256
  ${more}
  local { auth = psk }
  remote { auth = psk }
  children { net { mode = tunnel
    esp_proposals = ${esp}
    ${child} } } } }
secrets { ike { secret = "correct horse" } }
pools { pool { addrs = 10.99.0.0/24 } }
`;
    await StrongSwan.start(lab, 'gw', {
      swanctl: end('local_addrs = 192.0.2.1\n  pools = pool', 'local_ts = 10.66.0.1/32\n    remote_ts = dynamic'),
    });
    const client = await StrongSwan.start(lab, 'cl', {
      swanctl: end('remote_addrs = 192.0.2.1\n  vips = 0.0.0.0', 'remote_ts = 10.66.0.1/32\n    local_ts = dynamic'),
    });
    const up = await client.swanctl('--initiate', '--child', 'net');
    if (up.code !== 0) throw new Error(`swanctl --initiate: ${up.stdout}${up.stderr}`);
    return { name: `strongSwan userspace, ${esp}`, lab, address: '10.66.0.1', close: () => lab.close() };
  } catch (error) {
    await lab.close();
    throw error;
  }
}
