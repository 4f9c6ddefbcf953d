// swanctl.conf from values: the settings are nested objects, an authentication round and a secret are a line each, and the
// certificates that they name are put where swanctl looks for them.
//
//   { connections: { road: { version: 2, ...rounds('local', pubkey({ id: 'gw.example', certs: [gateway] })),
//                            ...rounds('remote', eap('mschapv2')) } },
//     secrets: { ...eapSecret('alice', 'a password') } }
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Issued } from './certificates.ts';

export type Setting = string | number | boolean | Settings;
export interface Settings {
  readonly [name: string]: Setting | undefined;
}

/** Certificates and lists that the peer has. What is in `own` comes with its private key. */
export interface Credentials {
  readonly own?: readonly Issued[];
  /** Authorities that it trusts. */
  readonly authorities?: readonly Issued[];
  /** Certificates that it knows without their keys: intermediates, the client's own. */
  readonly others?: readonly Issued[];
  /** Paths of revocation lists. */
  readonly lists?: readonly string[];
}

/** The text of a section; a value is quoted where its characters need that. */
export function settings(values: Settings, indent = ''): string {
  return Object.entries(values)
    .flatMap(([name, value]) => {
      if (value === undefined) return [];
      if (typeof value === 'object') return [`${indent}${name} {\n${settings(value, `${indent}  `)}${indent}}\n`];
      const word = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
      return [`${indent}${name} = ${/["{}#=\s]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word}\n`];
    })
    .join('');
}

/** One authentication round of one side. */
export interface Round {
  /** psk, pubkey, "rsa-sha256" (classic), "ike:rsa/pss-sha256" …, eap-mschapv2, eap-tls, eap-ttls, eap-gtc, eap-radius … */
  readonly auth: string;
  readonly id?: string;
  readonly eapId?: string;
  /** Its own certificates to authenticate with (`local`), or those the other side may have (`remote`). */
  readonly certs?: readonly Issued[];
  readonly cacerts?: readonly Issued[];
  readonly revocation?: 'strict' | 'ifuri' | 'relaxed';
}

/** `local-1 { … } local-2 { … }`: what one side authenticates with, in this order (RFC 4739 where there are several). */
export function rounds(side: 'local' | 'remote', ...list: readonly Round[]): Settings {
  return Object.fromEntries(
    list.map((round, index) => [
      `${side}-${index + 1}`,
      {
        round: index + 1,
        auth: round.auth,
        id: round.id,
        eap_id: round.eapId,
        certs: round.certs?.map(({ certificateFile }) => basename(certificateFile)).join(','),
        cacerts: round.cacerts?.map(({ certificateFile }) => basename(certificateFile)).join(','),
        revocation: round.revocation,
      },
    ]),
  );
}

let secretNumber = 0;

/** A password for EAP (and XAuth) of the client that calls itself `id`. */
export const eapSecret = (id: string, secret: string): Settings => ({ [`eap-${++secretNumber}`]: { id, secret } });

export const ikeSecret = (secret: string, id?: string): Settings => ({ [`ike-${++secretNumber}`]: { secret, id } });

/** A post-quantum pre-shared key (RFC 8784); `secret`: hexadecimal. */
export const ppkSecret = (id: string, secret: string): Settings => ({
  [`ppk-${++secretNumber}`]: { id, secret: `0x${secret}` },
});

/** Writes swanctl.conf and the files beside it into `directory`, and returns the path of swanctl.conf. */
export function writeSwanctl(directory: string, text: string, credentials: Credentials = {}): string {
  // Every folder where swanctl looks: one that is missing it complains of.
  for (const folder of [
    ...['x509', 'x509ca', 'x509crl', 'x509ocsp', 'x509aa', 'x509ac', 'pubkey', 'private', 'rsa', 'ecdsa', 'bliss'],
    ...['pkcs8', 'pkcs12'],
  ]) {
    mkdirSync(join(directory, folder), { recursive: true });
  }
  const put = (folder: string, file: string): void => copyFileSync(file, join(directory, folder, basename(file)));
  for (const issued of credentials.own ?? []) {
    put('x509', issued.certificateFile);
    put('private', issued.keyFile);
  }
  for (const { certificateFile } of credentials.authorities ?? []) put('x509ca', certificateFile);
  for (const { certificateFile } of credentials.others ?? []) put('x509', certificateFile);
  for (const list of credentials.lists ?? []) put('x509crl', list);
  const file = join(directory, 'swanctl.conf');
  writeFileSync(file, text);
  return file;
}
