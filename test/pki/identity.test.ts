// Who a certificate lets its holder be: each type of identity against each place where a name may stand; and distinguished names, as
// typed, as encoded, in any order.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Identity } from '../../main/ike/identity.ts';
import { decodeName, parseName, sameName, sameNameAnyOrder } from '../../main/pki/distinguished-name.ts';
import { isPkiError } from '../../main/pki/error.ts';
import {
  distinguishedNameIdentity,
  identityText,
  matchIdentity,
  ownIdentity,
  sameDistinguishedName,
} from '../../main/pki/identity.ts';
import { DEFAULT_TRUST_POLICY, type TrustPolicy } from '../../main/pki/policy.ts';
import { parseAddress } from '../../main/wire/address.ts';
import { type Made, make } from './authority.ts';
import { openssl } from './openssl.ts';

function name(text: string) {
  const parsed = parseName(text);
  if (isPkiError(parsed)) throw parsed;
  return parsed;
}
const dn = (text: string): Identity => ({ type: 'der-dn', bytes: name(text).der });
const ip = (text: string): Identity => {
  const address = parseAddress(text)!;
  return { type: address.length === 4 ? 'ipv4' : 'ipv6', address };
};
const fqdn = (text: string): Identity => ({ type: 'fqdn', text });
const mail = (text: string): Identity => ({ type: 'rfc822', text });

