// What the engine brings for authentication: token libraries by the service's environment, and a way to fetch past the tunnel.
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { engineAuthentication } from '../../main/daemon/authentication.ts';

const nowhere = async () => [];

test('token libraries that are misnamed or missing are noted, and nothing else happens', () => {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  expect(engineAuthentication(0, {}, note, nowhere).keyStores?.size).toBe(0);
  const environment = { CULVERT_PKCS11: 'card,usb=lib.so,hsm=/nonexistent/lib.so' };
  expect(engineAuthentication(0, environment, note, nowhere).keyStores?.size).toBe(0);
  expect(notes).toHaveLength(3);
  expect(notes[0]).toContain('"card", which is not of the form name=/path');
  expect(notes[1]).toContain('"usb=lib.so"');
  expect(notes[2]).toContain('/nonexistent/lib.so cannot be loaded');
});

test('fetches by host name and by address', async () => {
  const server = createServer((_, response) => response.end('a CRL'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [Uint8Array.of(127, 0, 0, 1)];
    };
    const { fetch } = engineAuthentication(0, {}, () => {}, resolve);
    for (const host of ['127.0.0.1', 'crl.example.com']) {
      const request = { url: `http://${host}:${port}/`, accept: '*/*', mostBytes: 100, timeout: 5000 };
      expect(Buffer.from((await fetch?.(request)) ?? []).toString()).toBe('a CRL');
    }
    expect(asked).toEqual(['crl.example.com']);
  } finally {
    server.close();
  }
});
