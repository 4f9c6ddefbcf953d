// An engine without certificates does not pay for the libraries that read them, though it imports modules of main/pki.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { parseCertificate } from '../../main/pki/certificate.ts';

test('the ASN.1 libraries are loaded at the first certificate, not before', async () => {
  const loaded = () =>
    Object.keys(createRequire(import.meta.url).cache).filter((path) => /@peculiar|asn1js|reflect-metadata/.test(path));
  const folder = new URL('../../main/pki/', import.meta.url);
  const modules = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  expect(modules.length).toBeGreaterThan(15);
  for (const name of modules) await import(new URL(name, folder).href);
  expect(loaded()).toEqual([]);
  parseCertificate(Uint8Array.of(0x30, 0));
  expect(loaded().length).toBeGreaterThan(0);
});
