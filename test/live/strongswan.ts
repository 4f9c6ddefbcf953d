// strongSwan's charon in a namespace of the lab: a peer that we did not write. ESP runs in userspace (kernel-libipsec),
// which does tunnel mode with UDP encapsulation only, on an interface named ipsec0. That interface's MTU of 1,400 must stay:
// charon reads from it with a buffer of that size and sends what is larger cut off (raising the MTU only hides that).
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished, Lab, Running } from './lab.ts';

const CHARON = '/usr/lib/ipsec/charon';

export function strongSwanMissing(): string | undefined {
  const missing = [
    [CHARON, 'strongswan-charon'],
    ['/usr/sbin/swanctl', 'strongswan-swanctl'],
    ['/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so', 'libcharon-extra-plugins'],
  ].filter(([path]) => !existsSync(path as string));
  return missing.length ? `strongSwan is not installed (${missing.map(([, name]) => name).join(', ')})` : undefined;
}

export interface StrongSwanOptions {
  /** The text of swanctl.conf. */
  readonly swanctl: string;
  /** More lines for the `charon { }` section of strongswan.conf. */
  readonly charon?: string;
  /** Log level for ike and chd; 4 prints keys (for captures that are decrypted afterwards). */
  readonly level?: number;
}

/** strongswan.conf with all that the tests propose; `kernel` is the plugin that carries ESP. */
export function charonConfiguration(options: {
  readonly kernel: 'kernel-libipsec' | 'kernel-netlink';
  readonly vici: string;
  readonly level: number;
  readonly more: string;
}): string {
  const kernel = options.kernel === 'kernel-libipsec' ? 'kernel-libipsec kernel-netlink' : 'kernel-netlink';
  return `charon {
  load = random nonce openssl aes gcm sha1 sha2 hmac kdf gmp curve25519 chapoly pem pkcs1 pkcs8 x509 pubkey ${kernel} socket-default vici updown
  install_routes = yes
  plugins {
    vici { socket = ${options.vici} }
    kernel-libipsec { allow_peer_ts = yes }
  }
  filelog {
    stderr {
      default = 1
      ike = ${options.level}
      chd = ${options.level}
      flush_line = yes
    }
  }
  ${options.more}
}
`;
}

export class StrongSwan {
  readonly running: Running;
  private readonly lab: Lab;
  private readonly namespace: string;
  private readonly configuration: string;
  private readonly vici: string;

  private constructor(lab: Lab, namespace: string, running: Running, configuration: string, vici: string) {
    this.lab = lab;
    this.namespace = namespace;
    this.running = running;
    this.configuration = configuration;
    this.vici = vici;
  }

  static async start(lab: Lab, namespace: string, options: StrongSwanOptions): Promise<StrongSwan> {
    const base = join(lab.directory, `charon-${namespace}`);
    const vici = `unix://${base}.vici`;
    const level = options.level ?? 1;
    writeFileSync(
      `${base}.conf`,
      charonConfiguration({ kernel: 'kernel-libipsec', vici, level, more: options.charon ?? '' }),
    );
    writeFileSync(`${base}.swanctl.conf`, options.swanctl);
    // charon's pid file has a fixed place: a private /run inside the namespace's own mount namespace lets several run.
    const running = lab.start(
      namespace,
      ['sh', '-c', `mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/run 2>/dev/null; exec ${CHARON}`],
      { STRONGSWAN_CONF: `${base}.conf` },
    );
    await running.saw(/spawning \d+ worker threads/, 10_000);
    const peer = new StrongSwan(lab, namespace, running, `${base}.swanctl.conf`, vici);
    const loaded = await peer.swanctl('--load-all', '--file', peer.configuration, '--noprompt');
    if (loaded.code !== 0) throw new Error(`swanctl --load-all: ${loaded.stdout}${loaded.stderr}`);
    return peer;
  }

  async swanctl(...command: string[]): Promise<Finished> {
    return this.lab.finish(this.namespace, ['swanctl', ...command, '--uri', this.vici], 30_000);
  }

  get log(): string {
    return this.running.output;
  }
}
