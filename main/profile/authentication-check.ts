// Which keys of `authentication` and `gateway.authentication` belong together: what a method needs, what it has no use for, and what the
// gateway has to prove before a secret may leave.
import { parseName } from '../pki/distinguished-name.ts';
import { isPkiError } from '../pki/error.ts';
import { type Told, tell } from '../words/told.ts';
import type { AuthenticationFile, EapFile, RoundFile } from './authentication-schema.ts';
import type { ProfileProblem } from './problem.ts';
import type { ValidSections } from './schema.ts';

interface Checking {
  readonly sections: ValidSections;
  readonly problem: (pointer: string, message: string, code?: ProfileProblem['code']) => void;
  readonly warn: (warning: Told) => void;
}

/** Keys that belong to one method alone. */
const OF_METHOD = {
  psk: ['secret'],
  certificate: ['certificate', 'key', 'pkcs12', 'passphrase', 'storedKey', 'rsaPadding'],
  eap: ['eap'],
} as const;

const TLS_METHODS: readonly string[] = ['tls', 'ttls', 'peap'];

export function checkAuthentication({ sections, problem, warn }: Checking): void {
  const { authentication, gateway, tunnel } = sections;
  if (!authentication || tunnel?.shape === 'gre-plain') return;
  checkRound(authentication, '/authentication', problem);
  if (authentication.second) checkRound(authentication.second, '/authentication/second', problem);
  checkGateway(authentication, gateway?.authentication, problem);
  const other = gateway?.authentication;
  if (other?.legacy) warn(tell('profile.legacySignatures'));
  if (other?.method === 'certificate' && other.revocation === 'off') warn(tell('profile.noRevocation'));
  if (authentication.method === 'eap' && authentication.eap?.password) warn(tell('profile.password'));
}

function checkRound(round: RoundFile, pointer: string, problem: Checking['problem']): void {
  const { method } = round;
  for (const [of, keys] of Object.entries(OF_METHOD))
    for (const key of keys)
      if (of !== method && round[key] !== undefined && round[key] !== null)
        problem(`${pointer}/${key}`, `belongs to the method "${of}"; here it is "${method}".`);
  if (method === 'certificate') checkOwnCertificate(round, pointer, round.storedKey !== undefined, problem);
  if (round.storedKey && (round.storedKey.label === undefined) === (round.storedKey.id === undefined))
    problem(`${pointer}/storedKey`, 'must have exactly one of "label" and "id".');
  if (method === 'eap') {
    if (!round.eap) problem(`${pointer}/eap`, 'is missing: the method "eap" needs it.', 'missing');
    else checkEap(round.eap, `${pointer}/eap`, problem);
    if (!round.identity && !round.eap?.username)
      problem(`${pointer}/identity`, 'is missing: EAP needs it, or a user name (eap.username).', 'missing');
  }
  if (round.identity?.includes('=')) {
    const name = parseName(round.identity);
    if (isPkiError(name)) problem(`${pointer}/identity`, 'looks like a distinguished name, but is not one.', 'invalid');
  }
}

function checkOwnCertificate(
  from: Pick<RoundFile, 'certificate' | 'key' | 'pkcs12'>,
  pointer: string,
  stored: boolean,
  problem: Checking['problem'],
): void {
  const has = (key: 'certificate' | 'key' | 'pkcs12'): boolean => from[key] !== undefined;
  if (has('pkcs12')) {
    for (const key of ['certificate', 'key'] as const)
      if (has(key)) problem(`${pointer}/${key}`, 'is in the PKCS#12 file (pkcs12) already: leave one of them out.');
    if (stored) problem(`${pointer}/storedKey`, 'and /pkcs12 both name a key: leave one of them out.');
    return;
  }
  if (stored && has('key')) problem(`${pointer}/key`, 'and /storedKey both name a key: leave one of them out.');
  if (!has('certificate') && !stored)
    problem(`${pointer}/certificate`, 'is missing: "certificate" and "key", or "pkcs12".', 'missing');
  if (!has('key') && !stored) problem(`${pointer}/key`, 'is missing: the private key of the certificate.', 'missing');
}

function checkEap(eap: EapFile, pointer: string, problem: Checking['problem']): void {
  const tls = eap.methods.filter((method) => TLS_METHODS.includes(method));
  const tunnelled = eap.methods.includes('ttls') || eap.methods.includes('peap');
  if (eap.inner && !tunnelled) problem(`${pointer}/inner`, 'belongs to the methods "ttls" and "peap".');
  for (const key of ['authorities', 'serverNames'] as const)
    if (eap[key] && tls.length === 0) problem(`${pointer}/${key}`, 'belongs to the methods "tls", "ttls" and "peap".');
  const own = (['certificate', 'key', 'pkcs12'] as const).some((key) => eap[key] !== undefined);
  if (own || eap.methods.includes('tls')) checkOwnCertificate(eap, pointer, false, problem);
  if (eap.gatewayByEap && tls.length < eap.methods.length)
    problem(
      `${pointer}/gatewayByEap`,
      'lets the gateway prove itself by EAP alone, which only "tls", "ttls" and "peap" can do.',
    );
}

function checkGateway(
  authentication: AuthenticationFile,
  gateway: NonNullable<ValidSections['gateway']>['authentication'],
  problem: Checking['problem'],
): void {
  if (!gateway) {
    if (authentication.method !== 'psk')
      problem(
        '/gateway/authentication',
        'is missing: how the gateway proves who it is has to be said where you do not use a pre-shared key.',
        'missing',
      );
    return;
  }
  // RFC 7296 §2.16: who proves itself by a secret that clients have too may be any of them, or whoever wants to hear their passwords.
  if (authentication.method === 'eap' && gateway.method === 'psk')
    problem(
      '/gateway/authentication/method',
      'must be "certificate": a gateway with EAP does not prove itself by a pre-shared key.',
    );
  for (const key of ['authorities', 'revocation', 'crls', 'legacy'] as const)
    if (gateway.method === 'psk' && gateway[key] !== undefined)
      problem(`/gateway/authentication/${key}`, 'belongs to the method "certificate".');
  if (gateway.method === 'certificate' && gateway.secret !== undefined)
    problem('/gateway/authentication/secret', 'belongs to the method "psk".');
}
