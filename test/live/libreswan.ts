// Libreswan's pluto in a guest of user-mode Linux: a second implementation of IKEv2 that shares no code with us or with
// strongSwan, over the ESP and GRE of a real kernel. One guest serves a file of tests: each loads the connections it wants.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates, Issued } from './certificates.ts';
import { GUEST_NETWORK } from './guest-scene.ts';
import type { Lab } from './lab.ts';
import { GUEST_ROOT, inLaterRoot, LATER_ROOT, laterPeerMissing } from './later-peers.ts';
import { Guest } from './uml.ts';

const PLUTO = '/usr/libexec/ipsec/pluto';
const RUN = '/run/pluto';

export const libreswanMissing = (): string | undefined => laterPeerMissing(PLUTO);

/** A `conn` of ipsec.conf(5), by name of its keywords. */
export type Connection = Readonly<Record<string, string | number>>;

export interface LibreswanOptions {
  /** Lines of ipsec.secrets: `@gw.example %any : PSK "…"`. */
  readonly secrets?: readonly string[];
  /** Keywords of `config setup`. */
  readonly setup?: Connection;
  /** Certificates with their keys, named in a connection by `leftcert=<name>`. */
  readonly own?: readonly Issued[];
  readonly authorities?: readonly Issued[];
  readonly pki?: Certificates;
  /** More shell commands in the guest before pluto starts. */
  readonly prepare?: string;
}

/** Of every connection, unless it says otherwise. The script that sets up routes would need a shell's worth of programs. */
const COMMON: Connection = {
  ...{ left: '192.0.2.1', leftid: '@gw.example', leftupdown: '%disabled', right: '%any', auto: 'add' },
  ...{ keyexchange: 'ikev2', authby: 'secret' },
};

const section = (heading: string, values: Connection): string =>
  `${heading}\n${Object.entries(values)
    .map(([key, value]) => `  ${key}=${value}\n`)
    .join('')}\n`;

export class Libreswan {
  readonly guest: Guest;
  private readonly directory: string;
  private loaded: string[] = [];
  private files = 0;

  private constructor(guest: Guest, directory: string) {
    this.guest = guest;
    this.directory = directory;
  }

  /** Boots the guest behind `namespace`'s tap0 and starts pluto in it. */
  static async start(lab: Lab, namespace: string, options: LibreswanOptions): Promise<Libreswan> {
    const directory = join(lab.directory, 'libreswan');
    mkdirSync(directory);
    await Libreswan.keys(lab, namespace, directory, options);
    writeFileSync(join(directory, 'secrets'), `${(options.secrets ?? []).join('\n')}\n`, { mode: 0o600 });
    writeFileSync(
      join(directory, 'ipsec.conf'),
      section('config setup', { uniqueids: 'no', 'virtual-private': '%v4:0.0.0.0/0', ...options.setup }),
    );
    const pluto = [
      ...[GUEST_ROOT.enter, PLUTO, '--nofork', '--stderrlog', '--no-dnssec', '--rundir', RUN],
      ...[
        '--config',
        join(directory, 'ipsec.conf'),
        '--secretsfile',
        join(directory, 'secrets'),
        '--nssdir',
        directory,
      ],
    ];
    const guest = await Guest.boot(lab, namespace, 'tap0', {
      address: '192.0.2.1/24',
      host: '192.0.2.9/24',
      script: `
${GUEST_ROOT.script}
mkdir -p $root${RUN}
${GUEST_NETWORK}
${options.prepare ?? ''}
${pluto.join(' ')} &`,
    });
    const peer = new Libreswan(guest, directory);
    await guest.running.saw(/helper threads?|listening for IKE|pluto process initialized|Using Linux XFRM/i, 30_000);
    await guest.must(`while [ ! -S ${LATER_ROOT}${RUN}/pluto.ctl ]; do sleep 0.05; done`);
    await peer.whack('--listen');
    return peer;
  }

  /** The database of certificates and keys (NSS), made outside the guest: it would take seconds there. */
  private static async keys(lab: Lab, namespace: string, directory: string, options: LibreswanOptions): Promise<void> {
    const enter = inLaterRoot(lab);
    const run = async (...command: string[]): Promise<void> => {
      const ran = await lab.finish(namespace, [...enter, ...command]);
      if (ran.code !== 0) throw new Error(`${command.join(' ')}: ${ran.stdout}${ran.stderr}`);
    };
    const database = `sql:${directory}`;
    await run('/usr/bin/certutil', '-N', '-d', database, '--empty-password');
    for (const { name, certificateFile } of options.authorities ?? []) {
      await run('/usr/bin/certutil', '-A', '-d', database, '-n', name, '-t', 'CT,,', '-a', '-i', certificateFile);
    }
    for (const issued of options.own ?? []) {
      const file = options.pki?.pkcs12(issued, 'lab');
      if (!file) throw new Error('certificates of its own need the `pki` that they came from');
      await run('/usr/bin/pk12util', '-i', file, '-d', database, '-W', 'lab', '-K', '');
    }
  }

  async whack(...command: string[]): Promise<string> {
    return this.guest.must(
      `${GUEST_ROOT.enter} /usr/libexec/ipsec/whack --rundir ${RUN} --ctlsocket ${RUN}/pluto.ctl ${command.join(' ')}`,
    );
  }

  /** Forgets the connections that were loaded before (and their SAs), and takes these. */
  async load(connections: Readonly<Record<string, Connection>>): Promise<void> {
    for (const name of this.loaded) await this.whack('--delete', '--name', name);
    this.loaded = Object.keys(connections);
    const file = join(this.directory, `conns-${++this.files}`);
    writeFileSync(
      file,
      Object.entries(connections)
        .map(([name, values]) => section(`conn ${name}`, { ...COMMON, ...values }))
        .join(''),
    );
    for (const name of this.loaded) {
      await this.guest.must(
        `${GUEST_ROOT.enter} /usr/libexec/ipsec/addconn --config ${file} --ctlsocket ${RUN}/pluto.ctl ${name}`,
      );
    }
  }

  /** Everything that it and its kernel printed. */
  get log(): string {
    return this.guest.output;
  }
}