describe('identities', () => {
  let full: Made;
  let old: Made;
  let wild: Made;
  let mixed: Made;
  beforeAll(async () => {
    full = await make({
      subject: 'C=CH, O=Example AG, CN=gw',
      names: [
        { type: 'dns', value: 'vpn.example.com' },
        { type: 'ip', value: '192.0.2.1' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'email', value: 'gw@example.com' },
        { type: 'dn', value: 'CN=second, O=Example AG' },
      ],
    });
    old = await make({ subject: 'CN=vpn.example.com, E=gw@example.com' });
    mixed = await make({ subject: 'E=old@example.com', names: [{ type: 'email', value: 'new@example.com' }] });
    wild = await make({
      subject: 'CN=x',
      names: [
        { type: 'dns', value: '*.example.com' },
        { type: 'dns', value: '*.com' },
      ],
    });
  });

  const rows: readonly [string, () => Made, Identity, Partial<TrustPolicy>, 'yes' | 'no' | 'warned'][] = [
    ['FQDN', () => full, fqdn('vpn.example.com'), {}, 'yes'],
    ['FQDN in capitals', () => full, fqdn('VPN.Example.COM'), {}, 'yes'],
    ['FQDN with the root’s dot', () => full, fqdn('vpn.example.com.'), {}, 'yes'],
    ['another FQDN', () => full, fqdn('vpn.example.org'), {}, 'no'],
    ['a name above', () => full, fqdn('example.com'), {}, 'no'],
    [
      'a letter that folds to ASCII elsewhere (U+212A)',
      () => full,
      fqdn('vpn.example.com'.replace('m', '\u217f')),
      {},
      'no',
    ],
    ['IPv4', () => full, ip('192.0.2.1'), {}, 'yes'],
    ['another IPv4', () => full, ip('192.0.2.2'), {}, 'no'],
    ['IPv6', () => full, ip('2001:db8:0::1'), {}, 'yes'],
    ['another IPv6', () => full, ip('2001:db8::2'), {}, 'no'],
    ['an address written as a host name', () => full, fqdn('192.0.2.1'), {}, 'no'],
    ['RFC 822', () => full, mail('GW@example.com'), {}, 'yes'],
    ['another RFC 822', () => full, mail('alice@example.com'), {}, 'no'],
    ['RFC 822 is no FQDN', () => full, mail('vpn.example.com'), {}, 'no'],
    ['subject', () => full, dn('C=CH, O=Example AG, CN=gw'), {}, 'yes'],
    ['subject, the other way round', () => full, dn('CN=gw, O=Example AG, C=CH'), {}, 'yes'],
    ['subject, in other case and spaces', () => full, dn('c=ch, o=EXAMPLE  ag, cn=GW'), {}, 'yes'],
    ['subject with an RDN less', () => full, dn('O=Example AG, CN=gw'), {}, 'no'],
    ['subject with an RDN twice', () => full, dn('CN=gw, CN=gw, O=Example AG'), {}, 'no'],
    ['subject with another type', () => full, dn('C=CH, OU=Example AG, CN=gw'), {}, 'no'],
    ['RDNs made one', () => full, dn('C=CH, O=Example AG+CN=gw'), {}, 'no'],
    ['directoryName in subjectAltName', () => full, dn('O=Example AG, CN=second'), {}, 'yes'],
    ['the empty name', () => full, { type: 'der-dn', bytes: Uint8Array.of(0x30, 0) }, {}, 'no'],
    ['bytes that are no name', () => full, { type: 'der-dn', bytes: Uint8Array.of(1, 2, 3) }, {}, 'no'],
    ['opaque bytes', () => full, { type: 'key-id', bytes: Uint8Array.of(1) }, {}, 'no'],
    [
      'a GeneralName of the certificate',
      () => full,
      { type: 'der-gn', bytes: Buffer.from('8704c0000201', 'hex') },
      {},
      'yes',
    ],
    ['another GeneralName', () => full, { type: 'der-gn', bytes: Buffer.from('8704c0000202', 'hex') }, {}, 'no'],
    ['FQDN in CN only', () => old, fqdn('vpn.example.com'), {}, 'no'],
    ['…where the profile lets it', () => old, fqdn('vpn.example.com'), { nameInSubject: true }, 'warned'],
    ['…another', () => old, fqdn('gw.example.com'), { nameInSubject: true }, 'no'],
    ['…but not beside a dNSName', () => full, fqdn('gw'), { nameInSubject: true }, 'no'],
    ['RFC 822 in E only', () => old, mail('gw@example.com'), {}, 'no'],
    ['…where the profile lets it', () => old, mail('gw@example.com'), { nameInSubject: true }, 'warned'],
    ['…but not beside another rfc822Name', () => mixed, mail('old@example.com'), { nameInSubject: true }, 'no'],
    ['a wildcard', () => wild, fqdn('vpn.example.com'), {}, 'no'],
    ['…where the profile lets it', () => wild, fqdn('VPN.example.com'), { wildcards: true }, 'warned'],
    ['…for one label, not two', () => wild, fqdn('a.vpn.example.com'), { wildcards: true }, 'no'],
    ['…nor none', () => wild, fqdn('.example.com'), { wildcards: true }, 'no'],
    ['…nor below a top-level domain', () => wild, fqdn('example.com'), { wildcards: true }, 'no'],
    ['a peer that calls itself by the wildcard', () => wild, fqdn('*.example.com'), {}, 'yes'],
  ];
  test.each(rows)('%s', (_, who, identity, policy, expected) => {
    const matched = matchIdentity(who().certificate, identity, { ...DEFAULT_TRUST_POLICY, ...policy });
    const outcome = isPkiError(matched) ? 'no' : matched.warnings.length > 0 ? 'warned' : 'yes';
    expect(outcome).toBe(expected);
    if (isPkiError(matched)) expect(matched.code).toBe('identity-mismatch');
  });

  test('the message names what the certificate is for', () => {
    const matched = matchIdentity(full.certificate, fqdn('gw.example.org'), DEFAULT_TRUST_POLICY);
    expect(isPkiError(matched) && matched.message).toBe(
      'the other end calls itself gw.example.org, but its certificate is for vpn.example.com, 192.0.2.1, 2001:db8::1, gw@example.com, "CN=second, O=Example AG", "C=CH, O=Example AG, CN=gw"',
    );
    expect(identityText(dn('CN=a, O=b'))).toBe('"CN=a, O=b"');
  });

  test('our own identity: the subject in its very bytes, where the profile means it', () => {
    const subject: Identity = { type: 'der-dn', bytes: full.certificate.subject.der };
    expect(ownIdentity(full.certificate, undefined)).toEqual(subject);
    expect(ownIdentity(full.certificate, dn('CN=GW, O=example ag, C=ch'))).toEqual(subject);
    expect(ownIdentity(full.certificate, fqdn('vpn.example.com'))).toEqual(fqdn('vpn.example.com'));
    expect(sameDistinguishedName(dn('CN=a, O=b'), dn('O=B, CN=A'))).toBe(true);
    expect(sameDistinguishedName(dn('CN=a'), fqdn('a'))).toBe(false);
  });

  test('control characters of a peer’s name never reach a message', async () => {
    const evil = await make({
      subject: 'CN=evil\u001b[31m\u202egnirts',
      names: [{ type: 'dns', value: 'a\u001b]0;x\u0007.com' }],
    });
    const matched = matchIdentity(evil.certificate, fqdn('x'), DEFAULT_TRUST_POLICY);
    expect(isPkiError(matched) && /[\p{C}]/u.test(matched.message)).toBe(false);
  });
});

