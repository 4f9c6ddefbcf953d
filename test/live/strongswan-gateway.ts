// The scene of the strongSwan tests: a client namespace with Culvert, optionally a NAT, a gateway namespace with charon,
// and behind it a GRE endpoint that shares no code with us.
//
//   cl 192.0.2.2 ─────────────────────────── 192.0.2.1 gw      lo 10.77.0.1/32: GRE endpoint, inner 10.88.0.1/24
//   cl 198.51.100.2 ── nat ── 192.0.2.9 ──── 192.0.2.1 gw      lo 10.66.0.1/32: a host behind the gateway (no GRE)
import { fileURLToPath } from 'node:url';
import { Culvert } from './culvert.ts';
import { Lab, type Running } from './lab.ts';
import { StrongSwan } from './strongswan.ts';
import { type Credentials, ikeSecret, type Round, rounds, type Settings } from './swanctl.ts';
import { answered } from './traffic.ts';

const GRE_PEER = fileURLToPath(new URL('./gre-peer.py', import.meta.url));
const TRANSFER = fileURLToPath(new URL('./transfer.mjs', import.meta.url));

export const SECRET = 'correct horse battery staple';
export const INNER_GATEWAY = '10.88.0.1';

export interface SceneOptions {
  readonly nat?: boolean;
  readonly ikeProposals?: string;
  readonly espProposals?: string;
  readonly secret?: string;
  /** Seconds between the gateway's own liveness checks; 0: none. */
  readonly dpdDelay?: number;
  /** More options for the GRE endpoint: --key 7 --checksum … */
  readonly gre?: readonly string[];
  /** Log level of charon; 4 prints keys. */
  readonly level?: number;
  /** strongSwan's version: this machine's (5.9), or 6. */
  readonly version?: 5 | 6;
  /** What the gateway, and what the client, authenticates with; pre-shared keys unless said otherwise. */
  readonly local?: readonly Round[];
  readonly remote?: readonly Round[];
  readonly credentials?: Credentials | ((lab: Lab) => Credentials);
  /** More secrets beside the pre-shared key. */
  readonly secrets?: Settings;
  /** More settings of the connection (fragmentation, rekey_time, childless, ppk_id …) and of its children. */
  readonly connection?: Settings;
  readonly child?: Settings;
  /** More lines for the `charon { }` section of strongswan.conf. */
  readonly charon?: string;
}

/** swanctl.conf of the scene's gateway. */
export function gatewayConfiguration(options: SceneOptions): Settings {
  const child = {
    mode: 'tunnel',
    esp_proposals: options.espProposals ?? 'aes128gcm16,aes256gcm16,chacha20poly1305',
    ...options.child,
  };
  return {
    connections: {
      road: {
        version: 2,
        local_addrs: '192.0.2.1',
        proposals: options.ikeProposals ?? 'aes256gcm16-prfsha256-ecp256',
        pools: 'pool',
        ...(options.dpdDelay ? { dpd_delay: `${options.dpdDelay}s` } : {}),
        ...options.connection,
        ...rounds('local', ...(options.local ?? [{ auth: 'psk', id: 'gw.example' }])),
        ...rounds('remote', ...(options.remote ?? [{ auth: 'psk' }])),
        children: {
          gre: { local_ts: '10.77.0.1/32[gre]', remote_ts: 'dynamic[gre]', ...child },
          net: { local_ts: '10.66.0.0/24', remote_ts: 'dynamic', ...child },
        },
      },
    },
    pools: { pool: { addrs: '10.99.0.0/24', dns: '10.66.0.53' } },
    secrets: { ...ikeSecret(options.secret ?? SECRET), ...options.secrets },
  };
}

export class Scene {
  readonly lab: Lab;
  readonly gateway: StrongSwan;
  readonly grePeer: Running;
  readonly culvert: Culvert;

