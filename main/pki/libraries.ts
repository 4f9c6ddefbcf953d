// The ASN.1 libraries, loaded at the first use of each. They take some 15 MB and a tenth of a second or two, which an engine whose
// profiles have no certificates should not pay, although profiles and sessions import the modules of this folder.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type Schema = typeof import('@peculiar/asn1-schema');
type X509 = typeof import('@peculiar/asn1-x509');
type Names = typeof import('@peculiar/x509');
type Ocsp = typeof import('@peculiar/asn1-ocsp');
type Pfx = typeof import('@peculiar/asn1-pfx');
type Ber = typeof import('asn1js');

function once<T>(load: () => T): () => T {
  let loaded: { readonly library: T } | undefined;
  return () => {
    loaded ??= { library: load() };
    return loaded.library;
  };
}

const schema = once((): Schema => require('@peculiar/asn1-schema'));
const x509 = once((): X509 => require('@peculiar/asn1-x509'));
const names = once((): Names => {
  // @peculiar/x509 refuses to load without it.
  require('reflect-metadata');
  return require('@peculiar/x509');
});
const ocsp = once((): Ocsp => require('@peculiar/asn1-ocsp'));
const pfx = once((): Pfx => require('@peculiar/asn1-pfx'));
const ber = once((): Ber => require('asn1js'));

export const lib = {
  get schema(): Schema {
    return schema();
  },
  get x509(): X509 {
    return x509();
  },
  get names(): Names {
    return names();
  },
  get ocsp(): Ocsp {
    return ocsp();
  },
  get pfx(): Pfx {
    return pfx();
  },
  get ber(): Ber {
    return ber();
  },
};
