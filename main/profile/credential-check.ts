// Whether the certificates and keys of a profile can be used: looked at when it is imported, so that a damaged file is told to whoever
// imports it, and not when somebody connects. What is encrypted stays closed: opening it takes time, by intent.
import { pair, readCertificates, readPrivateKey } from '../pki/credential.ts';
import { isPkiError, type PkiError } from '../pki/error.ts';
import type { ProfileCertificate } from './authentication.ts';
import { type ProfileProblem, problemsError } from './problem.ts';
import type { Profile } from './profile.ts';

/** Throws ProfileError with everything that is wrong. */
export function demandUsableCredentials({ authentication }: Pick<Profile, 'authentication'>): void {
  const problems: ProfileProblem[] = [];
  const look = (own: ProfileCertificate | null | undefined, pointer: string): void => {
    if (own) problems.push(...problemsOf(own, pointer));
  };
  for (const [round, pointer] of [
    [authentication, '/authentication'],
    [authentication.second, '/authentication/second'],
  ] as const) {
    look(round?.certificate, pointer);
    look(round?.eap?.certificate, `${pointer}/eap`);
  }
  if (problems.length > 0) throw problemsError(problems);
}

function problemsOf(own: ProfileCertificate, pointer: string): readonly ProfileProblem[] {
  const problem = (key: 'certificate' | 'key', { message, remedy }: PkiError): readonly ProfileProblem[] => [
    {
      code: 'secret',
      pointer: `${pointer}/${key}`,
      message: `cannot be used: ${ended(message)} ${ended(capital(remedy))}`,
    },
  ];
  const certificates = own.certificate ? readCertificates(own.certificate, 'the certificate file') : undefined;
  const wrong = isPkiError(certificates) ? problem('certificate', certificates) : [];
  if (!own.key) return wrong;
  const key = readPrivateKey(own.key, undefined);
  // DER does not say whether it is encrypted.
  if (isPkiError(key)) return own.passphrase === null ? [...wrong, ...problem('key', key)] : wrong;
  const paired = certificates && !isPkiError(certificates) ? pair(key, certificates) : undefined;
  if (!paired) return wrong;
  if (isPkiError(paired)) return problem('key', paired);
  paired.close();
  return wrong;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
