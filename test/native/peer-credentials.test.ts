import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identify } from '../../main/daemon/callers.ts';
import { peerCredentials } from '../../main/native/peer-credentials.ts';

it('names the process at the other end of a unix socket', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'culvert-peer-'));
  const accepted = await new Promise<Socket>((resolve) => {
    const server = createServer(resolve);
    server.listen(join(directory, 's'), () => createConnection(join(directory, 's')));
    server.unref();
  });
  const { _handle: handle } = accepted as Socket & { readonly _handle?: { readonly fd: number } };
  expect(peerCredentials(handle?.fd ?? -1)).toEqual({
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  // Whoever runs the engine is its administrator.
  expect(identify(accepted)).toEqual({ role: 'administrator', uid: process.getuid?.() });
  accepted.destroy();
  rmSync(directory, { recursive: true, force: true });
});

it('says nothing of what is no unix socket', () => {
  expect(peerCredentials(-1)).toBeUndefined();
  expect(peerCredentials(1_000_000)).toBeUndefined();
});
