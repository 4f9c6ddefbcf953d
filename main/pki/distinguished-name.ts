// Distinguished names (RFC 5280 §4.1.2.4): as bytes, as text for people, and compared. Administrators and gateways write the same
// name in either order ("CN=gw, O=Example", "O=Example, CN=gw") and with other string types, so two comparisons are kept apart:
// `sameName` keeps the order of the RDNs and decides who issued what; `sameNameAnyOrder` ignores it and is for identities.
import type { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from '@peculiar/asn1-x509';
import { cleanText, PkiError } from './error.ts';
import { lib } from './libraries.ts';

export interface DistinguishedName {
  /** DER, as it came. */
  readonly der: Uint8Array;
  /** RFC 4514 escapes, RDNs in the order of the bytes: "C=CH, O=Example, CN=gw". Cleaned for display. */
  readonly text: string;
  /** Each RDN with values folded as RFC 5280 §7.1 asks: case and runs of spaces do not count, nor does the string type. */
  readonly rdns: readonly string[];
  /** Values of CN, and of E (emailAddress): where old certificates keep the names that belong into subjectAltName. */
  readonly commonNames: readonly string[];
  readonly emails: readonly string[];
}

/** Undefined where the bytes are no Name. */
export function decodeName(der: Uint8Array): DistinguishedName | undefined {
  try {
    return nameOf(lib.schema.AsnConvert.parse(der, lib.x509.Name), Uint8Array.from(der));
  } catch {
    return undefined;
  }
}

export function nameOf(
  name: Name,
  der: Uint8Array = new Uint8Array(lib.schema.AsnConvert.serialize(name)),
): DistinguishedName {
  const rdns = Array.from(name, (rdn) =>
    JSON.stringify(Array.from(rdn, ({ type, value }) => `${type}=${fold(value.toString())}`).sort()),
  );
  const values = (oid: string) =>
    Array.from(name).flatMap((rdn) =>
      Array.from(rdn).flatMap(({ type, value }) => (type === oid ? [value.toString()] : [])),
    );
  return {
    der,
    commonNames: values('2.5.4.3'),
    emails: values(EMAIL_ADDRESS),
    text: cleanText(new lib.names.Name(name).toString()) || '(no name)',
    rdns,
  };
}

const fold = (value: string): string => value.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();

export function sameName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.rdns.length === b.rdns.length && a.rdns.every((rdn, i) => rdn === b.rdns[i]);
}

export function sameNameAnyOrder(a: DistinguishedName, b: DistinguishedName): boolean {
  const sorted = [...b.rdns].sort();
  return a.rdns.length === b.rdns.length && [...a.rdns].sort().every((rdn, i) => rdn === sorted[i]);
}

/**
 * A name as an administrator types it: "CN=gw, O=Example, C=CH", parts separated by commas (or slashes, when it begins with one, as
 * OpenSSL once printed), RDNs of several attributes by "+", special characters behind "\" or in double quotes. Types by their usual
 * short names or as a dotted OID. The order is kept.
 */
export function parseName(text: string): DistinguishedName | PkiError {
  const malformed = (detail: string) =>
    new PkiError({ code: 'malformed', what: `the name "${cleanText(text)}"`, detail });
  const slashed = text.startsWith('/');
  const parts = split(slashed ? text.slice(1) : text, slashed ? '/' : ',');
  if (!parts) return malformed('a quotation mark is not closed');
  const rdns: RelativeDistinguishedName[] = [];
  for (const part of parts) {
    const attributes: AttributeTypeAndValue[] = [];
    for (const text of split(part, '+') ?? []) {
      const match = /^\s*([A-Za-z]+|\d+(?:\.\d+)+)\s*=(.*)$/s.exec(text);
      if (!match) return malformed(`"${cleanText(text.trim())}" is not of the form type=value`);
      const typed = match[1]!;
      const type = /^\d/.test(typed) ? typed : TYPES[typed.toLowerCase()];
      if (!type) return malformed(`${typed} is not a type that is known; write its OID instead`);
      const value = withoutEscapes(match[2]!.trim());
      if (value === '') return malformed(`${typed} is empty`);
      attributes.push(new lib.x509.AttributeTypeAndValue({ type, value: attributeValue(type, value) }));
    }
    // SET OF: in the order of the encoded elements (X.690 §11.6).
    const order = (attribute: AttributeTypeAndValue) => Buffer.from(lib.schema.AsnConvert.serialize(attribute));
    rdns.push(new lib.x509.RelativeDistinguishedName(attributes.sort((a, b) => Buffer.compare(order(a), order(b)))));
  }
  try {
    return nameOf(new lib.x509.Name(rdns));
  } catch {
    return malformed('an OID or a value in it cannot be encoded');
  }
}

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const DOMAIN_COMPONENT = '0.9.2342.19200300.100.1.25';

/** As openssl encodes: IA5String where the attribute is defined so, else PrintableString where it will do, else UTF8String. */
function attributeValue(type: string, value: string): AttributeValue {
  const isAscii = /^[\x20-\x7e]*$/.test(value);
  if (isAscii && (type === EMAIL_ADDRESS || type === DOMAIN_COMPONENT))
    return new lib.x509.AttributeValue({ ia5String: value });
  return new lib.x509.AttributeValue(
    /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? { printableString: value } : { utf8String: value },
  );
}

/** Names of types as administrators write them, in capitals or not (RFC 4514 §3, RFC 4519, and openssl's). */
const TYPES: Readonly<Record<string, string>> = {
  cn: '2.5.4.3',
  c: '2.5.4.6',
  o: '2.5.4.10',
  ou: '2.5.4.11',
  l: '2.5.4.7',
  st: '2.5.4.8',
  s: '2.5.4.8',
  dc: DOMAIN_COMPONENT,
  e: EMAIL_ADDRESS,
  email: EMAIL_ADDRESS,
  emailaddress: EMAIL_ADDRESS,
  g: '2.5.4.42',
  gn: '2.5.4.42',
  sn: '2.5.4.4',
  serialnumber: '2.5.4.5',
  street: '2.5.4.9',
  t: '2.5.4.12',
  title: '2.5.4.12',
  uid: '0.9.2342.19200300.100.1.1',
};

/** Splits at `separator` outside quotation marks and not behind a backslash; undefined where a quotation mark stays open. */
function split(text: string, separator: string): string[] | undefined {
  const parts = [''];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\\') parts[parts.length - 1] += character + (text[++i] ?? '');
    else if (character === separator && !quoted) parts.push('');
    else {
      if (character === '"') quoted = !quoted;
      parts[parts.length - 1] += character;
    }
  }
  return quoted ? undefined : parts;
}

function withoutEscapes(value: string): string {
  const inner = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  // RFC 4514 §2.4: pairs of hexadecimal digits are bytes of UTF-8, anything else stands for itself.
  return inner.replaceAll(/(?:\\[0-9a-fA-F]{2})+|\\(.)/gs, (run, single: string | undefined) =>
    single !== undefined && !/^[0-9a-fA-F]{2}/.test(run.slice(1))
      ? single
      : Buffer.from(run.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
}