  private constructor(lab: Lab, gateway: StrongSwan, grePeer: Running, culvert: Culvert) {
    this.lab = lab;
    this.gateway = gateway;
    this.grePeer = grePeer;
    this.culvert = culvert;
  }

  static async open(options: SceneOptions = {}): Promise<Scene> {
    const lab = new Lab();
    try {
      return await Scene.build(lab, options);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  private static async build(lab: Lab, options: SceneOptions): Promise<Scene> {
    lab.namespace('cl');
    lab.namespace('gw');
    if (options.nat) {
      lab.namespace('nat');
      const inside = lab.link('cl', '198.51.100.2/24', 'nat', '198.51.100.1/24');
      const outside = lab.link('nat', '192.0.2.9/24', 'gw', '192.0.2.1/24');
      lab.run('cl', 'ip', 'route', 'add', 'default', 'via', '198.51.100.1', 'dev', inside.a);
      lab.run('nat', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
      lab.run('nat', 'nft', 'add', 'table', 'ip', 'nat');
      lab.run('nat', 'nft', 'add chain ip nat post { type nat hook postrouting priority 100; }');
      lab.run('nat', 'nft', `add rule ip nat post oifname ${outside.a} masquerade random`);
    } else {
      lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
    }
    lab.run('gw', 'ip', 'address', 'add', '10.77.0.1/32', 'dev', 'lo');
    lab.run('gw', 'ip', 'address', 'add', '10.66.0.1/32', 'dev', 'lo');
    const grePeer = lab.start('gw', [
      ...['/usr/bin/python3', GRE_PEER, '--local', '10.77.0.1', '--address', `${INNER_GATEWAY}/24`],
      ...(options.gre ?? []),
    ]);
    await grePeer.saw(/ready/);
    const gateway = await StrongSwan.start(lab, 'gw', {
      level: options.level ?? 1,
      ...(options.version ? { version: options.version } : {}),
      ...(options.charon ? { charon: options.charon } : {}),
      ...(options.credentials
        ? { credentials: typeof options.credentials === 'function' ? options.credentials(lab) : options.credentials }
        : {}),
      swanctl: gatewayConfiguration(options),
    });
    const culvert = await Culvert.start(lab, 'cl');
    return new Scene(lab, gateway, grePeer, culvert);
  }

  /** A profile for GRE in ESP tunnel mode towards this gateway, changed as asked. */
  profile(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      culvert: 1,
      name: 'lab',
      gateway: { host: '192.0.2.1', identity: 'gw.example' },
      authentication: { method: 'psk', identity: 'alice@example.com', secret: SECRET },
      tunnel: { shape: 'gre-tunnel' },
      gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
      routes: { include: ['10.88.0.0/24'] },
      ...changes,
    };
  }

  /** Pings `address` with DF set and `size` bytes of payload; returns how many of `count` came back. */
  async ping(count: number, size: number, address = INNER_GATEWAY): Promise<number> {
    return answered(this.lab, count, ['-M', 'do', '-i', '0.01', '-s', String(size)], address);
  }

  /** Moves `bytes` over TCP through the tunnel; throws unless they arrive with the same hash. */
  async transfer(direction: 'up' | 'down', bytes: number, address = INNER_GATEWAY): Promise<number> {
    const port = 5000 + Math.floor(Math.random() * 1000);
    const server = this.lab.start('gw', [process.execPath, TRANSFER, 'serve', address, String(port)]);
    await server.saw(/ready/);
    const ran = await this.lab.finish(
      'cl',
      [process.execPath, TRANSFER, direction, address, String(port), String(bytes)],
      90_000,
    );
    await server.stop();
    if (ran.code !== 0) throw new Error(`transfer ${direction}: ${ran.stdout}${ran.stderr}`);
    return (JSON.parse(ran.stdout) as { megabitsPerSecond: number }).megabitsPerSecond;
  }

  async close(): Promise<void> {
    await this.lab.close();
  }
}
