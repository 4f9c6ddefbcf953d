// The engine behind its socket, connected with what the test says, and a client who may be anybody. Closed after each test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import type { Caller } from '../../main/ipc/server.ts';
import { connected, openScene, profileText, type Scene, type SceneOptions } from './fakes.ts';

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

/** After this test, the last first. */
export const closeLater = (close: () => unknown): void => void closers.push(close);

export type Open = Scene & { readonly client: EngineClient; become(caller: Caller): Promise<EngineClient> };
export const ADMINISTRATOR: Caller = { role: 'administrator', uid: 0 };
export const USER: Caller = { role: 'user', uid: 1000 };

export async function open(options: SceneOptions = {}): Promise<Open> {
  let caller = ADMINISTRATOR;
  const scene = await openScene({ script: connected, identify: () => caller, ...options });
  closers.push(() => scene.close());
  const become = async (next: Caller): Promise<EngineClient> => {
    caller = next;
    const client = await connectEngine(scene.socketPath);
    closers.push(() => client.close());
    return client;
  };
  const client = await become(ADMINISTRATOR);
  await client.call('import', { text: profileText('office'), replace: false });
  return Object.defineProperties({ client, become }, Object.getOwnPropertyDescriptors(scene)) as Open;
}
export const stored = (scene: Scene, name = 'office'): Record<string, unknown> =>
  JSON.parse(readFileSync(join(scene.profileDirectory, `${name}.json`), 'utf8')) as Record<string, unknown>;
export const refusal = { code: 'ipc/not-allowed' };
