// The answers of certificates and keys to an IKE SA's questions (main/ike/questions.ts). A PkiError becomes the IkeError that
// closes the SA, with its message and remedy.
import { IkeError } from '../ike/error.ts';
import type { IkeAnswer, IkeQuestion } from '../ike/questions.ts';
import { isPkiError, PkiError } from './error.ts';
import type { SigningKey } from './key.ts';
import type { Purpose } from './policy.ts';
import type { Trust } from './trust.ts';

/** `keys`: ours, of which the question names one by its certificate. */
export async function answerSign(
  keys: readonly SigningKey[],
  question: Extract<IkeQuestion, { readonly kind: 'sign' }>,
): Promise<IkeAnswer> {
  const key = keys.find(({ certificate }) => Buffer.compare(certificate.der, question.certificate) === 0);
  if (!key)
    return { kind: 'failed', error: ikeError(new PkiError({ code: 'no-private-key', what: 'the profile' }), 'ours') };
  const signature = await key.sign(question.scheme, question.octets);
  return isPkiError(signature) ? { kind: 'failed', error: ikeError(signature, 'ours') } : { kind: 'signed', signature };
}

export async function answerVerify(
  trust: Trust,
  question: Extract<IkeQuestion, { readonly kind: 'verify' }>,
  purpose: Purpose,
): Promise<IkeAnswer> {
  const verified = await trust.verify({ ...question, purpose });
  return isPkiError(verified) ? { kind: 'failed', error: ikeError(verified, 'theirs') } : { kind: 'verified' };
}

/** `whose`: the credential that is at fault. What is wrong with our own is configuration. */
export function ikeError(error: PkiError, whose: 'ours' | 'theirs'): IkeError {
  const code =
    whose === 'ours'
      ? 'configuration'
      : error.code === 'identity-mismatch' || error.code === 'wrong-gateway'
        ? 'peer-identity-mismatch'
        : 'peer-not-authentic';
  return new IkeError({ code, message: error.message, remedy: error.remedy, exchange: 'IKE_AUTH' });
}
