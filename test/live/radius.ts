// hostapd as a RADIUS server with EAP methods of its own: what a company's gateway hands EAP on to, and the only one here that
// does PEAP. strongSwan (eap-radius) passes the packets through and takes the MSK from it. hostapd shares its code with
// wpa_supplicant, the client that most networks are tried with.
//
//   const radius = await Radius.start(lab, 'gw', { own: gateway, authorities: [pki.root],
//     users: ['* PEAP,TTLS,TLS', '"alice" MSCHAPV2,GTC "a password" [2]'] });
//   Scene: remote: [{ auth: 'eap-radius', eapId: '%any' }], charon: radius.charon
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Issued } from './certificates.ts';
import type { Lab, Running } from './lab.ts';
import { inLaterRoot, laterPeerMissing } from './later-peers.ts';

const HOSTAPD = '/usr/sbin/hostapd';
const SECRET = 'between gateway and RADIUS server';

export const radiusMissing = (): string | undefined => laterPeerMissing(HOSTAPD);

export interface RadiusOptions {
  /** Lines of hostapd's eap_user_file: `"identity" METHOD[,METHOD] "password" [2]`; [2] inside a tunnel. */
  readonly users: readonly string[];
  readonly own: Issued;
  readonly authorities: readonly Issued[];
}

/** What a charon in the same namespace needs to use it (for `charon` of its options), whether or not it runs yet. */
export const RADIUS_CLIENT = `plugins { eap-radius {
    accounting = no
    servers { lab { address = 127.0.0.1
        secret = "${SECRET}" } } } }`;

export class Radius {
  readonly running: Running;

  private constructor(running: Running) {
    this.running = running;
  }

  static async start(lab: Lab, namespace: string, options: RadiusOptions): Promise<Radius> {
    const base = join(lab.directory, `radius-${namespace}`);
    writeFileSync(`${base}.users`, `${options.users.join('\n')}\n`, { mode: 0o600 });
    writeFileSync(`${base}.clients`, `127.0.0.1/32 ${SECRET}\n`, { mode: 0o600 });
    writeFileSync(`${base}.ca.pem`, options.authorities.map(({ certificate }) => certificate).join(''));
    writeFileSync(
      `${base}.conf`,
      `interface=lab
driver=none
logger_stdout=-1
logger_stdout_level=1
eap_server=1
eap_user_file=${base}.users
ca_cert=${base}.ca.pem
server_cert=${options.own.certificateFile}
private_key=${options.own.keyFile}
radius_server_clients=${base}.clients
radius_server_auth_port=1812
tls_flags=[ENABLE-TLSv1.3]
`,
    );
    const running = lab.start(namespace, [...inLaterRoot(lab), HOSTAPD, '-d', `${base}.conf`]);
    await running.saw(/AP-ENABLED|Setup of interface done/, 10_000);
    return new Radius(running);
  }

  get log(): string {
    return this.running.output;
  }
}
