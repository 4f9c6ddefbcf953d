// Distinguished names (RFC 5280 §4.1.2.4): as bytes, as text for people, and compared. Administrators and gateways write the same
// name in either order ("CN=gw, O=Example", "O=Example, CN=gw") and with other string types, so two comparisons are kept apart:
// `sameName` keeps the order of the RDNs and decides who issued what; `sameNameAnyOrder` ignores it and is for identities.
import 'reflect-metadata';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Name } from '@peculiar/asn1-x509';
import { Name as NameText } from '@peculiar/x509';
import { cleanText, PkiError } from './error.ts';

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
    return nameOf(AsnConvert.parse(der, Name), Uint8Array.from(der));
  } catch {
    return undefined;
  }
}

export function nameOf(name: Name, der: Uint8Array = new Uint8Array(AsnConvert.serialize(name))): DistinguishedName {
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
    emails: values('1.2.840.113549.1.9.1'),
    text: cleanText(new NameText(name).toString()) || '(no name)',
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
  const json: Record<string, string[]>[] = [];
  for (const part of parts) {
    const rdn: Record<string, string[]> = {};
    for (const attribute of split(part, '+') ?? []) {
      const match = /^\s*([A-Za-z]+|\d+(?:\.\d+)+)\s*=(.*)$/s.exec(attribute);
      if (!match) return malformed(`"${cleanText(attribute.trim())}" is not of the form type=value`);
      const type = TYPE_NAMES[match[1]!.toLowerCase()] ?? match[1]!;
      const value = withoutEscapes(match[2]!.trim());
      if (value === '') return malformed(`${type} is empty`);
      rdn[type] = [...(rdn[type] ?? []), value];
    }
    json.push(rdn);
  }
  try {
    return nameOf(AsnConvert.parse(new NameText(json).toArrayBuffer(), Name));
  } catch {
    return malformed('it has a type that is not known; write its OID instead');
  }
}

/** Spellings that administrators use, in capitals or not, and what @peculiar/x509 calls them. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  cn: 'CN',
  c: 'C',
  o: 'O',
  ou: 'OU',
  l: 'L',
  st: 'ST',
  s: 'ST',
  dc: 'DC',
  e: 'E',
  email: 'E',
  emailaddress: 'E',
  g: 'G',
  gn: '2.5.4.42',
  sn: '2.5.4.4',
  serialnumber: '2.5.4.5',
  street: '2.5.4.9',
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
