// May the holder of a certificate call itself by this identity (RFC 7296 §3.5, RFC 4945 §3.1)? Addresses against iPAddress, host
// names against dNSName, mail addresses against rfc822Name, all in subjectAltName; distinguished names against the subject, RDNs in
// any order. What old gateways do beyond that (host name in CN alone, wildcards) is by the policy, and never without a warning.

import { formatIdentity, type Identity } from '../ike/identity.ts';
import { sameAddress } from '../wire/address.ts';
import { type AlternativeName, type Certificate, namesOf } from './certificate.ts';
import { type DistinguishedName, decodeName, parseName, sameNameAnyOrder } from './distinguished-name.ts';
import { isPkiError, PkiError } from './error.ts';
import type { TrustPolicy } from './policy.ts';

/** Taken, but not as the RFCs have it: for the log and the person who set the profile up. */
export interface PkiWarning {
  readonly code: 'name-in-subject' | 'wildcard' | 'revocation-unknown';
  readonly text: string;
}

/** Undefined: it may. */
export function matchIdentity(
  certificate: Certificate,
  identity: Identity,
  policy: TrustPolicy,
): { readonly warnings: readonly PkiWarning[] } | PkiError {
  const names = certificate.alternativeNames;
  const good = { warnings: [] };
  const mismatch = () =>
    new PkiError({ code: 'identity-mismatch', identity: identityText(identity), names: namesOf(certificate) });
  switch (identity.type) {
    case 'ipv4':
    case 'ipv6':
      return names.some((name) => name.type === 'ip' && sameAddress(name.address, identity.address))
        ? good
        : mismatch();
    case 'fqdn':
      return matchHost(names, certificate.subject, identity.text, policy) ?? mismatch();
    case 'rfc822': {
      if (names.some((name) => name.type === 'email' && sameText(name.text, identity.text))) return good;
      const inSubject =
        policy.nameInSubject &&
        !names.some(({ type }) => type === 'email') &&
        certificate.subject.emails.some((email) => sameText(email, identity.text));
      return inSubject ? { warnings: [nameInSubject(identity.text)] } : mismatch();
    }
    case 'der-dn': {
      const wanted = decodeName(identity.bytes);
      if (!wanted || wanted.rdns.length === 0) return mismatch();
      const matches =
        sameNameAnyOrder(wanted, certificate.subject) ||
        names.some((name) => name.type === 'directory' && sameNameAnyOrder(wanted, name.name));
      return matches ? good : mismatch();
    }
    case 'der-gn':
      return names.some((name) => Buffer.compare(name.der, identity.bytes) === 0) ? good : mismatch();
    case 'key-id':
      // Opaque bytes that no certificate can prove (RFC 4945 §3.1.6).
      return mismatch();
  }
}

function matchHost(
  names: readonly AlternativeName[],
  subject: DistinguishedName,
  wanted: string,
  policy: TrustPolicy,
): { readonly warnings: readonly PkiWarning[] } | undefined {
  const host = withoutDot(wanted);
  const hosts = names.flatMap((name) => (name.type === 'dns' ? [withoutDot(name.text)] : []));
  if (hosts.some((name) => sameText(name, host))) return { warnings: [] };
  const wildcard = policy.wildcards ? hosts.find((name) => wildcardCovers(name, host)) : undefined;
  if (wildcard)
    return {
      warnings: [
        {
          code: 'wildcard',
          text: `the gateway's certificate is for ${wildcard}, which the profile lets stand for ${host}`,
        },
      ],
    };
  // A certificate with host names of its own means these alone (RFC 6125 §6.4.4).
  const inSubject =
    policy.nameInSubject && hosts.length === 0 && subject.commonNames.some((name) => sameText(withoutDot(name), host));
  return inSubject ? { warnings: [nameInSubject(host)] } : undefined;
}

const nameInSubject = (name: string): PkiWarning => ({
  code: 'name-in-subject',
  text: `the gateway's certificate has the name ${name} in its subject only, not in subjectAltName; the profile lets that pass`,
});

/** "*" alone as the leftmost label, for exactly one label, below at least two labels (RFC 6125 §6.4.3). */
function wildcardCovers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return false;
  const domain = pattern.slice(1);
  const label = host.slice(0, -domain.length);
  return (
    !domain.includes('*') &&
    domain.split('.').length > 2 &&
    host.length > domain.length &&
    sameText(host.slice(-domain.length), domain) &&
    !label.includes('.')
  );
}

const withoutDot = (name: string): string => name.replace(/\.$/, '');
/** ASCII case only: an NFKC or locale fold could make two hosts one. */
const sameText = (a: string, b: string): boolean => lowerAscii(a) === lowerAscii(b);
const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

/** For people: a distinguished name as text, everything else as formatIdentity writes it. */
export function identityText(identity: Identity): string {
  const name = identity.type === 'der-dn' ? decodeName(identity.bytes) : undefined;
  return name ? `"${name.text}"` : formatIdentity(identity);
}

/** An identity of type ID_DER_ASN1_DN from what an administrator typed: "CN=gw, O=Example". */
export function distinguishedNameIdentity(text: string): Identity | PkiError {
  const name = parseName(text);
  return isPkiError(name) ? name : { type: 'der-dn', bytes: name.der };
}

/**
 * Are these the same identity, distinguished names in any order of RDNs and with any string types? For an expected identity that
 * was typed against the one that a peer sent. False for identities of other types, which sameIdentity (main/ike/identity.ts) compares.
 */
export function sameDistinguishedName(a: Identity, b: Identity): boolean {
  if (a.type !== 'der-dn' || b.type !== 'der-dn') return false;
  const [left, right] = [decodeName(a.bytes), decodeName(b.bytes)];
  return left !== undefined && right !== undefined && sameNameAnyOrder(left, right);
}

/**
 * Our own identity: what the profile says, with a distinguished name in exactly the bytes of our certificate's subject where it is
 * that name, for many gateways compare bytes; without a word in the profile the whole subject (what strongSwan and Windows send).
 * An identity that the certificate does not have is an error, for the gateway would refuse it.
 */
export function ownIdentity(certificate: Certificate, wanted: Identity | undefined): Identity | PkiError {
  const subject: Identity = { type: 'der-dn', bytes: certificate.subject.der };
  if (!wanted) {
    if (certificate.subject.rdns.length > 0) return subject;
    return (
      firstName(certificate) ??
      new PkiError({
        code: 'malformed',
        what: 'our certificate',
        detail: 'it has neither a subject nor a subjectAltName',
      })
    );
  }
  if (sameDistinguishedName(wanted, subject)) return subject;
  return wanted;
}

function firstName(certificate: Certificate): Identity | undefined {
  for (const name of certificate.alternativeNames) {
    if (name.type === 'dns') return { type: 'fqdn', text: name.text };
    if (name.type === 'email') return { type: 'rfc822', text: name.text };
    if (name.type === 'ip') return { type: name.address.length === 4 ? 'ipv4' : 'ipv6', address: name.address };
  }
  return undefined;
}