describe('distinguished names', () => {
  test.each([
    ['CN=gw, O=Example', '301f' /* SEQUENCE of 31 bytes */, 'CN=gw, O=Example'],
    ['CN = gw ,O= Example', '301f', 'CN=gw, O=Example'],
    ['/CN=gw/O=Example', '301f', 'CN=gw, O=Example'],
    ['cn=gw,o=Example', '301f', 'CN=gw, O=Example'],
    ['2.5.4.3=gw', '300d', 'CN=gw'],
    ['CN="a, b"', '300f', 'CN=a\\, b'],
    ['CN=a\\, b', '300f', 'CN=a\\, b'],
    ['CN=a\\2C b', '300f', 'CN=a\\, b'],
    ['O=A+CN=b', '3016', 'CN=b+O=A'],
    ['CN=L\\C3\\BCtzel', '3012', 'CN=Lützel'],
    ['CN=Lützel', '3012', 'CN=Lützel'],
    ['UID=alice', undefined, undefined],
    ['emailAddress=a@example.com', undefined, 'E=a@example.com'],
    ['serialNumber=5', undefined, undefined],
  ])('%s', (text, begins, shown) => {
    const parsed = name(text);
    if (begins) expect(Buffer.from(parsed.der).toString('hex').slice(0, 4)).toBe(begins);
    if (shown) expect(parsed.text).toBe(shown);
    expect(sameName(decodeName(parsed.der)!, parsed)).toBe(true);
  });

  test.each(['gw', 'CN=', 'CN="a', 'CN=a,,O=b', 'XYZ=a', '=a', '', ','])('"%s" is no name', (text) => {
    expect(parseName(text)).toMatchObject({ code: 'malformed' });
  });

  test('the encoding of "CN=gw, O=Example", byte by byte', () => {
    const bytes = Buffer.from(name('CN=gw, O=Example').der).toString('hex');
    expect(bytes).toBe(`301f310b30090603550403130267773110300e060355040a1307${Buffer.from('Example').toString('hex')}`);
  });

  test('openssl encodes what is typed in the same way', () => {
    const tool = openssl();
    try {
      tool.run(
        'req',
        '-x509',
        '-newkey',
        'ed25519',
        '-nodes',
        '-keyout',
        'k',
        '-outform',
        'DER',
        '-out',
        'c',
        '-days',
        '1',
        '-subj',
        '/C=CH/O=Example AG/CN=Lützel',
        '-utf8',
      );
      const theirs = new x509.X509Certificate(tool.read('c')).subjectName.toArrayBuffer();
      expect(sameName(decodeName(new Uint8Array(theirs))!, name('C=CH, O=Example AG, CN=Lützel'))).toBe(true);
    } finally {
      tool.close();
    }
  });

  const attribute = fc.tuple(
    fc.constantFrom('CN', 'O', 'OU', 'C', 'L', 'DC'),
    fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
  );
  const quoted = (value: string) => value.replaceAll(/[,+"\\<>;=/#]/g, '\\$&');

  test('any name that can be typed is the same in any order, and no other', () => {
    fc.assert(
      fc.property(fc.array(attribute, { minLength: 1, maxLength: 5 }), fc.nat(), (attributes, seed) => {
        const values = attributes.filter(
          ([, value]) => value.trim() === value && value !== '' && !/[\p{C}]/u.test(value),
        );
        fc.pre(values.length > 0);
        const write = (list: typeof values) => list.map(([type, value]) => `${type}=${quoted(value)}`).join(', ');
        const a = name(write(values));
        const shuffled = values
          .map((value, i) => [(seed * 7919 + i * 104_729) % 13, value] as const)
          .sort(([x], [y]) => x - y);
        const b = name(write(shuffled.map(([, value]) => value)));
        expect(sameNameAnyOrder(a, b)).toBe(true);
        expect(a.rdns).toHaveLength(values.length);
        const more = name(`${write(values)}, OU=one more`);
        expect(sameNameAnyOrder(a, more)).toBe(false);
        expect(sameNameAnyOrder(more, a)).toBe(false);
      }),
    );
  });

  test('a name that goes on is another name', () => {
    for (const compare of [sameName, sameNameAnyOrder]) {
      expect(compare(name('CN=a'), name('CN=a, O=b'))).toBe(false);
      expect(compare(name('CN=a, O=b'), name('CN=a'))).toBe(false);
    }
    expect(sameName(name('O=b, CN=a'), name('CN=a, O=b'))).toBe(false);
  });

  test('any text is a name or an error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const parsed = distinguishedNameIdentity(text);
        expect(isPkiError(parsed) || parsed.type === 'der-dn').toBe(true);
      }),
    );
  });
});
