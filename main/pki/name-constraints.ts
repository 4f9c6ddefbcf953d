// Name constraints of authorities (RFC 5280 §4.2.1.10, §6.1.3 b and c): which names the certificates below an authority may have.
// Host names, mail addresses, IP addresses and distinguished names are understood; a constraint of another kind forbids every name
// of that kind that cannot be compared, so nothing passes unseen.
import type { GeneralName, GeneralSubtree } from '@peculiar/asn1-x509';

import { type AlternativeName, alternativeNameText, type Certificate } from './certificate.ts';
import type { Path } from './chain.ts';
import { type DistinguishedName, nameOf, sameName } from './distinguished-name.ts';
import { PkiError } from './error.ts';
import { lib } from './libraries.ts';

export function nameConstraintProblem(path: Path): PkiError | undefined {
  for (let i = path.length - 1; i > 0; i--) {
    const issuer = path[i]!;
    const constraints = issuer.nameConstraints;
    if (!constraints) continue;
    for (const [j, certificate] of path.slice(0, i).entries()) {
      // Self-issued ones are exempt, but for the end entity (RFC 5280 §6.1.3 b).
      if (j > 0 && sameName(certificate.subject, certificate.issuer)) continue;
      const name = namesBound(certificate).find(
        (candidate) => !allowed(candidate, constraints.permittedSubtrees ?? [], constraints.excludedSubtrees ?? []),
      );
      if (name)
        return new PkiError({
          code: 'name-constraint',
          subject: certificate.subject.text,
          issuer: issuer.subject.text,
          name: alternativeNameText(name) ?? 'a name of another kind',
        });
    }
  }
  return undefined;
}

/** subjectAltName and subject; and the subject's host names and mail addresses, where the policy would take them from there. */
function namesBound(certificate: Certificate): readonly AlternativeName[] {
  const { subject, alternativeNames } = certificate;
  const none = new Uint8Array();
  const fromSubject: AlternativeName[] =
    subject.rdns.length > 0 ? [{ type: 'directory', name: subject, der: none }] : [];
  for (const text of subject.emails) fromSubject.push({ type: 'email', text, der: none });
  for (const text of subject.commonNames)
    if (/^[a-z0-9*-]+(\.[a-z0-9-]+)+$/i.test(text)) fromSubject.push({ type: 'dns', text, der: none });
  return [...alternativeNames, ...fromSubject];
}

function allowed(
  name: AlternativeName,
  permitted: readonly GeneralSubtree[],
  excluded: readonly GeneralSubtree[],
): boolean {
  const ofKind = (subtree: GeneralSubtree) => kindOf(subtree.base) === name.type;
  const permittedOfKind = permitted.filter(ofKind);
  if (permittedOfKind.length > 0 && !permittedOfKind.some((subtree) => within(name, subtree) === true)) return false;
  // What cannot be compared (undefined) is excluded.
  return excluded.filter(ofKind).every((subtree) => within(name, subtree) === false);
}

function kindOf(base: GeneralName): AlternativeName['type'] {
  if (base.dNSName !== undefined) return 'dns';
  if (base.rfc822Name !== undefined) return 'email';
  if (base.uniformResourceIdentifier !== undefined) return 'uri';
  if (base.directoryName) return 'directory';
  return base.iPAddress === undefined ? 'other' : 'ip';
}

/** Whether a name is in a subtree, of the same kind; undefined: cannot be said. */
function within(name: AlternativeName, { base, minimum, maximum }: GeneralSubtree): boolean | undefined {
  // RFC 5280 §4.2.1.10 has no use for the two.
  if (minimum !== 0 || maximum !== undefined) return undefined;
  switch (name.type) {
    case 'dns':
      return withinDomain(name.text, base.dNSName ?? '');
    case 'email': {
      const constraint = (base.rfc822Name ?? '').toLowerCase();
      const text = name.text.toLowerCase();
      const host = text.slice(text.lastIndexOf('@') + 1);
      // A mailbox, all mailboxes of a host, or (with a leading dot) of the hosts of a domain.
      if (constraint.includes('@')) return text === constraint;
      return constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint;
    }
    case 'uri':
      try {
        const host = new URL(name.text).hostname.toLowerCase();
        const constraint = (base.uniformResourceIdentifier ?? '').toLowerCase();
        return constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint;
      } catch {
        return undefined;
      }
    case 'directory':
      return base.directoryName ? withinName(name.name, nameOf(base.directoryName)) : undefined;
    case 'ip': {
      // The OCTET STRING is address and mask, with the tag and length of [7] before it.
      const bytes = new Uint8Array(lib.schema.AsnConvert.serialize(base)).subarray(2);
      const half = bytes.length / 2;
      if (half !== 4 && half !== 16) return undefined;
      return (
        half === name.address.length &&
        name.address.every((byte, i) => (byte & bytes[half + i]!) === (bytes[i]! & bytes[half + i]!))
      );
    }
    case 'other':
      return undefined;
  }
}

/** "example.com" holds itself and every host below; "" holds all. A leading dot, which RFC 5280 does not know for hosts, means below only. */
function withinDomain(name: string, domain: string): boolean {
  const text = name.toLowerCase().replace(/\.$/, '');
  const base = domain.toLowerCase().replace(/\.$/, '');
  if (base === '' || text === base) return true;
  return text.endsWith(base.startsWith('.') ? base : `.${base}`);
}

const withinName = (name: DistinguishedName, base: DistinguishedName): boolean =>
  base.rdns.every((rdn, i) => rdn === name.rdns[i]);
