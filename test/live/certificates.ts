// An authority of the lab's own, made afresh by the openssl command: a root, an intermediate below it, and certificates of
// every kind that a gateway or a client may show, good, expired, revoked or meant for something else.
//
//   const pki = Certificates.in(lab.directory);
//   const gateway = pki.issue({ file: 'gateway', key: 'ecdsa-256', subject: 'CN=gw.example', names: ['DNS:gw.example'] });
//   const alice = pki.issue({ file: 'alice', key: 'rsa-2048', names: ['email:alice@example.com'], by: pki.intermediate });
//   pki.revoke(alice); pki.crl(pki.intermediate);
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, Running } from './lab.ts';

const OPENSSL = '/usr/bin/openssl';

export type KeyKind =
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096'
  | 'ecdsa-256'
  | 'ecdsa-384'
  | 'ecdsa-521'
  | 'ed25519'
  /** A key for RSASSA-PSS alone (id-RSASSA-PSS, RFC 4055 §1.2). */
  | 'rsa-pss-2048';

const KEYS: Readonly<Record<KeyKind, readonly string[]>> = {
  'rsa-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'rsa-3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  'rsa-4096': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
  'rsa-pss-2048': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'ecdsa-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ecdsa-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'ecdsa-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  ed25519: ['-algorithm', 'ED25519'],
};

