// strongSwan's charon in a namespace of the lab: a peer that we did not write, in the version of this machine's packages (5.9)
// or in that of a later suite (6, which has ML-KEM; later-peers.ts). ESP runs in userspace (kernel-libipsec),
// which does tunnel mode with UDP encapsulation only, on an interface named ipsec0. That interface's MTU of 1,400 must stay:
// charon reads from it with a buffer of that size and sends what is larger cut off (raising the MTU only hides that).
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished, Lab, Running } from './lab.ts';
import { inLaterRoot, laterPeerMissing } from './later-peers.ts';
import { type Credentials, type Settings, settings, writeSwanctl } from './swanctl.ts';

const CHARON = '/usr/lib/ipsec/charon';

export function strongSwanMissing(): string | undefined {
  const missing = [
    [CHARON, 'strongswan-charon'],
    ['/usr/sbin/swanctl', 'strongswan-swanctl'],
    ['/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so', 'libcharon-extra-plugins'],
    ['/usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so', 'libcharon-extauth-plugins'],
  ].filter(([path]) => !existsSync(path as string));
  return missing.length ? `strongSwan is not installed (${missing.map(([, name]) => name).join(', ')})` : undefined;
}

export const strongSwan6Missing = (): string | undefined => laterPeerMissing(CHARON);

export interface StrongSwanOptions {
  /** swanctl.conf: its text, or its sections. */
  readonly swanctl: string | Settings;
  readonly credentials?: Credentials;
  /** Of this machine's packages, or of the later suite. */
  readonly version?: 5 | 6;
  /** More lines for the `charon { }` section of strongswan.conf. */
  readonly charon?: string;
  /** Log level for ike and chd; 4 prints keys (for captures that are decrypted afterwards). */
  readonly level?: number;
}

const PLUGINS = [
  ...[
    'random',
    'nonce',
    'openssl',
    'aes',
    'gcm',
    'sha1',
    'sha2',
    'hmac',
    'kdf',
    'mgf1',
    'gmp',
    'curve25519',
    'chapoly',
  ],
  ...['pem', 'pkcs1', 'pkcs8', 'pkcs12', 'x509', 'pubkey', 'constraints', 'revocation', 'curl', 'attr', 'counters'],
  ...['eap-identity', 'eap-mschapv2', 'eap-md5', 'eap-gtc', 'eap-tls', 'eap-ttls', 'eap-radius'],
];

/** strongswan.conf with all that the tests propose; `kernel` is the plugin that carries ESP. */
export function charonConfiguration(options: {
  readonly kernel: 'kernel-libipsec' | 'kernel-netlink';
  readonly vici: string;
  readonly level: number;
  readonly more: string;
}): string {
  const kernel = options.kernel === 'kernel-libipsec' ? 'kernel-libipsec kernel-netlink' : 'kernel-netlink';
  return `charon {
  load = ${PLUGINS.join(' ')} ${kernel} socket-default vici updown
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
  running: Running;
  private readonly lab: Lab;
  private readonly namespace: string;
  private readonly options: StrongSwanOptions;
  private readonly base: string;
  private readonly enter: readonly string[];

  private constructor(lab: Lab, namespace: string, options: StrongSwanOptions) {
    this.lab = lab;
    this.namespace = namespace;
    this.options = options;
    this.base = join(lab.directory, `charon-${namespace}`);
    this.enter = options.version === 6 ? inLaterRoot(lab) : [];
    writeFileSync(
      `${this.base}.conf`,
      charonConfiguration({
        kernel: 'kernel-libipsec',
        vici: this.vici,
        level: options.level ?? 1,
        more: options.charon ?? '',
      }),
    );
    this.running = this.launch();
  }

  static async start(lab: Lab, namespace: string, options: StrongSwanOptions): Promise<StrongSwan> {
    const peer = new StrongSwan(lab, namespace, options);
    await peer.ready();
    return peer;
  }

  private get vici(): string {
    return `unix://${this.base}.vici`;
  }

  private launch(): Running {
    // charon's pid file has a fixed place: a private /run inside the namespace's own mount namespace lets several run.
    const own = 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/run 2>/dev/null; exec "$@"';
    return this.lab.start(this.namespace, [...(this.enter.length ? this.enter : ['sh', '-c', own, 'sh']), CHARON], {
      STRONGSWAN_CONF: `${this.base}.conf`,
    });
  }

  private async ready(): Promise<void> {
    await this.running.saw(/spawning \d+ worker threads/, 10_000);
    await this.load(this.options.swanctl, this.options.credentials);
  }

  /** Replaces the configuration of a charon that runs; SAs that are up stay so. */
  async load(swanctl: string | Settings, credentials: Credentials = {}): Promise<void> {
    const text = typeof swanctl === 'string' ? swanctl : settings(swanctl);
    const file = writeSwanctl(`${this.base}.swanctl`, text, credentials);
    const loaded = await this.swanctl('--load-all', '--clear', '--file', file, '--noprompt');
    // A file that it cannot read is only complained about.
    const said = loaded.stdout + loaded.stderr;
    if (loaded.code !== 0 || /failed|loaded certificate .* invalid/.test(said))
      throw new Error(`swanctl --load-all: ${said}`);
  }

  /** Ends the process at once, without a word to its peers, as a crash or a power cut does. */
  async kill(): Promise<void> {
    await this.running.stop('SIGKILL');
  }

  /** Ends it in order: it deletes its SAs, telling its peers. */
  async stop(): Promise<void> {
    await this.running.stop('SIGTERM');
  }

  /** Starts it again, as after `kill` and `stop`, with the same configuration and no memory. */
  async restart(): Promise<void> {
    this.running = this.launch();
    await this.ready();
  }

  async swanctl(...command: string[]): Promise<Finished> {
    return this.lab.finish(
      this.namespace,
      [
        ...this.enter,
        '/usr/bin/env',
        `SWANCTL_DIR=${this.base}.swanctl`,
        '/usr/sbin/swanctl',
        ...command,
        '--uri',
        this.vici,
      ],
      30_000,
    );
  }

  /** What it printed since it was started last. */
  get log(): string {
    return this.running.output;
  }
}
