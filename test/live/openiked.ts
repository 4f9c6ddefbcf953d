// OpenIKED in a guest of user-mode Linux: a third implementation of IKEv2. It speaks to the kernel by PF_KEY, which on Linux
// knows no AEAD and cuts HMAC-SHA2-256 to 96 bits: AES-CBC with HMAC-SHA2-512 or -384 is what its ESP can do here.
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Issued } from './certificates.ts';
import { GUEST_NETWORK } from './guest-scene.ts';
import type { Lab } from './lab.ts';
import { GUEST_ROOT, laterPeerMissing } from './later-peers.ts';
import { Guest } from './uml.ts';

const IKED = '/usr/sbin/iked';

export const openikedMissing = (): string | undefined => laterPeerMissing(IKED);

export interface OpenikedOptions {
  /** iked.conf(5). */
  readonly configuration: string;
  /** Its certificate with the key (without which it does not start), and the authorities that it trusts. */
  readonly own: Issued;
  readonly authorities?: readonly Issued[];
}

export class Openiked {
  readonly guest: Guest;
  private readonly directory: string;

  private constructor(guest: Guest, directory: string) {
    this.guest = guest;
    this.directory = directory;
  }

  static async start(lab: Lab, namespace: string, options: OpenikedOptions): Promise<Openiked> {
    const directory = join(lab.directory, 'openiked');
    for (const folder of ['ca', 'certs', 'crls', 'private', 'pubkeys']) {
      mkdirSync(join(directory, folder), { recursive: true });
    }
    copyFileSync(options.own.certificateFile, join(directory, 'certs', 'gateway.crt'));
    copyFileSync(options.own.keyFile, join(directory, 'private', 'local.key'));
    writeFileSync(
      join(directory, 'ca', 'ca.crt'),
      (options.authorities ?? []).map(({ certificate }) => certificate).join(''),
    );
    const guest = await Guest.boot(lab, namespace, 'tap0', {
      address: '192.0.2.1/24',
      host: '192.0.2.9/24',
      script: `${GUEST_ROOT.script}
mount --bind ${directory} $root/etc/iked
${GUEST_NETWORK}`,
    });
    const peer = new Openiked(guest, directory);
    await peer.load(options.configuration);
    return peer;
  }

  /** Starts iked with this configuration, or starts it again with another. */
  async load(configuration: string): Promise<void> {
    const file = join(this.directory, 'iked.conf');
    writeFileSync(file, configuration, { mode: 0o600 });
    chmodSync(file, 0o600);
    await this.guest.run('for pid in $(pidof iked); do kill $pid; done; sleep 0.3');
    await this.guest.must(`(${GUEST_ROOT.enter} ${IKED} -dv -f ${file} </dev/null >/dev/console 2>&1 &)`);
    await this.guest.must(`while [ ! -S ${GUEST_ROOT.enter.split(' ')[1]}/run/iked.sock ]; do sleep 0.05; done`);
  }

  async ikectl(...command: string[]): Promise<string> {
    return this.guest.must(`${GUEST_ROOT.enter} /usr/sbin/ikectl ${command.join(' ')}`);
  }

  get log(): string {
    return this.guest.output;
  }
}