/** A certificate and its key, as files (PEM; the key is PKCS#8 without a passphrase) and as text. */
export interface Issued {
  /** Name of its files without the extension. */
  readonly name: string;
  /** As openssl's `-subj` without the first slash, most significant first: "C=CH/O=Culvert/CN=gw.example". */
  readonly subject: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Wanted {
  readonly file: string;
  readonly key: KeyKind;
  /** "C=CH/O=Culvert/CN=gw.example"; by default O=Culvert Lab and the file's name as CN. */
  readonly subject?: string;
  /** Subject alternative names: "DNS:gw.example", "IP:192.0.2.1", "email:alice@example.com". */
  readonly names?: readonly string[];
  /** The root unless said otherwise. */
  readonly by?: Issued;
  /** Extended key usage; by default serverAuth and clientAuth. Empty: the extension is left out. */
  readonly usage?: readonly ('serverAuth' | 'clientAuth' | 'emailProtection' | 'codeSigning')[];
  readonly keyUsage?: string;
  /** Its validity ended yesterday, or begins tomorrow. */
  readonly valid?: 'expired' | 'not-yet';
  /** CRL distribution point. */
  readonly crl?: string;
  /** OCSP responder (authority information access). */
  readonly ocsp?: string;
  /** An authority itself, instead of an end entity. */
  readonly authority?: boolean;
}

export function opensslMissing(): string | undefined {
  return existsSync(OPENSSL) ? undefined : 'openssl is not installed';
}

const DAY = 86_400_000;

/** As openssl's ca command wants it: YYYYMMDDHHMMSSZ. */
const stamp = (time: number): string => `${new Date(time).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;

export class Certificates {
  readonly directory: string;
  readonly root: Issued;
  readonly intermediate: Issued;

  private constructor(directory: string, key: KeyKind) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.root = this.make({ file: 'root', key, subject: 'C=CH/O=Culvert Lab/CN=Lab Root', authority: true });
    this.intermediate = this.make({
      file: 'intermediate',
      key,
      subject: 'C=CH/O=Culvert Lab/CN=Lab Intermediate',
      authority: true,
      by: this.root,
    });
  }

  /** Makes the root and the intermediate in `directory`/pki. `key`: what both have. */
  static in(directory: string, key: KeyKind = 'ecdsa-256', name = 'pki'): Certificates {
    return new Certificates(join(directory, name), key);
  }

  issue(wanted: Wanted): Issued {
    return this.make({ ...wanted, by: wanted.by ?? this.root });
  }

  private make(wanted: Wanted): Issued {
    const { file } = wanted;
    const subject = wanted.subject ?? `O=Culvert Lab/CN=${file}`;
    const [keyFile, certificateFile, request] = [`${file}.key.pem`, `${file}.pem`, `${file}.csr`];
    this.openssl('genpkey', ...KEYS[wanted.key], '-out', keyFile);
    this.openssl('req', '-new', '-key', keyFile, '-subj', `/${subject}`, '-out', request, '-config', this.requests());
    const by = wanted.by;
    const configuration = this.configuration(file, wanted);
    const start = wanted.valid === 'expired' ? -30 * DAY : wanted.valid === 'not-yet' ? DAY : -DAY;
    const end = wanted.valid === 'expired' ? -DAY : 365 * DAY;
    this.openssl(
      ...['ca', '-batch', '-notext', '-config', configuration, '-in', request, '-out', certificateFile],
      ...['-startdate', stamp(Date.now() + start), '-enddate', stamp(Date.now() + end), '-extensions', 'made'],
      ...(by ? ['-cert', by.certificateFile, '-keyfile', by.keyFile] : ['-selfsign', '-keyfile', keyFile]),
      // "default": what belongs to the signing key, which for Ed25519 is none.
      ...['-md', 'default'],
    );
    return {
      name: file,
      subject,
      certificateFile: join(this.directory, certificateFile),
      keyFile: join(this.directory, keyFile),
      certificate: readFileSync(join(this.directory, certificateFile), 'utf8'),
      key: readFileSync(join(this.directory, keyFile), 'utf8'),
    };
  }

  /** Revokes it; the lists made from now on say so. */
  revoke(issued: Issued, by: Issued = this.root): void {
    this.openssl(
      ...['ca', '-config', join(this.directory, `${issued.name}.cnf`), '-revoke', issued.certificateFile],
      ...['-cert', by.certificateFile, '-keyfile', by.keyFile, '-md', 'default'],
    );
  }

  /** Writes the authority's certificate revocation list, PEM and DER, and returns their paths. */
  crl(
    by: Issued = this.root,
    options: { readonly stale?: boolean } = {},
  ): { readonly pem: string; readonly der: string } {
    const [pem, der] = [join(this.directory, `${by.name}.crl.pem`), join(this.directory, `${by.name}.crl`)];
    const end = stamp(Date.now() + (options.stale ? -DAY : 30 * DAY));
    this.openssl(
      ...['ca', '-config', join(this.directory, `${by.name}.cnf`), '-gencrl', '-out', pem, '-md', 'default'],
      ...['-cert', by.certificateFile, '-keyfile', by.keyFile],
      ...['-crl_lastupdate', stamp(Date.now() - 2 * DAY), '-crl_nextupdate', end],
    );
    this.openssl('crl', '-in', pem, '-outform', 'DER', '-out', der);
    return { pem, der };
  }

  /** A PKCS#12 file with key, certificate and the `chain`; AES-256 and SHA-256, or as old tools made them (3DES, SHA-1). */
  pkcs12(issued: Issued, password: string, chain: readonly Issued[] = [], old = false): string {
    const [file, extra] = [
      join(this.directory, `${issued.name}.p12`),
      join(this.directory, `${issued.name}.chain.pem`),
    ];
    writeFileSync(extra, chain.map(({ certificate }) => certificate).join(''));
    this.openssl(
      ...['pkcs12', '-export', '-in', issued.certificateFile, '-inkey', issued.keyFile, '-out', file],
      ...['-name', issued.name, '-passout', `pass:${password}`, ...(chain.length ? ['-certfile', extra] : [])],
      ...(old ? ['-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'] : []),
    );
    return file;
  }

  /** openssl's OCSP responder on `port` of a namespace, answering for what `by` issued from the index as it is now. */
  async ocsp(lab: Lab, namespace: string, port: number, by: Issued = this.root): Promise<Running> {
    const running = lab.start(namespace, [
      ...[OPENSSL, 'ocsp', '-port', String(port), '-index', join(this.directory, 'index.txt'), '-nmin', '5'],
      ...['-CA', by.certificateFile, '-rsigner', by.certificateFile, '-rkey', by.keyFile, '-text'],
    ]);
    await running.saw(/waiting for OCSP client connections/i);
    return running;
  }

  private requests(): string {
    const file = join(this.directory, 'requests.cnf');
    if (!existsSync(file)) writeFileSync(file, '[req]\ndistinguished_name = dn\nutf8 = yes\n[dn]\n');
    return file;
  }

  /** The configuration that the ca command runs with. One index serves all authorities here: serials are random. */
  private configuration(file: string, wanted: Wanted): string {
    const index = join(this.directory, 'index.txt');
    if (!existsSync(index)) {
      writeFileSync(index, '');
      writeFileSync(join(this.directory, 'index.txt.attr'), 'unique_subject = no\n');
    }
    const usage = wanted.usage ?? ['serverAuth', 'clientAuth'];
    const lines = wanted.authority
      ? ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign']
      : [
          'basicConstraints = critical, CA:FALSE',
          `keyUsage = critical, ${wanted.keyUsage ?? 'digitalSignature'}`,
          ...(usage.length ? [`extendedKeyUsage = ${usage.join(', ')}`] : []),
        ];
    const names = wanted.names?.length ? [`subjectAltName = ${wanted.names.join(', ')}`] : [];
    const text = `[ca]
default_ca = lab
[lab]
database = ${index}
new_certs_dir = ${this.directory}
default_md = sha256
default_crl_days = 30
crl_extensions = list
rand_serial = yes
policy = any
preserve = yes
unique_subject = no
[list]
authorityKeyIdentifier = keyid
[any]
C = optional
ST = optional
L = optional
O = optional
OU = optional
CN = optional
emailAddress = optional
[made]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${[...lines, ...names].join('\n')}
${wanted.crl ? `crlDistributionPoints = URI:${wanted.crl}` : ''}
${wanted.ocsp ? `authorityInfoAccess = OCSP;URI:${wanted.ocsp}` : ''}
`;
    const path = join(this.directory, `${file}.cnf`);
    writeFileSync(path, text);
    return path;
  }

  private openssl(...command: readonly string[]): void {
    try {
      execFileSync(OPENSSL, command, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
      throw new Error(`openssl ${command.join(' ')}:\n${said}`);
    }
  }
}
