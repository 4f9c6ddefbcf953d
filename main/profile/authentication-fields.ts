// The keys of `authentication` and `gateway.authentication`, as in fields.ts.
import { type Field, flag, identity, section } from './field.ts';

type Fields = Readonly<Record<string, Field>>;

const PEM = '"-----BEGIN CERTIFICATE-----…"';

/** The forms of a secret, a certificate or a key beside text. */
const forms = (pointer: string, what: string, file: string): Fields => ({
  [`${pointer}/base64`]: { expected: `${what} in base64`, example: '"bWVsbG9u…"' },
  [`${pointer}/hex`]: { expected: `${what} in hexadecimal digits`, example: '"6d656c6c6f6e…"' },
  [`${pointer}/file`]: { expected: `the path of a file with ${what} and nothing else`, example: `"${file}"` },
});

const secret = (pointer: string): Fields => ({
  [pointer]: {
    expected: 'the pre-shared key: text, or { "base64": … }, { "hex": … } or { "file": path }',
    example: '{ "file": "office.secret" }',
  },
});

const ownCertificate = (pointer: string): Fields => ({
  [`${pointer}/certificate`]: {
    expected: 'your certificate and the intermediate ones, as PEM text or { "file": path }',
    example: '{ "file": "alice.crt" }',
  },
  [`${pointer}/key`]: {
    expected: 'the private key of your certificate, as PEM text or { "file": path }',
    example: '{ "file": "alice.key" }',
  },
  [`${pointer}/pkcs12`]: {
    expected: 'certificate, chain and key in one PKCS#12 file: { "file": path } or { "base64": … }',
    example: '{ "file": "alice.p12" }',
  },
  [`${pointer}/passphrase`]: { expected: 'the passphrase of the key or of the PKCS#12 file', example: '"…"' },
});

const authorities = (pointer: string, whose: string): Fields => ({
  [pointer]: {
    expected: `certificates of the authorities of ${whose}, each PEM text or { "file": path }; null for well-known ones`,
    example: '[{ "file": "ca.crt" }]',
  },
  [`${pointer}/*`]: { expected: 'a certificate of an authority, as PEM text or { "file": path }', example: PEM },
});

const list = (pointer: string, expected: string, each: string, example: string): Fields => ({
  [pointer]: { expected, example: `[${example}]` },
  [`${pointer}/*`]: { expected: each, example },
});

const eap = (pointer: string): Fields => ({
  [pointer]: section('how EAP goes', '{ "methods": ["mschapv2"] }'),
  ...list(
    `${pointer}/methods`,
    'the EAP methods that you take, the most wanted first',
    'one of "tls", "ttls", "peap", "mschapv2", "gtc", "otp", "md5"',
    '"mschapv2"',
  ),
  [`${pointer}/username`]: { expected: 'your user name; null for your identity', example: '"alice"' },
  [`${pointer}/password`]: { expected: 'your password; null to be asked', example: 'null' },
  [`${pointer}/anonymousIdentity`]: {
    expected: 'what is said in the clear instead of your user name, where the method then makes a tunnel',
    example: '"anonymous@example.com"',
  },
  ...list(
    `${pointer}/inner`,
    'the methods that you take inside the tunnel of "ttls" or "peap", the most wanted first',
    'one of "pap", "mschapv2", "eap-mschapv2", "eap-gtc", "eap-otp", "eap-md5", "eap-tls"',
    '"eap-mschapv2"',
  ),
  [`${pointer}/gtc`]: {
    expected: '"password" or "code": what the first question of EAP-GTC is answered with',
    example: '"password"',
  },
  ...authorities(`${pointer}/authorities`, "the EAP server's certificate"),
  ...list(
    `${pointer}/serverNames`,
    "names of which the EAP server's certificate must have one; without them the gateway's",
    'a host name',
    '"radius.example.com"',
  ),
  ...ownCertificate(pointer),
  [`${pointer}/gatewayByEap`]: flag('the gateway may prove itself by EAP alone, without a certificate of its own'),
});

const round = (pointer: string): Fields => ({
  [`${pointer}/method`]: {
    expected: 'one of "psk" (a pre-shared key), "certificate", "eap" (user name and password, and the like)',
    example: '"psk"',
  },
  [`${pointer}/identity`]: identity('your'),
  ...secret(`${pointer}/secret`),
  ...ownCertificate(pointer),
  [`${pointer}/storedKey`]: section(
    'a key that stays in its store, by label or by id',
    '{ "store": "token", "label": "alice" }',
  ),
  [`${pointer}/storedKey/store`]: { expected: 'the name of a key store of the engine', example: '"token"' },
  [`${pointer}/storedKey/label`]: { expected: "the key's label in the store", example: '"alice"' },
  [`${pointer}/storedKey/id`]: {
    expected: "the key's identifier in the store, in hexadecimal digits",
    example: '"01"',
  },
  [`${pointer}/rsaPadding`]: {
    expected: '"pss" or "pkcs1": how an RSA key signs for gateways that know both',
    example: '"pss"',
  },
  ...eap(`${pointer}/eap`),
});

export const AUTHENTICATION_FIELDS: Fields = {
  '/authentication': section(
    'how you prove who you are',
    '{ "method": "psk", "identity": "alice@example.com", "secret": "…" }',
  ),
  ...round('/authentication'),
  ...forms('/authentication/secret', 'the pre-shared key', 'office.secret'),
  '/authentication/ppk': section('a post-quantum pre-shared key beside all that', '{ "id": "office", "secret": "…" }'),
  '/authentication/ppk/id': { expected: 'the name of the key (PPK_ID)', example: '"office"' },
  ...secret('/authentication/ppk/secret'),
  '/authentication/ppk/required': flag('without it there is no connection'),
  '/authentication/second': section(
    'another authentication after the first',
    '{ "method": "eap", "identity": "alice", "eap": { "methods": ["mschapv2"] } }',
  ),
  ...round('/authentication/second'),
  '/gateway/authentication': section(
    'how the gateway proves who it is',
    '{ "method": "certificate", "authorities": [{ "file": "ca.crt" }] }',
  ),
  '/gateway/authentication/method': { expected: 'the word "psk" or "certificate"', example: '"certificate"' },
  ...secret('/gateway/authentication/secret'),
  ...authorities('/gateway/authentication/authorities', "the gateway's certificate"),
  '/gateway/authentication/revocation': {
    expected: '"off", "soft" (a certificate counts as good where nobody can be asked) or "strict"',
    example: '"soft"',
  },
  ...list(
    '/gateway/authentication/crls',
    'lists of revoked certificates (CRL), each PEM text or { "file": path }',
    'a list of revoked certificates (CRL), as PEM text or { "file": path }',
    '{ "file": "ca.crl" }',
  ),
  '/gateway/authentication/legacy': flag('take signatures with SHA-1 and short RSA keys'),
};
