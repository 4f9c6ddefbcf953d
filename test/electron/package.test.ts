// The configuration of the desktop package: only what electron-builder knows, and the promises it has to keep. What
// comes out of it: packaged.test.ts.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import config from '../../build/electron-builder.mjs';
import { EXTENSION, SCHEME } from '../../main/electron/deep-link.ts';

interface Schema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly definitions: { readonly FuseOptionsV1: { readonly properties: Readonly<Record<string, unknown>> } };
}
const file = new URL('../../node_modules/app-builder-lib/scheme.json', import.meta.url);
const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema;

test('electron-builder knows every option and every fuse', () => {
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(config)));
  const fuses = Object.keys(schema.definitions.FuseOptionsV1.properties);
  expect(fuses).toEqual(expect.arrayContaining(Object.keys(config.electronFuses)));
});

test('the fuses close the ways around the shell', () => {
  expect(config.asar).toBe(true);
  expect(config.electronFuses).toMatchObject({
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableCookieEncryption: true,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
  });
});

test('links and profile files lead to the shell', () => {
  expect(config.protocols.flatMap(({ schemes }) => schemes)).toEqual([SCHEME]);
  expect(config.fileAssociations.map(({ ext }) => `.${ext}`)).toEqual([EXTENSION]);
});
